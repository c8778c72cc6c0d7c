/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work between CPUs: where a waking vCPU goes, which idle CPU is woken for it,
 * and what a CPU takes from another one's queue. Other CPUs' queues are judged
 * by hints read without their locks; only what is then done under the lock
 * counts, so a stale hint costs time and never correctness.
 */

#include "sched_internal.h"

/* Units looked at in another CPU's queue for one that may run here. */
#define PULL_SCAN_MAX 16u

static bool idle_claim(unsigned id)
{
    uint64_t bit = 1UL << id;

    return (__atomic_fetch_and(&sched_idle_mask, ~bit, __ATOMIC_SEQ_CST) &
            bit) != 0;
}

/* CPUs without a slice timer learn that somebody waits now. */
static void untimed_poke(uint64_t affinity)
{
    for (unsigned i = 0; i < cpu_count(); i++) {
        struct cpu *c = cpu_by_id(i);

        if (((affinity >> i) & 1) && c->sched && read_once(c->current) &&
            !read_once(c->sched->ticking) && !read_once(c->resched)) {
            sched_poke(c);
        }
    }
}

void sched_tickle(uint64_t affinity)
{
    uint64_t idle;

    full_barrier();
    for (idle = read_once(sched_idle_mask) & affinity; idle; idle &= idle - 1) {
        unsigned id = (unsigned)__builtin_ctzl(idle);

        if (idle_claim(id)) {
            sched_poke(cpu_by_id(id));
            return;
        }
    }
    untimed_poke(affinity);
}

/* Of the CPUs that `u` may use, the one it would preempt most clearly. */
static struct cpu *place_by_preemption(const struct sched_unit *u,
                                       struct cpu *fallback)
{
    struct cpu *best = NULL;
    uint64_t best_base = u->vtime + sched_cost(u, SCHED_GRANULARITY_NS);

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct cpu *c = cpu_by_id(i);

        if (c->sched && sched_may_run_on(u, c) && read_once(c->current) &&
            read_once(c->sched->base_vtime) > best_base) {
            best = c;
            best_base = read_once(c->sched->base_vtime);
        }
    }
    return best ? best : fallback;
}

/* The CPU with the shortest queue among those `u` may use. */
static struct cpu *place_by_length(const struct sched_unit *u,
                                   struct cpu *fallback)
{
    struct cpu *best = NULL;

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct cpu *c = cpu_by_id(i);

        if (c->sched && sched_may_run_on(u, c) &&
            (!best || read_once(c->sched->queue_count) <
                          read_once(best->sched->queue_count))) {
            best = c;
        }
    }
    return best ? best : fallback;
}

struct cpu *sched_place(struct sched_unit *u)
{
    struct cpu *last = u->vcpu->cpu;
    uint64_t idle = read_once(sched_idle_mask) & read_once(u->affinity);

    if (u->vcpu->running || cpu_count() == 1) {
        return last; /* its state is there; sched_pick() moves it on */
    }
    if ((idle >> last->id) & 1) {
        return last;
    }
    if (idle) {
        return cpu_by_id((unsigned)__builtin_ctzl(idle));
    }
    if (!sched_may_run_on(u, last)) {
        last = place_by_length(u, last);
    }
    return place_by_preemption(u, last);
}

/* ---- Pulling ----------------------------------------------------------- */

/* Takes a unit out of another queue; it is in transit to `me` afterwards. */
static struct vcpu *take_from(struct sched_cpu *from, struct cpu *me,
                              uint64_t limit)
{
    struct vcpu *taken = NULL;
    unsigned scanned = 0;

    spin_lock(&from->lock);
    list_for_each_safe(node, &from->queue)
    {
        struct sched_unit *u = list_entry(node, struct sched_unit, link);

        if (u->vtime >= limit ||
            (limit != SCHED_NO_VTIME && scanned++ == PULL_SCAN_MAX)) {
            break;
        }
        if (sched_may_run_on(u, me) && !u->vcpu->running) {
            sched_dequeue(from, u);
            store_release(&u->vcpu->cpu, me);
            taken = u->vcpu;
            break;
        }
    }
    spin_unlock(&from->lock);
    return taken;
}

/* The queue, not in `tried`, whose first unit is furthest behind `limit`. */
static struct sched_cpu *richest(uint64_t tried, uint64_t limit)
{
    struct sched_cpu *best = NULL;
    uint64_t best_vtime = limit;

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct sched_cpu *sc = cpu_by_id(i)->sched;
        uint64_t head;

        if (!sc || ((tried >> i) & 1)) {
            continue;
        }
        head = read_once(sc->head_vtime);
        if (head < best_vtime) {
            best = sc;
            best_vtime = head;
        }
    }
    return best;
}

bool sched_pull(struct sched_cpu *sc, uint64_t limit)
{
    uint64_t tried = 1UL << sc->cpu->id;
    struct sched_cpu *from;

    if (read_once(sched_waiting_count) == read_once(sc->queue_count)) {
        return false;
    }
    while ((from = richest(tried, limit)) != NULL) {
        struct vcpu *v = take_from(from, sc->cpu, limit);

        if (v) {
            sc->stats.steals++;
            sched_requeue(v);
            return true;
        }
        tried |= 1UL << from->cpu->id;
    }
    return false;
}

uint64_t sched_contended_base(const struct cpu *c)
{
    uint64_t base = SCHED_NO_VTIME;

    for (unsigned i = 0; i < cpu_count(); i++) {
        const struct sched_cpu *sc = cpu_by_id(i)->sched;

        if (sc && sc->cpu != c && read_once(sc->queue_count) != 0 &&
            ((read_once(sc->head_affinity) >> c->id) & 1) &&
            read_once(sc->cpu->current)) {
            base = rv_min(base, read_once(sc->base_vtime));
        }
    }
    return base;
}
