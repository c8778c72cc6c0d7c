/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-operand arithmetic and logic in its three operand orders, TEST, INC,
 * DEC, NOT, NEG, XADD and CMPXCHG.
 * Threat surface: memory operands only, through the checked accessors.
 */
#include "exec.h"

static rv_always_inline int alu_rm(struct emul *e, const struct emul_insn *i,
                                   enum alu_op op, uint64_t b)
{
    unsigned size = i->opsize;
    uint64_t rflags = e->cpu.rflags;
    struct rmw m;
    int rc;

    if (op == ALU_CMP) {
        rc = rm_read(e, i, size, &m.old);
    } else {
        rc = rmw_begin(e, i, size, &m);
    }
    if (rc) {
        return rc;
    }
    uint64_t r = alu_compute(op, m.old, b, size, &rflags);
    if (op != ALU_CMP) {
        rc = rmw_end(e, i, size, &m, r);
        if (rc) {
            return rc;
        }
    }
    e->cpu.rflags = rflags;
    return EMUL_OK;
}

static rv_always_inline int alu_r(struct emul *e, const struct emul_insn *i,
                                  enum alu_op op)
{
    unsigned size = i->opsize;
    uint64_t b;
    int rc = rm_read(e, i, size, &b);

    if (rc) {
        return rc;
    }
    uint64_t a = reg_read(e, i->reg_at, size);
    uint64_t r = alu_compute(op, a, b, size, &e->cpu.rflags);
    if (op != ALU_CMP) {
        reg_write(e, i->reg_at, size, r);
    }
    return EMUL_OK;
}

#define ALU_HANDLERS(name, op)                                        \
    int exec_##name##_rm_r(struct emul *e, const struct emul_insn *i) \
    {                                                                 \
        return alu_rm(e, i, op, reg_read(e, i->reg_at, i->opsize));   \
    }                                                                 \
    int exec_##name##_r_rm(struct emul *e, const struct emul_insn *i) \
    {                                                                 \
        return alu_r(e, i, op);                                       \
    }                                                                 \
    int exec_##name##_rm_i(struct emul *e, const struct emul_insn *i) \
    {                                                                 \
        return alu_rm(e, i, op, i->imm & size_mask(i->opsize));       \
    }

ALU_HANDLERS(add, ALU_ADD)
ALU_HANDLERS(or, ALU_OR)
ALU_HANDLERS(adc, ALU_ADC)
ALU_HANDLERS(sbb, ALU_SBB)
ALU_HANDLERS(and, ALU_AND)
ALU_HANDLERS(sub, ALU_SUB)
ALU_HANDLERS(xor, ALU_XOR)
ALU_HANDLERS(cmp, ALU_CMP)

static int test_value(struct emul *e, const struct emul_insn *i, uint64_t b)
{
    uint64_t a;
    int rc = rm_read(e, i, i->opsize, &a);

    if (rc == EMUL_OK) {
        alu_compute(ALU_AND, a, b, i->opsize, &e->cpu.rflags);
    }
    return rc;
}

int exec_test_rm_r(struct emul *e, const struct emul_insn *i)
{
    return test_value(e, i, reg_read(e, i->reg_at, i->opsize));
}

int exec_test_rm_i(struct emul *e, const struct emul_insn *i)
{
    return test_value(e, i, i->imm & size_mask(i->opsize));
}

/* INC and DEC leave CF alone. */
static rv_always_inline int step_by_one(struct emul *e,
                                        const struct emul_insn *i,
                                        enum alu_op op)
{
    uint64_t rflags = 0;
    struct rmw m;
    int rc = rmw_begin(e, i, i->opsize, &m);

    if (rc) {
        return rc;
    }
    uint64_t r = alu_compute(op, m.old, 1, i->opsize, &rflags);
    rc = rmw_end(e, i, i->opsize, &m, r);
    if (rc) {
        return rc;
    }
    uint64_t changed = FL_ARITH & ~FL_CF;
    e->cpu.rflags = (e->cpu.rflags & ~changed) | (rflags & changed);
    return EMUL_OK;
}

