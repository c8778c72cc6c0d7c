/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Searches and ranges over bit sets, a word at a time. The set is the
 * hypervisor's own data; indices come bounded.
 */
#include "ravelin/bitmap.h"

/* `flip` is all ones to look for clear bits. */
static size_t find_bit(const uint64_t *map, size_t bits, size_t from,
                       uint64_t flip)
{
    while (from < bits) {
        uint64_t word = (map[from / 64] ^ flip) >> (from % 64);

        if (word != 0) {
            from += (size_t)__builtin_ctzl(word);
            return from < bits ? from : bits;
        }
        from = (from / 64 + 1) * 64;
    }
    return bits;
}

size_t bitmap_find_set(const uint64_t *map, size_t bits, size_t from)
{
    return find_bit(map, bits, from, 0);
}

size_t bitmap_find_clear(const uint64_t *map, size_t bits, size_t from)
{
    return find_bit(map, bits, from, ~0UL);
}

/* Bits [bit % 64, ...) of one word, at most `count` of them. */
static uint64_t range_mask(size_t bit, size_t count, size_t *covered)
{
    size_t shift = bit % 64;
    size_t n = 64 - shift;

    if (n > count) {
        n = count;
    }
    *covered = n;
    return (n == 64 ? ~0UL : (1UL << n) - 1) << shift;
}

void bitmap_set_range(uint64_t *map, size_t first, size_t count)
{
    size_t n;

    for (; count > 0; first += n, count -= n) {
        map[first / 64] |= range_mask(first, count, &n);
    }
}

void bitmap_clear_range(uint64_t *map, size_t first, size_t count)
{
    size_t n;

    for (; count > 0; first += n, count -= n) {
        map[first / 64] &= ~range_mask(first, count, &n);
    }
}

size_t bitmap_weight(const uint64_t *map, size_t bits)
{
    size_t total = 0;
    size_t n;

    for (size_t bit = 0; bit < bits; bit += n) {
        uint64_t mask = range_mask(bit, bits - bit, &n);

        total += (size_t)__builtin_popcountl(map[bit / 64] & mask);
    }
    return total;
}
