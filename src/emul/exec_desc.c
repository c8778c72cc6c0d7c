/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions on descriptor tables: loading and storing the table registers,
 * LDTR and TR, and the probes LAR, LSL, VERR, VERW and ARPL.
 * Threat surface: guest selectors and tables; a probe of a bad selector clears
 * ZF and faults never.
 */
#include "desc.h"

/* These do not exist in real and vm86 mode. */
#define REQUIRE_PROTECTED(e)      \
    do {                          \
        if (!(e)->is_protected) { \
            return raise_ud(e);   \
        }                         \
    } while (0)

static void zf_write(struct emul *e, bool zf)
{
    e->cpu.rflags &= ~(uint64_t)FL_ZF;
    e->cpu.rflags |= zf ? FL_ZF : 0;
}

/* Written, and checked for writing, only if the RPL rises. */
int exec_arpl(struct emul *e, const struct emul_insn *i)
{
    uint64_t sel;

    REQUIRE_PROTECTED(e);
    int rc = rm_read(e, i, 2, &sel);
    if (rc) {
        return rc;
    }
    uint64_t rpl = reg_read(e, i->reg_at, 2) & 3;
    bool raised = (sel & 3) < rpl;
    if (raised) {
        rc = rm_write(e, i, 2, (sel & ~3ULL) | rpl);
        if (rc) {
            return rc;
        }
    }
    zf_write(e, raised);
    return EMUL_OK;
}

/* The operand selector, and whether the current level may see it. */
static int probe(struct emul *e, const struct emul_insn *i, struct desc *d,
                 bool *visible)
{
    uint64_t sel;

    *visible = false;
    int rc = rm_read(e, i, 2, &sel);
    if (rc || sel_is_null((uint16_t)sel)) {
        return rc;
    }
    rc = desc_find(e, (uint16_t)sel, d, visible);
    if (rc == EMUL_OK && *visible && !desc_is_conforming(d)) {
        *visible = desc_dpl(d) >= e->cpu.cpl && desc_dpl(d) >= (sel & 3);
    }
    return rc;
}

/* One bit per system type. */
#define LAR_TYPES 0x1a3eu /* 1-5, 9, B, C */
#define LSL_TYPES 0x0a0eu /* 1-3, 9, B */

static int probe_load(struct emul *e, const struct emul_insn *i, unsigned types,
                      bool limit)
{
    struct desc d;
    bool ok;

    REQUIRE_PROTECTED(e);
    int rc = probe(e, i, &d, &ok);
    if (rc) {
        return rc;
    }
    if (ok && desc_is_system(&d)) {
        if (e->cpu.efer & EFER_LMA) {
            types &= 0x1a04; /* long mode keeps 2, 9, B, C */
        }
        ok = (types >> desc_type(&d)) & 1;
    }
    zf_write(e, ok);
    if (ok) {
        reg_write(e, i->reg_at, i->opsize,
                  limit ? desc_limit(&d) : d.hi & 0x00ffff00);
    }
    return EMUL_OK;
}

int exec_lar(struct emul *e, const struct emul_insn *i)
{
    return probe_load(e, i, LAR_TYPES, false);
}

int exec_lsl(struct emul *e, const struct emul_insn *i)
{
    return probe_load(e, i, LSL_TYPES, true);
}

int exec_verr(struct emul *e, const struct emul_insn *i)
{
    struct desc d;
    bool ok;

    REQUIRE_PROTECTED(e);
    int rc = probe(e, i, &d, &ok);
    if (rc == EMUL_OK) {
        zf_write(e, ok && desc_is_readable(&d));
    }
    return rc;
}

int exec_verw(struct emul *e, const struct emul_insn *i)
{
    struct desc d;
    bool ok;

    REQUIRE_PROTECTED(e);
    int rc = probe(e, i, &d, &ok);
    if (rc == EMUL_OK) {
        zf_write(e, ok && desc_is_writable(&d));
    }
    return rc;
}

/* SGDT, SIDT, SLDT, STR and SMSW tell nothing to user code under UMIP. */
static bool umip_forbids(const struct emul *e)
{
    return e->cpu.cpl > 0 && (e->cpu.cr4 & CR4_UMIP);
}

