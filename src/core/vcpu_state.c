/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a vCPU runs or not: flags, counted pauses, blocking and waking. Flags are
 * atomic and the truth; the scheduler follows them.
 */

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/vmexit.h"

#include "sched_internal.h"

void vcpu_flags_set(struct vcpu *v, uint32_t flags)
{
    uint32_t old = __atomic_fetch_or(&v->flags, flags, __ATOMIC_SEQ_CST);
    struct cpu *c = this_cpu();

    if ((old & flags) == flags) {
        return;
    }
    if (c->current == v) {
        write_once(c->resched, true);
        return;
    }
    sched_reconcile(v);
}

void vcpu_flags_clear(struct vcpu *v, uint32_t flags)
{
    uint32_t old = __atomic_fetch_and(&v->flags, ~flags, __ATOMIC_SEQ_CST);

    if (old & flags & VCPU_POLLING) {
        __atomic_fetch_sub(&v->domain->poller_count, 1, __ATOMIC_SEQ_CST);
    }
    if (old & flags) {
        sched_reconcile(v);
    }
}

void vcpu_pause(struct vcpu *v)
{
    __atomic_fetch_add(&v->pause_count, 1, __ATOMIC_SEQ_CST);
    /* Not only by the first: it may not have come so far yet, and after return
     * the pause must be in force. */
    sched_reconcile(v);
}

void vcpu_unpause(struct vcpu *v)
{
    if (__atomic_fetch_sub(&v->pause_count, 1, __ATOMIC_SEQ_CST) == 1) {
        sched_reconcile(v);
    }
}

/* The barrier and the flags pair with sched_guest_enter(): either the other
 * CPU sees that it has to reschedule, or its in_guest is seen here. */
static void guest_mode_wait(const struct vcpu *v)
{
    full_barrier();
    while (load_acquire(&v->running)) {
        struct cpu *c = read_once(v->cpu);

        if (read_once(c->current) != v || !load_acquire(&c->in_guest)) {
            return;
        }
        cpu_relax();
    }
}

void vcpu_pause_sync(struct vcpu *v)
{
    vcpu_pause(v);
    guest_mode_wait(v);
}

void domain_pause(struct domain *d)
{
    spin_lock(&d->lock);
    if (d->pause_count++ == 0) {
        for (unsigned i = 0; i < d->vcpu_count; i++) {
            vcpu_pause(d->vcpu[i]);
        }
    }
    spin_unlock(&d->lock);
}

void domain_pause_sync(struct domain *d)
{
    domain_pause(d);
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        if (d->vcpu[i] != this_cpu()->current) {
            guest_mode_wait(d->vcpu[i]);
        }
    }
}

void vcpu_wake(struct vcpu *v)
{
    vcpu_flags_clear(v, VCPU_WAITING);
}

void vcpu_kick(struct vcpu *v)
{
    struct cpu *c;

    write_once(v->attention, true);
    full_barrier();
    c = read_once(v->cpu);
    if (c != this_cpu() && load_acquire(&v->running)) {
        arch_cpu_kick(c);
    }
}

/* Set first, then look again: whoever latches an event does it the other way
 * round, so one of the two sees the other. */
void vcpu_block(struct vcpu *v)
{
    vcpu_flags_set(v, VCPU_BLOCKED);
    full_barrier();
    if (vcpu_event_is_due(v)) {
        vcpu_wake(v);
    }
}

void vcpu_block_events(struct vcpu *v)
{
    evtchn_upcall_unmask(v);
    vcpu_flags_set(v, VCPU_BLOCKED);
    full_barrier();
    if (evtchn_is_pending(v) || vcpu_event_is_due(v)) {
        vcpu_wake(v);
    }
}

void vcpu_yield(struct vcpu *v)
{
    struct sched_cpu *sc = sched_lock_of(v);

    if (sc->cpu->current == v) {
        v->sched->yielded = true;
        sched_poke(sc->cpu);
    }
    spin_unlock(&sc->lock);
}
