/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers for canaries and identifiers: RDRAND where present, always
 * mixed with the TSC, so that a broken generator is no worse than none. Not a
 * source of long-term keys.
 * Ref: Intel SDM Vol 1 "RDRAND".
 */
#include "arch/host.h"
#include "arch_inline.h"
#include "cpu/regs.h"

#define RDRAND_BIT (1u << 30)
#define RDRAND_TRIES 10u

static bool rdrand(uint64_t *out)
{
    bool ok;

    __asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
    return ok;
}

/* A bijection in which every input bit affects every output bit. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0x9e3779b97f4a7c15UL;
    x ^= x >> 29;
    x *= 0xd6e8feb86659fd93UL;
    return x ^ (x >> 32);
}

/* Runs before x86_features and the canary exist. */
__attribute__((no_stack_protector)) uint64_t arch_random64(void)
{
    static uint64_t state; /* atomic */
    uint64_t hardware = 0;

    if (cpuid(1, 0).ecx & RDRAND_BIT) {
        for (unsigned i = 0; i < RDRAND_TRIES && !rdrand(&hardware); i++) {
        }
    }
    uint64_t seed = mix(arch_tsc_read() ^ hardware);

    return mix(__atomic_add_fetch(&state, seed | 1, __ATOMIC_RELAXED)) ^
           hardware;
}
