/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vCPU under SVM: its VMCB from creation to destruction, what is exchanged
 * when it gets or loses a CPU, and the entry itself.
 */

#include "arch/host.h"
#include "asm_offsets.h"
#include "cpu/feature.h"
#include "cpu/msr.h"
#include "cpu/regs.h"
#include "npt.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/string.h"
#include "svm/svm.h"
#include "xstate.h"

static_assert(offsetof(struct vcpu_regs, gpr[REG_RCX]) == REGS_RCX &&
                  offsetof(struct vcpu_regs, gpr[REG_RDI]) == REGS_RDI &&
                  offsetof(struct vcpu_regs, gpr[REG_R15]) == REGS_R15,
              "svm_switch.S addresses registers by hardware number");

#define DR6_HITS 0xfUL

/* The backend's own structure and the VMCB have a page each; the structure is
 * far smaller than its page, which is the price of one allocator. */
int svm_vcpu_create(struct vcpu *v)
{
    struct svm_vcpu *sv = page_alloc();

    if (!sv) {
        return -RV_ENOMEM;
    }
    sv->vmcb = page_alloc();
    v->xsave = sv->vmcb ? xstate_alloc() : NULL;
    if (!v->xsave) {
        if (sv->vmcb) {
            page_free(sv->vmcb);
        }
        page_free(sv);
        return -RV_ENOMEM;
    }
    sv->vmcb_pa = host_pa(sv->vmcb).v;
    v->arch = sv;
    svm_vcpu_reset(v);
    return 0;
}

void svm_vcpu_destroy(struct vcpu *v)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    if (!sv) {
        return;
    }
    if (sv->msrpm) {
        pages_free(sv->msrpm, 1);
    }
    xstate_free(v->xsave);
    page_free(sv->vmcb);
    page_free(sv);
    v->arch = NULL;
    v->xsave = NULL;
}

static void controls_reset(struct vcpu *v)
{
    struct vmcb *vmcb = svm_vmcb(v);

    vmcb->dr_read = 0xffff;
    vmcb->dr_write = 0xffff;
    vmcb->intercepts1 = SVM_I1_INTR | SVM_I1_NMI | SVM_I1_SMI | SVM_I1_INIT |
                        SVM_I1_RDPMC | SVM_I1_CPUID | SVM_I1_RSM | SVM_I1_INVD |
                        SVM_I1_HLT | SVM_I1_INVLPGA | SVM_I1_IOIO | SVM_I1_MSR |
                        SVM_I1_FERR | SVM_I1_SHUTDOWN;
    vmcb->intercepts2 = SVM_I2_VMRUN | SVM_I2_VMMCALL | SVM_I2_VMLOAD |
                        SVM_I2_VMSAVE | SVM_I2_STGI | SVM_I2_CLGI |
                        SVM_I2_SKINIT | SVM_I2_WBINVD | SVM_I2_MONITOR |
                        SVM_I2_MWAIT | SVM_I2_XSETBV;
    vmcb->iopm_pa = svm_iopm_pa(v->domain);
    vmcb->msrpm_pa = svm_msrpm_pa(v);
    vmcb->vintr = SVM_VINTR_MASKING;
    vmcb->np_control = SVM_NP_ENABLE;
    svm_intercepts_apply(v);
}

static void segment_reset(struct vmcb_segment *s, uint16_t selector,
                          uint16_t attr, uint64_t base)
{
    *s = (struct vmcb_segment){selector, attr, 0xffff, base};
}

