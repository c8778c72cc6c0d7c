/* SPDX-License-Identifier: MIT */
/*
 * A xorshift generator: long period, no state but one word.
 */

#include "random.h"

#include "guest.h"

static uint64_t state = 1;

void random_start(void)
{
    uint64_t seed = cmdline_number("seed", 20250101);

    state = seed ? seed : 1;
    printf("seed %llu\n", (unsigned long long)state);
}

uint64_t random_u64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

uint32_t random_u32(void)
{
    return (uint32_t)(random_u64() >> 16);
}

uint32_t random_below(uint32_t n)
{
    return (uint32_t)(((uint64_t)random_u32() * n) >> 32);
}
