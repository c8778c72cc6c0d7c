/* SPDX-License-Identifier: MIT */
/*
 * Attack: every MSR of the usual ranges read, written back and written with
 * random values, except the few by which a guest would stop itself. Each
 * access must succeed or give #GP, and the guest must go on as before.
 *
 * Environments: all. `seed=`. Not for the hardware domain, which may own some.
 */

#include "guest.h"

const char test_title[] = "attack-msrs: reads and writes of all registers";

struct range {
    uint32_t from, to;
};

static const struct range ranges[] = {
    {0x0, 0x1200},
    {0x40000000, 0x40000200},
    {0xc0000000, 0xc0000200},
    {0xc0010000, 0xc0010200},
    {0xc0011000, 0xc0011040},
};

/* Interrupts, modes, and segment bases of the running code. */
static bool keeps_us_alive(uint32_t msr)
{
    return msr == MSR_EFER || msr == MSR_APIC_BASE ||
           (msr >= MSR_X2APIC && msr < MSR_X2APIC + 0x100) ||
           (msr >= MSR_FS_BASE && msr <= MSR_KERNEL_GS) ||
           msr == cpuid(platform_leaf() + 2).b;
}

static uint32_t faults, oks, odd;

static void count(unsigned int vector)
{
    if (vector == TRAP_GP) {
        faults++;
    } else if (vector == TRAP_NONE) {
        oks++;
    } else {
        odd++;
    }
}

static void storm(uint32_t msr)
{
    uint64_t old = 0, v;
    unsigned int vector = rdmsr_safe(msr, &old);

    count(vector);
    if (keeps_us_alive(msr)) {
        return;
    }
    count(wrmsr_safe(msr, random_u64()));
    count(wrmsr_safe(msr, random_below(256)));
    if (vector == TRAP_NONE) {
        count(wrmsr_safe(msr, old));
        count(rdmsr_safe(msr, &v));
    }
}

void test_main(void)
{
    uint64_t star = rdmsr(MSR_EFER);
    unsigned int i;
    uint32_t msr;

    random_start();
    for (i = 0; i < ARRAY_SIZE(ranges); i++) {
        for (msr = ranges[i].from; msr < ranges[i].to; msr++) {
            storm(msr);
        }
    }
    for (i = 0; i < 500; i++) {
        uint64_t v;

        count(rdmsr_safe(random_u32() | 0x10000000, &v));
    }
    printf("%u accesses allowed, %u #GP\n", oks, faults);
    CHECK_EQ(odd, 0);
    CHECK(faults > 1000);
    CHECK_EQ(rdmsr(MSR_EFER), star);
    CHECK(xen_version(XENVER_version, NULL) > 0);
}
