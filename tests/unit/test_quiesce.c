/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quiescence: what runs when, idle CPUs, deferred frame drops, kicks, and
 * threads that use objects up to the moment they are freed.
 */

#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>

#include "arch_inline.h"
#include "ravelin/frame_pool.h"
#include "ravelin/quiesce.h"
#include "ravelin/timer.h"

#define CPUS 4u
/* How long nobody is kicked. */
#define PATIENCE_NS 1000000u

static unsigned ran;

static void count(struct quiesce_item *item)
{
    (void)item;
    ran++;
}

static int setup(void **state)
{
    (void)state;
    ran = 0;
    fixture_machine_create(CPUS, FIXTURE_MIB(16));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_machine_destroy();
    return 0;
}

static void point_as(unsigned id)
{
    struct cpu *self = fake_this_cpu;

    fake_this_cpu = cpu_by_id(id);
    quiesce_point();
    fake_this_cpu = self;
}

static void wake(unsigned id)
{
    struct cpu *self = fake_this_cpu;

    fixture_cpu_become(id);
    fake_this_cpu = self;
}

static void defer_runs_at_own_point_when_others_idle(void **state)
{
    struct quiesce_item item;

    (void)state;
    quiesce_defer(&item, count);
    assert_int_equal(ran, 0);
    assert_int_equal(quiesce_pending_count(), 1);
    quiesce_point();
    assert_int_equal(ran, 1);
    assert_int_equal(quiesce_pending_count(), 0);
}

static void defer_waits_for_every_running_cpu(void **state)
{
    struct quiesce_item item;

    (void)state;
    wake(1);
    wake(3);
    quiesce_defer(&item, count);
    quiesce_point();
    quiesce_point();
    point_as(3);
    point_as(3);
    assert_int_equal(ran, 0);
    point_as(1);
    assert_int_equal(ran, 1);
}

static void defer_after_point_waits_for_the_next(void **state)
{
    struct quiesce_item a;
    struct quiesce_item b;

    (void)state;
    wake(1);
    quiesce_defer(&a, count);
    point_as(1);
    quiesce_defer(&b, count);
    quiesce_point();
    /* CPU 1 has passed for `a` only. */
    assert_int_equal(ran, 1);
    point_as(1);
    assert_int_equal(ran, 2);
}

static void defer_counts_cpus_that_are_not_online_out(void **state)
{
    struct quiesce_item item;

    (void)state;
    wake(2);
    cpu_by_id(2)->online = false;
    quiesce_defer(&item, count);
    quiesce_point();
    assert_int_equal(ran, 1);
}

static void idle_of_last_cpu_runs_everything(void **state)
{
    static struct quiesce_item items[100];

    (void)state;
    wake(1);
    for (unsigned i = 0; i < 100; i++) {
        quiesce_defer(&items[i], count);
    }
    quiesce_idle();
    assert_int_equal(ran, 0);
    fake_this_cpu = cpu_by_id(1);
    quiesce_idle();
    assert_int_equal(ran, 100);
    fixture_cpu_become(0);
}

static void idle_cpu_that_resumes_counts_again(void **state)
{
    struct quiesce_item item;

    (void)state;
    fake_this_cpu = cpu_by_id(1);
    quiesce_resume();
    fake_this_cpu = cpu_by_id(0);
    quiesce_defer(&item, count);
    quiesce_point();
    assert_int_equal(ran, 0);
    point_as(1);
    assert_int_equal(ran, 1);
}

static void point_has_a_budget(void **state)
{
    static struct quiesce_item items[100];

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        quiesce_defer(&items[i], count);
    }
    quiesce_point();
    assert_true(ran > 0 && ran < 100);
    for (unsigned i = 0; i < 10; i++) {
        quiesce_point();
    }
    assert_int_equal(ran, 100);
}

static unsigned chain;

static void again(struct quiesce_item *item)
{
    if (++chain < 3) {
        quiesce_defer(item, again);
    }
}

