/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers: which exist, which bits they take, and #GP for all
 * else, with the value unchanged afterwards.
 *
 * Environments: all; the segment bases and SYSCALL registers in pvh64.
 */

#include "guest.h"

const char test_title[] = "msr: EFER, PAT, APIC_BASE, bases, unknown";

#define MSR_MTRR_CAP 0xfe
#define MSR_MCG_CAP 0x179

/*
 * Registers that no hypervisor has to intercept are checked by the processor,
 * and an emulated one may be lax. That is worth a line, not a failure.
 */
static void refused(uint32_t msr, uint64_t value)
{
    uint64_t old = rdmsr(msr);

    if (wrmsr_safe(msr, value) == TRAP_GP) {
        CHECK_EQ(rdmsr(msr), old);
        return;
    }
    printf("MSR %x took %llx: not checked by this processor\n", msr,
           (unsigned long long)value);
    wrmsr(msr, old);
}

static void unknown_registers(void)
{
    static const uint32_t unknown[] = {0x3fff,     0x4000ffff, 0x80000000,
                                       0xc0001fff, 0xc0011fff, 0xffffffff};
    unsigned int i;
    uint64_t v;

    for (i = 0; i < ARRAY_SIZE(unknown); i++) {
        if (!CHECK_EQ(rdmsr_safe(unknown[i], &v), TRAP_GP) ||
            !CHECK_EQ(wrmsr_safe(unknown[i], 0), TRAP_GP)) {
            printf("  MSR %x\n", unknown[i]);
        }
    }
}

static void efer(void)
{
    uint64_t old = rdmsr(MSR_EFER);

    CHECK_EQ(!!(old & EFER_LMA), PAGING_LEVELS == 4);
    wrmsr(MSR_EFER, old ^ EFER_SCE);
    CHECK_EQ(rdmsr(MSR_EFER), old ^ EFER_SCE);
    wrmsr(MSR_EFER, old);
    CHECK_EQ(wrmsr_safe(MSR_EFER, old | (1u << 1)), TRAP_GP);
    CHECK_EQ(wrmsr_safe(MSR_EFER, old | (1ull << 40)), TRAP_GP);
#if PAGING_LEVELS > 0
    CHECK_EQ(wrmsr_safe(MSR_EFER, old ^ EFER_LME), TRAP_GP);
#endif
    CHECK_EQ(rdmsr(MSR_EFER), old);
}

static void pat(void)
{
    uint64_t old = rdmsr(MSR_PAT), v;
    unsigned int type;

    for (type = 0; type < 8; type++) {
        v = (old & ~0xffull) | type;
        if (type == 2 || type == 3) {
            refused(MSR_PAT, v);
            continue;
        }
        CHECK_EQ(wrmsr_safe(MSR_PAT, v), TRAP_NONE);
        CHECK_EQ(rdmsr(MSR_PAT), v);
    }
    refused(MSR_PAT, old | (0x08ull << 56));
    wrmsr(MSR_PAT, old);
    CHECK_EQ(rdmsr(MSR_PAT), old);
}

static void apic_base(void)
{
    uint64_t old = rdmsr(MSR_APIC_BASE);

    CHECK(old & 0x100);
    CHECK(old & 0x800);
    wrmsr(MSR_APIC_BASE, old);
    CHECK_EQ(rdmsr(MSR_APIC_BASE), old);
    CHECK_EQ(wrmsr_safe(MSR_APIC_BASE, old | 1), TRAP_GP);
    CHECK_EQ(wrmsr_safe(MSR_APIC_BASE, old | (1ull << 60)), TRAP_GP);
    CHECK_EQ(rdmsr(MSR_APIC_BASE), old);
}

static void time_stamp(void)
{
    uint64_t a = rdtsc(), b = rdmsr(MSR_TSC), c = rdtsc();

    CHECK(a <= b && b <= c);
}

/* What every kernel reads at start without asking. */
static void machine_check_and_mtrr(void)
{
    uint64_t v;

    if (cpuid(1).d & (1u << 12)) {
        CHECK_EQ(rdmsr_safe(MSR_MTRR_CAP, &v), TRAP_NONE);
    } else {
        CHECK_EQ(rdmsr_safe(MSR_MTRR_CAP, &v), TRAP_GP);
    }
    if (cpuid(1).d & (1u << 14)) {
        CHECK_EQ(rdmsr_safe(MSR_MCG_CAP, &v), TRAP_NONE);
    }
}

#ifdef __x86_64__
static void base_register(uint32_t msr)
{
    uint64_t old = rdmsr(msr);

    CHECK_EQ(wrmsr_safe(msr, 0x00007fffdeadbeefull), TRAP_NONE);
    CHECK_EQ(rdmsr(msr), 0x00007fffdeadbeefull);
    CHECK_EQ(wrmsr_safe(msr, 0xffff800000001234ull), TRAP_NONE);
    CHECK_EQ(rdmsr(msr), 0xffff800000001234ull);
    refused(msr, 0x0008000000000000ull);
    wrmsr(msr, old);
}

static void long_mode_registers(void)
{
    uint64_t star = rdmsr(MSR_STAR), v;

    wrmsr(MSR_STAR, 0x0023001000000000ull);
    CHECK_EQ(rdmsr(MSR_STAR), 0x0023001000000000ull);
    wrmsr(MSR_STAR, star);
    wrmsr(MSR_LSTAR, 0xffff800000005678ull);
    CHECK_EQ(rdmsr(MSR_LSTAR), 0xffff800000005678ull);
    base_register(MSR_FS_BASE);
    base_register(MSR_GS_BASE);
    base_register(MSR_KERNEL_GS);
    /* The base that was written is the one that is used. */
    v = 0x5a5a1234;
    wrmsr(MSR_FS_BASE, (uintptr_t)&v);
    asm volatile("mov %%fs:0, %0" : "=r"(star));
    CHECK_EQ(star, v);
    wrmsr(MSR_GS_BASE, (uintptr_t)&v);
    wrmsr(MSR_KERNEL_GS, 0);
    asm volatile("swapgs");
    CHECK_EQ(rdmsr(MSR_KERNEL_GS), (uintptr_t)&v);
    CHECK_EQ(rdmsr(MSR_GS_BASE), 0);
}
#endif

void test_main(void)
{
    unknown_registers();
    efer();
    pat();
    apic_base();
    time_stamp();
    machine_check_and_mtrr();
#ifdef __x86_64__
    long_mode_registers();
#endif
}
