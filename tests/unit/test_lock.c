/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranked ticket locks and the debug check of their order.
 */

#include "fixture.h"

#include <pthread.h>
#include <string.h>

#include "arch_inline.h"
#include "ravelin/lock.h"

static struct spinlock low = SPINLOCK_INIT(LOCK_RANK_DOMAIN);
static struct spinlock low_too = SPINLOCK_INIT(LOCK_RANK_DOMAIN);
static struct spinlock high = SPINLOCK_INIT(LOCK_RANK_P2M);

static int setup(void **state)
{
    (void)state;
    spin_init(&low, LOCK_RANK_DOMAIN);
    spin_init(&low_too, LOCK_RANK_DOMAIN);
    spin_init(&high, LOCK_RANK_P2M);
    fixture_machine_create(4, FIXTURE_MIB(4));
    return 0;
}

/* Some cases end in a panic with locks held: no fixture_machine_destroy(). */
static int teardown(void **state)
{
    (void)state;
    fake_this_cpu = NULL;
    fake_ram_destroy();
    return 0;
}

static void lock_in_order_is_accepted(void **state)
{
    struct cpu *c = this_cpu();

    (void)state;
    spin_lock(&low);
    spin_lock(&high);
    assert_true(spin_is_locked(&low));
    assert_int_equal(c->locks_held[LOCK_RANK_DOMAIN], 1);
    assert_int_equal(c->locks_held[LOCK_RANK_P2M], 1);
    /* Any order of release. */
    spin_unlock(&low);
    assert_false(spin_is_locked(&low));
    spin_unlock(&high);
    assert_int_equal(c->locks_held[LOCK_RANK_P2M], 0);
    spin_lock(&low);
    spin_unlock(&low);
}

static void take_both(void *ctx)
{
    struct spinlock **locks = ctx;

    spin_lock(locks[0]);
    spin_lock(locks[1]);
}

static void lock_against_order_panics(void **state)
{
    struct spinlock *locks[] = {&high, &low};

    (void)state;
    assert_true(fake_panics(take_both, locks));
    assert_non_null(strstr(fake_panic_message, "lock order"));
}

static void lock_same_rank_panics(void **state)
{
    struct spinlock *locks[] = {&low, &low_too};

    (void)state;
    assert_true(fake_panics(take_both, locks));
}

static void lock_twice_panics_instead_of_hanging(void **state)
{
    struct spinlock *locks[] = {&low, &low};

    (void)state;
    assert_true(fake_panics(take_both, locks));
}

static void release(void *ctx)
{
    spin_unlock(ctx);
}

static void unlock_not_held_panics(void **state)
{
    (void)state;
    assert_true(fake_panics(release, &low));
}

static void trylock_taken_fails_and_counts_nothing(void **state)
{
    struct cpu *c = this_cpu();

    (void)state;
    assert_true(spin_trylock(&low));
    assert_false(spin_trylock(&low));
    assert_int_equal(c->locks_held[LOCK_RANK_DOMAIN], 1);
    /* A try cannot deadlock, so the same rank is allowed. */
    assert_true(spin_trylock(&low_too));
    assert_int_equal(c->locks_held[LOCK_RANK_DOMAIN], 2);
    spin_unlock(&low_too);
    spin_unlock(&low);
    assert_int_equal(c->locks_held[LOCK_RANK_DOMAIN], 0);
}

static void ticket_wraps_around(void **state)
{
    (void)state;
    low.next = low.serving = UINT16_MAX;
    spin_lock(&low);
    assert_true(spin_is_locked(&low));
    spin_unlock(&low);
    assert_false(spin_is_locked(&low));
    assert_int_equal(low.serving, 0);
    assert_true(spin_trylock(&low));
    spin_unlock(&low);
}

#define THREADS 4u
#define ROUNDS 20000u

static uint64_t counter; /* protected by low */

static void *count_thread(void *arg)
{
    fake_this_cpu = cpu_by_id((unsigned)(uint64_t)arg);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i % 3 == 0) {
            while (!spin_trylock(&low)) {
                cpu_relax();
            }
        } else {
            spin_lock(&low);
        }
        counter++;
        spin_unlock(&low);
    }
    return NULL;
}

static void lock_concurrent_excludes(void **state)
{
    pthread_t t[THREADS];

    (void)state;
    counter = 0;
    for (uint64_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, count_thread, (void *)i),
                         0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
    }
    assert_int_equal(counter, THREADS * ROUNDS);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lock_in_order_is_accepted),
        CASE(lock_against_order_panics),
        CASE(lock_same_rank_panics),
        CASE(lock_twice_panics_instead_of_hanging),
        CASE(unlock_not_held_panics),
        CASE(trylock_taken_fails_and_counts_nothing),
        CASE(ticket_wraps_around),
        CASE(lock_concurrent_excludes),
    };

    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
