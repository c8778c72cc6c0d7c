/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers of the host: numbers and access. The plain forms
 * are for registers known to exist; the *_safe forms turn #GP into an error.
 */
#pragma once

#include "cpu/extable.h"
#include "ravelin/errno.h"
#include "ravelin/types.h"

#define MSR_TSC 0x10u
#define MSR_APIC_BASE 0x1bu
#define MSR_FEATURE_CONTROL 0x3au
#define MSR_TSC_ADJUST 0x3bu
#define MSR_SPEC_CTRL 0x48u
#define MSR_MTRR_CAP 0xfeu
#define MSR_SYSENTER_CS 0x174u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_SYSENTER_EIP 0x176u
#define MSR_MCG_CAP 0x179u
#define MSR_MISC_ENABLE 0x1a0u
#define MSR_DEBUGCTL 0x1d9u
#define MSR_PAT 0x277u
#define MSR_MTRR_DEF_TYPE 0x2ffu
#define MSR_VMX_BASIC 0x480u
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_X2APIC_FIRST 0x800u
#define MSR_XSS 0xda0u
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_CSTAR 0xc0000083u
#define MSR_SFMASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX 0xc0000103u
#define MSR_VM_CR 0xc0010114u
#define MSR_VM_HSAVE_PA 0xc0010117u

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return ((uint64_t)high << 32) | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value),
                       "d"((uint32_t)(value >> 32))
                     : "memory");
}

/** 0 and *value, or -RV_EIO (with *value = 0) if the register faults. */
static inline int rv_must_check rdmsr_safe(uint32_t msr, uint64_t *value)
{
    uint32_t low = 0;
    uint32_t high = 0;
    int rc = -RV_EIO;

    __asm__ volatile("1: rdmsr\n"
                     "   xorl %[rc], %[rc]\n"
                     "2:\n" EXTABLE("1b", "2b")
                     : "+a"(low), "+d"(high), [rc] "+r"(rc)
                     : "c"(msr)
                     : "memory", "cc");
    *value = ((uint64_t)high << 32) | low;
    return rc;
}

/** 0, or -RV_EIO if the register or the value is refused. */
static inline int rv_must_check wrmsr_safe(uint32_t msr, uint64_t value)
{
    int rc = -RV_EIO;

    __asm__ volatile("1: wrmsr\n"
                     "   xorl %[rc], %[rc]\n"
                     "2:\n" EXTABLE("1b", "2b")
                     : [rc] "+r"(rc)
                     : "c"(msr), "a"((uint32_t)value),
                       "d"((uint32_t)(value >> 32))
                     : "memory", "cc");
    return rc;
}
