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
#define vcpu_gp_inject(v) vcpu_exception_inject((v), 13, true, 0)
#define vcpu_ud_inject(v) vcpu_exception_inject((v), 6, false, 0)

/**
 * Ends a domain because its guest broke a rule: prints why with the full state
 * of `v` (NULL: none), stops its vCPUs, applies the crash policy. Other
 * domains are not disturbed. Returns; the vCPU never enters again.
 */
void domain_crash(struct domain *d, struct vcpu *v, const char *fmt, ...)
    rv_printf(3, 4);
