/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EFLAGS bits and the arithmetic that sets them. Operands are zero-extended
 * and already cut to their size; results are too.
 * Ref: AMD APM Vol 1, 3.1.4 "Flags Register".
 */
#pragma once

#include <stdint.h>

#include "ravelin/compiler.h"

#define FL_CF 0x000001u
#define FL_FIXED 0x000002u
#define FL_PF 0x000004u
#define FL_AF 0x000010u
#define FL_ZF 0x000040u
#define FL_SF 0x000080u
#define FL_TF 0x000100u
#define FL_IF 0x000200u
#define FL_DF 0x000400u
#define FL_OF 0x000800u
#define FL_IOPL 0x003000u
#define FL_NT 0x004000u
#define FL_RF 0x010000u
#define FL_VM 0x020000u
#define FL_AC 0x040000u
#define FL_VIF 0x080000u
#define FL_VIP 0x100000u
#define FL_ID 0x200000u
#define FL_ARITH (FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF)

static inline uint64_t size_mask(unsigned size)
{
    return ~0ULL >> (64 - 8 * size);
}

static inline uint64_t msb_of(uint64_t v, unsigned size)
{
    return (v >> (8 * size - 1)) & 1;
}

static inline uint64_t sext(uint64_t v, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (uint64_t)((int64_t)(v << shift) >> shift);
}

/* Even parity of the low byte, through a 16-entry bit table. */
static inline uint64_t flag_parity(uint64_t v)
{
    return ((0x9669u >> ((v ^ (v >> 4)) & 0xf)) & 1) << 2;
}

/* SF, ZF and PF of a result. */
static rv_always_inline uint64_t flags_szp(uint64_t r, unsigned size)
{
    return (msb_of(r, size) << 7) | ((uint64_t)(r == 0) << 6) | flag_parity(r);
}

/* All six flags of a + b + carry = r; bit n of `c` is the carry out of n. */
static rv_always_inline uint64_t flags_add(uint64_t a, uint64_t b, uint64_t r,
                                           unsigned size)
{
    uint64_t c = (a & b) | ((a | b) & ~r);

    return flags_szp(r, size) | msb_of(c, size) | ((c << 1) & FL_AF) |
           (msb_of((a ^ r) & (b ^ r), size) << 11);
}

/* All six flags of a - b - borrow = r. */
static rv_always_inline uint64_t flags_sub(uint64_t a, uint64_t b, uint64_t r,
                                           unsigned size)
{
    uint64_t c = (~a & b) | (~(a ^ b) & r);

    return flags_szp(r, size) | msb_of(c, size) | ((c << 1) & FL_AF) |
           (msb_of((a ^ b) & (a ^ r), size) << 11);
}

/* In the order of the opcode field. */
enum alu_op {
    ALU_ADD,
    ALU_OR,
    ALU_ADC,
    ALU_SBB,
    ALU_AND,
    ALU_SUB,
    ALU_XOR,
    ALU_CMP
};

/* Result of one operation; *rflags gets its flags. */
static rv_always_inline uint64_t alu_compute(enum alu_op op, uint64_t a,
                                             uint64_t b, unsigned size,
                                             uint64_t *rflags)
{
    uint64_t carry = op == ALU_ADC || op == ALU_SBB ? *rflags & FL_CF : 0;
    uint64_t r, f;

    if (op == ALU_ADD || op == ALU_ADC) {
        r = (a + b + carry) & size_mask(size);
        f = flags_add(a, b, r, size);
    } else if (op == ALU_SUB || op == ALU_SBB || op == ALU_CMP) {
        r = (a - b - carry) & size_mask(size);
        f = flags_sub(a, b, r, size);
    } else {
        r = op == ALU_AND ? a & b : op == ALU_OR ? a | b : a ^ b;
        f = flags_szp(r, size);
    }
    *rflags = (*rflags & ~(uint64_t)FL_ARITH) | f;
    return r;
}
