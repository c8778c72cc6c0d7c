/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Injected software interrupts and exceptions. The handler must find the
 * address behind the instruction: with next-RIP saving the processor takes it
 * from the VMCB, without it saves RIP as it is, and one that has the feature
 * may do so, too (Bochs). So RIP is moved before the entry in any case, and
 * moved back if the event is not delivered after all; an exception that ends
 * the delivery is intercepted, because it must not find the moved RIP either.
 * Ref: AMD APM Vol 2, 15.20 "Event Injection", 15.7.1 "State Saved on Exit".
 */

#include "cpu/feature.h"
#include "svm/svm.h"

#define VECTOR_BP 3u
#define VECTOR_OF 4u

static void rip_move(struct vcpu *v)
{
    struct svm_vcpu *sv = svm_vcpu(v);
    uint64_t next = sv->soft_rip + sv->soft_len;

    v->regs.rip = svm_code_bits(sv->vmcb) == 64 ? next : (uint32_t)next;
    if (x86_features.nrips) {
        sv->vmcb->nrip = v->regs.rip;
    }
}

void svm_soft_place(struct vcpu *v, const struct vcpu_event *ev)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    sv->soft_is_queued = true;
    sv->soft_type = ev->type;
    sv->soft_len = ev->insn_len;
    sv->soft_rip = v->regs.rip;
    rip_move(v);
    svm_intercepts_apply(v);
}

bool svm_soft_requeue(struct vcpu *v, unsigned type, unsigned vector)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    if (type != EVENT_SOFT_INT &&
        (type != EVENT_EXCEPTION ||
         (vector != VECTOR_BP && vector != VECTOR_OF))) {
        return true;
    }
    if (sv->soft_is_queued) {
        rip_move(v); /* the exit has overwritten the next RIP */
    }
    return sv->soft_is_queued;
}

void svm_soft_take(struct vcpu *v, struct vcpu_event *out)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    if (!sv->soft_is_queued) {
        return;
    }
    out->type = sv->soft_type;
    out->insn_len = sv->soft_len;
    v->regs.rip = sv->soft_rip;
    sv->soft_is_queued = false;
    svm_intercepts_apply(v);
}

void svm_soft_settle(const struct vcpu *v)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    if (sv->soft_is_queued && !(sv->vmcb->event_inj & SVM_EVENT_VALID)) {
        sv->soft_is_queued = false;
        svm_intercepts_apply(v);
    }
}
