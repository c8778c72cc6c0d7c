/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Life cycle of domains: creation that is complete or leaves nothing, lookup,
 * legal and illegal moves, shutdown and who is told of it.
 */

#include "core_fixture.h"

#include <stdio.h>

#include "fake.h"
#include "public/xen.h"
#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"
#include "ravelin/sched.h"

/* ---- Creation and lookup ---- */

static void domain_create_valid_is_complete_and_paused(void **state)
{
    (void)state;
    const struct domain_config cfg = {
        .name = "alpha",
        .id = 7,
        .roles = ROLE_MONITOR,
        .vcpu_count = 3,
        .max_pages = 10,
        .uuid = {1, 2, 3},
        .ssidref = 9,
    };
    struct domain *d;

    assert_int_equal(domain_create(&cfg, &d), 0);
    assert_ptr_equal(domain_lookup(7), d);
    assert_string_equal(d->name, "alpha");
    assert_int_equal(d->state, DOMAIN_BUILDING);
    assert_int_equal(d->pause_count, 1);
    assert_int_equal(d->vcpu_count, 3);
    assert_int_equal(d->weight, SCHED_WEIGHT_DEFAULT);
    assert_int_equal(d->uuid[2], 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_false(vcpu_is_up(d->vcpu[i]));
        assert_ptr_equal(domain_vcpu(d, i)->domain, d);
    }
    assert_null(domain_vcpu(d, 3));
    core_domain_destroy(d);
    assert_null(domain_lookup(7));
}

static void domain_create_bad_config_returns_einval(void **state)
{
    (void)state;
    const struct domain_config good = {
        .id = DOMID_INVALID, .vcpu_count = 1, .max_pages = 1};
    struct domain_config bad[8];
    struct domain *d;

    for (unsigned i = 0; i < 8; i++) {
        bad[i] = good;
    }
    bad[0].vcpu_count = 0;
    bad[1].vcpu_count = VCPU_COUNT_MAX + 1;
    bad[2].roles = ROLE_MASK + 1;
    bad[3].weight = SCHED_WEIGHT_MAX + 1;
    bad[4].gfn_limit = (1UL << 36) + 1;
    bad[5].id = DOMID_FIRST_RESERVED;
    bad[6].affinity = 1UL << 60; /* no such CPU */
    bad[7].evtchn_port_max = 4096;
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(domain_create(&bad[i], &d), -RV_EINVAL);
    }
    assert_int_equal(domain_count(), 0);
}

static void domain_create_used_id_returns_eexist(void **state)
{
    (void)state;
    const struct domain_config cfg = {.id = 5, .vcpu_count = 1, .max_pages = 1};
    struct domain *d;
    struct domain *e;

    assert_int_equal(domain_create(&cfg, &d), 0);
    assert_int_equal(domain_create(&cfg, &e), -RV_EEXIST);
    core_domain_destroy(d);
    assert_int_equal(domain_create(&cfg, &d), 0);
    core_domain_destroy(d);
}

static void domain_create_id_still_quiescing_returns_erestart(void **state)
{
    (void)state;
    const struct domain_config cfg = {.id = 5, .vcpu_count = 1, .max_pages = 1};
    struct domain *d;

    assert_int_equal(domain_create(&cfg, &d), 0);
    assert_int_equal(domain_destroy(d), 0);
    /* Only CPU 0 passes: unlinked perhaps, but never freed. */
    for (unsigned i = 0; i < 10; i++) {
        int rc;

        core_turn(0);
        rc = domain_create(&cfg, &d);
        assert_true(rc == -RV_EEXIST || rc == -RV_ERESTART);
    }
    core_turn(1);
    core_turn(0);
    assert_null(domain_lookup(5));
    assert_int_equal(domain_create(&cfg, &d), -RV_ERESTART);
    core_settle();
    assert_int_equal(domain_create(&cfg, &d), 0);
    core_domain_destroy(d);
}

static void domain_create_without_id_takes_lowest_free(void **state)
{
    (void)state;
    struct domain *a = core_domain(1);
    struct domain *b = core_domain(1);
    struct domain *c;

    assert_int_equal(a->id, 1);
    assert_int_equal(b->id, 2);
    core_domain_destroy(a);
    c = core_domain(1);
    assert_int_equal(c->id, 1);
    assert_string_equal(c->name, "dom1");
    core_domain_destroy(b);
    core_domain_destroy(c);
}

