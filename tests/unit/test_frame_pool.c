/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frame pool: buddy lists, lazy descriptors, references, charging, injected
 * failures, and threads that race for the same frames.
 */

#include "fixture.h"

#include <pthread.h>
#include <string.h>

#include "arch_inline.h"
#include "frame.h"
#include "ravelin/errno.h"
#include "ravelin/quiesce.h"

#define RAM FIXTURE_MIB(64)
#define FRAMES (RAM >> PAGE_SHIFT)

static int setup(void **state)
{
    (void)state;
    fixture_machine_create(2, RAM);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_machine_destroy();
    return 0;
}

static void frame_pool_init_bad_end_returns_einval(void **state)
{
    (void)state;
    assert_int_equal(frame_pool_init(mfn(0), fake_early_alloc), -RV_EINVAL);
    assert_int_equal(frame_pool_init(mfn(1UL << 32), fake_early_alloc),
                     -RV_EINVAL);
    assert_int_equal(frame_pool_init(mfn(UINT64_MAX), fake_early_alloc),
                     -RV_EINVAL);
}

static void *no_memory(size_t bytes)
{
    (void)bytes;
    return NULL;
}

static void frame_pool_init_no_memory_returns_enomem(void **state)
{
    (void)state;
    assert_int_equal(frame_pool_init(mfn(512), no_memory), -RV_ENOMEM);
    /* The machine of this test is gone: a new one for the teardown. */
    fixture_machine_create(2, RAM);
}

static void frame_pool_counts_what_was_added(void **state)
{
    (void)state;
    assert_int_equal(frame_total_count(), FRAMES - FIXTURE_FIRST_FRAME);
    assert_int_equal(frame_free_count(), FRAMES - FIXTURE_FIRST_FRAME);
    assert_int_equal(frame_owner(mfn(0)), FRAME_OWNER_NONE);
    assert_int_equal(frame_owner(mfn(FIXTURE_FIRST_FRAME)), FRAME_OWNER_FREE);
    assert_int_equal(frame_owner(mfn(FRAMES - 1)), FRAME_OWNER_FREE);
    assert_int_equal(frame_owner(mfn(FRAMES)), FRAME_OWNER_NONE);
    assert_int_equal(frame_owner(INVALID_MFN), FRAME_OWNER_NONE);
    assert_false(frame_is_ram(mfn(FIXTURE_FIRST_FRAME - 1)));
    assert_true(frame_is_ram(mfn(FRAMES - 700)));
}

static void frame_pool_add_touches_few_descriptors(void **state)
{
    unsigned ready = 0;

    (void)state;
    for (uint64_t c = 0; c < FRAMES / FRAMES_PER_CHUNK; c++) {
        ready += frame_table.chunk[c] == CHUNK_READY;
    }
    /* 64 MiB less 1 MiB: blocks of 1M in chunk 0, then 2M, 4M .. 32M. */
    assert_int_equal(ready, 6);
}

static void add_again(void *ctx)
{
    (void)ctx;
    frame_pool_add(mfn(1024), 512);
}

static void add_part_again(void *ctx)
{
    (void)ctx;
    frame_pool_add(mfn(300), 1);
}

static void add_beyond(void *ctx)
{
    (void)ctx;
    frame_pool_add(mfn(FRAMES - 1), 2);
}

static void frame_pool_add_twice_or_beyond_panics(void **state)
{
    (void)state;
    assert_true(fake_panics(add_again, NULL));
    fixture_machine_create(2, RAM);
    assert_true(fake_panics(add_part_again, NULL));
    fixture_machine_create(2, RAM);
    assert_true(fake_panics(add_beyond, NULL));
    fixture_machine_create(2, RAM);
}

static void frame_alloc_every_order_is_aligned_and_counted(void **state)
{
    (void)state;
    for (unsigned order = 0; order <= 13; order++) {
        uint64_t before = frame_free_count();
        mfn_t f = frame_alloc(order);

        assert_false(mfn_is_invalid(f));
        assert_int_equal(f.v & ((1UL << order) - 1), 0);
        assert_int_equal(frame_free_count(), before - (1UL << order));
        for (uint64_t i = 0; i < 1UL << order; i++) {
            assert_int_equal(frame_owner(mfn(f.v + i)), FRAME_OWNER_HYPERVISOR);
            assert_int_equal(frame_ref_count(mfn(f.v + i)), 1);
        }
        pages_free(host_ptr(mfn_to_hpa(f)), order);
        assert_int_equal(frame_free_count(), before);
    }
}

static void frame_alloc_too_large_returns_invalid(void **state)
{
    (void)state;
    assert_true(mfn_is_invalid(frame_alloc(14)));
    assert_true(mfn_is_invalid(frame_alloc(FRAME_ORDER_MAX)));
    assert_true(mfn_is_invalid(frame_alloc(FRAME_ORDER_MAX + 1)));
    assert_true(mfn_is_invalid(frame_alloc(63)));
}

/* Takes all frames one by one, gives them back in an odd order, and then finds
 * the largest blocks whole again. */
