/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest register state in the VMCB, by neutral index: segments, control
 * registers, switched MSRs, debug registers, task priority. EFER.SVME is ours
 * and never shown.
 */

#include "cpu/msr.h"
#include "cpu/regs.h"
#include "svm/svm.h"
#include "xstate.h"

static const uint16_t segment_offset[SEG_COUNT] = {
    [SEG_ES] = offsetof(struct vmcb, es),
    [SEG_CS] = offsetof(struct vmcb, cs),
    [SEG_SS] = offsetof(struct vmcb, ss),
    [SEG_DS] = offsetof(struct vmcb, ds),
    [SEG_FS] = offsetof(struct vmcb, fs),
    [SEG_GS] = offsetof(struct vmcb, gs),
    [SEG_LDTR] = offsetof(struct vmcb, ldtr),
    [SEG_TR] = offsetof(struct vmcb, tr),
    [SEG_GDTR] = offsetof(struct vmcb, gdtr),
    [SEG_IDTR] = offsetof(struct vmcb, idtr),
};

static struct vmcb_segment *segment_of(const struct vcpu *v, enum seg_index i)
{
    return (struct vmcb_segment *)(void *)((char *)svm_vmcb(v) +
                                           segment_offset[i]);
}

void svm_segment_get(const struct vcpu *v, enum seg_index i,
                     struct vcpu_segment *out)
{
    const struct vmcb_segment *s = segment_of(v, i);

    out->selector = s->selector;
    out->attr = s->attr;
    out->limit = s->limit;
    out->base = s->base;
}

void svm_segment_set(struct vcpu *v, enum seg_index i,
                     const struct vcpu_segment *in)
{
    struct vmcb_segment *s = segment_of(v, i);

    s->selector = in->selector;
    s->attr = in->attr;
    s->limit = in->limit;
    s->base = in->base;
    if (i == SEG_SS) {
        svm_vmcb(v)->cpl = (in->attr & SEG_ATTR_DPL) >> 5;
    }
}

unsigned svm_code_bits_get(const struct vcpu *v)
{
    return svm_code_bits(svm_vmcb(v));
}

unsigned svm_cpl_get(const struct vcpu *v)
{
    return svm_vmcb(v)->cpl;
}

static const uint16_t creg_offset[CREG_COUNT] = {
    [CREG_CR0] = offsetof(struct vmcb, cr0),
    [CREG_CR2] = offsetof(struct vmcb, cr2),
    [CREG_CR3] = offsetof(struct vmcb, cr3),
    [CREG_CR4] = offsetof(struct vmcb, cr4),
    [CREG_EFER] = offsetof(struct vmcb, efer),
    [CREG_PAT] = offsetof(struct vmcb, g_pat),
    [CREG_DR6] = offsetof(struct vmcb, dr6),
    [CREG_DR7] = offsetof(struct vmcb, dr7),
    [CREG_STAR] = offsetof(struct vmcb, star),
    [CREG_LSTAR] = offsetof(struct vmcb, lstar),
    [CREG_CSTAR] = offsetof(struct vmcb, cstar),
    [CREG_SFMASK] = offsetof(struct vmcb, sfmask),
    [CREG_KERNEL_GS_BASE] = offsetof(struct vmcb, kernel_gs_base),
    [CREG_SYSENTER_CS] = offsetof(struct vmcb, sysenter_cs),
    [CREG_SYSENTER_ESP] = offsetof(struct vmcb, sysenter_esp),
    [CREG_SYSENTER_EIP] = offsetof(struct vmcb, sysenter_eip),
};

static uint64_t *creg_of(const struct vcpu *v, enum vcpu_creg r)
{
    return (uint64_t *)(void *)((char *)svm_vmcb(v) + creg_offset[r]);
}

static bool is_loaded_here(const struct vcpu *v)
{
    return this_cpu()->loaded == v;
}

uint64_t svm_creg_get(const struct vcpu *v, enum vcpu_creg r)
{
    const struct svm_vcpu *sv = svm_vcpu(v);

    switch (r) {
    case CREG_EFER:
        return (sv->vmcb->efer & ~EFER_SVME) |
               (sv->lme_is_hidden ? EFER_LME : 0);
    case CREG_XCR0:
        /* Read, not remembered: XSETBV does not exit everywhere. */
        return is_loaded_here(v) ? xstate_xcr0_get() : sv->xcr0;
    case CREG_TSC_AUX:
        return sv->tsc_aux;
    case CREG_DR0:
    case CREG_DR1:
    case CREG_DR2:
    case CREG_DR3:
        if (sv->dr_loaded) {
            svm_debug_save((struct vcpu *)(uintptr_t)v);
        }
        return sv->dr[r - CREG_DR0];
    default:
        return *creg_of(v, r);
    }
}

/*
 * LME without PAE is legal as long as paging is off, but QEMU's TCG cannot
 * leave a guest in that state: it goes on in the host with paging off. LME has
 * no effect then, so it is kept back until PAE is set. Meanwhile writes of CR0
 * exit, as the processor would not refuse to enable paging.
 */
static void long_mode_settle(const struct vcpu *v)
{
    struct svm_vcpu *sv = svm_vcpu(v);
    struct vmcb *vmcb = sv->vmcb;

    if (vmcb->cr0 & CR0_PG) {
        return;
    }
    if (sv->lme_is_hidden) {
        vmcb->efer |= EFER_LME;
    }
    sv->lme_is_hidden = (vmcb->efer & EFER_LME) && !(vmcb->cr4 & CR4_PAE);
    if (sv->lme_is_hidden) {
        vmcb->efer &= ~EFER_LME;
    }
    svm_intercepts_apply(v);
}

void svm_creg_set(struct vcpu *v, enum vcpu_creg r, uint64_t value)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    switch (r) {
    case CREG_EFER:
        sv->vmcb->efer = value | EFER_SVME;
        sv->lme_is_hidden = false;
        long_mode_settle(v);
        svm_paging_refresh(v);
        break;
    case CREG_XCR0:
        sv->xcr0 = value;
        if (is_loaded_here(v)) {
            xstate_xcr0_set(value);
        }
        break;
    case CREG_TSC_AUX:
        sv->tsc_aux = value;
        if (is_loaded_here(v)) {
            wrmsr(MSR_TSC_AUX, value);
        }
        break;
    case CREG_DR0:
    case CREG_DR1:
    case CREG_DR2:
    case CREG_DR3:
        svm_debug_save(v);
        sv->dr[r - CREG_DR0] = value;
        svm_breakpoints_settle(v);
        break;
    case CREG_DR7:
        sv->vmcb->dr7 = value;
        svm_breakpoints_settle(v);
        break;
    case CREG_CR2:
        sv->vmcb->cr2 = value;
        if (is_loaded_here(v)) {
            write_cr2(value); /* see svm_vcpu_load() */
        }
        break;
    case CREG_CR3:
    case CREG_CR4:
    case CREG_CR0:
        *creg_of(v, r) = value;
        long_mode_settle(v);
        svm_paging_refresh(v);
        svm_tlb_flush(v);
        break;
    default:
        *creg_of(v, r) = value;
        break;
    }
}

unsigned svm_tpr_get(const struct vcpu *v)
{
    return svm_vmcb(v)->vintr & SVM_VINTR_TPR;
}

void svm_tpr_set(struct vcpu *v, unsigned tpr)
{
    struct vmcb *vmcb = svm_vmcb(v);

    vmcb->vintr = (vmcb->vintr & ~SVM_VINTR_TPR) | (tpr & SVM_VINTR_TPR);
}