static void item_may_defer_itself_again(void **state)
{
    struct quiesce_item item;

    (void)state;
    chain = 0;
    quiesce_defer(&item, again);
    quiesce_point();
    assert_int_equal(chain, 1);
    quiesce_point();
    quiesce_point();
    assert_int_equal(chain, 3);
    assert_int_equal(quiesce_pending_count(), 0);
}

static void frame_puts_add_up_on_one_frame(void **state)
{
    mfn_t f = frame_alloc(0);

    (void)state;
    wake(1);
    frame_get_held(f);
    frame_get_held(f);
    quiesce_defer_frame_put(f);
    point_as(1);
    /* A later drop moves the earlier one to its own time. */
    quiesce_defer_frame_put(f);
    assert_int_equal(quiesce_pending_count(), 1);
    quiesce_point();
    assert_int_equal(frame_ref_count(f), 3);
    point_as(1);
    assert_int_equal(frame_ref_count(f), 1);
    frame_put(f);
}

static void frame_put_of_many_frames_returns_all(void **state)
{
    uint64_t before = frame_free_count();

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        quiesce_defer_frame_put(frame_alloc(0));
    }
    assert_int_equal(frame_free_count(), before - 500);
    fixture_quiesce();
    assert_int_equal(frame_free_count(), before);
}

static void laggard_in_guest_mode_is_kicked_after_a_while(void **state)
{
    struct quiesce_item item;
    struct cpu *c = cpu_by_id(1);

    (void)state;
    wake(1);
    c->in_guest = true;
    quiesce_defer(&item, count);
    quiesce_point();
    assert_int_equal(fake_kick_count(c), 0);
    fake_time_advance(2000000);
    quiesce_point();
    assert_int_equal(fake_kick_count(c), 1);
    /* Patience starts again. */
    quiesce_point();
    assert_int_equal(fake_kick_count(c), 1);
    c->in_guest = false;
    point_as(1);
    assert_int_equal(ran, 1);
}

static void laggard_in_guest_mode_is_kicked_by_idle_cpu(void **state)
{
    struct quiesce_item item;
    struct cpu *c = cpu_by_id(1);

    (void)state;
    wake(1);
    c->in_guest = true;
    quiesce_defer(&item, count);
    assert_true(quiesce_idle());
    assert_int_equal(fake_kick_count(c), 0);
    /* Its own timer ends the idleness when it is time. */
    assert_int_equal(fake_timer_deadline(this_cpu()), PATIENCE_NS + 1);
    fake_time_advance(PATIENCE_NS + 1);
    quiesce_resume();
    timers_run();
    assert_true(quiesce_idle());
    assert_int_equal(fake_kick_count(c), 1);
    c->in_guest = false;
    point_as(1);
    assert_int_equal(ran, 1);
    quiesce_resume();
}

/* Whoever gives something back and sleeps, over and over, does not interrupt
 * the others each time. */
static void laggard_is_kicked_seldom_however_often_others_go_idle(void **state)
{
    struct cpu *c = cpu_by_id(1);
    struct quiesce_item item;

    (void)state;
    wake(1);
    for (unsigned i = 0; i < 1000; i++) {
        c->in_guest = true;
        quiesce_defer(&item, count);
        quiesce_point();
        assert_true(quiesce_idle());
        quiesce_resume();
        fake_time_advance(PATIENCE_NS / 100);
        c->in_guest = false;
        point_as(1);
        assert_int_equal(ran, i + 1);
    }
    assert_int_equal(fake_kick_count(c), 0);
}

/* The clock of one CPU is a little behind that of another. */
static void laggard_is_not_kicked_from_the_past(void **state)
{
    struct cpu *c = cpu_by_id(1);
    struct quiesce_item item;

    (void)state;
    fake_time_advance(PATIENCE_NS);
    wake(1);
    c->in_guest = true;
    quiesce_defer(&item, count);
    fake_time_advance(-1ULL);
    quiesce_point();
    assert_true(quiesce_idle());
    quiesce_resume();
    assert_int_equal(fake_kick_count(c), 0);
    c->in_guest = false;
    point_as(1);
}