static int selector_store(struct emul *e, const struct emul_insn *i,
                          unsigned seg)
{
    REQUIRE_PROTECTED(e);
    if (umip_forbids(e)) {
        return raise_gp0(e);
    }
    unsigned size = i->flags & EMUL_F_MEM ? 2 : i->opsize;
    return rm_write(e, i, size, e->cpu.seg[seg].sel);
}

int exec_sldt(struct emul *e, const struct emul_insn *i)
{
    return selector_store(e, i, EMUL_LDTR);
}

int exec_str(struct emul *e, const struct emul_insn *i)
{
    return selector_store(e, i, EMUL_TR);
}

/* Long mode has 16-byte system descriptors, which are not handled here. */
static int selector_operand(struct emul *e, const struct emul_insn *i,
                            uint16_t *sel)
{
    uint64_t v;

    REQUIRE_PROTECTED(e);
    if (e->cpu.cpl) {
        return raise_gp0(e);
    }
    if (e->cpu.efer & EFER_LMA) {
        return EMUL_UNHANDLED;
    }
    int rc = rm_read(e, i, 2, &v);
    *sel = (uint16_t)v;
    return rc;
}

int exec_lldt(struct emul *e, const struct emul_insn *i)
{
    uint16_t sel = 0;
    int rc = selector_operand(e, i, &sel);

    return rc ? rc : ldtr_load(e, sel, VEC_GP);
}

int exec_ltr(struct emul *e, const struct emul_insn *i)
{
    struct desc d;
    uint16_t sel = 0;
    int rc = selector_operand(e, i, &sel);

    if (rc) {
        return rc;
    }
    if (sel_is_null(sel) || (sel & 4)) {
        return raise_sel(e, VEC_GP, sel);
    }
    rc = desc_read(e, sel, VEC_GP, &d);
    if (rc) {
        return rc;
    }
    if (!desc_is_system(&d) ||
        (desc_type(&d) != DT_TSS16 && desc_type(&d) != DT_TSS32)) {
        return raise_sel(e, VEC_GP, sel);
    }
    if (!desc_is_present(&d)) {
        return raise_sel(e, VEC_NP, sel);
    }
    rc = desc_set_type(e, &d, desc_type(&d) | DT_BUSY);
    if (rc == EMUL_OK) {
        e->cpu.seg[EMUL_TR] = desc_segment(&d, sel);
    }
    return rc;
}

static int table_store(struct emul *e, const struct emul_insn *i, unsigned t)
{
    const struct emul_seg *s = &e->cpu.seg[t];
    uint64_t at = ea_of(e, i);

    if (umip_forbids(e)) {
        return raise_gp0(e);
    }
    int rc = mem_write(e, i->seg, at, 2, s->limit);
    if (rc) {
        return rc;
    }
    at = (at + 2) & size_mask(i->adsize);
    return mem_write(e, i->seg, at, is_long(e) ? 8 : 4, s->base);
}

int exec_sgdt(struct emul *e, const struct emul_insn *i)
{
    return table_store(e, i, EMUL_GDTR);
}

int exec_sidt(struct emul *e, const struct emul_insn *i)
{
    return table_store(e, i, EMUL_IDTR);
}

/* A 16-bit operand size loads a 24-bit base. */
static int table_load(struct emul *e, const struct emul_insn *i, unsigned t)
{
    uint64_t at = ea_of(e, i);
    uint64_t limit, base;

    if (e->cpu.cpl) {
        return raise_gp0(e);
    }
    int rc = mem_read(e, i->seg, at, 2, &limit);
    if (rc == EMUL_OK) {
        at = (at + 2) & size_mask(i->adsize);
        rc = mem_read(e, i->seg, at, is_long(e) ? 8 : 4, &base);
    }
    if (rc == EMUL_OK) {
        e->cpu.seg[t].limit = (uint32_t)limit;
        e->cpu.seg[t].base = i->opsize == 2 ? base & 0xffffff : base;
    }
    return rc;
}

int exec_lgdt(struct emul *e, const struct emul_insn *i)
{
    return table_load(e, i, EMUL_GDTR);
}

int exec_lidt(struct emul *e, const struct emul_insn *i)
{
    return table_load(e, i, EMUL_IDTR);
}
