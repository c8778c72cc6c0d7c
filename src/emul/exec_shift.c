/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shifts and rotates. A count of zero (after masking) changes no flag. OF is
 * defined for a count of one only; every family computes it the same way for
 * larger counts except where noted.
 * Ref: AMD APM Vol 3, "RCL", "ROL", "SAL/SHL", "SAR", "SHLD" and relatives.
 */
#include "exec.h"

struct shift {
    uint64_t r;
    uint64_t flags;   /* new values of the bits in `changed` */
    uint64_t changed; /* 0: nothing happened at all */
};

typedef struct shift shift_fn(uint64_t a, unsigned count, unsigned size,
                              uint64_t rflags);

static unsigned shift_count(const struct emul *e, const struct emul_insn *i)
{
    uint64_t raw = i->flags & EMUL_F_CL ? e->cpu.reg[EMUL_RCX] : i->imm;

    return (unsigned)raw & (i->opsize == 8 ? 63 : 31);
}

/* The read-modify-write around one of the functions below. */
static int shift_rm(struct emul *e, const struct emul_insn *i, shift_fn *fn)
{
    unsigned count = shift_count(e, i);
    struct rmw m;
    int rc = rmw_begin(e, i, i->opsize, &m);

    if (rc) {
        return rc;
    }
    struct shift s = { .r = m.old };
    if (count) {
        s = fn(m.old, count, i->opsize, e->cpu.rflags);
    }
    rc = rmw_end(e, i, i->opsize, &m, s.r);
    if (rc == EMUL_OK) {
        e->cpu.rflags = (e->cpu.rflags & ~s.changed) | s.flags;
    }
    return rc;
}

static uint64_t cf_of(uint64_t bit)
{
    return bit & 1;
}

static uint64_t of_of(uint64_t bit)
{
    return (bit & 1) << 11;
}

static struct shift rotate_left(uint64_t a, unsigned count, unsigned size,
                                uint64_t rflags)
{
    unsigned bits = 8 * size;
    unsigned n = count % bits;
    uint64_t r = n ? ((a << n) | (a >> (bits - n))) & size_mask(size) : a;

    (void)rflags;
    return (struct shift){ r, cf_of(r) | of_of(msb_of(r, size) ^ r),
                           FL_CF | FL_OF };
}

static struct shift rotate_right(uint64_t a, unsigned count, unsigned size,
                                 uint64_t rflags)
{
    unsigned bits = 8 * size;
    unsigned n = count % bits;
    uint64_t r = n ? ((a >> n) | (a << (bits - n))) & size_mask(size) : a;
    uint64_t top = msb_of(r, size);

    (void)rflags;
    return (struct shift){ r, cf_of(top) | of_of(top ^ (r >> (bits - 2))),
                           FL_CF | FL_OF };
}

/* CF is one more bit above the operand. */
static struct shift rotate_carry_left(uint64_t a, unsigned count,
                                      unsigned size, uint64_t rflags)
{
    unsigned n = count % (8 * size + 1);
    uint64_t cf = rflags & FL_CF;

    if (n == 0) {
        /* A full turn: OF is still recomputed. */
        return (struct shift){ a, of_of(msb_of(a, size) ^ cf), FL_OF };
    }
    while (n--) {
        uint64_t out = msb_of(a, size);
        a = ((a << 1) | cf) & size_mask(size);
        cf = out;
    }
    return (struct shift){ a, cf_of(cf) | of_of(msb_of(a, size) ^ cf),
                           FL_CF | FL_OF };
}

static struct shift rotate_carry_right(uint64_t a, unsigned count,
                                       unsigned size, uint64_t rflags)
{
    unsigned bits = 8 * size;
    unsigned n = count % (bits + 1);
    uint64_t cf = rflags & FL_CF;

    while (n--) {
        uint64_t out = a & 1;
        a = (a >> 1) | (cf << (bits - 1));
        cf = out;
    }
    return (struct shift){ a,
                           cf_of(cf) |
                               of_of(msb_of(a, size) ^ (a >> (bits - 2))),
                           FL_CF | FL_OF };
}

/* AF is undefined after a shift: left clear. */
static struct shift shift_result(uint64_t r, uint64_t cf, uint64_t of,
                                 unsigned size)
{
    return (struct shift){ r, flags_szp(r, size) | cf_of(cf) | of_of(of),
                           FL_ARITH };
}

