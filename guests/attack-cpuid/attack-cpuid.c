/* SPDX-License-Identifier: MIT */
/*
 * Attack: CPUID with leaves and subleaves at random, in great number. Answers
 * must be the same each time, and leaves past a maximum say nothing of the
 * machine.
 *
 * Environments: all. `rounds=` (default 20000), `seed=`.
 */

#include "guest.h"

const char test_title[] = "attack-cpuid: a flood of leaves";

static uint32_t leaf_make(void)
{
    static const uint32_t bases[] = {0, 0x40000000, 0x80000000, 0xc0000000};
    uint32_t base = bases[random_below(ARRAY_SIZE(bases))];

    switch (random_below(4)) {
    case 0:
        return random_u32();
    case 1:
        return base + random_below(0x10000);
    default:
        return base + random_below(0x40);
    }
}

/* Time leaves carry numbers that may change. */
static bool changes(uint32_t leaf)
{
    return leaf == platform_leaf() + 3;
}

void test_main(void)
{
    uint32_t rounds = (uint32_t)cmdline_number("rounds", 20000), i;

    random_start();
    for (i = 0; i < rounds; i++) {
        uint32_t leaf = leaf_make(),
                 sub = random_below(4) ? random_below(8) : random_u32();
        struct cpuid_regs a = cpuid_sub(leaf, sub), b = cpuid_sub(leaf, sub);

        if (!changes(leaf)) {
            CHECK(!memcmp(&a, &b, sizeof(a)));
        }
    }
    CHECK_EQ(cpuid(platform_leaf()).b, XEN_CPUID_SIGNATURE_EBX);
}
