/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run queues. Each CPU has one, sorted by virtual time; a vCPU belongs to the
 * queue of v->cpu and its unit is protected by that queue's lock. A vCPU whose
 * state is still in a CPU's registers is only ever queued on that CPU.
 */
#pragma once

#include "ravelin/list.h"
#include "ravelin/sched.h"

/* A waking vCPU must be this far behind the running one to preempt it. */
#define SCHED_GRANULARITY_NS 1000000u
/* Most virtual time a vCPU may be behind those it joins. */
#define SCHED_LAG_NS 20000000u
#define SCHED_NO_VTIME UINT64_MAX

/* Why a vCPU may stay loaded while its CPU idles: it merely waits. */
#define VCPU_WAITING (VCPU_BLOCKED | VCPU_POLLING)

struct sched_unit {
    struct vcpu *vcpu;
    struct list_node link; /* in queue while queued */
    bool queued;
    bool yielded;
    uint32_t weight;
    uint64_t affinity; /* read without lock as a hint */
    uint64_t vtime;
};

struct sched_cpu {
    struct spinlock lock; /* rank SCHED */
    struct cpu *cpu;
    struct list_node queue; /* waiting units, ascending vtime */

    /* Written under the lock, read by other CPUs as hints. */
    uint32_t queue_count;
    uint64_t head_vtime; /* of the first waiting; SCHED_NO_VTIME: none */
    uint64_t head_affinity;
    uint64_t base_vtime; /* of current when it was picked */
    bool ticking;        /* a slice timer is armed for current */

    uint64_t charged_ns;    /* current is charged up to here */
    uint64_t charged_share; /* sched_share_at() then */
    uint64_t slice_end_ns;
    struct timer slice;
    struct sched_stats stats;
} rv_aligned(64);

/* CPUs that idle (or are about to) and may be claimed by a waker. */
extern uint64_t sched_idle_mask;
/* Units waiting on all queues together. */
extern uint32_t sched_waiting_count;

/* ns of CPU time as virtual time of a unit of that weight. */
static inline uint64_t sched_scale(uint64_t ns, uint32_t weight)
{
    return ns * SCHED_WEIGHT_DEFAULT / weight;
}

/* What `ns` of CPU time cost the unit now, in virtual time. */
static inline uint64_t sched_cost(const struct sched_unit *u, uint64_t ns)
{
    uint32_t active = read_once(u->vcpu->domain->share.active);

    return sched_scale(ns * rv_max(active, 1u), u->weight);
}

/*
 * CPU time that counts for each running vCPU of `d`, up to `now`: it passes
 * `active` times as fast as the clock.
 */
uint64_t sched_share_at(struct domain *d, uint64_t now);
/* runstate_set() that counts the domain's active vCPUs. Queue lock held. */
void sched_state_set(struct vcpu *v, uint32_t state, uint64_t now);

static inline bool sched_may_run_on(const struct sched_unit *u,
                                    const struct cpu *c)
{
    return (read_once(u->affinity) >> c->id) & 1;
}

/* Locks the queue that `v` belongs to. */
struct sched_cpu *sched_lock_of(struct vcpu *v);

/* Queue operations; lock held, v->cpu == sc->cpu. enqueue bounds the virtual
 * time against what runs there. */
void sched_enqueue(struct sched_cpu *sc, struct sched_unit *u);
void sched_dequeue(struct sched_cpu *sc, struct sched_unit *u);
/* The first that may run there; one whose affinity has just changed may not,
 * and is about to be moved. NULL if there is none. */
struct sched_unit *sched_head(struct sched_cpu *sc);

/* Asks another CPU, or this one, for a sched_pick(). */
void sched_poke(struct cpu *c);

/* Brings queue membership in line with v->flags and the pause count. */
void sched_reconcile(struct vcpu *v);
/* The same for a unit in transit to v->cpu: it is not placed anew. */
void sched_requeue(struct vcpu *v);

/* The CPU whose queue a unit that becomes runnable goes to; the lock of the
 * queue it belonged to is held. */
struct cpu *sched_place(struct sched_unit *u);

/* A unit was queued: an idle CPU that may take it is woken; CPUs that run
 * without a slice timer get one. No lock held. */
void sched_tickle(uint64_t affinity);

/* Moves one waiting unit of another CPU to `sc`: one that is behind `limit`
 * (SCHED_NO_VTIME: any). No lock held; returns whether one came. */
bool sched_pull(struct sched_cpu *sc, uint64_t limit);

/* What other CPUs with units waiting for `c` as well have reached;
 * SCHED_NO_VTIME if there are none. */
uint64_t sched_contended_base(const struct cpu *c);

/* Lock held: current's virtual time up to `now`. */
void sched_charge(struct sched_cpu *sc, uint64_t now);
/* Lock held: moves `first` (not queued) and all waiting units forward alike,
 * so that they are not more than SCHED_LAG_NS behind `base`. */
void sched_catch_up(struct sched_cpu *sc, struct sched_unit *first,
                    uint64_t base);
