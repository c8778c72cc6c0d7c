/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Setting up an emulator and keeping the derived state in step with the
 * architectural one.
 * Threat surface: none of its own; everything derived is recomputed from
 * registers, never taken from the guest.
 */
#include "exec.h"

void mode_update(struct emul *e)
{
    const struct emul_seg *cs = &e->cpu.seg[EMUL_CS];
    const struct emul_seg *ss = &e->cpu.seg[EMUL_SS];

    e->is_real = !(e->cpu.cr0 & CR0_PE);
    e->is_vm86 =
        !e->is_real && (e->cpu.rflags & FL_VM) && !(e->cpu.efer & EFER_LMA);
    e->is_protected = !e->is_real && !e->is_vm86;
    if ((e->cpu.efer & EFER_LMA) && (cs->attr & EMUL_ATTR_L)) {
        e->mode = is_intel(e) ? EMUL_MODE_64 : EMUL_MODE_64_AMD;
        e->stack_mask = ~0ULL;
    } else {
        bool wide = !e->is_vm86 && (cs->attr & EMUL_ATTR_DB);
        e->mode = wide ? EMUL_MODE_32 : EMUL_MODE_16;
        e->stack_mask = ss->attr & EMUL_ATTR_DB ? 0xffffffff : 0xffff;
    }
    e->access = e->cpu.cpl == 3 ? EMUL_ACCESS_USER : 0;
    e->check_align =
        e->cpu.cpl == 3 && (e->cpu.cr0 & CR0_AM) && (e->cpu.rflags & FL_AC);
}

void emul_sync(struct emul *e)
{
    e->cpu.reg[EMUL_REG_ZERO] = 0;
    e->cpu.rflags |= FL_FIXED;
    emul_code_forget(e);
    mode_update(e);
}

void emul_init(struct emul *e, const struct emul_ops *ops, void *priv,
               struct emul_cache *cache)
{
    *e = (struct emul){.ops = ops,
                       .priv = priv,
                       .cache = cache,
                       .family = EMUL_FAMILY_AMD,
                       .rep_limit = 1024};
    emul_reset(e);
}

/* Ref: AMD APM Vol 2, 14.1.3 "Processor Initialization State". */
void emul_reset(struct emul *e)
{
    struct emul_cpu *c = &e->cpu;

    *c = (struct emul_cpu){.rip = 0xfff0, .rflags = FL_FIXED};
    for (unsigned n = 0; n < EMUL_SEG_COUNT; n++) {
        c->seg[n] = (struct emul_seg){.limit = 0xffff, .attr = 0x93};
    }
    c->seg[EMUL_CS].sel = 0xf000;
    c->seg[EMUL_CS].base = 0xffff0000;
    c->seg[EMUL_CS].attr = 0x9b;
    c->seg[EMUL_LDTR].attr = 0x82;
    c->seg[EMUL_TR].attr = 0x8b;
    c->cr0 = CR0_ET | CR0_NW | CR0_CD;
    c->dr[6] = 0xffff0ff0;
    c->dr[7] = 0x400;
    emul_sync(e);
}
