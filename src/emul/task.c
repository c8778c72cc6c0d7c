/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches, for 16- and 32-bit task state segments. The new
 * state is read in full before the old one is left; from then on faults belong
 * to the new task and cannot be taken back.
 * Threat surface: both task state segments are guest memory.
 * Ref: AMD APM Vol 2, 12.3 "Hardware Task-Management in Legacy Mode".
 */
#include "desc.h"

/* Where things are in each kind of TSS; widths are 2 or 4. */
struct tss_layout {
    uint8_t width;
    uint8_t ip;   /* then flags and eight registers follow in order */
    uint8_t sreg; /* first of the segment selectors */
    uint8_t sreg_count;
    uint8_t ldt;
    uint8_t min_limit;
};

static const struct tss_layout layout16 = {2, 0x0e, 0x22, 4, 0x2a, 0x2b};
static const struct tss_layout layout32 = {4, 0x20, 0x48, 6, 0x60, 0x67};

#define TSS_CR3 0x1cu
#define TSS_TRAP 0x64u
#define TSS_WORDS 10 /* IP, flags, eight registers */

struct task {
    const struct tss_layout *layout;
    struct emul_seg tr;
    uint64_t word[TSS_WORDS];
    uint64_t sel[6];
    uint64_t ldt, cr3, trap;
};

static const struct tss_layout *layout_of(const struct emul_seg *tr)
{
    return tr->attr & DT_32BIT ? &layout32 : &layout16;
}

static int task_save(struct emul *e, uint64_t next, uint64_t flags)
{
    const struct emul_seg *tr = &e->cpu.seg[EMUL_TR];
    const struct tss_layout *l = layout_of(tr);
    int rc = EMUL_OK;

    for (unsigned n = 0; rc == EMUL_OK && n < TSS_WORDS; n++) {
        uint64_t v = n == 0 ? next : n == 1 ? flags : e->cpu.reg[n - 2];
        rc = sys_write(e, tr->base + l->ip + (uint64_t)n * l->width, l->width,
                       v & size_mask(l->width));
    }
    for (unsigned n = 0; rc == EMUL_OK && n < l->sreg_count; n++) {
        rc = sys_write(e, tr->base + l->sreg + (uint64_t)n * l->width, 2,
                       e->cpu.seg[n].sel);
    }
    return rc;
}

static int task_read(struct emul *e, struct task *t)
{
    const struct tss_layout *l = t->layout;
    uint64_t base = t->tr.base;
    int rc = EMUL_OK;

    for (unsigned n = 0; rc == EMUL_OK && n < TSS_WORDS; n++) {
        rc = sys_read(e, base + l->ip + (uint64_t)n * l->width, l->width,
                      &t->word[n]);
    }
    for (unsigned n = 0; rc == EMUL_OK && n < l->sreg_count; n++) {
        rc =
            sys_read(e, base + l->sreg + (uint64_t)n * l->width, 2, &t->sel[n]);
    }
    if (rc == EMUL_OK) {
        rc = sys_read(e, base + l->ldt, 2, &t->ldt);
    }
    if (rc == EMUL_OK && l->width == 4) {
        rc = sys_read(e, base + TSS_CR3, 4, &t->cr3);
        if (rc == EMUL_OK) {
            rc = sys_read(e, base + TSS_TRAP, 2, &t->trap);
        }
    }
    return rc;
}

/* Finds and checks the new TSS; IRET expects a busy one. */
static int tss_check(struct emul *e, uint16_t sel, enum task_source source,
                     struct desc *d)
{
    uint8_t vector = source == TASK_IRET ? VEC_TS : VEC_GP;
    unsigned busy = source == TASK_IRET ? DT_BUSY : 0;

    if (sel_is_null(sel) || (sel & 4)) {
        return raise_sel(e, vector, sel);
    }
    int rc = desc_read(e, sel, vector, d);
    if (rc) {
        return rc;
    }
    if (!desc_is_system(d) ||
        (desc_type(d) & ~(unsigned)DT_32BIT) != (DT_TSS16 | busy)) {
        return raise_sel(e, vector, sel);
    }
    return desc_is_present(d) ? EMUL_OK : raise_sel(e, VEC_NP, sel);
}

static int task_busy_clear(struct emul *e)
{
    struct desc d;
    int rc = desc_read(e, e->cpu.seg[EMUL_TR].sel, VEC_TS, &d);

    return rc ? rc : desc_set_type(e, &d, desc_type(&d) & ~(unsigned)DT_BUSY);
}

