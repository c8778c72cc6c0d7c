/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor's identity as the core may ask for it: raw CPUID, microcode
 * revision, and whether the TSC can be a clock.
 */

#include "arch/host.h"
#include "cpu/feature.h"
#include "cpu/msr.h"
#include "cpu/regs.h"

#define MSR_UCODE_REV 0x8bu
#define CPUID_1_ECX_HYPERVISOR (1u << 31)

void arch_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(subleaf));
}

uint32_t arch_microcode(void)
{
    uint64_t value;

    if (rdmsr_safe(MSR_UCODE_REV, &value)) {
        return 0;
    }
    /* Intel has the revision in the upper half, AMD in the lower. */
    return x86_features.vendor == VENDOR_INTEL ? (uint32_t)(value >> 32)
                                               : (uint32_t)value;
}

/* Emulators count one clock for all CPUs without saying so in CPUID. */
bool arch_tsc_is_stable(void)
{
    uint32_t r[4];

    arch_cpuid(1, 0, r);
    return x86_features.tsc_invariant || (r[2] & CPUID_1_ECX_HYPERVISOR);
}
