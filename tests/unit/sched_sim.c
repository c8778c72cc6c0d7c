/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See sched_sim.h.
 */

#include "sched_sim.h"

#include <string.h>

#include "arch/host.h"
#include "fake.h"
#include "ravelin/sched.h"

struct sim_vcpu sim_vcpu[SIM_VCPUS_MAX];
unsigned sim_vcpu_count;
uint64_t sim_switches;
uint64_t sim_hash;

static bool kicked[CPU_COUNT_MAX];
static struct domain *sim_domain[SIM_VCPUS_MAX];
static unsigned sim_domain_count;
static const struct vcpu *ran_last[CPU_COUNT_MAX];

static void kick_note(struct cpu *target)
{
    kicked[target->id] = true;
}

void sim_create(unsigned cpus)
{
    core_machine_create(cpus);
    fake_kick_hook = kick_note;
    memset(sim_vcpu, 0, sizeof(sim_vcpu));
    memset(kicked, 0, sizeof(kicked));
    memset(ran_last, 0, sizeof(ran_last));
    sim_vcpu_count = 0;
    sim_domain_count = 0;
    sim_switches = 0;
    sim_hash = 1;
}

void sim_destroy(void)
{
    fake_kick_hook = NULL;
    for (unsigned i = 0; i < sim_domain_count; i++) {
        core_domain_destroy(sim_domain[i]);
    }
    core_machine_destroy();
}

static void vcpu_note(struct vcpu *v, uint64_t work_ns, uint64_t sleep_ns)
{
    struct sim_vcpu *s = &sim_vcpu[sim_vcpu_count];

    assert_true(sim_vcpu_count < SIM_VCPUS_MAX);
    sim_vcpu_count++;
    s->v = v;
    s->work_ns = work_ns;
    s->sleep_ns = sleep_ns;
    s->wake_at = UINT64_MAX;
    s->block_at_used = work_ns;
    s->last_ran = arch_time_ns();
}

static struct sim_vcpu *domain_note(struct domain *d, uint64_t work_ns,
                                    uint64_t sleep_ns)
{
    struct sim_vcpu *first = &sim_vcpu[sim_vcpu_count];

    sim_domain[sim_domain_count++] = d;
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        vcpu_note(d->vcpu[i], work_ns, sleep_ns);
    }
    core_cpu(0);
    core_domain_start(d);
    return first;
}

struct sim_vcpu *sim_add(uint32_t weight, uint64_t affinity, uint64_t work_ns,
                         uint64_t sleep_ns)
{
    return domain_note(core_domain_with(1, 0, weight, affinity), work_ns,
                       sleep_ns);
}

struct sim_vcpu *sim_add_domain(unsigned vcpus, uint32_t weight,
                                uint64_t work_ns, uint64_t sleep_ns)
{
    return domain_note(core_domain_with(vcpus, 0, weight, 0), work_ns,
                       sleep_ns);
}

static struct sim_vcpu *sim_of(const struct vcpu *v)
{
    for (unsigned i = 0; i < sim_vcpu_count; i++) {
        if (sim_vcpu[i].v == v) {
            return &sim_vcpu[i];
        }
    }
    return NULL;
}

static void ran_note(unsigned cpu, const struct vcpu *v, uint64_t now)
{
    struct sim_vcpu *s = v ? sim_of(v) : NULL;

    if (v != ran_last[cpu]) {
        ran_last[cpu] = v;
        sim_switches++;
        sim_hash = (sim_hash ^ now ^ cpu ^ (v ? v->domain->id * 977u : 0)) *
                   0x100000001b3UL;
    }
    if (s && s->was_woken) {
        s->latency_max = rv_max(s->latency_max, now - s->woken_at);
        s->was_woken = false;
    }
}

/* Blocks the vCPU that runs on a CPU if it has done its work. */
static bool behave(struct cpu *c, uint64_t now)
{
    struct sim_vcpu *s = c->current ? sim_of(c->current) : NULL;

    if (!s || s->work_ns == 0 || vcpu_time_used_ns(s->v) < s->block_at_used) {
        return false;
    }
    core_cpu(c->id);
    s->wake_at = now + s->sleep_ns;
    vcpu_flags_set(s->v, VCPU_BLOCKED);
    return true;
}

static bool cpu_wants_turn(struct cpu *c, uint64_t now)
{
    return kicked[c->id] || (c->current && c->resched) ||
           fake_timer_deadline(c) <= now;
}

static void turns_take(uint64_t now)
{
    bool again;

    do {
        again = false;
        for (unsigned i = 0; i < cpu_count(); i++) {
            struct cpu *c = cpu_by_id(i);

            again |= behave(c, now);
            if (cpu_wants_turn(c, now)) {
                kicked[i] = false;
                ran_note(i, core_turn(i), now);
                again = true;
            }
        }
    } while (again);
}

static void wakes_make(uint64_t now)
{
    for (unsigned i = 0; i < sim_vcpu_count; i++) {
        struct sim_vcpu *s = &sim_vcpu[i];

        if (s->wake_at <= now) {
            s->wake_at = UINT64_MAX;
            s->woken_at = now;
            s->was_woken = true;
            s->last_ran = now;
            s->block_at_used = vcpu_time_used_ns(s->v) + s->work_ns;
            core_cpu(i % cpu_count()); /* whoever takes the interrupt */
            kicked[i % cpu_count()] = true;
            vcpu_wake(s->v);
        }
    }
}

static void starvation_note(uint64_t now)
{
    for (unsigned i = 0; i < sim_vcpu_count; i++) {
        struct sim_vcpu *s = &sim_vcpu[i];

        if (s->v->cpu->current == s->v || s->wake_at != UINT64_MAX) {
            s->last_ran = now;
        }
        s->starved_max = rv_max(s->starved_max, now - s->last_ran);
    }
}

static uint64_t next_event(uint64_t end, uint64_t now)
{
    uint64_t next = end;

    for (unsigned i = 0; i < cpu_count(); i++) {
        next = rv_min(next, fake_timer_deadline(cpu_by_id(i)));
    }
    for (unsigned i = 0; i < sim_vcpu_count; i++) {
        struct sim_vcpu *s = &sim_vcpu[i];

        next = rv_min(next, s->wake_at);
        if (s->work_ns != 0 && s->v->cpu->current == s->v) {
            next =
                rv_min(next, now + s->block_at_used - vcpu_time_used_ns(s->v));
        }
    }
    return next;
}

void sim_run(uint64_t ns)
{
    uint64_t end = arch_time_ns() + ns;

    kicked[this_cpu()->id] = true; /* it did something before */
    for (;;) {
        uint64_t now = arch_time_ns();
        uint64_t next;

        wakes_make(now);
        turns_take(now);
        starvation_note(now);
        if (now >= end) {
            return;
        }
        next = next_event(end, now);
        fake_time_advance(next > now ? next - now : 1);
    }
}

void sim_mark(void)
{
    for (unsigned i = 0; i < sim_vcpu_count; i++) {
        sim_vcpu[i].used_at_start = vcpu_time_used_ns(sim_vcpu[i].v);
    }
}

uint64_t sim_used(const struct sim_vcpu *s)
{
    return vcpu_time_used_ns(s->v) - s->used_at_start;
}
