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

/* AF is undefined after a shift: AMD sets it, Intel clears it. */
static void shift_flags(struct emul *e, const struct shift *s)
{
    uint64_t af = s->changed & FL_AF && !is_intel(e) ? FL_AF : 0;

    e->cpu.rflags = (e->cpu.rflags & ~s->changed) | s->flags | af;
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
    struct shift s = {.r = m.old};
    if (count) {
        s = fn(m.old, count, i->opsize, e->cpu.rflags);
    }
    rc = rmw_end(e, i, i->opsize, &m, s.r);
    if (rc == EMUL_OK) {
        shift_flags(e, &s);
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
    return (struct shift){r, cf_of(r) | of_of(msb_of(r, size) ^ r),
                          FL_CF | FL_OF};
}

static struct shift rotate_right(uint64_t a, unsigned count, unsigned size,
                                 uint64_t rflags)
{
    unsigned bits = 8 * size;
    unsigned n = count % bits;
    uint64_t r = n ? ((a >> n) | (a << (bits - n))) & size_mask(size) : a;
    uint64_t top = msb_of(r, size);

    (void)rflags;
    return (struct shift){r, cf_of(top) | of_of(top ^ (r >> (bits - 2))),
                          FL_CF | FL_OF};
}

/* CF is one more bit above the operand. */
static struct shift rotate_carry_left(uint64_t a, unsigned count, unsigned size,
                                      uint64_t rflags)
{
    unsigned n = count % (8 * size + 1);
    uint64_t cf = rflags & FL_CF;

    if (n == 0) {
        /* A full turn: OF is still recomputed. */
        return (struct shift){a, of_of(msb_of(a, size) ^ cf), FL_OF};
    }
    while (n--) {
        uint64_t out = msb_of(a, size);
        a = ((a << 1) | cf) & size_mask(size);
        cf = out;
    }
    return (struct shift){a, cf_of(cf) | of_of(msb_of(a, size) ^ cf),
                          FL_CF | FL_OF};
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
    return (struct shift){
        a, cf_of(cf) | of_of(msb_of(a, size) ^ (a >> (bits - 2))),
        FL_CF | FL_OF};
}

static struct shift shift_result(uint64_t r, uint64_t cf, uint64_t of,
                                 unsigned size)
{
    return (struct shift){r, flags_szp(r, size) | cf_of(cf) | of_of(of),
                          FL_ARITH};
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
 * Double shifts. A 16-bit operand shifted by more than 16 is undefined: then
 * Intel goes on with bits of the destination (`fill`), AMD with the source
 * again, and AMD loses CF. OF is that of the last of single-bit steps.
 */
struct double_shift {
    uint64_t a, b, fill;
    unsigned count, size;
    bool amd;
};

static struct shift double_result(const struct double_shift *d, uint64_t r,
                                  uint64_t cf, uint64_t before)
{
    uint64_t top = msb_of(r, d->size);
    uint64_t of = top ^ before;

    if (d->size == 2 && d->count > 16 && d->amd) {
        cf = 0;
    }
    return shift_result(r, cf, of, d->size);
}

static struct shift double_left(const struct double_shift *d)
{
    unsigned bits = 8 * d->size;
    uint64_t r, cf;

    if (d->size == 2) {
        uint64_t chain = (d->a << 32) | (d->b << 16) | d->fill;
        r = (chain << d->count >> 32) & 0xffff;
        cf = (chain << d->count >> 48) & 1;
    } else {
        r = ((d->a << d->count) | (d->b >> (bits - d->count))) &
            size_mask(d->size);
        cf = (d->a >> (bits - d->count)) & 1;
    }
    struct shift s = double_result(d, r, cf, cf);
    if (d->size == 2 && d->count >= 16 && d->amd) {
        s.flags &= ~(uint64_t)FL_OF;
        s.flags |= of_of(s.flags); /* a copy of CF */
    }
    return s;
}

static struct shift double_right(const struct double_shift *d)
{
    unsigned bits = 8 * d->size;
    uint64_t r, cf;

    if (d->size == 2) {
        uint64_t chain = (d->fill << 32) | (d->b << 16) | d->a;
        r = (chain >> d->count) & 0xffff;
        cf = (chain >> (d->count - 1)) & 1;
    } else {
        r = ((d->a >> d->count) | (d->b << (bits - d->count))) &
            size_mask(d->size);
        cf = (d->a >> (d->count - 1)) & 1;
    }
    return double_result(d, r, cf, r >> (bits - 2));
}

static int double_rm(struct emul *e, const struct emul_insn *i, bool left)
{
    struct double_shift d = {.b = reg_read(e, i->reg_at, i->opsize),
                             .count = shift_count(e, i),
                             .size = i->opsize,
                             .amd = !is_intel(e)};
    struct rmw m;
    int rc = rmw_begin(e, i, d.size, &m);

    if (rc) {
        return rc;
    }
    struct shift s = {.r = m.old};
    d.a = m.old;
    d.fill = d.amd ? d.b : d.a;
    if (d.count) {
        s = left ? double_left(&d) : double_right(&d);
    }
    rc = rmw_end(e, i, d.size, &m, s.r);
    if (rc == EMUL_OK) {
        shift_flags(e, &s);
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
