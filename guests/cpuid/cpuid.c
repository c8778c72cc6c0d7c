/* SPDX-License-Identifier: MIT */
/*
 * CPUID: the hypervisor's leaves, agreement of the leaves with the rest of the
 * machine (APIC id, XSAVE sizes, CR4), and that neither SVM nor VMX is shown
 * or usable.
 *
 * Environments: all. With several vCPUs the policy must be the same on each.
 */

#include "guest.h"

const char test_title[] = "cpuid: hypervisor leaves and policy";

#define LEAF1_ECX_VMX (1u << 5)
#define LEAF1_ECX_X2APIC (1u << 21)
#define LEAF1_ECX_XSAVE (1u << 26)
#define LEAF1_ECX_OSXSAVE (1u << 27)
#define LEAF1_ECX_HYPERVISOR (1u << 31)
#define LEAF1_EDX_APIC (1u << 9)
#define AMD_ECX_SVM (1u << 2)

static void hypervisor_leaves(void)
{
    uint32_t base = platform_leaf();
    struct cpuid_regs r = cpuid(base);

    CHECK(r.a >= base + 4 && r.a < base + 0x100);
    r = cpuid(base + 1);
    CHECK_EQ(r.a, xen_version(XENVER_version, NULL));
    r = cpuid(base + 2);
    CHECK_EQ(r.a, 1);
    CHECK(r.b >= 0x40000000 && r.b < 0x40010000);
    r = cpuid_sub(base + 3, 0);
    CHECK(r.c > 0); /* TSC frequency in kHz */
    printf("tsc mode %u, %u kHz, incarnation %u\n", r.b, r.c, r.d);
    r = cpuid_sub(base + 4, 0);
    CHECK(r.a & XEN_HVM_CPUID_VCPU_ID_PRESENT);
    CHECK_EQ(r.b, 0);
    if (r.a & XEN_HVM_CPUID_DOMID_PRESENT) {
        printf("domain %u\n", r.c);
    }
    /* Leaves past the maximum say nothing. */
    r = cpuid(base + 0x80);
    CHECK(!r.a && !r.b && !r.c && !r.d);
}

static void frequency_agrees(void)
{
    uint32_t leaf = cpuid_sub(platform_leaf() + 3, 0).c;
    uint64_t clock = clock_tsc_khz();

    CHECK(leaf > clock - u64_divide(clock, 1000, NULL) &&
          leaf < clock + u64_divide(clock, 1000, NULL) + 1);
}

static void no_virtualisation(void)
{
    uint64_t efer = rdmsr(MSR_EFER);
    struct cpuid_regs r;

    CHECK(!(cpuid(1).c & LEAF1_ECX_VMX));
    CHECK(!(cpuid(0x80000001).c & AMD_ECX_SVM));
    r = cpuid(0x8000000a);
    CHECK(!r.a && !r.b && !r.c && !r.d);
    CHECK(!(efer & EFER_SVME));
    CHECK_EQ(wrmsr_safe(MSR_EFER, efer | EFER_SVME), TRAP_GP);
    CHECK_EQ(rdmsr(MSR_EFER), efer);
    CHECK_EQ(TRAP_OF_INSN("vmrun", : "a"(0l) : "memory"), TRAP_UD);
    CHECK_EQ(TRAP_OF_INSN("vmload", : "a"(0l) : "memory"), TRAP_UD);
    CHECK_EQ(TRAP_OF_INSN("vmsave", : "a"(0l) : "memory"), TRAP_UD);
    CHECK_EQ(TRAP_OF_INSN("clgi", ::"memory"), TRAP_UD);
    CHECK_EQ(TRAP_OF_INSN("stgi", ::"memory"), TRAP_UD);
    CHECK_EQ(TRAP_OF_INSN("vmxoff", ::"memory"), TRAP_UD);
}

static void basic_leaves(void)
{
    struct cpuid_regs r = cpuid(1);

    CHECK(cpuid(0).a >= 0xd);
    CHECK(cpuid(0x80000000).a >= 0x80000008);
    CHECK(r.c & LEAF1_ECX_HYPERVISOR);
    CHECK(r.d & LEAF1_EDX_APIC);
    CHECK_EQ(r.b >> 24, lapic_id());
    if (r.c & LEAF1_ECX_X2APIC) {
        CHECK_EQ(cpuid_sub(0xb, 0).d, lapic_id());
    }
    r = cpuid(0x80000008);
    CHECK((r.a & 0xff) >= 36 && (r.a & 0xff) <= 52);
    if (PAGING_LEVELS == 4) {
        CHECK(cpuid(0x80000001).d & (1u << 29));
    }
}

/* OSXSAVE mirrors CR4, and leaf 0xd speaks of what XCR0 enables. */
static void xsave_leaves(void)
{
    struct cpuid_regs r;
    uint32_t lo, hi;

    if (!(cpuid(1).c & LEAF1_ECX_XSAVE)) {
        printf("no XSAVE\n");
        return;
    }
    write_cr4(read_cr4() & ~CR4_OSXSAVE);
    CHECK(!(cpuid(1).c & LEAF1_ECX_OSXSAVE));
    write_cr4(read_cr4() | CR4_OSXSAVE | CR4_OSFXSR);
    CHECK(cpuid(1).c & LEAF1_ECX_OSXSAVE);
    asm volatile("xsetbv" ::"c"(0), "a"(1), "d"(0));
    r = cpuid_sub(0xd, 0);
    CHECK_EQ(r.b, 576);
    CHECK(r.c >= 576);
    CHECK((r.a & 3) == 3);
    asm volatile("xsetbv" ::"c"(0), "a"(r.a), "d"(r.d));
    asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    CHECK(lo == r.a && hi == r.d);
    r = cpuid_sub(0xd, 0);
    CHECK_EQ(r.b, r.c);
    /* A bit that the policy does not offer, and x87 off: both refused. */
    CHECK_EQ(TRAP_OF_INSN("xsetbv",
                          : "c"(0), "a"(lo | (1u << 30)), "d"(hi)
                          : "memory"),
             TRAP_GP);
    CHECK_EQ(TRAP_OF_INSN("xsetbv",
                          : "c"(0), "a"(lo & ~1u), "d"(hi)
                          : "memory"),
             TRAP_GP);
}

static struct cpuid_regs seen[CPUS_MAX][4];
static volatile uint32_t seen_count;

static void leaves_read(unsigned int cpu)
{
    write_cr4(read_cr4() & ~CR4_OSXSAVE);
    seen[cpu][0] = cpuid(1);
    seen[cpu][0].b &= 0x00ffffff;
    seen[cpu][1] = cpuid_sub(7, 0);
    seen[cpu][2] = cpuid(0x80000001);
    seen[cpu][3] = cpuid_sub(platform_leaf() + 4, 0);
    atomic_inc(&seen_count);
}

static void same_on_all_cpus(void)
{
    unsigned int cpu, count = cpu_count();

    leaves_read(0);
    for (cpu = 1; cpu < count; cpu++) {
        CHECK_EQ(cpu_start(cpu, leaves_read), 0);
        if (!CHECK(cpu_wait(&seen_count, cpu + 1, 2000 * MS))) {
            return;
        }
        CHECK(!memcmp(seen[0], seen[cpu], 3 * sizeof(seen[0][0])));
        CHECK_EQ(seen[cpu][3].b, cpu);
    }
}

void test_main(void)
{
    hypervisor_leaves();
    frequency_agrees();
    no_virtualisation();
    basic_leaves();
    xsave_leaves();
    same_on_all_cpus();
}
