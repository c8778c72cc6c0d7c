/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading and storing segment registers.
 * Threat surface: guest selectors; every rule of the manual's MOV is here.
 * Ref: AMD APM Vol 2, 4.9 "Segment-Protection Overview", 4.10 "Data-Access
 *      Privilege Checks".
 */
#include "desc.h"

/* Real mode keeps limit and rights: that is what big-real mode is. */
void sreg_load_real(struct emul *e, unsigned sreg, uint16_t sel)
{
    struct emul_seg *s = &e->cpu.seg[sreg];

    s->sel = sel;
    s->base = (uint32_t)sel << 4;
    if (e->is_vm86) {
        s->limit = 0xffff;
        s->attr = 0xf3;
    }
}

static int ss_load(struct emul *e, uint16_t sel, uint8_t vector)
{
    struct desc d;

    if (sel_is_null(sel) && is_long(e) && e->cpu.cpl < 3 &&
        (sel & 3) == e->cpu.cpl) {
        e->cpu.seg[EMUL_SS].sel = sel;
        return EMUL_OK;
    }
    int rc = ss_check(e, sel, e->cpu.cpl, vector, &d);
    if (rc == EMUL_OK) {
        e->cpu.seg[EMUL_SS] = desc_segment(&d, sel);
        mode_update(e);
    }
    return rc;
}

int sreg_load_protected(struct emul *e, unsigned sreg, uint16_t sel,
                        uint8_t vector)
{
    struct desc d;

    if (sreg == EMUL_SS) {
        return ss_load(e, sel, vector);
    }
    if (sel_is_null(sel)) {
        e->cpu.seg[sreg] = (struct emul_seg){.sel = sel};
        return EMUL_OK;
    }
    int rc = desc_read(e, sel, vector, &d);
    if (rc) {
        return rc;
    }
    if (!desc_is_readable(&d) ||
        (!desc_is_conforming(&d) &&
         ((sel & 3u) > desc_dpl(&d) || e->cpu.cpl > desc_dpl(&d)))) {
        return raise_sel(e, vector, sel);
    }
    if (!desc_is_present(&d)) {
        return raise_sel(e, VEC_NP, sel);
    }
    rc = desc_mark_accessed(e, &d);
    if (rc == EMUL_OK) {
        e->cpu.seg[sreg] = desc_segment(&d, sel);
    }
    return rc;
}

int sreg_load(struct emul *e, unsigned sreg, uint16_t sel)
{
    if (!e->is_protected) {
        sreg_load_real(e, sreg, sel);
        return EMUL_OK;
    }
    return sreg_load_protected(e, sreg, sel, VEC_GP);
}

void sreg_drop_inner(struct emul *e)
{
    static const uint8_t data[] = {EMUL_ES, EMUL_DS, EMUL_FS, EMUL_GS};

    for (unsigned n = 0; n < 4; n++) {
        struct emul_seg *s = &e->cpu.seg[data[n]];
        bool conforming = (s->attr & 0x1c) == 0x1c;
        unsigned dpl = (s->attr >> EMUL_ATTR_DPL_SHIFT) & 3;

        if (!conforming && dpl < e->cpu.cpl) {
            *s = (struct emul_seg){.sel = 0};
        }
    }
}

/* Interrupts and traps wait until SP can be loaded as well. */
static void note_ss_load(struct emul *e, unsigned sreg)
{
    if (sreg == EMUL_SS) {
        e->cpu.shadow |= EMUL_SHADOW_SS;
    }
}

int exec_mov_sreg_rm(struct emul *e, const struct emul_insn *i)
{
    unsigned sreg = i->reg & 7;
    uint64_t sel;

    if (sreg == EMUL_CS || sreg >= EMUL_SREG_COUNT) {
        return raise_ud(e);
    }
    int rc = rm_read(e, i, 2, &sel);
    if (rc == EMUL_OK) {
        rc = sreg_load(e, sreg, (uint16_t)sel);
    }
    if (rc == EMUL_OK) {
        note_ss_load(e, sreg);
    }
    return rc;
}

int exec_mov_rm_sreg(struct emul *e, const struct emul_insn *i)
{
    unsigned sreg = i->reg & 7;

    if (sreg >= EMUL_SREG_COUNT) {
        return raise_ud(e);
    }
    unsigned size = i->flags & EMUL_F_MEM ? 2 : i->opsize;
    return rm_write(e, i, size, e->cpu.seg[sreg].sel);
}

int exec_pop_sreg(struct emul *e, const struct emul_insn *i)
{
    unsigned sreg = (i->opcode >> 3) & 7;
    uint64_t sp = stk_get(e);
    uint64_t sel;
    int rc = stk_pop(e, &sp, i->opsize, &sel);

    if (rc) {
        return rc;
    }
    /* The new SP is cut by the width of the old stack segment. */
    uint64_t mask = e->stack_mask;
    rc = sreg_load(e, sreg, (uint16_t)sel);
    if (rc == EMUL_OK) {
        gpr_write(e, EMUL_RSP, mask == 0xffff ? 2 : 8, sp);
        note_ss_load(e, sreg);
    }
    return rc;
}

/* C4 and C5 load ES and DS; 0F B2, B4, B5 load SS, FS, GS. */
int exec_load_far_ptr(struct emul *e, const struct emul_insn *i)
{
    unsigned sreg = i->opcode == 0xc4   ? EMUL_ES
                    : i->opcode == 0xc5 ? EMUL_DS
                                        : i->opcode & 7u;
    uint64_t at = ea_of(e, i);
    uint64_t off, sel;

    if (!(i->flags & EMUL_F_MEM)) {
        return raise_ud(e);
    }
    int rc = mem_read(e, i->seg, at, i->opsize, &off);
    if (rc == EMUL_OK) {
        at = (at + i->opsize) & size_mask(i->adsize);
        rc = mem_read(e, i->seg, at, 2, &sel);
    }
    if (rc == EMUL_OK) {
        rc = sreg_load(e, sreg, (uint16_t)sel);
    }
    if (rc == EMUL_OK) {
        reg_write(e, i->reg_at, i->opsize, off);
    }
    return rc;
}