static void frame_put_everything_merges_to_the_start(void **state)
{
    static uint32_t list[FRAMES];
    unsigned count = 0;
    mfn_t f;

    (void)state;
    while (!mfn_is_invalid(f = frame_alloc(0))) {
        list[count++] = (uint32_t)f.v;
    }
    assert_int_equal(count, FRAMES - FIXTURE_FIRST_FRAME);
    assert_int_equal(frame_free_count(), 0);
    for (unsigned step = 0; step < 7; step++) {
        for (unsigned i = step; i < count; i += 7) {
            frame_put(mfn(list[i]));
        }
    }
    f = frame_alloc(13);
    assert_false(mfn_is_invalid(f));
    pages_free(host_ptr(mfn_to_hpa(f)), 13);
}

static void page_alloc_reused_page_is_cleared(void **state)
{
    uint8_t *p = page_alloc();
    uint8_t *again;

    (void)state;
    assert_non_null(p);
    memset(p, 0x5a, PAGE_SIZE);
    page_free(p);
    again = page_alloc();
    assert_ptr_equal(again, p);
    for (unsigned i = 0; i < PAGE_SIZE; i++) {
        assert_int_equal(again[i], 0);
    }
    page_free(again);
}

static void frame_pool_fail_after_fails_exactly_once(void **state)
{
    uint64_t done = frame_alloc_count();
    void *a;
    void *b;

    (void)state;
    frame_pool_fail_after(1);
    a = page_alloc();
    assert_non_null(a);
    assert_null(page_alloc());
    b = page_alloc();
    assert_non_null(b);
    assert_int_equal(frame_alloc_count(), done + 2);
    page_free(a);
    page_free(b);
}

static void frame_get_checks_owner_and_use(void **state)
{
    struct domain *d = fixture_domain_create(FIXTURE_DOMID, 0, 0, 4);
    mfn_t f;

    (void)state;
    assert_int_equal(frame_alloc_domain(d, 0, &f), 0);
    assert_int_equal(frame_owner(f), FIXTURE_DOMID);
    assert_true(frame_get(f, FIXTURE_DOMID));
    assert_int_equal(frame_ref_count(f), 2);
    assert_false(frame_get(f, FIXTURE_DOMID + 1));
    assert_false(frame_get(f, FRAME_OWNER_HYPERVISOR));
    assert_int_equal(frame_ref_count(f), 2);
    frame_put(f);
    frame_put(f);
    assert_false(frame_get(f, FIXTURE_DOMID));
    assert_false(frame_get(mfn(0), FIXTURE_DOMID));
    assert_false(frame_get(mfn(FRAMES - 100), FRAME_OWNER_FREE));
    assert_false(frame_get(INVALID_MFN, FIXTURE_DOMID));
    fixture_domain_destroy(d);
}

static void frame_alloc_domain_over_limit_returns_e2big(void **state)
{
    struct domain *d = fixture_domain_create(FIXTURE_DOMID, 0, 0, 3);
    uint64_t before = frame_free_count();
    mfn_t f[3];
    mfn_t more;

    (void)state;
    assert_int_equal(frame_alloc_domain(d, 2, &more), -RV_E2BIG);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(frame_alloc_domain(d, 0, &f[i]), 0);
    }
    assert_int_equal(frame_alloc_domain(d, 0, &more), -RV_E2BIG);
    assert_int_equal(d->page_count, 3);
    assert_int_equal(frame_free_count(), before - 3);
    for (unsigned i = 0; i < 3; i++) {
        frame_put(f[i]);
    }
    assert_int_equal(d->page_count, 0);
    fixture_domain_destroy(d);
}

static void frame_alloc_domain_no_memory_returns_charge(void **state)
{
    struct domain *d = fixture_domain_create(FIXTURE_DOMID, 0, 0, 8);
    mfn_t f;

    (void)state;
    frame_pool_fail_after(0);
    assert_int_equal(frame_alloc_domain(d, 0, &f), -RV_ENOMEM);
    assert_int_equal(d->page_count, 0);
    assert_int_equal(frame_alloc_domain(d, FRAME_ORDER_MAX + 1, &f),
                     -RV_ENOMEM);
    fixture_domain_destroy(d);
}

static void frame_alloc_domain_memory_is_cleared(void **state)
{
    struct domain *d = fixture_domain_create(FIXTURE_DOMID, 0, 0, 8);
    uint8_t *p = page_alloc();
    mfn_t f;

    (void)state;
    memset(p, 0xee, PAGE_SIZE);
    page_free(p);
    assert_int_equal(frame_alloc_domain(d, 0, &f), 0);
    assert_ptr_equal(host_ptr(mfn_to_hpa(f)), p);
    for (unsigned i = 0; i < PAGE_SIZE; i++) {
        assert_int_equal(p[i], 0);
    }
    frame_put(f);
    fixture_domain_destroy(d);
}

/* A frame with nothing but deferred drops left is un-charged at once; one that
 * somebody else still holds is not. */
