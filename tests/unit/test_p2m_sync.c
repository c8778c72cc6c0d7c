/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m against the rest of the machine: the wait of p2m_unlock, teardown in
 * steps, and lookups that race with removal.
 */

#include "p2m_fixture.h"

#include <pthread.h>

#include "arch_inline.h"
#include "ravelin/quiesce.h"

/* ---- The wait of p2m_unlock ---- */

static void generation_is_bumped_by_what_takes_away(void **state)
{
    mfn_t m = pm_frame(0);
    uint64_t generation = pm_domain->p2m.generation;

    (void)state;
    assert_int_equal(pm_map(5, m, 0, P2M_RAM, ACCESS_ALL), 0);
    assert_int_equal(pm_domain->p2m.generation, generation);
    assert_int_equal(pm_access_set(5, ACCESS_ALL), 0);
    assert_int_equal(pm_domain->p2m.generation, generation);
    assert_int_equal(pm_access_set(5, ACCESS_READ), 0);
    assert_int_equal(pm_domain->p2m.generation, generation + 1);
    assert_int_equal(pm_unmap(5, 0), 0);
    assert_int_equal(pm_domain->p2m.generation, generation + 2);
    assert_int_equal(pm_unmap(5, 0), 0);
    assert_int_equal(pm_domain->p2m.generation, generation + 2);
}

static unsigned kicks_seen;

static void leave_guest(struct cpu *c)
{
    kicks_seen++;
    c->in_guest = false;
}

static void unlock_kicks_vcpu_in_guest_mode(void **state)
{
    struct vcpu *v = pm_domain->vcpu[0];
    struct cpu *c = cpu_by_id(2);
    mfn_t m = pm_frame(0);

    (void)state;
    assert_int_equal(pm_map(5, m, 0, P2M_RAM, ACCESS_ALL), 0);
    v->cpu = c;
    c->current = v;
    c->in_guest = true;
    v->tlb_seen = pm_domain->p2m.generation;
    kicks_seen = 0;
    fake_kick_hook = leave_guest;
    assert_int_equal(pm_unmap(5, 0), 0);
    assert_int_equal(kicks_seen, 1);
    assert_int_equal(fake_kick_count(c), 1);
    c->current = NULL;
    v->cpu = cpu_by_id(0);
}

static unsigned relax_count;

/* The other CPU enters with a flush while we wait: that is enough. */
static void flush_while_waited(void)
{
    if (++relax_count == 3) {
        store_release(&pm_domain->vcpu[0]->tlb_seen, pm_domain->p2m.generation);
    }
}

static void unlock_waits_until_vcpu_has_flushed(void **state)
{
    struct vcpu *v = pm_domain->vcpu[0];
    struct cpu *c = cpu_by_id(2);
    mfn_t m = pm_frame(0);

    (void)state;
    assert_int_equal(pm_map(5, m, 0, P2M_RAM, ACCESS_ALL), 0);
    v->cpu = c;
    c->current = v;
    c->in_guest = true;
    relax_count = 0;
    fake_relax_hook = flush_while_waited;
    assert_int_equal(pm_access_set(5, ACCESS_READ), 0);
    assert_int_equal(relax_count, 3);
    fake_relax_hook = NULL;
    c->in_guest = false;
    c->current = NULL;
    v->cpu = cpu_by_id(0);
}

static void unlock_leaves_others_alone(void **state)
{
    struct domain *other = fixture_domain_create(9, 1, 0, 0);
    struct vcpu *v = pm_domain->vcpu[0];
    struct cpu *c = cpu_by_id(2);
    mfn_t m = pm_frame(0);

    (void)state;
    assert_int_equal(pm_map(5, m, 0, P2M_RAM, ACCESS_ALL), 0);
    /* CPU 2 runs another domain, ours ran there before. */
    v->cpu = c;
    c->current = other->vcpu[0];
    c->in_guest = true;
    assert_int_equal(pm_unmap(5, 0), 0);
    assert_int_equal(fake_kick_count(c), 0);
    c->in_guest = false;
    c->current = NULL;
    v->cpu = cpu_by_id(0);
    fixture_domain_destroy(other);
}

