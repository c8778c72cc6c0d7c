/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduler parameters of vCPUs: creation, weight, affinity, time used.
 */

#include "arch/host.h"
#include "public/vcpu.h"
#include "ravelin/errno.h"
#include "ravelin/panic.h"

#include "sched_internal.h"

/* CPUs that keep house only; written before the first vCPU exists. */
static uint64_t spared_mask;

static uint64_t guest_cpu_mask(void)
{
    unsigned count = cpu_count();

    return (count >= 64 ? UINT64_MAX : (1UL << count) - 1) & ~spared_mask;
}

void sched_cpus_spare(uint64_t mask)
{
    spared_mask = mask;
    BUG_ON(guest_cpu_mask() == 0);
}

/* CPUs appear in the table a moment before they have a run queue. */
static void queues_wait(void)
{
    for (unsigned i = 0; i < cpu_count(); i++) {
        while (!load_acquire(&cpu_by_id(i)->sched)) {
            cpu_relax();
        }
    }
}

/* New vCPUs are spread; where they run is decided when they wake. */
static struct cpu *first_cpu(const struct vcpu *v, uint64_t mask)
{
    unsigned skip =
        (v->id + v->domain->id) % (unsigned)__builtin_popcountl(mask);

    while (skip-- > 0) {
        mask &= mask - 1;
    }
    return cpu_by_id((unsigned)__builtin_ctzl(mask));
}

int sched_vcpu_init(struct vcpu *v, uint32_t weight, uint64_t affinity)
{
    struct sched_unit *u = v->sched;
    uint64_t mask = (affinity == 0 ? UINT64_MAX : affinity) & ~spared_mask;

    if (weight == 0 || weight > SCHED_WEIGHT_MAX ||
        (mask & guest_cpu_mask()) == 0) {
        return -RV_EINVAL;
    }
    queues_wait();
    *u = (struct sched_unit){.vcpu = v, .weight = weight, .affinity = mask};
    list_init(&u->link);
    v->flags |= VCPU_DOWN;
    v->running = false;
    v->runstate = RUNSTATE_offline;
    v->runstate_since_ns = arch_time_ns();
    v->cpu = first_cpu(v, mask & guest_cpu_mask());
    return 0;
}

void sched_vcpu_destroy(struct vcpu *v)
{
    BUG_ON(v->running || v->sched->queued);
}

int sched_weight_set(struct domain *d, uint32_t weight)
{
    if (weight == 0 || weight > SCHED_WEIGHT_MAX) {
        return -RV_EINVAL;
    }
    spin_lock(&d->lock);
    d->weight = weight;
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        struct sched_cpu *sc = sched_lock_of(d->vcpu[i]);

        if (sc->cpu->current == d->vcpu[i]) {
            sched_charge(sc, arch_time_ns());
        }
        d->vcpu[i]->sched->weight = weight;
        spin_unlock(&sc->lock);
    }
    spin_unlock(&d->lock);
    return 0;
}

int sched_affinity_set(struct vcpu *v, uint64_t affinity)
{
    uint64_t mask = (affinity == 0 ? UINT64_MAX : affinity) & ~spared_mask;
    struct sched_cpu *sc;

    if ((mask & guest_cpu_mask()) == 0) {
        return -RV_EINVAL;
    }
    sc = sched_lock_of(v);
    write_once(v->sched->affinity, mask);
    if (!sched_may_run_on(v->sched, sc->cpu) && v->running) {
        sched_poke(sc->cpu); /* moves it on at its next pick */
    }
    spin_unlock(&sc->lock);
    sched_reconcile(v);
    return 0;
}

uint64_t sched_affinity_get(const struct vcpu *v)
{
    return read_once(v->sched->affinity);
}

uint64_t vcpu_time_used_ns(const struct vcpu *v)
{
    uint64_t used = read_once(v->runstate_ns[RUNSTATE_running]);
    uint64_t since = read_once(v->runstate_since_ns);
    uint64_t now = arch_time_ns();

    if (read_once(v->runstate) == RUNSTATE_running && now > since) {
        used += now - since;
    }
    return used;
}