static void domain_lookup_from_walks_in_order(void **state)
{
    (void)state;
    static const domid_t ids[] = {300, 2, 66, 130, 0};
    static const domid_t sorted[] = {0, 2, 66, 130, 300};
    struct domain *d[5];
    unsigned n = 0;

    for (unsigned i = 0; i < 5; i++) {
        const struct domain_config cfg = {
            .id = ids[i], .vcpu_count = 1, .max_pages = 1};

        assert_int_equal(domain_create(&cfg, &d[i]), 0);
    }
    domain_for_each(e)
    {
        assert_int_equal(e->id, sorted[n++]);
    }
    assert_int_equal(n, 5);
    assert_int_equal(domain_lookup_from(67)->id, 130);
    assert_null(domain_lookup_from(301));
    assert_null(domain_lookup(194)); /* same hash bucket as 2 and 66 */
    for (unsigned i = 0; i < 5; i++) {
        assert_ptr_equal(domain_lookup(ids[i]), d[i]);
        core_domain_destroy(d[i]);
        assert_null(domain_lookup(ids[i]));
    }
}

/* Each allocation of a creation fails in turn; nothing may be left behind. */
static void domain_create_any_allocation_fails_leaves_nothing(void **state)
{
    (void)state;
    const struct domain_config cfg = {
        .id = 3, .vcpu_count = 4, .max_pages = 100};
    uint64_t before = frame_free_count();
    unsigned failures = 0;
    struct domain *d = NULL;
    int rc;

    for (;;) {
        frame_pool_fail_after((int64_t)failures);
        rc = domain_create(&cfg, &d);
        frame_pool_fail_after(-1);
        if (rc == 0) {
            break;
        }
        assert_int_equal(rc, -RV_ENOMEM);
        assert_null(domain_lookup(3));
        assert_int_equal(domain_count(), 0);
        core_settle();
        assert_int_equal(frame_free_count(), before);
        failures++;
        assert_true(failures < 1000);
    }
    printf("creation of 4 vCPUs: %u allocations, %lu frames\n", failures,
           before - frame_free_count());
    assert_true(failures >= 4 + 3); /* at least a page per vCPU and part */
    core_domain_destroy(d);
    assert_int_equal(frame_free_count(), before);
}

static void domain_create_overhead_within_bar(void **state)
{
    (void)state;
    uint64_t before = frame_free_count();
    struct domain *d = core_domain(1);
    uint64_t used = before - frame_free_count();

    printf("1 vCPU, no memory: %lu KiB\n", used * 4);
    assert_true(used * PAGE_SIZE <= 256 * 1024);
    core_domain_destroy(d);
}

/* ---- Pausing and states ---- */

static void domain_unpause_last_starts_domain(void **state)
{
    (void)state;
    struct domain *d = core_domain(1);

    domain_pause(d);
    assert_int_equal(vcpu_up(d->vcpu[0]), 0);
    assert_int_equal(vcpu_up(d->vcpu[0]), -RV_EINVAL);
    assert_int_equal(domain_unpause(d), 0);
    assert_int_equal(d->state, DOMAIN_BUILDING);
    assert_null(core_turn(0));
    assert_int_equal(domain_unpause(d), 0);
    assert_int_equal(d->state, DOMAIN_RUNNING);
    assert_int_equal(domain_unpause(d), -RV_EINVAL);
    assert_int_equal(d->vcpu[0]->flags, 0);
    core_domain_destroy(d);
}

static void vcpu_down_last_shuts_domain_down(void **state)
{
    (void)state;
    struct domain *d = core_domain_running(2);

    vcpu_down(d->vcpu[0]);
    assert_int_equal(d->state, DOMAIN_RUNNING);
    vcpu_down(d->vcpu[1]);
    assert_int_equal(d->state, DOMAIN_SHUTDOWN);
    assert_int_equal(d->shutdown_code, SHUTDOWN_POWEROFF);
    core_domain_destroy(d);
}

static void domain_shutdown_stops_vcpus_and_first_code_wins(void **state)
{
    (void)state;
    struct domain *d = core_domain_running(2);

    assert_non_null(core_turn(0));
    domain_shutdown(d, SHUTDOWN_REBOOT);
    domain_shutdown(d, SHUTDOWN_CRASH);
    assert_int_equal(d->state, DOMAIN_SHUTDOWN);
    assert_int_equal(d->shutdown_code, SHUTDOWN_REBOOT);
    core_settle();
    assert_null(core_turn(0));
    assert_null(core_turn(1));
    assert_true(vcpu_is_settled(d->vcpu[0]));
    assert_int_equal(fake_power.poweroff_count, 0);
    assert_int_equal(domain_resume(d), -RV_EINVAL);
    core_domain_destroy(d);
}

static void domain_shutdown_control_domain_hears_of_it(void **state)
{
    (void)state;
    struct domain *control = core_domain_with(1, ROLE_CONTROL, 0, 0);
    struct domain *other = core_domain_with(1, ROLE_MONITOR, 0, 0);
    struct domain *d = core_domain_running(1);
    evtchn_port_t port;
    evtchn_port_t other_port;

    assert_int_equal(evtchn_bind_virq(control, VIRQ_DOM_EXC, 0, &port), 0);
    assert_int_equal(evtchn_bind_virq(other, VIRQ_DOM_EXC, 0, &other_port), 0);
    assert_false(evtchn_port_is_pending(control, port));
    domain_shutdown(d, SHUTDOWN_POWEROFF);
    assert_true(evtchn_port_is_pending(control, port));
    assert_false(evtchn_port_is_pending(other, other_port));
    core_domain_destroy(d);
    core_domain_destroy(other);
    core_domain_destroy(control);
}

