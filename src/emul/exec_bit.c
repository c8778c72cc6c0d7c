/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single-bit tests and scans. A bit index in a register reaches any address
 * relative to a memory operand; an immediate one stays inside it.
 * Threat surface: the address computed from a guest register.
 */
#include "exec.h"

enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static uint64_t bit_apply(enum bit_op op, uint64_t v, unsigned bit)
{
    uint64_t mask = 1ULL << bit;

    switch (op) {
    case BIT_SET:
        return v | mask;
    case BIT_RESET:
        return v & ~mask;
    case BIT_COMPLEMENT:
        return v ^ mask;
    default:
        return v;
    }
}

static int bit_finish(struct emul *e, const struct emul_insn *i, enum bit_op op,
                      const struct rmw *m, unsigned bit)
{
    if (op != BIT_TEST) {
        int rc = rmw_end(e, i, i->opsize, m, bit_apply(op, m->old, bit));
        if (rc) {
            return rc;
        }
    }
    e->cpu.rflags &= ~(uint64_t)FL_CF;
    e->cpu.rflags |= (m->old >> bit) & 1;
    return EMUL_OK;
}

static int bit_begin(struct emul *e, const struct emul_insn *i, enum bit_op op,
                     uint64_t off, struct rmw *m)
{
    unsigned size = i->opsize;

    if (!(i->flags & EMUL_F_MEM)) {
        m->old = reg_read(e, i->rm_at, size);
        return EMUL_OK;
    }
    return op == BIT_TEST ? mem_read(e, i->seg, off, size, &m->old)
                          : rmw_mem_begin(e, i, off, size, m);
}

static int bit_imm(struct emul *e, const struct emul_insn *i, enum bit_op op)
{
    unsigned bit = (unsigned)i->imm & (i->opsize * 8u - 1);
    struct rmw m;
    int rc = bit_begin(e, i, op, ea_of(e, i), &m);

    return rc ? rc : bit_finish(e, i, op, &m, bit);
}

static int bit_reg(struct emul *e, const struct emul_insn *i, enum bit_op op)
{
    unsigned bits = i->opsize * 8u;
    int64_t index = (int64_t)sext(reg_read(e, i->reg_at, i->opsize), i->opsize);
    /* Arithmetic shift: a negative index lies below the operand. */
    int64_t unit = index >> (i->opsize == 2 ? 4 : i->opsize == 4 ? 5 : 6);
    uint64_t off = ea_of(e, i) + (uint64_t)unit * i->opsize;
    struct rmw m;
    int rc = bit_begin(e, i, op, off & size_mask(i->adsize), &m);

    return rc ? rc : bit_finish(e, i, op, &m, (unsigned)index & (bits - 1));
}

#define BIT_HANDLERS(name, op)                                     \
    int exec_##name##_r(struct emul *e, const struct emul_insn *i) \
    {                                                              \
        return bit_reg(e, i, op);                                  \
    }                                                              \
    int exec_##name##_i(struct emul *e, const struct emul_insn *i) \
    {                                                              \
        return bit_imm(e, i, op);                                  \
    }

BIT_HANDLERS(bt, BIT_TEST)
BIT_HANDLERS(bts, BIT_SET)
BIT_HANDLERS(btr, BIT_RESET)
BIT_HANDLERS(btc, BIT_COMPLEMENT)

/*
 * A zero source leaves the destination alone; AMD documents that, Intel does
 * it. Flags other than ZF are undefined: they follow the result.
 */
static int bit_scan(struct emul *e, const struct emul_insn *i, bool reverse)
{
    uint64_t v;
    int rc = rm_read(e, i, i->opsize, &v);

    if (rc) {
        return rc;
    }
    uint64_t r = 0;
    if (v) {
        r = reverse ? 63 - (unsigned)__builtin_clzll(v)
                    : (unsigned)__builtin_ctzll(v);
        reg_write(e, i->reg_at, i->opsize, r);
    }
    e->cpu.rflags &= ~(uint64_t)FL_ARITH;
    e->cpu.rflags |= flag_parity(r) | (v ? 0 : FL_ZF);
    return EMUL_OK;
}

int exec_bsf(struct emul *e, const struct emul_insn *i)
{
    return bit_scan(e, i, false);
}

int exec_bsr(struct emul *e, const struct emul_insn *i)
{
    return bit_scan(e, i, true);
}

/* TZCNT and LZCNT: CF = source is zero, ZF = result is zero, OF stays. */
static int bit_count(struct emul *e, const struct emul_insn *i, bool leading)
{
    unsigned bits = i->opsize * 8u;
    uint64_t v;
    int rc = rm_read(e, i, i->opsize, &v);

    if (rc) {
        return rc;
    }
    uint64_t r = bits;
    if (v) {
        r = leading ? (unsigned)__builtin_clzll(v) - (64 - bits)
                    : (unsigned)__builtin_ctzll(v);
    }
    reg_write(e, i->reg_at, i->opsize, r);
    e->cpu.rflags &= ~(uint64_t)(FL_ARITH & ~FL_OF);
    e->cpu.rflags |= (v ? 0 : FL_CF) | (r ? 0 : FL_ZF);
    return EMUL_OK;
}

int exec_tzcnt(struct emul *e, const struct emul_insn *i)
{
    return bit_count(e, i, false);
}

int exec_lzcnt(struct emul *e, const struct emul_insn *i)
{
    return bit_count(e, i, true);
}

int exec_popcnt(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;
    unsigned r = 0;
    int rc = rm_read(e, i, i->opsize, &v);

    if (rc) {
        return rc;
    }
    e->cpu.rflags &= ~(uint64_t)FL_ARITH;
    e->cpu.rflags |= v ? 0 : FL_ZF;
    for (; v; v &= v - 1) {
        r++;
    }
    reg_write(e, i->reg_at, i->opsize, r);
    return EMUL_OK;
}
