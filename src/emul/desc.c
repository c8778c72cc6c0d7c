/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading, checking and marking descriptors; the stack switch they lead to.
 * Threat surface: descriptor tables and the TSS are guest memory and may
 * change between any two reads; each descriptor is read once.
 */
#include "desc.h"

uint32_t desc_limit(const struct desc *d)
{
    uint32_t limit = (d->lo & 0xffff) | (d->hi & 0xf0000);

    return d->hi & 0x800000 ? (limit << 12) | 0xfff : limit;
}

struct emul_seg desc_segment(const struct desc *d, uint16_t sel)
{
    return (struct emul_seg){
        .sel = sel,
        .attr = (uint16_t)(((d->hi >> 8) & 0xff) | ((d->hi >> 12) & 0xf00)),
        .limit = desc_limit(d),
        .base = (d->lo >> 16) | ((d->hi & 0xff) << 16) | (d->hi & 0xff000000),
    };
}

int desc_find(struct emul *e, uint16_t sel, struct desc *d, bool *found)
{
    const struct emul_seg *table = &e->cpu.seg[sel & 4 ? EMUL_LDTR : EMUL_GDTR];
    uint32_t at = sel & 0xfff8;
    uint64_t raw;

    *found = false;
    *d = (struct desc){.lin = table->base + at};
    if (((sel & 4) && !(table->attr & EMUL_ATTR_P)) || at + 7 > table->limit) {
        return EMUL_OK;
    }
    int rc = sys_read(e, d->lin, 8, &raw);
    if (rc == EMUL_OK) {
        d->lo = (uint32_t)raw;
        d->hi = (uint32_t)(raw >> 32);
        *found = true;
    }
    return rc;
}

int desc_read(struct emul *e, uint16_t sel, uint8_t vector, struct desc *d)
{
    bool found;
    int rc = desc_find(e, sel, d, &found);

    if (rc == EMUL_OK && !found) {
        rc = raise_sel(e, vector, sel);
    }
    return rc;
}

int desc_set_type(struct emul *e, struct desc *d, unsigned type)
{
    uint32_t hi = (d->hi & ~0xf00u) | (type << 8);

    if (hi == d->hi) {
        return EMUL_OK;
    }
    d->hi = hi;
    return sys_write(e, d->lin + 5, 1, (hi >> 8) & 0xff);
}

int desc_mark_accessed(struct emul *e, struct desc *d)
{
    return desc_set_type(e, d, desc_type(d) | 1);
}

int ss_check(struct emul *e, uint16_t sel, unsigned cpl, uint8_t vector,
             struct desc *d)
{
    if (sel_is_null(sel)) {
        return raise_sel(e, vector, 0);
    }
    int rc = desc_read(e, sel, vector, d);
    if (rc) {
        return rc;
    }
    if ((sel & 3u) != cpl || desc_dpl(d) != cpl || !desc_is_writable(d)) {
        return raise_sel(e, vector, sel);
    }
    if (!desc_is_present(d)) {
        return raise_sel(e, VEC_SS, sel);
    }
    return desc_mark_accessed(e, d);
}

int tss_stack(struct emul *e, unsigned cpl, uint16_t *ss, uint64_t *sp)
{
    const struct emul_seg *tr = &e->cpu.seg[EMUL_TR];
    unsigned width = tr->attr & DT_32BIT ? 4 : 2;
    uint32_t at = width + cpl * 2 * width;
    uint64_t v;

    if (!(tr->attr & EMUL_ATTR_P) || at + 2 * width - 1 > tr->limit) {
        return raise_sel(e, VEC_TS, tr->sel);
    }
    int rc = sys_read(e, tr->base + at, width, sp);
    if (rc == EMUL_OK) {
        rc = sys_read(e, tr->base + at + width, 2, &v);
    }
    if (rc == EMUL_OK) {
        *ss = (uint16_t)v;
    }
    return rc;
}

int stack_switch(struct emul *e, uint16_t ss, uint64_t sp, unsigned cpl,
                 uint8_t vector)
{
    struct desc d;
    int rc = ss_check(e, ss, cpl, vector, &d);

    if (rc == EMUL_OK) {
        e->cpu.seg[EMUL_SS] = desc_segment(&d, ss);
        e->cpu.cpl = (uint8_t)cpl;
        mode_update(e);
        stk_set(e, sp);
    }
    return rc;
}

int cs_load(struct emul *e, struct desc *d, uint16_t sel, unsigned cpl,
            uint64_t off)
{
    if (off > desc_limit(d)) {
        return raise_gp0(e);
    }
    int rc = desc_mark_accessed(e, d);
    if (rc) {
        return rc;
    }
    e->cpu.seg[EMUL_CS] = desc_segment(d, (uint16_t)((sel & ~3u) | cpl));
    e->cpu.cpl = (uint8_t)cpl;
    e->cpu.reg[EMUL_REG_NEXT] = off;
    mode_update(e);
    return EMUL_OK;
}

int ldtr_load(struct emul *e, uint16_t sel, uint8_t vector)
{
    struct desc d;

    if (sel_is_null(sel)) {
        e->cpu.seg[EMUL_LDTR] = (struct emul_seg){.sel = sel};
        return EMUL_OK;
    }
    if (sel & 4) {
        return raise_sel(e, vector, sel);
    }
    int rc = desc_read(e, sel, vector, &d);
    if (rc) {
        return rc;
    }
    if (!desc_is_system(&d) || desc_type(&d) != DT_LDT) {
        return raise_sel(e, vector, sel);
    }
    if (!desc_is_present(&d)) {
        return raise_sel(e, vector == VEC_TS ? VEC_TS : VEC_NP, sel);
    }
    e->cpu.seg[EMUL_LDTR] = desc_segment(&d, sel);
    return EMUL_OK;
}

int run_or_restore(struct emul *e, int (*fn)(struct emul *e, void *arg),
                   void *arg)
{
    struct emul_cpu saved = e->cpu;

    e->committed = false;
    int rc = fn(e, arg);
    if (rc && !e->committed) {
        e->cpu = saved;
        mode_update(e);
    }
    return rc;
}