/* Registers that cannot fault. From here on the new task is the current. */
static int task_commit(struct emul *e, const struct task *t, uint64_t flags)
{
    if (t->layout->width == 4 && (e->cpu.cr0 & CR0_PG)) {
        if (e->ops->cr_write) {
            int rc = e->ops->cr_write(e, 3, t->cr3);
            if (rc) {
                return rc;
            }
        }
        e->cpu.cr3 = t->cr3;
    }
    for (unsigned n = 0; n < 8; n++) {
        gpr_write(e, n, t->layout->width, t->word[n + 2]);
    }
    e->cpu.seg[EMUL_TR] = t->tr;
    e->cpu.cr0 |= CR0_TS;
    e->cpu.rflags = (flags & 0x3f7fd5) | FL_FIXED;
    e->cpu.reg[EMUL_REG_NEXT] = t->word[0];
    e->cpu.rip = t->word[0];
    e->cpu.shadow = 0;
    for (unsigned n = 0; n < EMUL_SREG_COUNT; n++) {
        e->cpu.seg[n].sel = (uint16_t)t->sel[n];
        e->cpu.seg[n].attr &= (uint16_t)~EMUL_ATTR_P;
    }
    e->cpu.seg[EMUL_LDTR] = (struct emul_seg){.sel = (uint16_t)t->ldt};
    e->cpu.cpl = flags & FL_VM ? 3 : t->sel[EMUL_CS] & 3;
    e->committed = true;
    emul_sync(e);
    return EMUL_OK;
}

static int task_cs_load(struct emul *e, uint16_t sel, uint64_t off)
{
    unsigned rpl = sel & 3;
    struct desc d;

    if (sel_is_null(sel)) {
        return raise_sel(e, VEC_TS, 0);
    }
    int rc = desc_read(e, sel, VEC_TS, &d);
    if (rc) {
        return rc;
    }
    if (!desc_is_code(&d) ||
        (desc_is_conforming(&d) ? desc_dpl(&d) > rpl : desc_dpl(&d) != rpl)) {
        return raise_sel(e, VEC_TS, sel);
    }
    if (!desc_is_present(&d)) {
        return raise_sel(e, VEC_NP, sel);
    }
    return cs_load(e, &d, sel, rpl, off);
}

static int task_segments_load(struct emul *e, const struct task *t)
{
    static const uint8_t order[] = {EMUL_SS, EMUL_ES, EMUL_DS, EMUL_FS,
                                    EMUL_GS};
    int rc = ldtr_load(e, (uint16_t)t->ldt, VEC_TS);

    if (rc) {
        return rc;
    }
    if (e->is_vm86) {
        for (unsigned n = 0; n < EMUL_SREG_COUNT; n++) {
            sreg_load_real(e, n, (uint16_t)t->sel[n]);
        }
        mode_update(e);
        return branch_to(e, t->word[0], 4);
    }
    for (unsigned n = 0; rc == EMUL_OK && n < 5; n++) {
        rc = sreg_load_protected(e, order[n], (uint16_t)t->sel[order[n]],
                                 VEC_TS);
    }
    if (rc == EMUL_OK) {
        rc = task_cs_load(e, (uint16_t)t->sel[EMUL_CS], t->word[0]);
    }
    return rc;
}

/* Writes to both TSSs and descriptors, in the manual's order. */
static int task_leave(struct emul *e, struct desc *d, enum task_source source,
                      uint64_t next)
{
    bool nested = source == TASK_CALL || source == TASK_INT;
    uint64_t flags = e->cpu.rflags;
    int rc = EMUL_OK;

    if (source == TASK_IRET) {
        flags &= ~(uint64_t)FL_NT;
    }
    if (!nested) {
        rc = task_busy_clear(e);
    }
    if (rc == EMUL_OK) {
        rc = task_save(e, next, flags);
    }
    if (rc == EMUL_OK && nested) {
        rc = sys_write(e, desc_segment(d, 0).base, 2, e->cpu.seg[EMUL_TR].sel);
    }
    if (rc == EMUL_OK && source != TASK_IRET) {
        rc = desc_set_type(e, d, desc_type(d) | DT_BUSY);
    }
    return rc;
}

int task_switch(struct emul *e, uint16_t sel, enum task_source source,
                uint64_t next)
{
    struct task t = {.ldt = 0};
    struct desc d;
    int rc = tss_check(e, sel, source, &d);

    if (rc) {
        return rc;
    }
    t.tr = desc_segment(&d, sel);
    t.layout = layout_of(&t.tr);
    if (t.tr.limit < t.layout->min_limit) {
        return raise_sel(e, VEC_TS, sel);
    }
    rc = task_read(e, &t);
    if (rc == EMUL_OK) {
        rc = task_leave(e, &d, source, next);
    }
    if (rc) {
        return rc;
    }
    bool nested = source == TASK_CALL || source == TASK_INT;
    t.tr.attr |= DT_BUSY;
    rc = task_commit(e, &t, t.word[1] | (nested ? FL_NT : 0));
    if (rc == EMUL_OK) {
        rc = task_segments_load(e, &t);
    }
    if (rc == EMUL_OK && (t.trap & 1)) {
        e->cpu.dr[6] |= 1u << 15;
        rc = emul_raise(e, VEC_DB, 0);
    }
    return rc;
}

int task_gate(struct emul *e, const struct desc *gate, enum task_source source,
              uint64_t next)
{
    return task_switch(e, (uint16_t)(gate->lo >> 16), source, next);
}
