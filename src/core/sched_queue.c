/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run queues themselves: sorted insertion, bounds on virtual time, and the
 * hints that other CPUs read without the lock.
 */

#include "arch/host.h"

#include "sched_internal.h"

uint64_t sched_idle_mask;
uint32_t sched_waiting_count;

struct sched_cpu *sched_lock_of(struct vcpu *v)
{
    for (;;) {
        struct cpu *c = read_once(v->cpu);
        struct sched_cpu *sc = c->sched;

        spin_lock(&sc->lock);
        /* Acquire: what was done to `v` under its former queue's lock. */
        if (load_acquire(&v->cpu) == c) {
            return sc;
        }
        spin_unlock(&sc->lock);
    }
}

struct sched_unit *sched_head(struct sched_cpu *sc)
{
    list_for_each(node, &sc->queue)
    {
        struct sched_unit *u = list_entry(node, struct sched_unit, link);

        if (sched_may_run_on(u, sc->cpu)) {
            return u;
        }
    }
    return NULL;
}

static void head_publish(struct sched_cpu *sc)
{
    struct sched_unit *head =
        list_is_empty(&sc->queue)
            ? NULL
            : list_entry(sc->queue.next, struct sched_unit, link);

    write_once(sc->head_vtime, head ? head->vtime : SCHED_NO_VTIME);
    write_once(sc->head_affinity, head ? head->affinity : 0);
}

/*
 * A unit that joins others is at most SCHED_LAG_NS behind what they have
 * reached, so that sleep earns no credit, and ahead by no more than one slice
 * of its own costs on top of that, so that nothing is held against it forever.
 */
static void vtime_bound(const struct sched_cpu *sc, struct sched_unit *u)
{
    uint64_t base = sc->base_vtime;
    uint64_t head = read_once(sc->head_vtime);
    uint64_t lead = SCHED_LAG_NS + 2 * sched_cost(u, SCHED_SLICE_NS);

    if (!sc->cpu->current) {
        if (head == SCHED_NO_VTIME) {
            return;
        }
        base = head;
    }
    if (u->vtime + SCHED_LAG_NS < base) {
        u->vtime = base - SCHED_LAG_NS;
    } else if (u->vtime > base + lead) {
        u->vtime = base + lead;
    }
}

void sched_enqueue(struct sched_cpu *sc, struct sched_unit *u)
{
    struct list_node *at = sc->queue.prev;

    vtime_bound(sc, u);
    while (at != &sc->queue &&
           list_entry(at, struct sched_unit, link)->vtime > u->vtime) {
        at = at->prev;
    }
    list_insert_between(&u->link, at, at->next);
    u->queued = true;
    write_once(sc->queue_count, sc->queue_count + 1);
    __atomic_fetch_add(&sched_waiting_count, 1, __ATOMIC_SEQ_CST);
    head_publish(sc);
}

void sched_dequeue(struct sched_cpu *sc, struct sched_unit *u)
{
    list_remove(&u->link);
    u->queued = false;
    write_once(sc->queue_count, sc->queue_count - 1);
    __atomic_fetch_sub(&sched_waiting_count, 1, __ATOMIC_SEQ_CST);
    head_publish(sc);
}

void sched_charge(struct sched_cpu *sc, uint64_t now)
{
    struct vcpu *v = sc->cpu->current;

    if (v && now > sc->charged_ns) {
        uint64_t share = sched_share_at(v->domain, now);

        v->sched->vtime +=
            sched_scale(share - sc->charged_share, v->sched->weight);
        sc->charged_share = share;
        sc->charged_ns = now;
    }
}

void sched_catch_up(struct sched_cpu *sc, struct sched_unit *first,
                    uint64_t base)
{
    uint64_t step;

    if (first->vtime + SCHED_LAG_NS >= base) {
        return;
    }
    step = base - SCHED_LAG_NS - first->vtime;
    first->vtime += step;
    list_for_each(node, &sc->queue)
    {
        list_entry(node, struct sched_unit, link)->vtime += step;
    }
    head_publish(sc);
}

void sched_poke(struct cpu *c)
{
    __atomic_store_n(&c->resched, true, __ATOMIC_SEQ_CST);
    if (c != this_cpu()) {
        arch_cpu_kick(c);
    }
}
