/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bit sets of fixed size over an array of 64-bit words. The plain operations
 * are for data under a lock or owned by one CPU; the *_atomic ones may run
 * against each other from any CPU. Callers bound the index.
 */
#pragma once

#include "ravelin/types.h"

#define BITMAP_WORD_BITS 64u
#define BITMAP_WORDS(bits) (((bits) + 63u) / 64u)

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
    return (__atomic_load_n(&map[bit / 64], __ATOMIC_RELAXED) >> (bit % 64)) &
           1u;
}

static inline void bitmap_set(uint64_t *map, size_t bit)
{
    map[bit / 64] |= 1UL << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
    map[bit / 64] &= ~(1UL << (bit % 64));
}

/** Sets a bit; returns its former value. Full barrier. */
static inline bool bitmap_test_and_set_atomic(uint64_t *map, size_t bit)
{
    uint64_t mask = 1UL << (bit % 64);

    return (__atomic_fetch_or(&map[bit / 64], mask, __ATOMIC_SEQ_CST) & mask) !=
           0;
}

/** Clears a bit; returns its former value. Full barrier. */
static inline bool bitmap_test_and_clear_atomic(uint64_t *map, size_t bit)
{
    uint64_t mask = 1UL << (bit % 64);

    return (__atomic_fetch_and(&map[bit / 64], ~mask, __ATOMIC_SEQ_CST) &
            mask) != 0;
}

/** First set bit at or after `from`; `bits` if there is none. */
size_t bitmap_find_set(const uint64_t *map, size_t bits, size_t from);
/** First clear bit at or after `from`; `bits` if there is none. */
size_t bitmap_find_clear(const uint64_t *map, size_t bits, size_t from);
/** Sets bits first .. first+count-1. */
void bitmap_set_range(uint64_t *map, size_t first, size_t count);
/** Clears bits first .. first+count-1. */
void bitmap_clear_range(uint64_t *map, size_t first, size_t count);
/** Number of set bits among the first `bits`. */
size_t bitmap_weight(const uint64_t *map, size_t bits);