static struct shift shift_left(uint64_t a, unsigned count, unsigned size,
                               uint64_t rflags)
{
    unsigned bits = 8 * size;
    uint64_t cf = count > bits ? 0 : (a >> (bits - count)) & 1;
    uint64_t r = count >= bits ? 0 : (a << count) & size_mask(size);

    (void)rflags;
    return shift_result(r, cf, msb_of(r, size) ^ cf, size);
}

static struct shift shift_right(uint64_t a, unsigned count, unsigned size,
                                uint64_t rflags)
{
    uint64_t cf = (a >> (count - 1)) & 1;
    uint64_t r = a >> (count - 1) >> 1;

    (void)rflags;
    return shift_result(r, cf, count == 1 ? msb_of(a, size) : 0, size);
}

static struct shift shift_arith(uint64_t a, unsigned count, unsigned size,
                                uint64_t rflags)
{
    int64_t v = (int64_t)sext(a, size);
    uint64_t r = (uint64_t)(v >> count) & size_mask(size);

    (void)rflags;
    return shift_result(r, (uint64_t)(v >> (count - 1)), 0, size);
}

int exec_rol(struct emul *e, const struct emul_insn *i)
{
    return shift_rm(e, i, rotate_left);
}

int exec_ror(struct emul *e, const struct emul_insn *i)
{
    return shift_rm(e, i, rotate_right);
}

int exec_rcl(struct emul *e, const struct emul_insn *i)
{
    return shift_rm(e, i, rotate_carry_left);
}

int exec_rcr(struct emul *e, const struct emul_insn *i)
{
    return shift_rm(e, i, rotate_carry_right);
}

int exec_shl(struct emul *e, const struct emul_insn *i)
{
    return shift_rm(e, i, shift_left);
}

int exec_shr(struct emul *e, const struct emul_insn *i)
{
    return shift_rm(e, i, shift_right);
}

int exec_sar(struct emul *e, const struct emul_insn *i)
{
    return shift_rm(e, i, shift_arith);
}

/*
 * Double shifts. A 16-bit operand shifted by more than 16 is undefined; the
 * processors go on shifting in the destination itself, which the 48-bit
 * concatenation below expresses.
 */
static struct shift double_left(uint64_t a, uint64_t b, unsigned count,
                                unsigned size)
{
    unsigned bits = 8 * size;
    uint64_t r, cf;

    if (size == 2) {
        uint64_t chain = (a << 32) | (b << 16) | a;
        r = (chain << count >> 32) & 0xffff;
        cf = (chain << count >> 48) & 1;
    } else {
        r = ((a << count) | (b >> (bits - count))) & size_mask(size);
        cf = (a >> (bits - count)) & 1;
    }
    return shift_result(r, cf, msb_of(r ^ a, size), size);
}

static struct shift double_right(uint64_t a, uint64_t b, unsigned count,
                                 unsigned size)
{
    unsigned bits = 8 * size;
    uint64_t r, cf;

    if (size == 2) {
        uint64_t chain = (a << 32) | (b << 16) | a;
        r = (chain >> count) & 0xffff;
        cf = (chain >> (count - 1)) & 1;
    } else {
        r = ((a >> count) | (b << (bits - count))) & size_mask(size);
        cf = (a >> (count - 1)) & 1;
    }
    return shift_result(r, cf, msb_of(r ^ a, size), size);
}

static int double_rm(struct emul *e, const struct emul_insn *i, bool left)
{
    unsigned count = shift_count(e, i);
    unsigned size = i->opsize;
    struct rmw m;
    int rc = rmw_begin(e, i, size, &m);

    if (rc) {
        return rc;
    }
    struct shift s = { .r = m.old };
    if (count) {
        uint64_t b = reg_read(e, i->reg_at, size);
        s = left ? double_left(m.old, b, count, size)
                 : double_right(m.old, b, count, size);
    }
    rc = rmw_end(e, i, size, &m, s.r);
    if (rc == EMUL_OK) {
        e->cpu.rflags = (e->cpu.rflags & ~s.changed) | s.flags;
    }
    return rc;
}

int exec_shld(struct emul *e, const struct emul_insn *i)
{
    return double_rm(e, i, true);
}

int exec_shrd(struct emul *e, const struct emul_insn *i)
{
    return double_rm(e, i, false);
}
