/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMCB as a snapshot for the rules of VMRUN.
 * Ref: AMD APM Vol 2 Appendix B "VMCB Layout".
 */

#include "ravelin/explain.h"
#include "svm/svm.h"

static void segment_take(struct explain_snapshot *s, enum seg_index i,
                         const struct vmcb_segment *seg)
{
    explain_segment_set(s, i, seg->selector, seg->attr, seg->limit, seg->base);
}

static void segments_take(struct explain_snapshot *s, const struct vmcb *b)
{
    segment_take(s, SEG_ES, &b->es);
    segment_take(s, SEG_CS, &b->cs);
    segment_take(s, SEG_SS, &b->ss);
    segment_take(s, SEG_DS, &b->ds);
    segment_take(s, SEG_FS, &b->fs);
    segment_take(s, SEG_GS, &b->gs);
    segment_take(s, SEG_LDTR, &b->ldtr);
    segment_take(s, SEG_TR, &b->tr);
    segment_take(s, SEG_GDTR, &b->gdtr);
    segment_take(s, SEG_IDTR, &b->idtr);
}

/* What the vCPU keeps outside the VMCB comes from there: an emulator (QEMU's
 * TCG) writes its own state over the save area when it refuses an entry. */
static void registers_take(struct explain_snapshot *s, const struct vcpu *v)
{
    const struct vmcb *b = svm_vmcb(v);

    explain_value_set(s, XF_CR0, v->paging.cr0);
    explain_value_set(s, XF_CR2, b->cr2);
    explain_value_set(s, XF_CR3, v->paging.cr3);
    explain_value_set(s, XF_CR4, v->paging.cr4);
    explain_value_set(s, XF_DR6, b->dr6);
    explain_value_set(s, XF_DR7, b->dr7);
    explain_value_set(s, XF_RIP, v->regs.rip);
    explain_value_set(s, XF_RSP, v->regs.gpr[REG_RSP]);
    explain_value_set(s, XF_RFLAGS, v->regs.rflags);
    explain_value_set(s, XF_CPL, b->cpl);
    explain_value_set(s, XF_EFER, v->paging.efer);
    explain_value_set(s, XF_PAT, b->g_pat);
}

static void controls_take(struct explain_snapshot *s, const struct vmcb *b)
{
    explain_value_set(s, XF_EXITCODE, b->exitcode);
    explain_value_set(s, XF_EXITINFO1, b->exitinfo1);
    explain_value_set(s, XF_EXITINFO2, b->exitinfo2);
    explain_value_set(s, XF_EXITINTINFO, b->exitintinfo);
    explain_value_set(s, XF_INTERCEPTS1, b->intercepts1);
    explain_value_set(s, XF_INTERCEPTS2, b->intercepts2);
    explain_value_set(s, XF_TLB_CONTROL, b->tlb_control);
    explain_value_set(s, XF_VINTR, b->vintr);
    explain_value_set(s, XF_INT_STATE, b->int_state);
    explain_value_set(s, XF_EVENT_INJ, b->event_inj);
    explain_value_set(s, XF_NP_CONTROL, b->np_control);
    explain_value_set(s, XF_N_CR3, b->n_cr3);
    explain_value_set(s, XF_IOPM, b->iopm_pa);
    explain_value_set(s, XF_MSRPM, b->msrpm_pa);
}

/* The ASID belongs to the processor of the last entry until the next one
 * assigns it, so 0 says something only afterwards. */
void svm_explain(const struct vcpu *v, struct explain_snapshot *s)
{
    const struct vmcb *b = svm_vmcb(v);

    explain_snapshot_init(s, &explain_svm);
    segments_take(s, b);
    registers_take(s, v);
    controls_take(s, b);
    if (svm_vcpu(v)->asid_generation != 0) {
        explain_value_set(s, XF_ASID, b->asid);
    }
}
