/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RETF and IRET: to the same level, to an outer level, to vm86 mode, and back
 * to the task that was interrupted.
 * Threat surface: the frame is guest memory, privilege may only drop.
 * Ref: AMD APM Vol 3, "RET (Far)", "IRET".
 */
#include "desc.h"

struct frame {
    uint64_t ip;
    uint64_t cs;
    uint64_t flags;
    uint64_t sp; /* local stack pointer */
    uint8_t size;
    uint16_t drop;
};

static int frame_pop(struct emul *e, struct frame *f, uint64_t *v)
{
    return stk_pop(e, &f->sp, f->size, v);
}

static int frame_read(struct emul *e, struct frame *f, bool with_flags)
{
    f->sp = stk_get(e);
    int rc = frame_pop(e, f, &f->ip);
    if (rc == EMUL_OK) {
        rc = frame_pop(e, f, &f->cs);
    }
    if (rc == EMUL_OK && with_flags) {
        rc = frame_pop(e, f, &f->flags);
    }
    f->cs &= 0xffff;
    return rc;
}

static int return_real(struct emul *e, struct frame *f)
{
    int rc = branch_to(e, f->ip, f->size);

    if (rc == EMUL_OK) {
        stk_set(e, f->sp + f->drop);
        sreg_load_real(e, EMUL_CS, (uint16_t)f->cs);
    }
    return rc;
}

static int return_check(struct emul *e, const struct frame *f, struct desc *d)
{
    uint16_t sel = (uint16_t)f->cs;
    unsigned rpl = sel & 3;

    if (sel_is_null(sel)) {
        return raise_gp0(e);
    }
    int rc = desc_read(e, sel, VEC_GP, d);
    if (rc) {
        return rc;
    }
    if (!desc_is_code(d) || rpl < e->cpu.cpl ||
        (desc_is_conforming(d) ? desc_dpl(d) > rpl : desc_dpl(d) != rpl)) {
        return raise_sel(e, VEC_GP, sel);
    }
    return desc_is_present(d) ? EMUL_OK : raise_sel(e, VEC_NP, sel);
}

static int return_outer(struct emul *e, struct frame *f, struct desc *d)
{
    unsigned rpl = f->cs & 3;
    uint64_t sp, ss;

    f->sp = (f->sp + f->drop) & e->stack_mask;
    int rc = frame_pop(e, f, &sp);
    if (rc == EMUL_OK) {
        rc = frame_pop(e, f, &ss);
    }
    if (rc == EMUL_OK) {
        rc = stack_switch(e, (uint16_t)ss, sp, rpl, VEC_GP);
    }
    if (rc == EMUL_OK) {
        stk_set(e, stk_get(e) + f->drop);
        rc = cs_load(e, d, (uint16_t)f->cs, rpl, f->ip);
    }
    if (rc == EMUL_OK) {
        sreg_drop_inner(e);
    }
    return rc;
}

static int return_protected(struct emul *e, struct frame *f)
{
    struct desc d;
    int rc = return_check(e, f, &d);

    if (rc) {
        return rc;
    }
    if ((f->cs & 3) > e->cpu.cpl) {
        return return_outer(e, f, &d);
    }
    rc = cs_load(e, &d, (uint16_t)f->cs, e->cpu.cpl, f->ip);
    if (rc == EMUL_OK) {
        stk_set(e, f->sp + f->drop);
    }
    return rc;
}

static int retf_any(struct emul *e, void *arg)
{
    struct frame *f = arg;
    int rc = frame_read(e, f, false);

    if (rc) {
        return rc;
    }
    return e->is_protected ? return_protected(e, f) : return_real(e, f);
}

int exec_retf(struct emul *e, const struct emul_insn *i)
{
    struct frame f = {.size = i->opsize, .drop = (uint16_t)i->imm};

    if (e->cpu.efer & EFER_LMA) {
        return EMUL_UNHANDLED;
    }
    return run_or_restore(e, retf_any, &f);
}

/* CPL 0 only: six more words, then vm86 segments throughout. */
static int iret_to_vm86(struct emul *e, struct frame *f)
{
    static const uint8_t order[] = {EMUL_SS, EMUL_ES, EMUL_DS, EMUL_FS,
                                    EMUL_GS};
    uint64_t sp, sel[5];
    int rc = frame_pop(e, f, &sp);

    for (unsigned n = 0; rc == EMUL_OK && n < 5; n++) {
        rc = frame_pop(e, f, &sel[n]);
    }
    if (rc == EMUL_OK && (f->ip & 0xffffffff) > 0xffff) {
        rc = raise_gp0(e);
    }
    if (rc) {
        return rc;
    }
    rflags_write(e, f->flags, rflags_writable(e, 4) | FL_VM | FL_VIF | FL_VIP);
    e->cpu.cpl = 3;
    mode_update(e);
    sreg_load_real(e, EMUL_CS, (uint16_t)f->cs);
    for (unsigned n = 0; n < 5; n++) {
        sreg_load_real(e, order[n], (uint16_t)sel[n]);
    }
    mode_update(e);
    e->cpu.reg[EMUL_RSP] = sp;
    e->cpu.reg[EMUL_REG_NEXT] = f->ip;
    return EMUL_OK;
}

static int iret_to_task(struct emul *e)
{
    uint64_t link;
    int rc = sys_read(e, e->cpu.seg[EMUL_TR].base, 2, &link);

    return rc ? rc
              : task_switch(e, (uint16_t)link, TASK_IRET,
                            e->cpu.reg[EMUL_REG_NEXT]);
}

static int iret_any(struct emul *e, void *arg)
{
    struct frame *f = arg;

    if (e->is_protected && (e->cpu.rflags & FL_NT)) {
        return iret_to_task(e);
    }
    int rc = frame_read(e, f, true);
    if (rc) {
        return rc;
    }
    if (e->is_protected && f->size == 4 && (f->flags & FL_VM) &&
        e->cpu.cpl == 0) {
        return iret_to_vm86(e, f);
    }
    /* What may change is decided by the level left, not the one entered. */
    uint64_t mask = rflags_writable(e, f->size);
    if (e->is_protected && f->size == 4 && e->cpu.cpl == 0) {
        mask |= FL_VIF | FL_VIP;
    }
    rc = e->is_protected ? return_protected(e, f) : return_real(e, f);
    if (rc == EMUL_OK) {
        rflags_write(e, f->flags, mask);
    }
    return rc;
}

int exec_iret(struct emul *e, const struct emul_insn *i)
{
    struct frame f = {.size = i->opsize};

    if (e->cpu.efer & EFER_LMA) {
        return EMUL_UNHANDLED;
    }
    if (e->is_vm86 && iopl_of(e) < 3) {
        return raise_gp0(e);
    }
    return run_or_restore(e, iret_any, &f);
}