/* ---- Teardown ---- */

static void p2m_teardown_large_is_resumable(void **state)
{
    struct domain *big = fixture_domain_create(9, 0, 5000, 0);
    unsigned steps = 1;

    (void)state;
    while (p2m_teardown(&big->p2m) == -RV_ERESTART) {
        steps++;
        assert_true(steps < 100);
    }
    assert_int_equal(steps, 5);
    assert_int_equal(p2m_lookup(&big->p2m, gfn(0)).type, P2M_NONE);
    assert_int_equal(big->p2m.table_count, 0);
    assert_int_equal(p2m_teardown(&big->p2m), 0);
    fixture_domain_destroy(big);
}

static void p2m_teardown_superpages_returns_all(void **state)
{
    uint64_t frames = frame_free_count();
    struct domain *big = fixture_domain_create(9, 0, 0, 1UL << 19);
    struct p2m_locked p2m = p2m_lock(&big->p2m);
    mfn_t m;
    mfn_t n;

    (void)state;
    assert_int_equal(frame_alloc_domain(big, 18, &m), 0);
    assert_int_equal(frame_alloc_domain(big, 9, &n), 0);
    assert_int_equal(p2m_map(p2m, gfn(1UL << 18), m, 18, P2M_RAM, 7), 0);
    assert_int_equal(p2m_map(p2m, gfn(512), n, 9, P2M_RAM, 7), 0);
    p2m_unlock(&p2m);
    fixture_domain_destroy(big);
    assert_int_equal(frame_free_count(), frames);
}

static void p2m_teardown_without_memory_still_ends(void **state)
{
    uint64_t frames = frame_free_count();
    struct domain *big = fixture_domain_create(9, 0, 0, 1UL << 19);
    struct p2m_locked p2m = p2m_lock(&big->p2m);
    mfn_t m;

    (void)state;
    assert_int_equal(frame_alloc_domain(big, 18, &m), 0);
    assert_int_equal(p2m_map(p2m, gfn(0), m, 18, P2M_RAM, 7), 0);
    p2m_unlock(&p2m);
    frame_pool_fail_after(0);
    while (p2m_teardown(&big->p2m) == -RV_ERESTART) {
    }
    fixture_domain_destroy(big);
    assert_int_equal(frame_free_count(), frames);
}

/* ---- Threads ---- */

#define ROUNDS 3000u

/* The other threads must have been at it this often before a test may end. */
#define OVERLAP 1000u

static uint32_t stop; /* atomic */
static uint64_t seen; /* atomic; what the other threads have done */

/* Looks up, reads the frame, passes a quiescent point. A frame must keep its
 * mark as long as the reader may look at it. */
static void *lookup_thread(void *arg)
{
    fixture_cpu_become((unsigned)(uint64_t)arg);
    while (!load_acquire(&stop)) {
        for (uint64_t g = 0; g < 4; g++) {
            struct p2m_entry e = p2m_lookup(&pm_domain->p2m, gfn(g << 9));

            if (e.type == P2M_RAM) {
                uint64_t *p = host_ptr(mfn_to_hpa(e.mfn));

                assert_int_equal(load_acquire(p), 0x600d600d);
                __atomic_fetch_add(&seen, 1, __ATOMIC_RELAXED);
            }
        }
        quiesce_point();
    }
    quiesce_idle();
    return NULL;
}

static void map_marked(uint64_t g)
{
    mfn_t m;
    int rc;

    /* The limit is tight: memory comes back with quiescence. */
    while ((rc = frame_alloc_domain(pm_domain, 0, &m)) == -RV_E2BIG) {
        quiesce_point();
    }
    assert_int_equal(rc, 0);
    store_release((uint64_t *)host_ptr(mfn_to_hpa(m)), 0x600d600d);
    assert_int_equal(pm_map(g, m, 0, P2M_RAM, ACCESS_ALL), 0);
}

