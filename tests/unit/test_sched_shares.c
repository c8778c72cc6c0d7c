/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the scheduler promises over time, in simulation: CPU time in proportion
 * to weights within 2 %, nobody starves, sleep earns nothing, no CPU idles
 * while somebody waits, and all of it deterministic.
 */

#include <stdio.h>

#include "fake.h"
#include "ravelin/sched.h"
#include "sched_sim.h"

#define MS 1000000UL
#define S 1000000000UL

static void share_check(const struct sim_vcpu *s, double expected_ns)
{
    double used = (double)sim_used(s);
    double off = used / expected_ns - 1.0;

    if (off > 0.02 || off < -0.02) {
        printf("vcpu %u: %.3f s instead of %.3f s\n", (unsigned)(s - sim_vcpu),
               used / 1e9, expected_ns / 1e9);
    }
    assert_true(off <= 0.02 && off >= -0.02);
}

/* All vCPUs compute for ever and may run anywhere. */
static void shares_check(unsigned cpus, unsigned count, const uint32_t *weight,
                         uint64_t ns)
{
    uint64_t total = 0;

    sim_create(cpus);
    for (unsigned i = 0; i < count; i++) {
        sim_add(weight[i], 0, 0, 0);
        total += weight[i];
    }
    sim_run(1 * S);
    sim_mark();
    sim_run(ns);
    for (unsigned i = 0; i < count; i++) {
        share_check(&sim_vcpu[i],
                    (double)ns * cpus * weight[i] / (double)total);
    }
    sim_destroy();
}

static void shares_one_cpu_follow_weights(void **state)
{
    (void)state;
    static const uint32_t weight[] = {256, 512, 1280};

    shares_check(1, 3, weight, 20 * S);
}

static void shares_three_on_two_cpus_are_equal(void **state)
{
    (void)state;
    static const uint32_t weight[] = {256, 256, 256};

    shares_check(2, 3, weight, 20 * S);
}

static void shares_four_cpus_follow_weights(void **state)
{
    (void)state;
    static const uint32_t weight[] = {100, 200, 300, 400, 100, 200,
                                      300, 400, 100, 200, 300, 400};

    shares_check(4, 12, weight, 40 * S);
}

static void shares_many_cpus_follow_weights(void **state)
{
    (void)state;
    static uint32_t weight[150];
    uint32_t rng = 7;

    for (unsigned i = 0; i < 150; i++) {
        rng = rng * 1664525u + 1013904223u;
        weight[i] = 64 + (rng >> 16) % 960;
    }
    shares_check(32, 150, weight, 60 * S);
}

static void shares_extreme_weights_follow_weights(void **state)
{
    (void)state;
    static const uint32_t weight[] = {65535, 65535, 40000, 20000, 1000};

    shares_check(2, 5, weight, 200 * S);
}

static void shares_pinned_groups_each_follow_weights(void **state)
{
    (void)state;
    static const uint32_t weight[] = {100, 300, 1, 2};

    sim_create(2);
    for (unsigned i = 0; i < 4; i++) {
        sim_add(weight[i], i < 2 ? 1 : 2, 0, 0);
    }
    sim_run(1 * S);
    sim_mark();
    sim_run(60 * S);
    share_check(&sim_vcpu[0], 15.0 * S);
    share_check(&sim_vcpu[1], 45.0 * S);
    share_check(&sim_vcpu[2], 20.0 * S);
    share_check(&sim_vcpu[3], 40.0 * S);
    sim_destroy();
}

/* More than one CPU's worth cannot be used by one vCPU: it gets a whole CPU,
 * the others share the rest, and who comes later is not kept waiting. */
static void shares_infeasible_weight_gets_one_cpu(void **state)
{
    (void)state;
    struct sim_vcpu *late;

    sim_create(2);
    sim_add(10000, 0, 0, 0);
    sim_add(10, 0, 0, 0);
    sim_add(10, 0, 0, 0);
    sim_run(1 * S);
    sim_mark();
    sim_run(60 * S);
    share_check(&sim_vcpu[0], 60.0 * S);
    share_check(&sim_vcpu[1], 30.0 * S);
    share_check(&sim_vcpu[2], 30.0 * S);
    late = sim_add(10, 0, 0, 0);
    sim_run(2 * S);
    sim_mark();
    sim_run(60 * S);
    share_check(&sim_vcpu[1], 20.0 * S);
    share_check(late, 20.0 * S);
    sim_destroy();
}

/* The weight is the domain's, however many vCPUs it has. */
static void shares_are_the_domains_not_its_vcpus(void **state)
{
    (void)state;
    for (unsigned cpus = 1; cpus <= 2; cpus++) {
        sim_create(cpus);
        sim_add_domain(4, 256, 0, 0);
        sim_add_domain(2, 768, 0, 0);
        sim_run(1 * S);
        sim_mark();
        sim_run(40 * S);
        for (unsigned i = 0; i < 6; i++) {
            share_check(&sim_vcpu[i], i < 4 ? 2.5 * S * cpus : 15.0 * S * cpus);
        }
        sim_destroy();
    }
}

