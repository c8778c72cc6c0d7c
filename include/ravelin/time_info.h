/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time as guests see it: system time in ns since the domain's creation, derived
 * from the guest's TSC by one linear formula that is the same on all its vCPUs
 * and never changes, so that the guest may trust its TSC (TSC_STABLE). Also the
 * wall clock and the runstate accounting.
 *
 * Threat surface: the areas are in guest memory; they are written only.
 */
#pragma once

#include "public/vcpu.h"
#include "ravelin/domain.h"

/** Guest system time now, ns. */
uint64_t domain_time_ns(const struct domain *d);
/** arch_time_ns() value at guest system time `ns`, saturating. */
uint64_t domain_time_to_host(const struct domain *d, uint64_t ns);

/** Factor and shift of the guest's TSC-to-ns formula. */
void time_scale_get(uint32_t *mul, int8_t *shift);

/** Writes vcpu_time_info into vcpu_info and into the area at v->time_gva. `v`
 * is current on this CPU, or down or paused (then only vcpu_info). */
void vcpu_time_publish(struct vcpu *v);
/** Writes wc_sec, wc_nsec into shared_info. */
void domain_wallclock_publish(struct domain *d);
/** Wall clock and time of all vCPUs again. */
void domain_time_republish(struct domain *d);
/** The layout of the shared pages follows the mode of the vCPU that writes the
 * hypercall page or sets up the callback; what is in them is written anew. */
void domain_abi_latch(struct domain *d, bool is_32bit);

/** Moves `v` to a runstate at host time `now`. Run queue lock held. */
void runstate_set(struct vcpu *v, uint32_t state, uint64_t now);
/** A consistent copy, times up to now. */
void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out);
/** Writes the area at v->runstate_gva, if there is one; `v` is current here. */
void vcpu_runstate_publish(struct vcpu *v);

/** Sets up the three timers of a new vCPU. */
void vcpu_timers_init(struct vcpu *v);
/** Cancels them; no lock held. */
void vcpu_timers_cancel(struct vcpu *v);
/** VIRQ_TIMER once, at guest system time `ns`. */
void vcpu_singleshot_set(struct vcpu *v, uint64_t ns);
void vcpu_singleshot_stop(struct vcpu *v);
/** VIRQ_TIMER every `period_ns`, at least VCPU_PERIOD_MIN_NS; 0 stops.
 * 0; -EINVAL too short. */
#define VCPU_PERIOD_MIN_NS 1000000u
int rv_must_check vcpu_periodic_set(struct vcpu *v, uint64_t period_ns);
