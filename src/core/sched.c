/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who runs next. Every vCPU has a virtual time that advances by the CPU time it
 * used, divided by its part of the domain's weight (sched_share.c); a CPU runs
 * the smallest one it may, looking at its own queue and, when a slice ends, at
 * the others'. All domains are therefore served in proportion to their weights
 * across the machine, and no vCPU waits forever, since everybody else's virtual
 * time passes its own.
 *
 * Threat surface: guests choose when they block, wake and yield. Sleep earns at
 * most SCHED_LAG_NS, yielding only gives something away.
 */

#include "arch/backend.h"
#include "arch/host.h"
#include "public/vcpu.h"
#include "ravelin/errno.h"
#include "ravelin/panic.h"
#include "ravelin/time_info.h"

#include "sched_internal.h"

static struct sched_cpu sched_cpus[CPU_COUNT_MAX];

static void slice_end(struct timer *t rv_unused)
{
    write_once(this_cpu()->resched, true);
}

int sched_cpu_init(struct cpu *cpu)
{
    struct sched_cpu *sc;

    if (cpu->id >= CPU_COUNT_MAX) {
        return -RV_EINVAL;
    }
    if (cpu->id == 0) {
        sched_idle_mask = 0; /* the boot CPU comes first: nobody else yet */
        sched_waiting_count = 0;
        sched_cpus_spare(0);
    }
    sc = &sched_cpus[cpu->id];
    *sc = (struct sched_cpu){.cpu = cpu, .head_vtime = SCHED_NO_VTIME};
    spin_init(&sc->lock, LOCK_RANK_SCHED);
    list_init(&sc->queue);
    timer_init(&sc->slice, slice_end);
    sc->charged_ns = arch_time_ns();
    cpu->current = NULL;
    cpu->loaded = NULL;
    cpu->resched = true;
    store_release(&cpu->sched, sc);
    return 0;
}

void sched_stats_get(const struct cpu *cpu, struct sched_stats *out)
{
    *out = cpu->sched->stats;
}

/* The running vCPU goes on if it may, does not want to give way, has time left
 * in its slice, and nobody who woke is clearly behind it. */
static bool current_goes_on(struct sched_cpu *sc, uint64_t now)
{
    struct vcpu *v = sc->cpu->current;
    struct sched_unit *u = v ? v->sched : NULL;
    uint64_t head = sc->head_vtime;

    if (!v || read_once(v->flags) != 0 || u->yielded ||
        !sched_may_run_on(u, sc->cpu)) {
        return false;
    }
    if (sc->ticking && now >= sc->slice_end_ns) {
        return false;
    }
    return head == SCHED_NO_VTIME ||
           head + sched_cost(u, SCHED_GRANULARITY_NS) >= u->vtime;
}

/* A slice is timed only if somebody waits for a CPU somewhere. */
static void slice_arm(struct sched_cpu *sc, uint64_t now)
{
    bool wanted = sc->cpu->current && read_once(sched_waiting_count) != 0;

    if (wanted && (!sc->ticking || now >= sc->slice_end_ns)) {
        sc->slice_end_ns = now + SCHED_SLICE_NS;
        timer_set(&sc->slice, sc->slice_end_ns);
    } else if (!wanted && sc->ticking) {
        timer_disarm(&sc->slice);
    }
    write_once(sc->ticking, wanted);
}

/* The state of the loaded vCPU goes to memory; others may load it then. */
static void unload(struct cpu *c)
{
    struct vcpu *v = c->loaded;

    if (v) {
        hv->vcpu_save(v);
        c->loaded = NULL;
        store_release(&v->running, false);
    }
}

/* Current stops running here. Returns it if it has to be queued again. */
static struct vcpu *current_stop(struct sched_cpu *sc, uint64_t now)
{
    struct vcpu *v = sc->cpu->current;
    uint32_t flags;

    if (!v) {
        return NULL;
    }
    flags = read_once(v->flags);
    write_once(sc->cpu->current, NULL);
    if (v->sched->yielded) {
        v->sched->yielded = false;
        if (sc->head_vtime != SCHED_NO_VTIME) {
            v->sched->vtime = rv_max(v->sched->vtime, sc->head_vtime + 1);
        }
    }
    sched_state_set(v,
                    flags == 0               ? RUNSTATE_runnable
                    : (flags & VCPU_WAITING) ? RUNSTATE_blocked
                                             : RUNSTATE_offline,
                    now);
    return flags == 0 ? v : NULL;
}

static void current_start(struct sched_cpu *sc, struct sched_unit *u,
                          uint64_t now)
{
    uint64_t base = sched_contended_base(sc->cpu);

    if (base != SCHED_NO_VTIME) {
        sched_catch_up(sc, u, base);
    }
    write_once(sc->base_vtime, u->vtime);
    sc->charged_ns = now;
    sc->charged_share = sched_share_at(u->vcpu->domain, now);
    sc->slice_end_ns = now; /* a new slice begins */
    sched_state_set(u->vcpu, RUNSTATE_running, now);
    write_once(sc->cpu->current, u->vcpu);
}

/* Registers: keep what is loaded if it runs next, or if nobody does and it
 * merely waits for an event (it will probably be the next here). */
