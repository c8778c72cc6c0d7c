/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiplication and division. The double-width operand lives in AX, or in
 * the DX:AX pair; 64-bit division is done bit by bit, since a freestanding
 * build has no library for 128-bit quotients.
 * Threat surface: divisors are the guest's; #DE is raised before any change.
 */
#include "exec.h"

/* Low and high halves, each `size` bytes wide. */
struct wide {
    uint64_t lo;
    uint64_t hi;
};

static struct wide multiply(uint64_t a, uint64_t b, unsigned size)
{
    unsigned bits = 8 * size;
    unsigned __int128 p = (unsigned __int128)a * b;

    return (struct wide){.lo = (uint64_t)p & size_mask(size),
                         .hi = (uint64_t)(p >> bits) & size_mask(size)};
}

static struct wide multiply_signed(uint64_t a, uint64_t b, unsigned size)
{
    unsigned bits = 8 * size;
    __int128 p = (__int128)(int64_t)sext(a, size) * (int64_t)sext(b, size);

    return (struct wide){.lo = (uint64_t)p & size_mask(size),
                         .hi = (uint64_t)(p >> bits) & size_mask(size)};
}

static void wide_store(struct emul *e, unsigned size, const struct wide *w)
{
    if (size == 1) {
        gpr_write(e, EMUL_RAX, 2, w->lo | (w->hi << 8));
    } else {
        gpr_write(e, EMUL_RAX, size, w->lo);
        gpr_write(e, EMUL_RDX, size, w->hi);
    }
}

/* CF and OF say that the high half matters; the other flags are undefined. */
static void multiply_flags(struct emul *e, uint64_t lo, unsigned size,
                           bool overflow)
{
    uint64_t f = overflow ? FL_CF | FL_OF : 0;
    uint64_t keep = FL_SF | FL_ZF | FL_AF | FL_PF;

    if (is_intel(e)) {
        f |= flags_szp(lo, size);
        keep = 0;
    }
    e->cpu.rflags &= ~(uint64_t)(FL_ARITH & ~keep);
    e->cpu.rflags |= f;
}

int exec_mul(struct emul *e, const struct emul_insn *i)
{
    uint64_t b;
    int rc = rm_read(e, i, i->opsize, &b);

    if (rc) {
        return rc;
    }
    struct wide w = multiply(gpr_read(e, EMUL_RAX, i->opsize), b, i->opsize);
    wide_store(e, i->opsize, &w);
    multiply_flags(e, w.lo, i->opsize, w.hi != 0);
    return EMUL_OK;
}

static bool sign_matters(const struct wide *w, unsigned size)
{
    return w->hi != (msb_of(w->lo, size) ? size_mask(size) : 0);
}

int exec_imul(struct emul *e, const struct emul_insn *i)
{
    unsigned size = i->opsize;
    uint64_t b;
    int rc = rm_read(e, i, size, &b);

    if (rc) {
        return rc;
    }
    struct wide w = multiply_signed(gpr_read(e, EMUL_RAX, size), b, size);
    wide_store(e, size, &w);
    multiply_flags(e, w.lo, size, sign_matters(&w, size));
    return EMUL_OK;
}

static int imul_to_reg(struct emul *e, const struct emul_insn *i, uint64_t a)
{
    unsigned size = i->opsize;
    uint64_t b;
    int rc = rm_read(e, i, size, &b);

    if (rc) {
        return rc;
    }
    struct wide w = multiply_signed(a, b, size);
    reg_write(e, i->reg_at, size, w.lo);
    multiply_flags(e, w.lo, size, sign_matters(&w, size));
    return EMUL_OK;
}

int exec_imul_r_rm(struct emul *e, const struct emul_insn *i)
{
    return imul_to_reg(e, i, reg_read(e, i->reg_at, i->opsize));
}

int exec_imul_r_rm_i(struct emul *e, const struct emul_insn *i)
{
    return imul_to_reg(e, i, i->imm);
}

static struct wide dividend(const struct emul *e, unsigned size)
{
    if (size == 1) {
        uint64_t ax = gpr_read(e, EMUL_RAX, 2);
        return (struct wide){.lo = ax & 0xff, .hi = ax >> 8};
    }
    return (struct wide){.lo = gpr_read(e, EMUL_RAX, size),
                         .hi = gpr_read(e, EMUL_RDX, size)};
}

/* w / b with w.hi < b: quotient in lo, remainder in hi. */
static struct wide divide(struct wide w, uint64_t b, unsigned size)
{
    if (size < 8) {
        uint64_t a = (w.hi << (8 * size)) | w.lo;
        return (struct wide){.lo = a / b, .hi = a % b};
    }
    for (unsigned n = 0; n < 64; n++) {
        uint64_t carry = w.hi >> 63;
        w.hi = (w.hi << 1) | (w.lo >> 63);
        w.lo <<= 1;
        if (carry || w.hi >= b) {
            w.hi -= b;
            w.lo |= 1;
        }
    }
    return w;
}

/* All six are undefined after a division; AMD leaves CF and OF. */
static void divide_flags(struct emul *e)
{
    if (!is_intel(e)) {
        e->cpu.rflags &= ~(uint64_t)(FL_SF | FL_ZF | FL_PF);
        e->cpu.rflags |= FL_AF;
    }
}

static int raise_de(struct emul *e)
{
    return emul_raise(e, VEC_DE, 0);
}

int exec_div(struct emul *e, const struct emul_insn *i)
{
    unsigned size = i->opsize;
    uint64_t b;
    int rc = rm_read(e, i, size, &b);

    if (rc) {
        return rc;
    }
    struct wide w = dividend(e, size);
    if (w.hi >= b) { /* also b == 0 */
        return raise_de(e);
    }
    w = divide(w, b, size);
    wide_store(e, size, &w);
    divide_flags(e);
    return EMUL_OK;
}

static struct wide negate(struct wide w, unsigned size)
{
    uint64_t mask = size_mask(size);

    w.lo = -w.lo & mask;
    w.hi = (~w.hi + (w.lo == 0)) & mask;
    return w;
}

/* Divides magnitudes; the remainder takes the sign of the dividend. */
int exec_idiv(struct emul *e, const struct emul_insn *i)
{
    unsigned size = i->opsize;
    uint64_t b;
    int rc = rm_read(e, i, size, &b);

    if (rc) {
        return rc;
    }
    struct wide w = dividend(e, size);
    bool neg_a = msb_of(w.hi, size);
    bool neg_b = msb_of(b, size);
    if (neg_a) {
        w = negate(w, size);
    }
    b = (neg_b ? -b : b) & size_mask(size);
    if (w.hi >= b) {
        return raise_de(e);
    }
    w = divide(w, b, size);
    uint64_t limit = (size_mask(size) >> 1) + (neg_a != neg_b);
    if (w.lo > limit) {
        return raise_de(e);
    }
    w.lo = neg_a != neg_b ? -w.lo : w.lo;
    w.hi = neg_a ? -w.hi : w.hi;
    w.lo &= size_mask(size);
    w.hi &= size_mask(size);
    wide_store(e, size, &w);
    divide_flags(e);
    return EMUL_OK;
}
