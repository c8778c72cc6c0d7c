/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random instructions and register values for the differential tests of the
 * emulator, from a seed, so that a failing case can be repeated by number.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ravelin/emul.h"

struct gen {
    uint64_t s;
};

static inline uint64_t gen_u64(struct gen *g)
{
    uint64_t z = (g->s += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static inline uint32_t gen_below(struct gen *g, uint32_t n)
{
    return (uint32_t)((gen_u64(g) >> 32) * n >> 32);
}

static inline bool gen_one_in(struct gen *g, uint32_t n)
{
    return gen_below(g, n) == 0;
}

/* Mostly offsets into a 64 KiB segment; boundary values; anything. */
static inline uint32_t gen_value(struct gen *g)
{
    static const uint32_t edge[] = {
        0,          1,          2,      0x7f,   0x80,       0xff,      0x100,
        0x7fff,     0x8000,     0xffff, 0xfffe, 0x10000,    31,        16,
        0x7fffffff, 0x80000000, 8,      32,     0xffffffff, 0xfffffffe};

    switch (gen_below(g, 8)) {
    case 0:
        return edge[gen_below(g, sizeof(edge) / sizeof(edge[0]))];
    case 1:
        return (uint32_t)gen_u64(g);
    case 2:
        return gen_below(g, 64);
    default:
        return gen_below(g, 0xff00);
    }
}

#define GEN_CODE_MAX 24

/* Up to two prefixes, an opcode of the one-byte or 0F map, random tail. */
static inline void gen_code(struct gen *g, uint8_t code[GEN_CODE_MAX], bool rex)
{
    static const uint8_t prefix[] = {0x66, 0x67, 0x66, 0x67, 0xf3, 0xf2,
                                     0xf0, 0x26, 0x36, 0x3e, 0x2e};
    unsigned n = 0;

    for (unsigned i = 0; i < GEN_CODE_MAX; i++) {
        code[i] = (uint8_t)gen_u64(g);
    }
    while (n < 3 && gen_one_in(g, 2)) {
        code[n++] = prefix[gen_below(g, sizeof(prefix))];
    }
    if (rex && !gen_one_in(g, 3)) {
        code[n++] = 0x40 | (uint8_t)gen_below(g, 16);
    }
    if (gen_one_in(g, 3)) {
        code[n++] = 0x0f;
    }
    code[n++] = (uint8_t)gen_u64(g);
    if (gen_one_in(g, 2)) {
        code[n] |= 0xc0; /* as many register as memory operands */
    }
}

/* Memory before a recorded case: the same for all of them. */
static inline void gen_pattern(uint8_t *mem, unsigned n)
{
    uint32_t v = 0x12345678;

    for (unsigned i = 0; i < n; i++) {
        v = v * 1664525u + 1013904223u;
        mem[i] = (uint8_t)(v >> 24);
    }
}

/* 64-bit FNV-1a. */
static inline uint64_t gen_hash(const uint8_t *mem, unsigned n)
{
    uint64_t h = 0xcbf29ce484222325ULL;

    for (unsigned i = 0; i < n; i++) {
        h = (h ^ mem[i]) * 0x100000001b3ULL;
    }
    return h;
}