static void loaded_settle(struct cpu *c, struct vcpu *next)
{
    struct vcpu *v = c->loaded;

    if (!v || v == next ||
        (!next && (read_once(v->flags) & ~VCPU_WAITING) == 0 &&
         sched_may_run_on(v->sched, c))) {
        return;
    }
    unload(c);
}

/*
 * Lock held: chooses between current, if it may go on, and the queue. Returns
 * the vCPU that was loaded here but may not run here any more, if any: it is to
 * be placed anew once the lock is released.
 */
static struct vcpu *switch_current(struct sched_cpu *sc, uint64_t now)
{
    struct cpu *c = sc->cpu;
    struct vcpu *prev = current_stop(sc, now);
    struct sched_unit *next = sched_head(sc);
    struct vcpu *leaver = NULL;

    if (c->loaded && !sched_may_run_on(c->loaded->sched, c)) {
        leaver = c->loaded;
        if (leaver->sched->queued) {
            sched_dequeue(sc, leaver->sched);
        }
        prev = NULL; /* who was running was loaded */
    }
    if (prev && (!next || prev->sched->vtime <= next->vtime)) {
        next = prev->sched;
        prev = NULL;
    } else if (next) {
        sched_dequeue(sc, next);
    }
    loaded_settle(c, next ? next->vcpu : NULL);
    if (next) {
        current_start(sc, next, now);
        /* Full barrier: pairs with vcpu_kick(), before events are looked at. */
        __atomic_store_n(&next->vcpu->running, true, __ATOMIC_SEQ_CST);
        full_barrier();
    }
    if (prev) {
        sched_enqueue(sc, prev->sched);
    }
    return leaver;
}

/* Behind what a unit of another CPU is worth fetching; lock held. */
static uint64_t pull_limit(struct sched_cpu *sc)
{
    const struct vcpu *v = sc->cpu->current;
    const struct sched_unit *u = sched_head(sc);
    uint64_t margin;

    if (v && read_once(v->flags) == 0 && sched_may_run_on(v->sched, sc->cpu) &&
        (!u || v->sched->vtime <= u->vtime)) {
        u = v->sched;
    }
    if (!u) {
        return SCHED_NO_VTIME;
    }
    margin = sched_cost(u, SCHED_SLICE_NS / 2);
    return u->vtime > margin ? u->vtime - margin : 0;
}

/* Marks this CPU as idle before the last look at the other queues: a waker
 * either finds the mark or has queued before that look. */
static void pull_idle(struct sched_cpu *sc)
{
    __atomic_fetch_or(&sched_idle_mask, 1UL << sc->cpu->id, __ATOMIC_SEQ_CST);
    if (sched_pull(sc, SCHED_NO_VTIME)) {
        __atomic_fetch_and(&sched_idle_mask, ~(1UL << sc->cpu->id),
                           __ATOMIC_SEQ_CST);
    }
}

static void idle_account(struct sched_cpu *sc, uint64_t now)
{
    if (!sc->cpu->current && now > sc->charged_ns) {
        sc->stats.idle_ns += now - sc->charged_ns;
        sc->charged_ns = now;
    }
}

/* After the switch, lock released: what other CPUs or vCPUs are told. */
static void pick_finish(struct sched_cpu *sc, struct vcpu *leaver,
                        uint64_t waiting_affinity)
{
    struct cpu *c = sc->cpu;
    struct vcpu *v = c->current;

    if (leaver) {
        sched_reconcile(leaver);
    }
    if (waiting_affinity & read_once(sched_idle_mask)) {
        sched_tickle(waiting_affinity);
    }
    if (!v) {
        write_once(c->resched, true);
        return;
    }
    if (c->loaded != v) {
        c->loaded = v;
        sc->stats.switches++;
        hv->vcpu_load(v);
    }
    vcpu_runstate_publish(v);
}

struct vcpu *sched_pick(void)
{
    struct cpu *c = this_cpu();
    struct sched_cpu *sc = c->sched;
    uint64_t now = arch_time_ns();
    struct vcpu *leaver;
    uint64_t limit;
    uint64_t waiting;

    __atomic_store_n(&c->resched, false, __ATOMIC_SEQ_CST);
    full_barrier();
    spin_lock(&sc->lock);
    sc->stats.picks++;
    idle_account(sc, now);
    sched_charge(sc, now);
    if (current_goes_on(sc, now)) {
        slice_arm(sc, now);
        spin_unlock(&sc->lock);
        return c->current;
    }
    limit = pull_limit(sc);
    spin_unlock(&sc->lock);

    if (limit == SCHED_NO_VTIME) {
        pull_idle(sc);
    } else {
        (void)sched_pull(sc, limit);
    }

    spin_lock(&sc->lock);
    leaver = switch_current(sc, now);
    if (c->current) {
        __atomic_fetch_and(&sched_idle_mask, ~(1UL << c->id), __ATOMIC_SEQ_CST);
    }
    slice_arm(sc, now);
    waiting = sc->queue_count != 0 ? sc->head_affinity : 0;
    spin_unlock(&sc->lock);
    pick_finish(sc, leaver, waiting);
    return c->current;
}
