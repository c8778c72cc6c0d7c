/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Far jumps, calls and returns: directly, through call gates with or without
 * a change of privilege, and to tasks. Registers are restored as a whole if
 * any step fails.
 * Threat surface: gates and code descriptors are the guest's.
 * Ref: AMD APM Vol 2, 4.11 "Control-Transfer Privilege Checks".
 */
#include "desc.h"

struct far_target {
    uint64_t off;
    uint16_t sel;
    uint8_t opsize;
    bool call;
    uint16_t drop; /* RETF: bytes of parameters */
};

static int push_return(struct emul *e, unsigned size, uint16_t cs, uint64_t ip)
{
    uint64_t sp = stk_get(e);
    int rc = stk_push(e, &sp, size, cs);

    if (rc == EMUL_OK) {
        rc = stk_push(e, &sp, size, ip);
    }
    if (rc == EMUL_OK) {
        stk_set(e, sp);
    }
    return rc;
}

static int far_real(struct emul *e, const struct far_target *t)
{
    uint16_t old_cs = e->cpu.seg[EMUL_CS].sel;
    uint64_t back = e->cpu.reg[EMUL_REG_NEXT];
    int rc = branch_to(e, t->off, t->opsize);

    if (rc == EMUL_OK && t->call) {
        rc = push_return(e, t->opsize, old_cs, back);
    }
    if (rc == EMUL_OK) {
        sreg_load_real(e, EMUL_CS, t->sel);
    }
    return rc;
}

/* To a code segment of the same privilege. */
static int far_same(struct emul *e, const struct far_target *t, struct desc *d)
{
    uint16_t old_cs = e->cpu.seg[EMUL_CS].sel;
    uint64_t back = e->cpu.reg[EMUL_REG_NEXT];

    if (!desc_is_present(d)) {
        return raise_sel(e, VEC_NP, t->sel);
    }
    if (t->call) {
        int rc = push_return(e, t->opsize, old_cs, back);
        if (rc) {
            return rc;
        }
    }
    return cs_load(e, d, t->sel, e->cpu.cpl, t->off & size_mask(t->opsize));
}

static int far_direct(struct emul *e, const struct far_target *t,
                      struct desc *d)
{
    unsigned dpl = desc_dpl(d);

    if (!desc_is_code(d) ||
        (desc_is_conforming(d)
             ? dpl > e->cpu.cpl
             : (t->sel & 3u) > e->cpu.cpl || dpl != e->cpu.cpl)) {
        return raise_sel(e, VEC_GP, t->sel);
    }
    return far_same(e, t, d);
}

#define GATE_PARAMS 31u

/* Parameters come from the old stack, before it is left. */
static int params_read(struct emul *e, unsigned count, unsigned size,
                       uint64_t *v)
{
    uint64_t sp = stk_get(e);

    for (unsigned n = 0; n < count; n++) {
        int rc = stk_pop(e, &sp, size, &v[n]);
        if (rc) {
            return rc;
        }
    }
    return EMUL_OK;
}

static int far_inner(struct emul *e, const struct far_target *t, struct desc *d,
                     unsigned count)
{
    unsigned cpl = desc_dpl(d);
    uint64_t v[GATE_PARAMS + 2];
    uint16_t old_cs = e->cpu.seg[EMUL_CS].sel, ss;
    uint64_t back = e->cpu.reg[EMUL_REG_NEXT], new_sp;

    if (!desc_is_present(d)) {
        return raise_sel(e, VEC_NP, t->sel);
    }
    int rc = tss_stack(e, cpl, &ss, &new_sp);
    if (rc == EMUL_OK) {
        rc = params_read(e, count, t->opsize, v);
    }
    if (rc) {
        return rc;
    }
    v[count] = e->cpu.reg[EMUL_RSP];
    v[count + 1] = e->cpu.seg[EMUL_SS].sel;
    rc = stack_switch(e, ss, new_sp, cpl, VEC_TS);
    uint64_t sp = stk_get(e);
    for (unsigned n = count + 2; rc == EMUL_OK && n > 0; n--) {
        rc = stk_push(e, &sp, t->opsize, v[n - 1]);
    }
    if (rc) {
        return rc;
    }
    stk_set(e, sp);
    rc = push_return(e, t->opsize, old_cs, back);
    return rc ? rc : cs_load(e, d, t->sel, cpl, t->off);
}

