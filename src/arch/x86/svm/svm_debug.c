/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug registers of guests. DR0-3 come in on first use and stay until the
 * vCPU leaves the CPU. On the way into the guest its breakpoints are armed for
 * a few of our own instructions (switch_with_breakpoints() says why), so those
 * at our own addresses must not be: any guest may ask for them.
 * Ref: AMD APM Vol 2, 13.1.1 "Debug Registers", 15.5.1 "Basic Operation".
 */

#include "arch_inline.h"
#include "boot/boot.h"
#include "cpu/regs.h"
#include "svm/svm.h"

/* More than there is RAM; what guests have above it stays theirs. */
#define DIRECT_MAP_SIZE (1UL << 43)
#define IMAGE_SIZE_MAX (1UL << 21)

void svm_debug_load(struct vcpu *v)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    __asm__ volatile("mov %0, %%db0" : : "r"(sv->dr[0]));
    __asm__ volatile("mov %0, %%db1" : : "r"(sv->dr[1]));
    __asm__ volatile("mov %0, %%db2" : : "r"(sv->dr[2]));
    __asm__ volatile("mov %0, %%db3" : : "r"(sv->dr[3]));
    sv->dr_loaded = true;
    svm_intercepts_apply(v);
}

void svm_debug_save(struct vcpu *v)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    if (!sv->dr_loaded) {
        return;
    }
    __asm__ volatile("mov %%db0, %0" : "=r"(sv->dr[0]));
    __asm__ volatile("mov %%db1, %0" : "=r"(sv->dr[1]));
    __asm__ volatile("mov %%db2, %0" : "=r"(sv->dr[2]));
    __asm__ volatile("mov %%db3, %0" : "=r"(sv->dr[3]));
    sv->dr_loaded = false;
    svm_intercepts_apply(v);
}

void svm_breakpoints_settle(struct vcpu *v)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    if ((sv->vmcb->dr7 & DR7_ENABLES) && !sv->dr_loaded &&
        this_cpu()->loaded == v) {
        svm_debug_load(v);
    }
    svm_intercepts_apply(v);
}

static bool is_within(uint64_t at, uint64_t first, uint64_t size)
{
    return at - first < size;
}

/* Also the physical addresses that VMRUN, VMLOAD and VMSAVE use: TCG compares
 * them with linear ones. What is used here lies far enough from the start of
 * each range that a breakpoint before it does not reach there. */
static bool breakpoint_is_ours(const struct svm_vcpu *sv,
                               const struct svm_cpu *cpu, uint64_t at)
{
    return is_within(at, DIRECT_MAP_BASE, DIRECT_MAP_SIZE) ||
           is_within(at, (uint64_t)__image_start, IMAGE_SIZE_MAX) ||
           is_within(at, LAYOUT_STACK_BASE,
                     CPU_COUNT_MAX * LAYOUT_STACK_SLOT) ||
           is_within(at, sv->vmcb_pa, PAGE_SIZE) ||
           is_within(at, cpu->host_pa, PAGE_SIZE) ||
           is_within(at, host_pa(cpu->host_save).v, PAGE_SIZE);
}

uint64_t svm_dr7_for_host(const struct svm_vcpu *sv, const struct svm_cpu *cpu)
{
    uint64_t dr7 = sv->vmcb->dr7;
    uint64_t at[4];

    __asm__ volatile("mov %%db0, %0" : "=r"(at[0]));
    __asm__ volatile("mov %%db1, %0" : "=r"(at[1]));
    __asm__ volatile("mov %%db2, %0" : "=r"(at[2]));
    __asm__ volatile("mov %%db3, %0" : "=r"(at[3]));
    for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
        if (breakpoint_is_ours(sv, cpu, at[i])) {
            dr7 &= ~(3UL << (2 * i));
        }
    }
    return dr7;
}
