/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every CPU's control registers and MSRs as the hypervisor wants them. What
 * the firmware or a warm start left behind is overwritten, not trusted, so that
 * all CPUs behave alike and every protection the processor has is on.
 */
#include "cpu/cpu.h"

#include "arch/host.h"
#include "cpu/feature.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "ravelin/atomic.h"

/*
 * Entries 0-3 and 4-7: write-back, write-through, uncached-, uncached; the
 * value at reset. Ref: AMD APM Vol 2 7.8 "Page-Attribute Table Mechanism".
 */
#define PAT_RESET 0x0007040600070406UL

static uint32_t flush_generation;          /* atomic */
static uint32_t flush_seen[CPU_COUNT_MAX]; /* written by its CPU only */

static uint64_t baseline_cr4(void)
{
    const struct x86_features *f = &x86_features;
    uint64_t cr4 = CR4_PAE | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    cr4 |= f->mce ? CR4_MCE : 0;
    cr4 |= f->pge ? CR4_PGE : 0;
    cr4 |= f->umip ? CR4_UMIP : 0;
    cr4 |= f->fsgsbase ? CR4_FSGSBASE : 0;
    cr4 |= f->xsave ? CR4_OSXSAVE : 0;
    cr4 |= f->smep ? CR4_SMEP : 0;
    cr4 |= f->smap ? CR4_SMAP : 0;
    return cr4;
}

uint64_t cpu_baseline_efer(void)
{
    return EFER_LME | EFER_LMA | (x86_features.nx ? EFER_NXE : 0);
}

void cpu_baseline_init(void)
{
    write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
    write_cr4(baseline_cr4());
    wrmsr(MSR_EFER, cpu_baseline_efer());
    wrmsr(MSR_PAT, PAT_RESET);
    if (x86_features.xsave) {
        xsetbv(0, XCR0_X87 | XCR0_SSE | (x86_features.xcr0_mask & XCR0_AVX));
    }
    write_dr7(0x400);
}

void cpu_tlb_flush_pending(void)
{
    unsigned self = this_cpu()->id;
    uint32_t wanted = load_acquire(&flush_generation);

    if (flush_seen[self] != wanted) {
        flush_seen[self] = wanted;
        write_cr3(read_cr3());
    }
}

void cpu_tlb_flush_all(void)
{
    __atomic_fetch_add(&flush_generation, 1, __ATOMIC_SEQ_CST);
    cpu_tlb_flush_pending();
    for (unsigned id = 0; id < cpu_count(); id++) {
        struct cpu *cpu = cpu_by_id(id);

        if (cpu != NULL && cpu != this_cpu()) {
            arch_cpu_kick(cpu);
        }
    }
}
