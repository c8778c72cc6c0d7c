/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler with a thread for each CPU: guests that block and yield, and
 * others that pause, move and stop them, at the same time. No vCPU is ever on
 * two CPUs, and none is forgotten.
 */

#include "core_fixture.h"

#include <pthread.h>

#include "arch/host.h"
#include "fake.h"
#include "ravelin/sched.h"

#define MS 1000000UL
#define THREADS 4u
#define STRESS_VCPUS 10u

static struct domain *stress_domain[STRESS_VCPUS];
static bool stress_stop;
static uint32_t stress_runs;
static uint32_t stress_inside[STRESS_VCPUS]; /* CPUs in each guest; atomic */
static uint32_t stress_errors;

static void stress_guest(struct cpu *c, struct vcpu *v, uint32_t *rng)
{
    unsigned i = v->domain->id - 1u;

    if (!sched_guest_enter(c)) {
        return;
    }
    if (__atomic_fetch_add(&stress_inside[i], 1, __ATOMIC_SEQ_CST) != 0 ||
        fake_vcpu(v)->loaded_on != c) {
        __atomic_fetch_add(&stress_errors, 1, __ATOMIC_RELAXED);
    }
    cpu_relax();
    __atomic_fetch_sub(&stress_inside[i], 1, __ATOMIC_SEQ_CST);
    sched_guest_leave(c);
    __atomic_fetch_add(&stress_runs, 1, __ATOMIC_RELAXED);
    *rng = *rng * 1664525u + 1013904223u;
    switch ((*rng >> 20) % 4) {
    case 0:
        vcpu_block(v);
        break;
    case 1:
        vcpu_yield(v);
        break;
    default:
        break;
    }
}

/* Another vCPU is treated in a random way that leaves it as it was. */
static void stress_meddle(uint32_t *rng)
{
    struct vcpu *v;

    *rng = *rng * 1664525u + 1013904223u;
    v = stress_domain[(*rng >> 8) % STRESS_VCPUS]->vcpu[0];
    switch ((*rng >> 24) % 6) {
    case 0:
        if (this_cpu()->current != v) {
            vcpu_pause_sync(v);
            if (__atomic_load_n(&stress_inside[v->domain->id - 1],
                                __ATOMIC_SEQ_CST) != 0) {
                __atomic_fetch_add(&stress_errors, 1, __ATOMIC_RELAXED);
            }
            vcpu_unpause(v);
        }
        break;
    case 1:
        if (sched_affinity_set(v, 1 + (*rng >> 4) % 15) != 0) {
            __atomic_fetch_add(&stress_errors, 1, __ATOMIC_RELAXED);
        }
        break;
    case 2:
        vcpu_flags_set(v, VCPU_DOWN);
        vcpu_flags_clear(v, VCPU_DOWN);
        break;
    default:
        vcpu_notify(v);
        break;
    }
}

static void *stress_cpu(void *arg)
{
    unsigned id = (unsigned)(uintptr_t)arg;
    struct cpu *c = core_cpu(id);
    uint32_t rng = id + 1;

    while (!read_once(stress_stop)) {
        struct vcpu *v = core_turn(id);

        if (v) {
            stress_guest(c, v, &rng);
        }
        stress_meddle(&rng);
        fake_time_advance(50000);
    }
    return NULL;
}

static void sched_threads_never_share_or_lose_a_vcpu(void **state)
{
    (void)state;
    pthread_t threads[THREADS];

    core_machine_create(THREADS);
    stress_stop = false;
    stress_errors = 0;
    stress_runs = 0;
    for (unsigned i = 0; i < STRESS_VCPUS; i++) {
        stress_domain[i] = core_domain_running(1);
        assert_int_equal(stress_domain[i]->id, i + 1);
    }
    for (uintptr_t i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, stress_cpu, (void *)i);
    }
    while (read_once(stress_runs) < 60000) {
        cpu_relax();
    }
    write_once(stress_stop, true);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    core_cpu(0);
    assert_int_equal(stress_errors, 0);
    /* Nobody was lost: woken, each gets its turn. */
    for (unsigned i = 0; i < STRESS_VCPUS; i++) {
        uint64_t used = vcpu_time_used_ns(stress_domain[i]->vcpu[0]);

        core_cpu(0);
        vcpu_wake(stress_domain[i]->vcpu[0]);
        for (unsigned n = 0; n < 400; n++) {
            core_turn(n % THREADS);
            fake_time_advance(MS);
        }
        assert_true(vcpu_time_used_ns(stress_domain[i]->vcpu[0]) > used);
    }
    for (unsigned i = 0; i < STRESS_VCPUS; i++) {
        core_domain_destroy(stress_domain[i]);
    }
    core_machine_destroy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sched_threads_never_share_or_lose_a_vcpu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
