/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Injected software interrupts and exceptions. The handler must find the
 * address behind the instruction, but the processor saves RIP as it is unless
 * it has next-RIP saving. Without it RIP is moved before the entry, and moved
 * back if the event is not delivered after all; an exception that ends the
 * delivery is intercepted, because it must not find the moved RIP either.
 * Ref: AMD APM Vol 2, 15.20 "Event Injection", 15.7.1 "State Saved on Exit".
 */

#include "cpu/feature.h"
#include "svm/svm.h"

#define VECTOR_BP 3u
#define VECTOR_OF 4u

static uint64_t rip_behind(const struct vcpu *v, uint64_t rip, uint8_t len)
{
    rip += len;
    return svm_code_bits(svm_vmcb(v)) == 64 ? rip : (uint32_t)rip;
}

void svm_soft_place(struct vcpu *v, const struct vcpu_event *ev)
{
    struct svm_vcpu *sv = svm_vcpu(v);
    uint64_t next = rip_behind(v, v->regs.rip, ev->insn_len);

    sv->soft_is_queued = true;
    sv->soft_type = ev->type;
    sv->soft_len = ev->insn_len;
    sv->soft_rip = v->regs.rip;
    if (x86_features.nrips) {
        sv->vmcb->nrip = next;
    } else {
        v->regs.rip = next;
    }
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
    if (sv->soft_is_queued && x86_features.nrips) {
        sv->vmcb->nrip = rip_behind(v, sv->soft_rip, sv->soft_len);
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