/* What a large domain leaves behind is done in pieces by a CPU that has nothing
 * else to do, as it may get something. */
static void idle_with_much_to_do_goes_round(void **state)
{
    static struct quiesce_item items[2000];
    unsigned rounds = 0;
    unsigned before;

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(items); i++) {
        quiesce_defer(&items[i], count);
    }
    do {
        before = ran;
        rounds++;
    } while (!quiesce_idle() && ran - before <= 256);
    assert_int_equal(ran, ARRAY_SIZE(items));
    assert_true(rounds >= ARRAY_SIZE(items) / 256);
    quiesce_resume();
}

/* ---- Threads ---- */

#define ROUNDS 20000u
/* The readers must have used this many objects before the test may end. */
#define OVERLAP 10000u

struct object {
    struct quiesce_item item;
    uint64_t mark; /* MARK while alive */
};
#define MARK 0x0b1ec7UL

static struct object *published; /* atomic */
static uint32_t stop;            /* atomic */
static uint64_t freed;           /* atomic */
static uint64_t looked;          /* atomic; objects the readers have used */

static void object_free(struct quiesce_item *item)
{
    struct object *o = container_of(item, struct object, item);

    write_once(o->mark, 0);
    free(o);
    __atomic_fetch_add(&freed, 1, __ATOMIC_RELAXED);
}

static void *reader_thread(void *arg)
{
    unsigned id = (unsigned)(uint64_t)arg;
    unsigned n = 0;

    fixture_cpu_become(id);
    while (!load_acquire(&stop)) {
        struct object *o = load_acquire(&published);

        for (unsigned i = 0; o && i < 10; i++) {
            assert_int_equal(read_once(o->mark), MARK);
        }
        __atomic_fetch_add(&looked, o != NULL, __ATOMIC_RELAXED);
        if (++n % 64 == 0) {
            quiesce_idle();
            quiesce_resume();
        } else {
            quiesce_point();
        }
    }
    quiesce_idle();
    return NULL;
}

static void objects_live_as_long_as_anyone_uses_them(void **state)
{
    pthread_t t[CPUS];
    uint64_t made = 0;

    (void)state;
    store_release(&stop, 0);
    freed = 0;
    looked = 0;
    for (uint64_t i = 1; i < CPUS; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, reader_thread, (void *)i),
                         0);
    }
    for (; made < ROUNDS || load_acquire(&looked) < OVERLAP; made++) {
        struct object *o = malloc(sizeof(*o));
        struct object *old;

        assert_non_null(o);
        o->mark = MARK;
        old = __atomic_exchange_n(&published, o, __ATOMIC_ACQ_REL);
        if (old) {
            quiesce_defer(&old->item, object_free);
        }
        quiesce_point();
    }
    quiesce_defer(
        &__atomic_exchange_n(&published, NULL, __ATOMIC_ACQ_REL)->item,
        object_free);
    store_release(&stop, 1);
    for (unsigned i = 1; i < CPUS; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
    }
    fixture_quiesce();
    assert_int_equal(freed, made);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(defer_runs_at_own_point_when_others_idle),
        CASE(defer_waits_for_every_running_cpu),
        CASE(defer_after_point_waits_for_the_next),
        CASE(defer_counts_cpus_that_are_not_online_out),
        CASE(idle_of_last_cpu_runs_everything),
        CASE(idle_cpu_that_resumes_counts_again),
        CASE(point_has_a_budget),
        CASE(item_may_defer_itself_again),
        CASE(frame_puts_add_up_on_one_frame),
        CASE(frame_put_of_many_frames_returns_all),
        CASE(laggard_in_guest_mode_is_kicked_after_a_while),
        CASE(laggard_in_guest_mode_is_kicked_by_idle_cpu),
        CASE(laggard_is_kicked_seldom_however_often_others_go_idle),
        CASE(laggard_is_not_kicked_from_the_past),
        CASE(idle_with_much_to_do_goes_round),
        CASE(objects_live_as_long_as_anyone_uses_them),
    };

    return cmocka_run_group_tests_name("quiesce", tests, NULL, NULL);
}