static void p2m_lookup_concurrent_with_unmap_is_safe(void **state)
{
    pthread_t t[3];

    (void)state;
    store_release(&stop, 0);
    store_release(&seen, 0);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(
            pthread_create(&t[i], NULL, lookup_thread, (void *)(i + 1)), 0);
    }
    for (unsigned i = 0; i < ROUNDS || load_acquire(&seen) < OVERLAP; i++) {
        map_marked((i % 4UL) << 9);
        if (i >= 2) {
            uint64_t g = ((i - 2) % 4UL) << 9;
            mfn_t m = p2m_lookup(&pm_domain->p2m, gfn(g)).mfn;

            assert_int_equal(pm_unmap(g, 0), 0);
            assert_int_equal(frame_owner(m), FRAME_OWNER_HYPERVISOR);
        }
        quiesce_point();
    }
    store_release(&stop, 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
    }
}

/* A CPU loop in miniature against a CPU that restricts rights: after unlock
 * the "guest" must never be seen with the old translation. */
static uint64_t now_writable; /* atomic; 0: p2m_unlock has promised */

static void *guest_thread(void *arg)
{
    struct vcpu *v = pm_domain->vcpu[0];
    uint64_t generation;
    uint64_t tlb = 0;
    struct cpu *c;

    (void)arg;
    fixture_cpu_become(1);
    c = this_cpu();
    while (!load_acquire(&stop)) {
        store_release(&v->cpu, c);
        store_release(&c->current, v);
        write_once(c->in_guest, true);
        full_barrier();
        generation = load_acquire(&pm_domain->p2m.generation);
        if (v->tlb_seen != generation) {
            tlb = 0;
            store_release(&v->tlb_seen, generation);
        }
        for (unsigned i = 0; i < 20; i++) {
            if (tlb == 0) {
                tlb = p2m_lookup(&pm_domain->p2m, gfn(5)).access;
            }
            assert_false(tlb == ACCESS_ALL && !load_acquire(&now_writable));
        }
        __atomic_fetch_add(&seen, 1, __ATOMIC_RELAXED);
        store_release(&c->in_guest, false);
        quiesce_point();
    }
    quiesce_idle();
    return NULL;
}

static void access_set_is_seen_by_running_vcpu_before_return(void **state)
{
    mfn_t m = pm_frame(0);
    pthread_t t;

    (void)state;
    assert_int_equal(pm_map(5, m, 0, P2M_RAM, ACCESS_ALL), 0);
    store_release(&stop, 0);
    store_release(&seen, 0);
    store_release(&now_writable, 1);
    assert_int_equal(pthread_create(&t, NULL, guest_thread, NULL), 0);
    for (unsigned i = 0; i < ROUNDS || load_acquire(&seen) < OVERLAP; i++) {
        assert_int_equal(pm_access_set(5, ACCESS_READ), 0);
        store_release(&now_writable, 0);
        for (unsigned k = 0; k < 50; k++) {
            compiler_barrier();
        }
        store_release(&now_writable, 1);
        assert_int_equal(pm_access_set(5, ACCESS_ALL), 0);
        quiesce_point();
    }
    store_release(&stop, 1);
    assert_int_equal(pthread_join(t, NULL), 0);
    store_release(&pm_domain->vcpu[0]->cpu, cpu_by_id(0));
    cpu_by_id(1)->current = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PM_CASE(generation_is_bumped_by_what_takes_away),
        PM_CASE(unlock_kicks_vcpu_in_guest_mode),
        PM_CASE(unlock_waits_until_vcpu_has_flushed),
        PM_CASE(unlock_leaves_others_alone),
        PM_CASE(p2m_teardown_large_is_resumable),
        PM_CASE(p2m_teardown_superpages_returns_all),
        PM_CASE(p2m_teardown_without_memory_still_ends),
        PM_CASE(p2m_lookup_concurrent_with_unmap_is_safe),
        PM_CASE(access_set_is_seen_by_running_vcpu_before_return),
    };

    return cmocka_run_group_tests_name("p2m_sync", tests, NULL, NULL);
}