/* Ref: AMD APM Vol 2, 14.1.3 "Processor Initialization State". */
static void state_reset(struct vcpu *v)
{
    struct vmcb *vmcb = svm_vmcb(v);

    segment_reset(&vmcb->cs, 0xf000, 0x9b, 0xffff0000);
    segment_reset(&vmcb->ds, 0, 0x93, 0);
    vmcb->es = vmcb->ss = vmcb->fs = vmcb->gs = vmcb->ds;
    segment_reset(&vmcb->ldtr, 0, 0x82, 0);
    segment_reset(&vmcb->tr, 0, 0x8b, 0);
    segment_reset(&vmcb->gdtr, 0, 0, 0);
    segment_reset(&vmcb->idtr, 0, 0, 0);
    vmcb->cpl = 0;
    vmcb->efer = EFER_SVME;
    vmcb->cr0 = 0x60000010;
    vmcb->cr2 = vmcb->cr3 = vmcb->cr4 = 0;
    vmcb->dr6 = 0xffff0ff0;
    vmcb->dr7 = 0x400;
    vmcb->g_pat = 0x0007040600070406UL;
    svm_paging_refresh(v);
    vmcb->int_state = 0;
    vmcb->event_inj = 0;
    memset(&v->regs, 0, sizeof(v->regs));
    v->regs.rip = 0xfff0;
    v->regs.rflags = 2;
}

void svm_vcpu_reset(struct vcpu *v)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    state_reset(v);
    sv->wanted = (struct vcpu_intercepts){.irq_window = false};
    sv->nmi_masked = false;
    sv->iret_rip = ~0UL;
    sv->soft_is_queued = false;
    sv->lme_is_hidden = false;
    sv->xcr0 = XCR0_X87;
    memset(sv->dr, 0, sizeof(sv->dr));
    sv->asid_generation = 0;
    controls_reset(v);
    xstate_reset(v->xsave);
}

/* Bochs' VMRUN leaves CR2 as it is. As long as the host takes no page fault,
 * it is enough to load it where another's may be in the register. */
void svm_vcpu_load(struct vcpu *v)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    write_cr2(sv->vmcb->cr2);
    xstate_load(v->xsave, sv->xcr0);
    if (sv->vmcb->dr7 & DR7_ENABLES) {
        svm_debug_load(v);
    }
    if (x86_features.rdtscp) {
        wrmsr(MSR_TSC_AUX, sv->tsc_aux);
    }
}

void svm_vcpu_save(struct vcpu *v)
{
    svm_vcpu(v)->xcr0 = xstate_xcr0_get();
    xstate_save(v->xsave);
    svm_debug_save(v);
}

void svm_tlb_flush(struct vcpu *v)
{
    svm_vcpu(v)->asid_generation = 0;
}

void svm_npt_root_set(struct vcpu *v, mfn_t root)
{
    svm_vmcb(v)->n_cr3 = mfn_to_hpa(root).v;
    svm_tlb_flush(v);
}

void svm_tsc_offset_set(struct vcpu *v, uint64_t offset)
{
    svm_vmcb(v)->tsc_offset = offset;
}

/*
 * VMRUN loads DR7 and #VMEXIT resets it. QEMU's TCG does the first behind the
 * back of its own list of breakpoints and instead of the second puts back what
 * was there before; it crashes when told to remove a breakpoint that is not on
 * the list. With the register written around the switch, and the guest never
 * writing it itself, list and register always agree.
 */
static rv_noinline void switch_with_breakpoints(struct vcpu *v,
                                                const struct svm_cpu *cpu)
{
    struct svm_vcpu *sv = svm_vcpu(v);
    uint64_t dr6;

    __asm__ volatile("mov %0, %%db7" : : "r"(svm_dr7_for_host(sv, cpu)));
    svm_switch(&v->regs, sv->vmcb_pa, cpu->host_pa);
    __asm__ volatile("mov %0, %%db7" : : "r"(DR7_RESET));
    /* A data breakpoint hit by an instruction that is stepped over is not in
     * TCG's VMCB, but in the register, which is still the guest's. */
    __asm__ volatile("mov %%db6, %0" : "=r"(dr6));
    if (sv->wanted.stepping) {
        sv->vmcb->dr6 |= dr6 & DR6_HITS;
    }
}

