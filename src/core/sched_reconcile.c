/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a vCPU is queued follows from its flags: whoever changes them calls
 * sched_reconcile(), which looks at the truth under the queue's lock. It may be
 * called too often but never too rarely.
 */

#include "arch/host.h"
#include "public/vcpu.h"
#include "ravelin/time_info.h"

#include "sched_internal.h"

static uint32_t runstate_of(uint32_t flags)
{
    if (flags & VCPU_WAITING) {
        return RUNSTATE_blocked;
    }
    return flags == 0 ? RUNSTATE_runnable : RUNSTATE_offline;
}

/* PAUSED follows the count; both are only looked at together here. */
static uint32_t flags_refresh(struct vcpu *v)
{
    if (read_once(v->pause_count) != 0) {
        return __atomic_or_fetch(&v->flags, VCPU_PAUSED, __ATOMIC_SEQ_CST);
    }
    return __atomic_and_fetch(&v->flags, ~VCPU_PAUSED, __ATOMIC_SEQ_CST);
}

/* Does a newly queued unit want this CPU's attention at once? */
static bool wants_pick(const struct sched_cpu *sc, const struct sched_unit *u,
                       uint64_t now)
{
    const struct vcpu *current = sc->cpu->current;
    uint64_t reached;

    if (!current || !sc->ticking) {
        return true;
    }
    reached = current->sched->vtime;
    if (now > sc->charged_ns) {
        reached += sched_cost(current->sched, now - sc->charged_ns);
    }
    return u->vtime + sched_cost(current->sched, SCHED_GRANULARITY_NS) <
           reached;
}

enum reconcile { RECONCILE_DONE, RECONCILE_MOVED, RECONCILE_QUEUED };

/* One attempt with the queue of v->cpu locked. */
static enum reconcile reconcile_locked(struct sched_cpu *sc, struct vcpu *v,
                                       bool placed)
{
    struct sched_unit *u = v->sched;
    uint32_t flags = flags_refresh(v);
    uint64_t now = arch_time_ns();
    struct cpu *target;

    if (sc->cpu->current == v) {
        if (flags != 0) {
            sched_poke(sc->cpu);
        }
        return RECONCILE_DONE;
    }
    sched_state_set(v, runstate_of(flags), now);
    if (flags != 0) {
        if (u->queued) {
            sched_dequeue(sc, u);
        }
        if (v->running && (flags & ~VCPU_WAITING)) {
            sched_poke(sc->cpu); /* its state must get into memory */
        }
        return RECONCILE_DONE;
    }
    if (u->queued) {
        if (sched_may_run_on(u, sc->cpu) || v->running) {
            return RECONCILE_DONE;
        }
        sched_dequeue(sc, u); /* its affinity has changed */
        placed = false;
    }
    target = placed ? sc->cpu : sched_place(u);
    if (target != sc->cpu) {
        store_release(&v->cpu, target);
        return RECONCILE_MOVED;
    }
    sched_enqueue(sc, u);
    if (wants_pick(sc, u, now)) {
        __atomic_fetch_and(&sched_idle_mask, ~(1UL << sc->cpu->id),
                           __ATOMIC_SEQ_CST);
        sched_poke(sc->cpu);
    }
    /* An idle CPU takes it for sure; a busy one may be relieved of it, if there
     * is another. Alone it knows: it has a slice timer or was poked above. */
    return sc->cpu->current && cpu_count() > 1 ? RECONCILE_QUEUED
                                               : RECONCILE_DONE;
}

static enum reconcile reconcile(struct vcpu *v, bool placed)
{
    enum reconcile rc;

    do {
        struct sched_cpu *sc = sched_lock_of(v);

        rc = reconcile_locked(sc, v, placed);
        placed = true;
        spin_unlock(&sc->lock);
    } while (rc == RECONCILE_MOVED);
    return rc;
}

void sched_reconcile(struct vcpu *v)
{
    if (reconcile(v, false) == RECONCILE_QUEUED) {
        sched_tickle(read_once(v->sched->affinity));
    }
}

void sched_requeue(struct vcpu *v)
{
    (void)reconcile(v, true);
}
