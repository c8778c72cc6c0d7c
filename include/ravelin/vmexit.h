/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens between two world switches: one small handler per neutral exit
 * reason, instruction skipping, exception injection, and the checks before the
 * next entry.
 */
#pragma once

#include "ravelin/domain.h"

/** Acts on one exit of `v`, this CPU's current vCPU. */
void vmexit_handle(struct vcpu *v, struct vmexit *exit);
/** Short name of an exit reason, for dumps and statistics. */
const char *vmexit_name(unsigned reason);
/** Before entry: delivers what is due (INIT, exceptions, NMI, interrupts,
 * upcalls). False: the vCPU does not run on now. */
bool rv_must_check vmentry_attend(struct vcpu *v);
static inline bool rv_must_check vmentry_prepare(struct vcpu *v)
{
    return likely(!read_once(v->attention)) || vmentry_attend(v);
}
/** Takes over a task priority that the guest wrote through CR8 without an
 * exit; before anything looks at the virtual APIC's. */
void vcpu_tpr_pull(struct vcpu *v);
/** Is an interrupt waiting for `v`, from whatever source? */
bool vcpu_irq_is_pending(struct vcpu *v);
/** Takes the interrupt that is due from its source: it is being delivered now.
 * @return its vector; -1: none is waiting. */
int vcpu_irq_accept(struct vcpu *v);
/** `v`, current here, has executed HLT. */
void vcpu_halt(struct vcpu *v);
/** Would `v`, waiting in HLT, wake up now? */
bool vcpu_event_is_due(struct vcpu *v);

/** Advances RIP past the current instruction (exit->insn_len, or decoded and
 * cached when the hardware did not say) and ends its interrupt shadow. */
void vcpu_insn_skip(struct vcpu *v, const struct vmexit *exit);
/** Length 1..15 of the instruction at RIP, or 0 with #PF/#UD queued. */
unsigned vcpu_insn_length(struct vcpu *v, const struct vmexit *exit);

/** Queues an exception; contributory and double-fault rules applied against
 * what is queued already. */
void vcpu_exception_inject(struct vcpu *v, uint8_t vector, bool has_error,
                           uint32_t error);
void vcpu_pf_inject(struct vcpu *v, uint32_t error, gva_t address);
/**
 * Queues a software interrupt (INT n: EVENT_SOFT_INT) or exception (INT3, INTO:
 * EVENT_SOFT_EXC): the guest's handler finds RIP + `insn_len` saved, whatever
 * stands at RIP. A gate that the privilege level may not use gives #GP.
 * `v` is current on this CPU.
 * Ref: AMD APM Vol 2, 15.20 "Event Injection"; Intel SDM Vol 3C, 26.6
 *      "Event Injection", VM-entry instruction length.
 */
void vcpu_soft_event_inject(struct vcpu *v, uint8_t vector, uint8_t type,
                            uint8_t insn_len);

/* What an event met on its way into the guest. */
enum vcpu_collision {
    COLLISION_NONE,
    COLLISION_BENIGN, /* an interrupt or a benign exception, which gave way */
    COLLISION_DOUBLE, /* the two became a double fault */
    COLLISION_TRIPLE, /* would have been a triple fault: it was dropped */
};
/** Queues any event for which somebody wants to know what becomes of it;
 * *other: vector of the event it met. `v` is current on this CPU. */
enum vcpu_collision rv_must_check vcpu_event_try(struct vcpu *v,
                                                 const struct vcpu_event *event,
                                                 uint8_t *other);
#define vcpu_gp_inject(v) vcpu_exception_inject((v), 13, true, 0)
#define vcpu_ud_inject(v) vcpu_exception_inject((v), 6, false, 0)

/**
 * Ends a domain because its guest broke a rule: prints why with the full state
 * of `v` (NULL: none), stops its vCPUs, applies the crash policy. Other
 * domains are not disturbed. Returns; the vCPU never enters again.
 */
void domain_crash(struct domain *d, struct vcpu *v, const char *fmt, ...)
    rv_printf(3, 4);