/* Only vCPUs that want a CPU divide the share. */
static void shares_of_sleeping_vcpus_go_to_the_others(void **state)
{
    (void)state;
    sim_create(1);
    sim_add_domain(3, 256, 0, 0);
    sim_add(256, 0, 0, 0);
    sim_vcpu[1].work_ns = 1 * MS; /* two of the three fall asleep for ever */
    sim_vcpu[2].work_ns = 1 * MS;
    sim_vcpu[1].block_at_used = sim_vcpu[2].block_at_used = 1 * MS;
    sim_vcpu[1].sleep_ns = sim_vcpu[2].sleep_ns = 1000 * S;
    sim_run(1 * S);
    sim_mark();
    sim_run(20 * S);
    share_check(&sim_vcpu[0], 10.0 * S);
    share_check(&sim_vcpu[3], 10.0 * S);
    sim_destroy();
}

/* However short and however often its vCPUs sleep: a domain gets no more than
 * its share while another wants the rest. */
static void shares_are_not_gained_by_short_sleep(void **state)
{
    static const uint64_t work[] = {1 * MS, 3 * MS, 9 * MS, 10 * MS, 19 * MS};

    (void)state;
    for (unsigned w = 0; w < ARRAY_SIZE(work); w++) {
        uint64_t used = 0;

        sim_create(2);
        sim_add_domain(4, 256, work[w], MS / 50);
        sim_add_domain(2, 256, 0, 0);
        sim_run(1 * S);
        sim_mark();
        sim_run(40 * S);
        for (unsigned i = 0; i < 4; i++) {
            used += sim_used(&sim_vcpu[i]);
        }
        printf("work %lu ms, sleep 20 us: %.2f s of 80\n", work[w] / MS,
               (double)used / 1e9);
        assert_true(used < 41 * S);
        sim_destroy();
    }
}

/* After an hour alone or asleep, nobody has a claim on, or a debt from, it. */
static void shares_history_is_forgotten(void **state)
{
    (void)state;
    sim_create(2);
    sim_add(256, 0, 0, 0);             /* alone for an hour */
    sim_add(256, 0, 1 * MS, 3600 * S); /* asleep for an hour */
    sim_run(3600 * S);
    sim_vcpu[1].work_ns = 0; /* from now on it computes */
    sim_run(1 * S);
    sim_add(256, 0, 0, 0);
    sim_add(256, 0, 0, 0);
    sim_run(1 * S);
    sim_mark();
    sim_run(20 * S);
    for (unsigned i = 0; i < 4; i++) {
        share_check(&sim_vcpu[i], 10.0 * S);
    }
    sim_destroy();
}

static void shares_changed_weight_takes_effect(void **state)
{
    (void)state;
    sim_create(1);
    sim_add(256, 0, 0, 0);
    sim_add(256, 0, 0, 0);
    sim_run(5 * S);
    core_cpu(0);
    assert_int_equal(sched_weight_set(sim_vcpu[0].v->domain, 768), 0);
    sim_run(1 * S);
    sim_mark();
    sim_run(20 * S);
    share_check(&sim_vcpu[0], 15.0 * S);
    share_check(&sim_vcpu[1], 5.0 * S);
    sim_destroy();
}

/* One that sleeps a little after each bit of work gets what it asks for, at
 * once, but cannot get more than its share by it. */
static void sleepers_gain_latency_but_no_share(void **state)
{
    (void)state;
    sim_create(1);
    sim_add(256, 0, 0, 0);
    sim_add(256, 0, 0, 0);
    sim_add(256, 0, 1 * MS, 19 * MS); /* wants 5 % */
    sim_add(256, 0, 8 * MS, 1 * MS);  /* wants 89 % */
    sim_run(2 * S);
    sim_mark();
    sim_run(60 * S);
    printf("light sleeper: %.2f s, latency at most %.1f ms; heavy: %.2f s\n",
           (double)sim_used(&sim_vcpu[2]) / 1e9,
           (double)sim_vcpu[2].latency_max / 1e6,
           (double)sim_used(&sim_vcpu[3]) / 1e9);
    assert_true(sim_used(&sim_vcpu[2]) > 27 * S / 10);
    assert_true(sim_vcpu[2].latency_max <= 2 * MS);
    /* The other three share what it leaves: 19.1 s each. */
    assert_true(sim_used(&sim_vcpu[3]) < 195 * S / 10);
    assert_true(sim_used(&sim_vcpu[0]) > 185 * S / 10);
    assert_true(sim_used(&sim_vcpu[1]) > 185 * S / 10);
    sim_destroy();
}

static void sched_under_load_nobody_starves(void **state)
{
    (void)state;
    uint64_t worst = 0;

    sim_create(4);
    for (unsigned i = 0; i < 40; i++) {
        bool sleeps = i % 3 == 0;

        sim_add(i % 5 == 0 ? 1000 : 100, 0, sleeps ? (1 + i) * MS : 0,
                sleeps ? 3 * MS : 0);
    }
    sim_run(30 * S);
    for (unsigned i = 0; i < 40; i++) {
        worst = rv_max(worst, sim_vcpu[i].starved_max);
    }
    /* In the worst case all others with a smaller virtual time go first: 8 with
     * weight 1000 run ten slices for each one of the 32 others. */
    printf("longest wait: %.0f ms\n", (double)worst / 1e6);
    assert_true(worst <= (8 * 10 + 32) * SCHED_SLICE_NS / 4 * 2);
    sim_destroy();
}

