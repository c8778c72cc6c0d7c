/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SVM on one physical CPU: is it there, switch it on, and hand out address
 * space identifiers. Runs at boot and on the entry path; no guest input.
 * Ref: AMD APM Vol 2, 15.4 "Enabling SVM", 15.16 "TLB Control".
 */

#include "arch/host.h"
#include "cpu/feature.h"
#include "cpu/msr.h"
#include "cpu/regs.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "svm/svm.h"
#include "xstate.h"

#define VM_CR_SVMDIS (1UL << 4)

struct svm_cpu svm_cpus[CPU_COUNT_MAX];

int svm_probe(const char **why)
{
    uint64_t vm_cr;

    if (!x86_features.svm) {
        *why = x86_features.vmx ? "CPUID 1 ECX bit 5: VMX, which has no backend"
                                : "CPUID 80000001h ECX bit 2: no SVM";
        return -RV_ENODEV;
    }
    /* Not every implementation has the register (Bochs does not). */
    if (rdmsr_safe(MSR_VM_CR, &vm_cr) == 0 && (vm_cr & VM_CR_SVMDIS)) {
        *why = "VM_CR.SVMDIS: SVM is switched off by the firmware";
        return -RV_ENODEV;
    }
    if (!x86_features.npt) {
        *why = "CPUID 8000000Ah EDX bit 0: no nested paging";
        return -RV_ENODEV;
    }
    return 0;
}

int svm_cpu_enable(void)
{
    struct svm_cpu *cpu = svm_this_cpu();
    int rc;

    if (this_cpu()->id == 0) {
        xstate_init();
        rc = svm_bitmaps_init();
        if (rc) {
            return rc;
        }
    }
    cpu->host_save = page_alloc();
    cpu->host = page_alloc();
    if (!cpu->host_save || !cpu->host) {
        return -RV_ENOMEM;
    }
    cpu->host_pa = host_pa(cpu->host).v;
    cpu->asid_count = x86_features.asid_count;
    cpu->asid_next = 2; /* 1 was the self-test's */
    cpu->generation = 1;

    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    wrmsr(MSR_VM_HSAVE_PA, host_pa(cpu->host_save).v);
    __asm__ volatile("vmsave %0" : : "a"(cpu->host_pa) : "memory");
    return this_cpu()->id == 0 ? svm_selftest(cpu->host_pa) : 0;
}

void svm_cpu_disable(void)
{
    __asm__ volatile("stgi" ::: "memory");
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);
}

void svm_asid_assign(struct svm_vcpu *sv, struct svm_cpu *cpu)
{
    struct vmcb *vmcb = sv->vmcb;

    vmcb->tlb_control = SVM_TLB_NOTHING;
    if (cpu->asid_next >= cpu->asid_count) {
        cpu->generation++;
        cpu->asid_next = 1;
        vmcb->tlb_control = SVM_TLB_FLUSH_ALL;
    }
    vmcb->asid = cpu->asid_next++;
    sv->asid_generation = cpu->generation;
    sv->asid_cpu = this_cpu();
}
