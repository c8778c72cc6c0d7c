/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preemptive proportional-share scheduler over all CPUs: each runnable vCPU has
 * a virtual time that advances inversely to its part of the domain's weight,
 * which the domain's runnable vCPUs divide among them; the smallest runs. Idle
 * CPUs steal. Affinity masks are honoured at every placement.
 */
#pragma once

#include "ravelin/domain.h"

struct sched_unit; /* per-vCPU scheduler state, owned by src/core/sched.c */

#define SCHED_WEIGHT_DEFAULT 256u
#define SCHED_WEIGHT_MAX 65535u
#define SCHED_SLICE_NS 10000000u

struct sched_stats {
    uint64_t picks;    /* calls of sched_pick() */
    uint64_t switches; /* another vCPU was loaded */
    uint64_t steals;   /* taken from another CPU's queue */
    uint64_t idle_ns;
};

/** Gives `cpu` its run queue. Once per CPU, after timer_cpu_init().
 * 0; -ENOMEM. */
int rv_must_check sched_cpu_init(struct cpu *cpu);
void sched_stats_get(const struct cpu *cpu, struct sched_stats *out);

/** The CPUs of `mask` run no vCPU, whatever an affinity says. Once, with all
 * CPUs online and no vCPU made; at least one CPU is left. */
void sched_cpus_spare(uint64_t mask);

/** Prepares the scheduler state of `v`, down; weight 1..65535, affinity = mask
 * of CPU ids (0 = any). 0; -EINVAL no such weight, or no CPU of the mask is
 * online and runs guests. */
int rv_must_check sched_vcpu_init(struct vcpu *v, uint32_t weight,
                                  uint64_t affinity);
/** The vCPU is dead and loaded nowhere. */
void sched_vcpu_destroy(struct vcpu *v);
/** Sets the weight of every vCPU of `d`. 0; -EINVAL out of range. */
int rv_must_check sched_weight_set(struct domain *d, uint32_t weight);
/** Takes effect at once, also on a running vCPU. 0; -EINVAL the mask holds no
 * CPU that is online and runs guests. */
int rv_must_check sched_affinity_set(struct vcpu *v, uint64_t affinity);
uint64_t sched_affinity_get(const struct vcpu *v);

/** Sets or clears reasons not to run (VCPU_* but PAUSED). Clearing the last
 * one queues the vCPU and kicks a suitable CPU; setting one on a running vCPU
 * kicks it. Any CPU; under locks of ranks below SCHED. */
void vcpu_flags_set(struct vcpu *v, uint32_t flags);
void vcpu_flags_clear(struct vcpu *v, uint32_t flags);

/** Counted pause. */
void vcpu_pause(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
/**
 * As vcpu_pause(), and returns only when `v` is out of guest mode; it does not
 * enter again before the unpause. What it was doing in the hypervisor may
 * still be going on: see vcpu_is_settled(). Not for this CPU's current vCPU.
 */
void vcpu_pause_sync(struct vcpu *v);
/** Is a paused vCPU's whole state in memory? False only for a short time after
 * the pause: then unpause and restart the call rather than wait. */
static inline bool vcpu_is_settled(const struct vcpu *v)
{
    return !load_acquire(&v->running);
}

/** A controller's pause, counted. The last unpause of a domain in BUILDING
 * starts it. domain_unpause: 0; -EINVAL it was not paused. */
void domain_pause(struct domain *d);
void domain_pause_sync(struct domain *d);
int domain_unpause(struct domain *d);

/** Wakes a vCPU that waits for an event (clears BLOCKED and POLLING). */
void vcpu_wake(struct vcpu *v);
/** Makes a running vCPU leave guest mode soon and pass vmentry_prepare();
 * nothing if it runs here or nowhere. */
void vcpu_kick(struct vcpu *v);
/** An event for `v` was latched: wake and kick as needed. */
static inline void vcpu_notify(struct vcpu *v)
{
    if (unlikely(read_once(v->flags) & (VCPU_BLOCKED | VCPU_POLLING))) {
        vcpu_wake(v);
    }
    if (likely(this_cpu()->current == v)) {
        write_once(v->attention, true);
    } else {
        vcpu_kick(v);
    }
}

/** Blocks this CPU's current vCPU until vcpu_wake(), unless something for it
 * is due already (see docs/locking.md for why no wake-up is lost). */
void vcpu_block(struct vcpu *v);
/** The same for SCHEDOP_block: unmasks upcalls, and one that is pending counts
 * as due whether or not the guest's IF is set. */
void vcpu_block_events(struct vcpu *v);
/** The current vCPU gives way to the next one waiting, if any. */
void vcpu_yield(struct vcpu *v);

/** Picks who runs on this CPU now; NULL = idle. Charges the previous one,
 * accounts runstates, arms the slice timer, switches loaded state. CPU loop,
 * no lock held. */
struct vcpu *sched_pick(void);
/** What the CPU loop calls each turn: one test unless something changed. */
static inline struct vcpu *sched_next(struct cpu *c)
{
    return likely(!read_once(c->resched)) ? c->current : sched_pick();
}

/**
 * Brackets guest mode. enter: false if the scheduler wants a say first (do not
 * enter, take another turn of the loop); the barrier pairs with that of
 * vcpu_pause_sync() and vcpu_kick(). vmentry_prepare() comes before it.
 */
static inline bool rv_must_check sched_guest_enter(struct cpu *c)
{
    write_once(c->in_guest, true);
    full_barrier();
    if (unlikely(read_once(c->resched))) {
        store_release(&c->in_guest, false);
        return false;
    }
    return true;
}
static inline void sched_guest_leave(struct cpu *c)
{
    store_release(&c->in_guest, false);
}

/** CPU time used, ns; for getdomaininfo. */
uint64_t vcpu_time_used_ns(const struct vcpu *v);
