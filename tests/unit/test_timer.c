/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timer queues: order, re-arming, hardware deadlines, disarming from other
 * CPUs, and cancelling against a callback that runs.
 */

#include "core_fixture.h"

#include <pthread.h>
#include <semaphore.h>

#include "arch/host.h"
#include "fake.h"
#include "ravelin/timer.h"

#define COUNT 500u

struct test_timer {
    struct timer t;
    unsigned fired;
    uint64_t fired_at;
    uint64_t rearm;
};

static struct test_timer timers[COUNT];
static unsigned order[COUNT];
static unsigned order_count;

static void fired(struct timer *t)
{
    struct test_timer *tt = container_of(t, struct test_timer, t);

    tt->fired++;
    tt->fired_at = arch_time_ns();
    if (order_count < COUNT) {
        order[order_count++] = (unsigned)(tt - timers);
    }
    if (tt->rearm != 0) {
        timer_set(t, tt->rearm);
        tt->rearm = 0;
    }
}

static int machine_up(void **state)
{
    (void)state;
    core_machine_create(3);
    order_count = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        timers[i] = (struct test_timer){0};
        timer_init(&timers[i].t, fired);
    }
    return 0;
}

static int machine_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        timer_cancel(&timers[i].t);
    }
    core_machine_destroy();
    return 0;
}

static void timer_set_arms_hardware_for_the_earliest(void **state)
{
    (void)state;
    uint64_t now = arch_time_ns();
    struct cpu *c = this_cpu();

    assert_false(timer_is_armed(&timers[0].t));
    timer_set(&timers[0].t, now + 300);
    assert_true(timer_is_armed(&timers[0].t));
    assert_int_equal(fake_timer_deadline(c), now + 300);
    timer_set(&timers[1].t, now + 500);
    assert_int_equal(fake_timer_deadline(c), now + 300);
    timer_set(&timers[2].t, now + 100);
    assert_int_equal(fake_timer_deadline(c), now + 100);
    assert_int_equal(timer_next_deadline(), now + 100);
    fake_time_advance(100);
    timers_run();
    assert_int_equal(timers[2].fired, 1);
    assert_int_equal(timers[0].fired, 0);
    assert_int_equal(fake_timer_deadline(c), now + 300);
}

static void timer_set_past_deadline_fires_at_next_run(void **state)
{
    (void)state;
    timer_set(&timers[0].t, 5);
    assert_int_equal(fake_timer_deadline(this_cpu()), 5);
    timers_run();
    assert_int_equal(timers[0].fired, 1);
    assert_false(timer_is_armed(&timers[0].t));
    assert_int_equal(fake_timer_deadline(this_cpu()), TIMER_NEVER);
}

static void timer_set_never_disarms(void **state)
{
    (void)state;
    timer_set(&timers[0].t, arch_time_ns() + 1);
    timer_set(&timers[0].t, TIMER_NEVER);
    assert_false(timer_is_armed(&timers[0].t));
    fake_time_advance(10);
    timers_run();
    assert_int_equal(timers[0].fired, 0);
}

static void timer_set_again_moves_the_deadline(void **state)
{
    (void)state;
    uint64_t now = arch_time_ns();

    timer_set(&timers[0].t, now + 10);
    timer_set(&timers[0].t, now + 1000);
    fake_time_advance(500);
    timers_run();
    assert_int_equal(timers[0].fired, 0);
    fake_time_advance(500);
    timers_run();
    assert_int_equal(timers[0].fired, 1);
}

static void timer_callback_may_rearm(void **state)
{
    (void)state;
    uint64_t now = arch_time_ns();

    timers[0].rearm = now + 50;
    timer_set(&timers[0].t, now + 10);
    fake_time_advance(10);
    timers_run();
    assert_int_equal(timers[0].fired, 1);
    assert_true(timer_is_armed(&timers[0].t));
    fake_time_advance(40);
    timers_run();
    assert_int_equal(timers[0].fired, 2);
}

static void timer_disarm_from_other_cpu_takes_it_out(void **state)
{
    (void)state;
    timer_set(&timers[0].t, arch_time_ns() + 10);
    core_cpu(1);
    timer_disarm(&timers[0].t);
    assert_false(timer_is_armed(&timers[0].t));
    core_cpu(0);
    fake_time_advance(20);
    timers_run();
    assert_int_equal(timers[0].fired, 0);
}

