/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual interrupts. Some exist once per vCPU, the others once per domain;
 * the latter are bound on vCPU 0 and may then notify another one.
 */

#include "evtchn_internal.h"

/* Xen's VIRQ_XENOPROF and VIRQ_XENPMU, which nothing raises here. */
#define VIRQ_PROFILE 7u
#define VIRQ_PMU 13u

bool evtchn_virq_is_global(uint32_t virq)
{
    const uint32_t per_vcpu = 1u << VIRQ_TIMER | 1u << VIRQ_DEBUG |
                              1u << VIRQ_PROFILE | 1u << VIRQ_PMU;

    return ((per_vcpu >> virq) & 1) == 0;
}

void evtchn_virq_raise(struct vcpu *v, unsigned virq)
{
    evtchn_port_t port = load_acquire(&v->virq_to_port[virq]);
    uint64_t word = port != 0 ? evtchn_read(v->domain, port) : 0;

    if (evtchn_word_state(word) == EVTCHN_VIRQ &&
        evtchn_word_virq(word) == virq) {
        evtchn_raise(v->domain, port, evtchn_word_vcpu(word));
    }
}

void evtchn_virq_raise_domain(struct domain *d, unsigned virq)
{
    if (d->vcpu_count > 0) {
        evtchn_virq_raise(d->vcpu[0], virq);
    }
}

void evtchn_virq_raise_global(unsigned virq)
{
    uint32_t role = virq == VIRQ_DOM_EXC ? ROLE_CONTROL : ROLE_HARDWARE;

    domain_for_each(d)
    {
        if (d->roles & role) {
            evtchn_virq_raise_domain(d, virq);
        }
    }
}