static int far_call_gate(struct emul *e, const struct far_target *t,
                         const struct desc *gate)
{
    bool wide = desc_type(gate) & DT_32BIT;
    struct far_target in = {
        .off = (gate->lo & 0xffff) | (wide ? gate->hi & 0xffff0000 : 0),
        .sel = (uint16_t)(gate->lo >> 16),
        .opsize = wide ? 4 : 2,
        .call = t->call,
    };
    struct desc d;

    if (sel_is_null(in.sel)) {
        return raise_gp0(e);
    }
    int rc = desc_read(e, in.sel, VEC_GP, &d);
    if (rc) {
        return rc;
    }
    unsigned dpl = desc_dpl(&d);
    bool inner = t->call && !desc_is_conforming(&d) && dpl < e->cpu.cpl;
    if (!desc_is_code(&d) || dpl > e->cpu.cpl ||
        (!t->call && !desc_is_conforming(&d) && dpl != e->cpu.cpl)) {
        return raise_sel(e, VEC_GP, in.sel);
    }
    return inner ? far_inner(e, &in, &d, gate->hi & 31) : far_same(e, &in, &d);
}

static int far_system(struct emul *e, const struct far_target *t,
                      const struct desc *d)
{
    enum task_source source = t->call ? TASK_CALL : TASK_JMP;
    uint64_t next = e->cpu.reg[EMUL_REG_NEXT];
    unsigned type = desc_type(d);
    bool gate = type == DT_CALL16 || type == DT_CALL32 || type == DT_TASK_GATE;
    bool tss = type == DT_TSS16 || type == DT_TSS32;

    if ((!gate && !tss) || desc_dpl(d) < e->cpu.cpl ||
        desc_dpl(d) < (t->sel & 3u)) {
        return raise_sel(e, VEC_GP, t->sel);
    }
    if (!desc_is_present(d)) {
        return raise_sel(e, VEC_NP, t->sel);
    }
    if (tss) {
        return task_switch(e, t->sel, source, next);
    }
    return type == DT_TASK_GATE ? task_gate(e, d, source, next)
                                : far_call_gate(e, t, d);
}

static int far_protected(struct emul *e, void *arg)
{
    const struct far_target *t = arg;
    struct desc d;

    if (sel_is_null(t->sel)) {
        return raise_gp0(e);
    }
    int rc = desc_read(e, t->sel, VEC_GP, &d);
    if (rc) {
        return rc;
    }
    return desc_is_system(&d) ? far_system(e, t, &d) : far_direct(e, t, &d);
}

static int far_go(struct emul *e, struct far_target *t)
{
    if (!e->is_protected) {
        return far_real(e, t);
    }
    if (e->cpu.efer & EFER_LMA) {
        return EMUL_UNHANDLED;
    }
    return run_or_restore(e, far_protected, t);
}

static int far_imm(struct emul *e, const struct emul_insn *i, bool call)
{
    struct far_target t = {
        .off = i->imm, .sel = i->imm2, .opsize = i->opsize, .call = call};

    return far_go(e, &t);
}

static int far_mem(struct emul *e, const struct emul_insn *i, bool call)
{
    struct far_target t = {.opsize = i->opsize, .call = call};
    uint64_t at = ea_of(e, i);
    uint64_t sel;
    int rc = mem_read(e, i->seg, at, i->opsize, &t.off);

    if (rc == EMUL_OK) {
        at = (at + i->opsize) & size_mask(i->adsize);
        rc = mem_read(e, i->seg, at, 2, &sel);
    }
    if (rc) {
        return rc;
    }
    t.sel = (uint16_t)sel;
    return far_go(e, &t);
}

int exec_jmp_far(struct emul *e, const struct emul_insn *i)
{
    return far_imm(e, i, false);
}

int exec_call_far(struct emul *e, const struct emul_insn *i)
{
    return far_imm(e, i, true);
}

int exec_jmp_far_m(struct emul *e, const struct emul_insn *i)
{
    return far_mem(e, i, false);
}

int exec_call_far_m(struct emul *e, const struct emul_insn *i)
{
    return far_mem(e, i, true);
}