static void timer_set_on_other_cpu_moves_it_there(void **state)
{
    (void)state;
    timer_set(&timers[0].t, arch_time_ns() + 10);
    core_cpu(2);
    timer_set(&timers[0].t, arch_time_ns() + 20);
    fake_time_advance(20);
    core_cpu(0);
    timers_run();
    assert_int_equal(timers[0].fired, 0);
    core_cpu(2);
    timers_run();
    assert_int_equal(timers[0].fired, 1);
}

static void timers_run_many_due_is_bounded_and_resumes(void **state)
{
    (void)state;
    uint64_t now = arch_time_ns();
    unsigned runs = 0;

    for (unsigned i = 0; i < COUNT; i++) {
        timer_set(&timers[i].t, now + 1 + i);
    }
    fake_time_advance(COUNT + 1);
    while (fake_timer_deadline(this_cpu()) <= arch_time_ns()) {
        unsigned before = order_count;

        timers_run();
        assert_true(order_count - before <= 64);
        runs++;
    }
    assert_int_equal(order_count, COUNT);
    assert_int_equal(runs, (COUNT + 63) / 64);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(order[i], i);
    }
}

static uint64_t rng_state = 12345;
static uint32_t rng(void)
{
    rng_state = rng_state * 6364136223846793005UL + 1442695040888963407UL;
    return (uint32_t)(rng_state >> 33);
}

/* Against a plain array as the model. */
static void timer_random_operations_match_model(void **state)
{
    (void)state;
    static uint64_t model[COUNT];

    for (unsigned i = 0; i < COUNT; i++) {
        model[i] = TIMER_NEVER;
    }
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = rng() % COUNT;
        uint64_t now = arch_time_ns();
        uint64_t first = TIMER_NEVER;

        if (rng() % 4 == 0) {
            timer_disarm(&timers[i].t);
            model[i] = TIMER_NEVER;
        } else {
            model[i] = now + 1 + rng() % 5000;
            timer_set(&timers[i].t, model[i]);
        }
        for (unsigned k = 0; k < COUNT; k++) {
            first = rv_min(first, model[k]);
        }
        assert_int_equal(timer_next_deadline(), first);
        fake_time_advance(rng() % 8);
        while (timer_next_deadline() <= arch_time_ns()) {
            timers_run();
        }
        for (unsigned k = 0; k < COUNT; k++) {
            if (model[k] <= arch_time_ns()) {
                assert_int_equal(timers[k].fired_at, arch_time_ns());
                model[k] = TIMER_NEVER;
            }
            assert_int_equal(timer_is_armed(&timers[k].t),
                             model[k] != TIMER_NEVER);
        }
    }
}

/* ---- Threads ---- */

static struct timer racing;
static uint32_t racing_owner; /* atomic: 1 while cancelled */
static uint32_t racing_errors;
static uint32_t racing_count;
static uint32_t racing_arm; /* atomic: CPU that is asked to arm */
static bool racing_stop;

static void racing_fired(struct timer *t)
{
    if (read_once(racing_owner) != 0) {
        __atomic_fetch_add(&racing_errors, 1, __ATOMIC_RELAXED);
    }
    __atomic_fetch_add(&racing_count, 1, __ATOMIC_RELAXED);
    timer_set(t, 1); /* stubborn: always due again */
}

static void *racing_cpu(void *arg)
{
    struct cpu *c = core_cpu((unsigned)(uintptr_t)arg);

    while (!read_once(racing_stop)) {
        if (load_acquire(&racing_arm) == c->id) {
            timer_set(&racing, 1);
            store_release(&racing_arm, 0);
        }
        timers_run();
        cpu_relax();
    }
    return NULL;
}