void svm_vcpu_enter(struct vcpu *v, struct vmexit *exit)
{
    struct svm_vcpu *sv = svm_vcpu(v);
    struct vmcb *vmcb = sv->vmcb;
    struct svm_cpu *cpu = svm_this_cpu();

    if (unlikely(sv->asid_generation != cpu->generation ||
                 sv->asid_cpu != this_cpu())) {
        svm_asid_assign(sv, cpu);
    } else {
        vmcb->tlb_control = SVM_TLB_NOTHING;
    }
    vmcb->rax = v->regs.gpr[REG_RAX];
    vmcb->rsp = v->regs.gpr[REG_RSP];
    vmcb->rip = v->regs.rip;
    vmcb->rflags = v->regs.rflags;

    if (unlikely(vmcb->dr7 & DR7_ENABLES)) {
        switch_with_breakpoints(v, cpu);
    } else {
        svm_switch(&v->regs, sv->vmcb_pa, cpu->host_pa);
    }

    if (unlikely((uint32_t)vmcb->exitcode == SVM_EXIT_INVALID)) {
        *exit = (struct vmexit){.reason = VMEXIT_INVALID};
        return; /* everything as it was handed over, for the explanation */
    }
    v->regs.gpr[REG_RAX] = vmcb->rax;
    v->regs.gpr[REG_RSP] = vmcb->rsp;
    v->regs.rip = vmcb->rip;
    v->regs.rflags = vmcb->rflags;
    svm_paging_refresh(v);
    /* Until here the event stood for delivery; the processor has tried. */
    vmcb->event_inj = 0;
    if (unlikely(vmcb->exitintinfo & SVM_EVENT_VALID)) {
        svm_event_requeue(v);
        /* Delivery that fails again and again passes no instruction boundary
         * at which an interrupt would end the guest's turn. */
        arch_irq_poll();
    }
    svm_exit_decode(v, exit);
}

const struct hv_backend svm_backend = {
    .name = "svm",
    .hypercall_insn = {0x0f, 0x01, 0xd9}, /* VMMCALL */
    .probe = svm_probe,
    .cpu_enable = svm_cpu_enable,
    .cpu_disable = svm_cpu_disable,
    .vcpu_create = svm_vcpu_create,
    .vcpu_destroy = svm_vcpu_destroy,
    .vcpu_reset = svm_vcpu_reset,
    .vcpu_load = svm_vcpu_load,
    .vcpu_save = svm_vcpu_save,
    .vcpu_enter = svm_vcpu_enter,
    .segment_get = svm_segment_get,
    .segment_set = svm_segment_set,
    .creg_get = svm_creg_get,
    .creg_set = svm_creg_set,
    .code_bits_get = svm_code_bits_get,
    .cpl_get = svm_cpl_get,
    .explain = svm_explain,
    .event_inject = svm_event_inject,
    .event_take = svm_event_take,
    .event_is_queued = svm_event_is_queued,
    .irq_is_open = svm_irq_is_open,
    .nmi_is_open = svm_nmi_is_open,
    .shadow_get = svm_shadow_get,
    .shadow_set = svm_shadow_set,
    .shadow_clear = svm_shadow_clear,
    .tpr_get = svm_tpr_get,
    .tpr_set = svm_tpr_set,
    .intercepts_set = svm_intercepts_set,
    .breakpoint_is_exception = svm_breakpoint_is_exception,
    .msr_passthrough = svm_msr_passthrough,
    .io_passthrough = svm_io_passthrough,
    .domain_destroy = svm_domain_destroy,
    .tsc_offset_set = svm_tsc_offset_set,
    .tlb_flush = svm_tlb_flush,
    .npt_root_set = svm_npt_root_set,
    .npt_encode = npt_encode,
    .npt_decode = npt_decode,
    .npt_leaf_level_max = npt_leaf_level_max,
    .exit_raw_get = svm_exit_raw_get,
    .insn_bytes = svm_insn_bytes,
    .dump = svm_dump,
};