/* With as many or more runnable vCPUs than CPUs, every CPU is busy. */
static void cpus_do_not_idle_while_somebody_waits(void **state)
{
    (void)state;
    struct sched_stats stats;
    uint64_t idle_before[8];
    uint64_t idle = 0;

    sim_create(8);
    for (unsigned i = 0; i < 8; i++) {
        sim_add(256, 0, 0, 0);
    }
    for (unsigned i = 0; i < 30; i++) {
        sim_add(256, 0, (1 + i % 7) * MS, (1 + i % 4) * MS);
    }
    sim_run(1 * S);
    for (unsigned i = 0; i < 8; i++) {
        sched_stats_get(cpu_by_id(i), &stats);
        idle_before[i] = stats.idle_ns;
    }
    sim_run(10 * S);
    for (unsigned i = 0; i < 8; i++) {
        sched_stats_get(cpu_by_id(i), &stats);
        idle += stats.idle_ns - idle_before[i];
    }
    assert_int_equal(idle, 0);
    sim_destroy();
}

/* Fewer runnable vCPUs than CPUs: all of them run all the time, and where they
 * are, without a slice timer. */
static void lone_vcpus_run_undisturbed(void **state)
{
    (void)state;
    uint64_t before;

    sim_create(4);
    for (unsigned i = 0; i < 3; i++) {
        sim_add(100 * (i + 1), 0, 0, 0);
    }
    sim_run(1 * S);
    sim_mark();
    before = sim_switches;
    sim_run(10 * S);
    assert_int_equal(sim_switches, before);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sim_used(&sim_vcpu[i]), 10 * S);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(fake_timer_deadline(cpu_by_id(i)), UINT64_MAX);
    }
    sim_destroy();
}

static uint64_t busy_run(void)
{
    uint64_t hash;

    sim_create(8);
    for (unsigned i = 0; i < 60; i++) {
        sim_add(50 + 37 * i, i % 4 == 0 ? 0x3fUL << (i % 3) : 0,
                i % 2 ? (1 + i) * MS / 2 : 0, i % 2 ? (1 + i % 5) * MS : 0);
    }
    sim_run(5 * S);
    hash = sim_hash;
    sim_destroy();
    return hash;
}

static void equal_runs_decide_equally(void **state)
{
    (void)state;
    uint64_t first = busy_run();

    assert_int_equal(busy_run(), first);
    assert_int_not_equal(first, 1);
}

static void affinity_is_never_violated(void **state)
{
    (void)state;
    sim_create(4);
    for (unsigned i = 0; i < 24; i++) {
        sim_add(256, 1 + i % 15, i % 2 ? 3 * MS : 0, 2 * MS);
    }
    for (unsigned step = 0; step < 3000; step++) {
        sim_run(1 * MS);
        for (unsigned i = 0; i < 4; i++) {
            struct vcpu *v = cpu_by_id(i)->current;

            assert_true(!v || ((sched_affinity_get(v) >> i) & 1));
        }
        if (step % 10 == 0) {
            core_cpu(step % 4);
            assert_int_equal(
                sched_affinity_set(sim_vcpu[step % 24].v, 1 + (step / 10) % 15),
                0);
        }
    }
    for (unsigned i = 0; i < 24; i++) {
        assert_true(vcpu_time_used_ns(sim_vcpu[i].v) > 50 * MS);
    }
    sim_destroy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_one_cpu_follow_weights),
        cmocka_unit_test(shares_three_on_two_cpus_are_equal),
        cmocka_unit_test(shares_four_cpus_follow_weights),
        cmocka_unit_test(shares_many_cpus_follow_weights),
        cmocka_unit_test(shares_extreme_weights_follow_weights),
        cmocka_unit_test(shares_pinned_groups_each_follow_weights),
        cmocka_unit_test(shares_infeasible_weight_gets_one_cpu),
        cmocka_unit_test(shares_are_the_domains_not_its_vcpus),
        cmocka_unit_test(shares_of_sleeping_vcpus_go_to_the_others),
        cmocka_unit_test(shares_are_not_gained_by_short_sleep),
        cmocka_unit_test(shares_history_is_forgotten),
        cmocka_unit_test(shares_changed_weight_takes_effect),
        cmocka_unit_test(sleepers_gain_latency_but_no_share),
        cmocka_unit_test(sched_under_load_nobody_starves),
        cmocka_unit_test(cpus_do_not_idle_while_somebody_waits),
        cmocka_unit_test(lone_vcpus_run_undisturbed),
        cmocka_unit_test(equal_runs_decide_equally),
        cmocka_unit_test(affinity_is_never_violated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