static void timer_cancel_races_with_callback_it_is_over_after_return(
    void **state)
{
    (void)state;
    pthread_t threads[2];

    racing_stop = false;
    racing_errors = 0;
    racing_count = 0;
    timer_init(&racing, racing_fired);
    for (uintptr_t i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, racing_cpu, (void *)(i + 1));
    }
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t before = read_once(racing_count);

        store_release(&racing_arm, 1 + i % 2);
        while (load_acquire(&racing_arm) != 0 ||
               read_once(racing_count) == before) {
            cpu_relax();
        }
        timer_cancel(&racing);
        write_once(racing_owner, 1);
        full_barrier();
        assert_false(timer_is_armed(&racing));
        write_once(racing_owner, 0);
    }
    write_once(racing_stop, true);
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    timer_cancel(&racing);
    assert_int_equal(racing_errors, 0);
    assert_true(racing_count >= 3000);
}

static struct timer slow;
static sem_t slow_started;
static sem_t slow_may_end;
static uint32_t slow_count; /* atomic */

static void slow_fired(struct timer *t rv_unused)
{
    if (__atomic_add_fetch(&slow_count, 1, __ATOMIC_SEQ_CST) == 1) {
        sem_post(&slow_started);
        sem_wait(&slow_may_end);
    }
}

static void *slow_cpu(void *arg rv_unused)
{
    core_cpu(1);
    timer_set(&slow, 1);
    timers_run();
    return NULL;
}

/* Or who cancels it would wait for one of the two callbacks only. */
static void timer_set_while_its_callback_runs_fires_after_it(void **state)
{
    (void)state;
    pthread_t thread;

    slow_count = 0;
    assert_int_equal(sem_init(&slow_started, 0, 0), 0);
    assert_int_equal(sem_init(&slow_may_end, 0, 0), 0);
    timer_init(&slow, slow_fired);
    assert_int_equal(pthread_create(&thread, NULL, slow_cpu, NULL), 0);
    sem_wait(&slow_started);
    core_cpu(2);
    timer_set(&slow, 1);
    timers_run();
    assert_int_equal(read_once(slow_count), 1);
    assert_true(timer_is_armed(&slow));
    assert_int_equal(fake_timer_deadline(cpu_by_id(2)), 1);
    sem_post(&slow_may_end);
    assert_int_equal(pthread_join(thread, NULL), 0);
    timers_run();
    assert_int_equal(slow_count, 2);
    core_cpu(0);
}

static struct timer handed;
static uint32_t handed_fired;
static uint32_t handed_set;

static void handed_expired(struct timer *t rv_unused)
{
    __atomic_fetch_add(&handed_fired, 1, __ATOMIC_RELAXED);
}

static void *handed_cpu(void *arg)
{
    core_cpu((unsigned)(uintptr_t)arg);
    for (unsigned i = 0; i < 5000; i++) {
        timer_set(&handed, 1);
        __atomic_fetch_add(&handed_set, 1, __ATOMIC_RELAXED);
        if (i % 3 == 0) {
            timer_cancel(&handed);
        }
        timers_run();
    }
    timer_cancel(&handed);
    return NULL;
}

static void timer_set_by_several_cpus_keeps_queues_intact(void **state)
{
    (void)state;
    pthread_t threads[3];

    timer_init(&handed, handed_expired);
    for (uintptr_t i = 0; i < 3; i++) {
        pthread_create(&threads[i], NULL, handed_cpu, (void *)i);
    }
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    core_cpu(0);
    assert_false(timer_is_armed(&handed));
    assert_true(handed_fired > 0 && handed_fired <= handed_set);
    for (unsigned i = 0; i < 3; i++) {
        core_cpu(i);
        assert_int_equal(timer_next_deadline(), TIMER_NEVER);
    }
    core_cpu(0);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, machine_up, machine_down)
    const struct CMUnitTest tests[] = {
        CASE(timer_set_arms_hardware_for_the_earliest),
        CASE(timer_set_past_deadline_fires_at_next_run),
        CASE(timer_set_never_disarms),
        CASE(timer_set_again_moves_the_deadline),
        CASE(timer_callback_may_rearm),
        CASE(timer_disarm_from_other_cpu_takes_it_out),
        CASE(timer_set_on_other_cpu_moves_it_there),
        CASE(timers_run_many_due_is_bounded_and_resumes),
        CASE(timer_random_operations_match_model),
        CASE(timer_cancel_races_with_callback_it_is_over_after_return),
        CASE(timer_set_while_its_callback_runs_fires_after_it),
        CASE(timer_set_by_several_cpus_keeps_queues_intact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