static void frame_deferred_put_returns_charge_when_last(void **state)
{
    struct domain *d = fixture_domain_create(FIXTURE_DOMID, 0, 0, 1);
    mfn_t f;
    mfn_t g;

    (void)state;
    assert_int_equal(frame_alloc_domain(d, 0, &f), 0);
    quiesce_defer_frame_put(f);
    assert_int_equal(d->page_count, 0);
    assert_false(frame_get(f, FIXTURE_DOMID));
    assert_int_equal(frame_alloc_domain(d, 0, &g), 0);
    assert_false(mfn_eq(f, g));

    frame_get_held(g);
    quiesce_defer_frame_put(g);
    assert_int_equal(d->page_count, 1);
    fixture_quiesce();
    assert_int_equal(frame_ref_count(g), 1);
    assert_int_equal(d->page_count, 1);
    frame_put(g);
    assert_int_equal(d->page_count, 0);
    fixture_domain_destroy(d);
}

static void put_free_frame(void *ctx)
{
    frame_put(*(mfn_t *)ctx);
}

static void frame_put_without_reference_panics(void **state)
{
    mfn_t f = frame_alloc(0);

    (void)state;
    frame_put(f);
    assert_true(fake_panics(put_free_frame, &f));
    fixture_machine_create(2, RAM);
}

/* ---- Threads ---- */

#define THREADS 4u
#define ROUNDS 20000u

static struct {
    struct domain *d;
    mfn_t shared;
} race;

/* Allocates and frees in changing sizes; memory must never be shared. */
static void *alloc_thread(void *arg)
{
    uint64_t id = (uint64_t)arg;
    uint64_t *held[8] = {NULL};
    unsigned order[8] = {0};

    fixture_cpu_become((unsigned)id);
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned k = (i * 5 + (unsigned)id) % 8;

        if (held[k]) {
            uint64_t last = ((1UL << order[k]) << PAGE_SHIFT) / 8 - 1;

            assert_int_equal(held[k][0], id << 32 | k);
            assert_int_equal(held[k][last], id << 32 | k);
            pages_free(held[k], order[k]);
        }
        order[k] = i % 4;
        held[k] = pages_alloc(order[k]);
        assert_non_null(held[k]);
        held[k][0] = id << 32 | k;
        held[k][((1UL << order[k]) << PAGE_SHIFT) / 8 - 1] = id << 32 | k;
    }
    for (unsigned k = 0; k < 8; k++) {
        if (held[k]) {
            pages_free(held[k], order[k]);
        }
    }
    quiesce_idle();
    return NULL;
}

static void threads_run(void *(*fn)(void *), unsigned count)
{
    pthread_t t[THREADS];

    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, fn, (void *)i), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
    }
}

static void frame_alloc_concurrent_never_shares(void **state)
{
    (void)state;
    fixture_machine_create(THREADS, RAM);
    threads_run(alloc_thread, THREADS);
}

/* Everybody takes and drops references of a frame that thread 0 frees in the
 * middle: after that nobody gets one any more. */
static void *get_thread(void *arg)
{
    uint64_t id = (uint64_t)arg;

    fixture_cpu_become((unsigned)id);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (frame_get(race.shared, FIXTURE_DOMID)) {
            assert_int_equal(frame_owner(race.shared), FIXTURE_DOMID);
            frame_put(race.shared);
        }
        if (id == 0 && i == ROUNDS / 2) {
            frame_put(race.shared);
        }
    }
    quiesce_idle();
    return NULL;
}

static void frame_get_concurrent_with_last_put_is_safe(void **state)
{
    (void)state;
    fixture_machine_create(THREADS, RAM);
    race.d = fixture_domain_create(FIXTURE_DOMID, 0, 0, 1);
    assert_int_equal(frame_alloc_domain(race.d, 0, &race.shared), 0);
    threads_run(get_thread, THREADS);
    fixture_cpu_become(0);
    assert_int_equal(frame_owner(race.shared), FRAME_OWNER_FREE);
    fixture_domain_destroy(race.d);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(frame_pool_init_bad_end_returns_einval),
        CASE(frame_pool_init_no_memory_returns_enomem),
        CASE(frame_pool_counts_what_was_added),
        CASE(frame_pool_add_touches_few_descriptors),
        CASE(frame_pool_add_twice_or_beyond_panics),
        CASE(frame_alloc_every_order_is_aligned_and_counted),
        CASE(frame_alloc_too_large_returns_invalid),
        CASE(frame_put_everything_merges_to_the_start),
        CASE(page_alloc_reused_page_is_cleared),
        CASE(frame_pool_fail_after_fails_exactly_once),
        CASE(frame_get_checks_owner_and_use),
        CASE(frame_alloc_domain_over_limit_returns_e2big),
        CASE(frame_alloc_domain_no_memory_returns_charge),
        CASE(frame_alloc_domain_memory_is_cleared),
        CASE(frame_deferred_put_returns_charge_when_last),
        CASE(frame_put_without_reference_panics),
        CASE(frame_alloc_concurrent_never_shares),
        CASE(frame_get_concurrent_with_last_put_is_safe),
    };

    return cmocka_run_group_tests_name("frame_pool", tests, NULL, NULL);
}
