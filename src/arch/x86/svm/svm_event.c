/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events into the guest and what gates them: injection, events whose delivery
 * an exit interrupted, interrupt and NMI masks, windows, and the intercepts
 * policy asks for.
 * Ref: AMD APM Vol 2, 15.20 "Event Injection", 15.21 "Interrupt and Local APIC
 *      Support", 15.7.2 "Exceptions during event delivery".
 */

#include "cpu/regs.h"
#include "svm/svm.h"

#define VECTOR_DB 1u
#define VECTOR_NMI 2u
#define VECTOR_PF 14u
#define VECTOR_AC 17u
#define VECTOR_MC 18u
#define RFLAGS_IF (1UL << 9)
/* What the delivery of an event can raise: #DF, #TS, #NP, #SS, #GP, #PF, #CP.
 */
#define DELIVERY_FAULTS 0x00207d00u

void svm_event_inject(struct vcpu *v, const struct vcpu_event *ev)
{
    struct vmcb *vmcb = svm_vmcb(v);
    unsigned type = ev->type == EVENT_SOFT_EXC ? EVENT_EXCEPTION : ev->type;

    vmcb->event_inj = ev->vector | ((uint64_t)type << SVM_EVENT_TYPE_SHIFT) |
                      (ev->has_error ? SVM_EVENT_HAS_ERROR : 0) |
                      SVM_EVENT_VALID | ((uint64_t)ev->error << 32);
    if (ev->type == EVENT_EXCEPTION && ev->vector == VECTOR_PF) {
        vmcb->cr2 = ev->cr2;
        write_cr2(ev->cr2); /* see svm_vcpu_load() */
    }
    if (ev->type == EVENT_NMI) {
        struct svm_vcpu *sv = svm_vcpu(v);

        sv->nmi_masked = true;
        sv->iret_rip = ~0UL;
        vmcb->intercepts1 |= SVM_I1_IRET;
    }
    if (ev->insn_len != 0) {
        svm_soft_place(v, ev);
    }
}

bool svm_event_take(struct vcpu *v, struct vcpu_event *out)
{
    struct vmcb *vmcb = svm_vmcb(v);
    uint64_t raw = vmcb->event_inj;

    if (!(raw & SVM_EVENT_VALID)) {
        return false;
    }
    *out = (struct vcpu_event){
        .valid = true,
        .vector = (uint8_t)(raw & SVM_EVENT_VECTOR),
        .type = (raw >> SVM_EVENT_TYPE_SHIFT) & 7,
        .has_error = (raw & SVM_EVENT_HAS_ERROR) != 0,
        .error = (uint32_t)(raw >> 32),
        .cr2 = vmcb->cr2,
    };
    vmcb->event_inj = 0;
    svm_soft_take(v, out);
    return true;
}

bool svm_event_is_queued(const struct vcpu *v)
{
    svm_soft_settle(v);
    return (svm_vmcb(v)->event_inj & SVM_EVENT_VALID) != 0;
}

/*
 * The guest's own software interrupts and INT3/INTO leave RIP at the
 * instruction, so running it again is the exact redelivery; anything else is
 * queued as it was.
 */
void svm_event_requeue(struct vcpu *v)
{
    struct vmcb *vmcb = svm_vmcb(v);
    uint64_t info = vmcb->exitintinfo;
    unsigned type = (info >> SVM_EVENT_TYPE_SHIFT) & 7;
    unsigned vector = info & SVM_EVENT_VECTOR;

    if (svm_soft_requeue(v, type, vector)) {
        vmcb->event_inj = info;
    }
}

bool svm_irq_is_open(const struct vcpu *v)
{
    return (v->regs.rflags & RFLAGS_IF) &&
           !(svm_vmcb(v)->int_state & SVM_INT_SHADOW);
}

/* The IRET that ends an NMI is seen before it executes: the mask is over once
 * RIP has moved on. */
bool svm_nmi_is_open(const struct vcpu *v)
{
    const struct svm_vcpu *sv = svm_vcpu(v);

    return !sv->nmi_masked && v->regs.rip != sv->iret_rip &&
           !(sv->vmcb->int_state & SVM_INT_SHADOW);
}

void svm_shadow_set(struct vcpu *v)
{
    svm_vmcb(v)->int_state |= SVM_INT_SHADOW;
}

bool svm_shadow_get(const struct vcpu *v)
{
    return (svm_vmcb(v)->int_state & SVM_INT_SHADOW) != 0;
}

void svm_shadow_clear(struct vcpu *v)
{
    svm_vmcb(v)->int_state &= ~SVM_INT_SHADOW;
}

/*
 * #AC and #DB are always intercepted: a guest can arrange for their delivery
 * to raise them again for ever, with no instruction boundary at which the
 * processor would take an interrupt. #MC belongs to the host.
 */
void svm_intercepts_apply(const struct vcpu *v)
{
    struct svm_vcpu *sv = svm_vcpu(v);
    struct vmcb *vmcb = sv->vmcb;
    const struct vcpu_intercepts *in = &sv->wanted;
    uint32_t windows = SVM_I1_VINTR | SVM_I1_INTN | SVM_I1_PAUSE |
                       SVM_I1_PUSHF | SVM_I1_TASK_SWITCH;
    uint32_t on = (in->irq_window ? SVM_I1_VINTR : 0) |
                  (in->soft_int || in->stepping ? SVM_I1_INTN : 0) |
                  (in->pause ? SVM_I1_PAUSE : 0) |
                  (in->stepping ? SVM_I1_PUSHF | SVM_I1_TASK_SWITCH : 0);

    /* With V_IRQ pending, QEMU's TCG aborts on a CR8 write it does not have to
     * intercept. */
    bool cr8 = in->cr8_write || in->irq_window;

    vmcb->exceptions = in->exceptions | (1u << VECTOR_DB) | (1u << VECTOR_AC) |
                       (1u << VECTOR_MC);
    if (in->stepping) {
        vmcb->exceptions = ~(1u << VECTOR_NMI);
    } else if (sv->soft_is_queued) {
        vmcb->exceptions |= DELIVERY_FAULTS;
    }
    vmcb->cr_write = (uint16_t)((in->cr0_write || sv->lme_is_hidden ? 1u : 0) |
                                (in->cr3_write ? 1u << 3 : 0) | 1u << 4 |
                                (cr8 ? 1u << 8 : 0));
    vmcb->intercepts1 = (vmcb->intercepts1 & ~windows) | on;
    if (in->irq_window) {
        vmcb->vintr |= SVM_VINTR_IRQ | SVM_VINTR_IGN_TPR;
    } else {
        vmcb->vintr &= ~(SVM_VINTR_IRQ | SVM_VINTR_IGN_TPR);
    }
    if (in->dr_access || !sv->dr_loaded) {
        vmcb->dr_read = 0xffff;
        vmcb->dr_write = 0xffff;
    } else {
        vmcb->dr_read = 0;
        vmcb->dr_write = vmcb->dr7 & DR7_ENABLES ? 0xaf : 0xa0;
    }
}

void svm_intercepts_set(struct vcpu *v, const struct vcpu_intercepts *in)
{
    svm_vcpu(v)->wanted = *in;
    svm_intercepts_apply(v);
}