static void domain_resume_after_suspend_runs_again(void **state)
{
    (void)state;
    struct domain *d = core_domain_running(1);

    assert_int_equal(domain_resume(d), -RV_EINVAL);
    domain_shutdown(d, SHUTDOWN_SUSPEND);
    core_settle();
    assert_null(core_turn(0));
    assert_int_equal(domain_resume(d), 0);
    assert_int_equal(d->state, DOMAIN_RUNNING);
    core_settle();
    assert_true(core_turn(0) == d->vcpu[0] || core_turn(1) == d->vcpu[0]);
    core_domain_destroy(d);
    assert_int_equal(fake_power.poweroff_count, 0);
}

static void domain_shutdown_crash_is_told_as_such(void **state)
{
    (void)state;
    struct domain *d = core_domain_running(1);

    domain_shutdown_code_set(d, SHUTDOWN_POWEROFF);
    domain_shutdown(d, SHUTDOWN_CRASH);
    assert_int_equal(d->shutdown_code, SHUTDOWN_CRASH);
    core_domain_destroy(d);
}

/* One that is wound up in time, one that is given back, one that is not. */
static void domain_watchdog_run_down_ends_its_domain(void **state)
{
    (void)state;
    struct domain *d = core_domain_running(1);
    struct domain *other = core_domain_running(1);

    assert_int_equal(domain_watchdog_set(d, 0, 2), 1);
    assert_int_equal(domain_watchdog_set(d, 0, 3), 2);
    assert_int_equal(domain_watchdog_set(other, 0, 3), 1);
    fake_time_advance(1999999999);
    timers_run();
    assert_int_equal(domain_watchdog_set(d, 1, 2), 0);
    assert_int_equal(domain_watchdog_set(d, 2, 0), 0);
    fake_time_advance(1999999999);
    timers_run();
    assert_int_equal(d->state, DOMAIN_RUNNING);
    assert_int_equal(other->state, DOMAIN_SHUTDOWN);
    assert_int_equal(other->shutdown_code, SHUTDOWN_WATCHDOG);
    fake_time_advance(1);
    timers_run();
    assert_int_equal(d->state, DOMAIN_SHUTDOWN);
    assert_int_equal(d->shutdown_code, SHUTDOWN_WATCHDOG);
    core_domain_destroy(other);
    core_domain_destroy(d);
}

static void domain_destroy_stops_its_watchdogs(void **state)
{
    (void)state;
    struct domain *d = core_domain_running(1);

    assert_int_equal(domain_watchdog_set(d, 0, 1), 1);
    core_domain_destroy(d);
    fake_time_advance(2000000000);
    timers_run();
    assert_int_equal(timer_next_deadline(), TIMER_NEVER);
}

/* ---- Memory ---- */

static void domain_pages_charge_respects_limit(void **state)
{
    (void)state;
    struct domain *d = core_domain(1);

    d->max_pages = 10;
    assert_int_equal(domain_pages_charge(d, 8), 0);
    assert_int_equal(domain_pages_charge(d, 3), -RV_E2BIG);
    assert_int_equal(domain_pages_charge(d, UINT64_MAX), -RV_E2BIG);
    assert_int_equal(domain_pages_charge(d, 2), 0);
    assert_int_equal(d->page_count, 10);
    domain_pages_uncharge(d, 10);
    assert_int_equal(d->refcount, 1);
    core_domain_destroy(d);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, core_pair_setup, core_teardown)
    const struct CMUnitTest tests[] = {
        CASE(domain_create_valid_is_complete_and_paused),
        CASE(domain_create_bad_config_returns_einval),
        CASE(domain_create_used_id_returns_eexist),
        CASE(domain_create_id_still_quiescing_returns_erestart),
        CASE(domain_create_without_id_takes_lowest_free),
        CASE(domain_lookup_from_walks_in_order),
        CASE(domain_create_any_allocation_fails_leaves_nothing),
        CASE(domain_create_overhead_within_bar),
        CASE(domain_unpause_last_starts_domain),
        CASE(vcpu_down_last_shuts_domain_down),
        CASE(domain_shutdown_stops_vcpus_and_first_code_wins),
        CASE(domain_shutdown_control_domain_hears_of_it),
        CASE(domain_resume_after_suspend_runs_again),
        CASE(domain_shutdown_crash_is_told_as_such),
        CASE(domain_watchdog_run_down_ends_its_domain),
        CASE(domain_destroy_stops_its_watchdogs),
        CASE(domain_pages_charge_respects_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