int exec_inc(struct emul *e, const struct emul_insn *i)
{
    return step_by_one(e, i, ALU_ADD);
}

int exec_dec(struct emul *e, const struct emul_insn *i)
{
    return step_by_one(e, i, ALU_SUB);
}

int exec_not(struct emul *e, const struct emul_insn *i)
{
    struct rmw m;
    int rc = rmw_begin(e, i, i->opsize, &m);

    return rc ? rc
              : rmw_end(e, i, i->opsize, &m, ~m.old & size_mask(i->opsize));
}

int exec_neg(struct emul *e, const struct emul_insn *i)
{
    uint64_t rflags = e->cpu.rflags;
    struct rmw m;
    int rc = rmw_begin(e, i, i->opsize, &m);

    if (rc) {
        return rc;
    }
    uint64_t r = alu_compute(ALU_SUB, 0, m.old, i->opsize, &rflags);
    rc = rmw_end(e, i, i->opsize, &m, r);
    if (rc == EMUL_OK) {
        e->cpu.rflags = rflags;
    }
    return rc;
}

int exec_xadd(struct emul *e, const struct emul_insn *i)
{
    uint64_t rflags = e->cpu.rflags;
    unsigned size = i->opsize;
    struct rmw m;
    int rc = rmw_begin(e, i, size, &m);

    if (rc) {
        return rc;
    }
    uint64_t add = reg_read(e, i->reg_at, size);
    uint64_t r = alu_compute(ALU_ADD, m.old, add, size, &rflags);
    if (i->flags & EMUL_F_MEM) {
        rc = rmw_end(e, i, size, &m, r);
        if (rc) {
            return rc;
        }
        reg_write(e, i->reg_at, size, m.old);
    } else {
        /* With one register for both operands the sum wins. */
        reg_write(e, i->reg_at, size, m.old);
        reg_write(e, i->rm_at, size, r);
    }
    e->cpu.rflags = rflags;
    return EMUL_OK;
}

/* Memory is written in either case, as the processor does. */
int exec_cmpxchg(struct emul *e, const struct emul_insn *i)
{
    uint64_t rflags = e->cpu.rflags;
    unsigned size = i->opsize;
    struct rmw m;
    int rc = rmw_begin(e, i, size, &m);

    if (rc) {
        return rc;
    }
    alu_compute(ALU_CMP, gpr_read(e, EMUL_RAX, size), m.old, size, &rflags);
    bool equal = rflags & FL_ZF;
    uint64_t v = equal ? reg_read(e, i->reg_at, size) : m.old;
    if (equal || (i->flags & EMUL_F_MEM)) {
        rc = rmw_end(e, i, size, &m, v);
        if (rc) {
            return rc;
        }
    }
    if (!equal) {
        gpr_write(e, EMUL_RAX, size, m.old);
    }
    e->cpu.rflags = rflags;
    return EMUL_OK;
}

/* CMPXCHG16B (REX.W) is left to the processor. */
int exec_cmpxchg8b(struct emul *e, const struct emul_insn *i)
{
    struct rmw m;
    uint64_t *reg = e->cpu.reg;

    if (i->prefix & EMUL_P_REXW) {
        return EMUL_UNHANDLED;
    }
    int rc = rmw_begin(e, i, 8, &m);
    if (rc) {
        return rc;
    }
    uint64_t want = (reg[EMUL_RDX] << 32) | (uint32_t)reg[EMUL_RAX];
    uint64_t v = (reg[EMUL_RCX] << 32) | (uint32_t)reg[EMUL_RBX];
    bool equal = m.old == want;
    rc = rmw_end(e, i, 8, &m, equal ? v : m.old);
    if (rc) {
        return rc;
    }
    if (equal) {
        e->cpu.rflags |= FL_ZF;
    } else {
        e->cpu.rflags &= ~(uint64_t)FL_ZF;
        gpr_write(e, EMUL_RAX, 4, m.old);
        gpr_write(e, EMUL_RDX, 4, m.old >> 32);
    }
    return EMUL_OK;
}
