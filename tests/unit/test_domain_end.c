/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends: of a domain, which returns everything once nobody looks at it any more,
 * and of the machine, when the domain ends that it stands for.
 */

#include "core_fixture.h"

#include "fake.h"
#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"
#include "ravelin/sched.h"

/* ---- The machine's end ---- */

static void domain_shutdown_hardware_domain_ends_machine(void **state)
{
    (void)state;
    struct domain *d = core_domain_with(1, ROLE_HARDWARE, 0, 0);

    core_domain_start(d);
    domain_shutdown(d, SHUTDOWN_SUSPEND);
    assert_int_equal(fake_power.poweroff_count, 0);
    assert_int_equal(domain_resume(d), 0);
    domain_shutdown(d, SHUTDOWN_CRASH);
    core_settle();
    assert_int_equal(fake_power.poweroff_count, 1);
    assert_int_equal(fake_power.poweroff_code, SHUTDOWN_CRASH);
    assert_int_equal(domain_count(), 0);
}

static void domain_shutdown_hardware_domain_reboots_machine(void **state)
{
    (void)state;
    struct domain *d = core_domain_with(1, ROLE_HARDWARE | ROLE_CONTROL, 0, 0);

    core_domain_start(d);
    domain_shutdown(d, SHUTDOWN_REBOOT);
    core_settle();
    assert_int_equal(fake_power.reboot_count, 1);
    assert_int_equal(fake_power.poweroff_count, 0);
    assert_int_equal(domain_count(), 0);
}

static void domain_destroy_running_hardware_domain_ends_machine(void **state)
{
    (void)state;
    struct domain *d = core_domain_with(1, ROLE_HARDWARE, 0, 0);

    core_domain_start(d);
    core_domain_destroy(d);
    assert_int_equal(fake_power.poweroff_count, 1);
}

static void domain_shutdown_control_domain_leaves_machine(void **state)
{
    (void)state;
    struct domain *d = core_domain_with(1, ROLE_CONTROL | ROLE_MONITOR, 0, 0);

    core_domain_start(d);
    domain_shutdown(d, SHUTDOWN_POWEROFF);
    core_domain_destroy(d);
    assert_int_equal(fake_power.poweroff_count, 0);
    assert_int_equal(fake_power.reboot_count, 0);
}

static void domain_last_end_poweroff_waits_for_the_last(void **state)
{
    (void)state;
    struct domain *a = core_domain_running(1);
    struct domain *b = core_domain_running(1);

    (void)core_domain(1); /* paused: nobody waits for it */
    domain_last_end_set(MANIFEST_LAST_POWEROFF);
    domain_shutdown(a, SHUTDOWN_POWEROFF);
    assert_int_equal(fake_power.poweroff_count, 0);
    assert_int_equal(domain_count(), 3);
    domain_shutdown(b, SHUTDOWN_CRASH);
    core_settle();
    assert_int_equal(fake_power.poweroff_count, 1);
    assert_int_equal(fake_power.poweroff_code, 0);
    assert_int_equal(domain_count(), 0);
}

static void domain_last_end_set_with_nobody_running_ends_at_once(void **state)
{
    (void)state;
    domain_last_end_set(MANIFEST_LAST_POWEROFF);
    core_settle();
    assert_int_equal(fake_power.poweroff_count, 1);
}

/* ---- Destruction ---- */

static void domain_destroy_waits_until_vcpus_are_unloaded(void **state)
{
    (void)state;
    struct domain *d = core_domain_running(1);
    struct vcpu *v = d->vcpu[0];
    unsigned on = core_turn(0) == v ? 0 : 1;

    assert_ptr_equal(core_turn(on), v);
    core_cpu(1 - on);
    assert_int_equal(domain_destroy(d), -RV_ERESTART);
    assert_int_equal(d->state, DOMAIN_DYING);
    assert_true(domain_is_dying(d));
    assert_true(read_once(cpu_by_id(on)->resched));
    assert_int_equal(domain_destroy(d), -RV_ERESTART);
    assert_null(core_turn(on));
    core_cpu(1 - on);
    assert_int_equal(domain_destroy(d), 0);
    assert_int_equal(d->state, DOMAIN_DEAD);
    assert_int_equal(domain_destroy(d), 0);
    core_settle();
}

static void domain_destroy_frees_events_memory_and_pins(void **state)
{
    (void)state;
    uint64_t before = frame_free_count();
    struct domain *d = core_domain_running(4);
    struct p2m_locked held;
    evtchn_port_t port;
    mfn_t m;

    for (unsigned i = 0; i < 600; i++) {
        assert_int_equal(evtchn_alloc_unbound(d, 0, &port), 0);
    }
    held = p2m_lock(&d->p2m);
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(frame_alloc_domain(d, 0, &m), 0);
        assert_int_equal(p2m_map(held, gfn(i * 24), m, 0, P2M_RAM, 7), 0);
    }
    p2m_unlock(&held);
    assert_int_equal(d->page_count, 300);
    core_domain_destroy(d);
    assert_int_equal(frame_free_count(), before);
}

static void domain_destroy_with_foreign_frame_stays_visible(void **state)
{
    (void)state;
    struct domain *d = core_domain(1);
    domid_t id = d->id;
    struct p2m_locked held;
    mfn_t m;

    held = p2m_lock(&d->p2m);
    assert_int_equal(frame_alloc_domain(d, 0, &m), 0);
    assert_int_equal(p2m_map(held, gfn(1), m, 0, P2M_RAM, 7), 0);
    p2m_unlock(&held);
    assert_true(frame_get(m, id)); /* as a foreign mapping would */
    core_domain_destroy(d);
    assert_ptr_equal(domain_lookup(id), d);
    assert_int_equal(d->state, DOMAIN_DEAD);
    frame_put(m);
    core_settle();
    assert_null(domain_lookup(id));
}

static void domain_put_reference_keeps_domain(void **state)
{
    (void)state;
    struct domain *d = core_domain(1);
    domid_t id = d->id;

    assert_true(domain_get(d));
    core_domain_destroy(d);
    assert_ptr_equal(domain_lookup(id), d);
    domain_put(d);
    assert_false(domain_get(d));
    core_settle();
    assert_null(domain_lookup(id));
}

static void domain_crash_apply_destroy_policy_reaps(void **state)
{
    (void)state;
    uint64_t before = frame_free_count();
    struct domain *d = core_domain_running(2); /* policy 0: destroy */
    domid_t id = d->id;

    assert_int_equal(d->crash_policy, MANIFEST_CRASH_DESTROY);
    core_turn(0);
    core_turn(1);
    core_cpu(0);
    domain_crash_apply(d); /* on behalf of the vCPU running here */
    domain_crash_apply(d);
    core_settle();
    assert_null(domain_lookup(id));
    assert_int_equal(frame_free_count(), before);
}

static void domain_crash_apply_preserve_policy_keeps_it(void **state)
{
    (void)state;
    struct domain *d = core_domain_running(1);

    d->crash_policy = MANIFEST_CRASH_PRESERVE;
    domain_crash_apply(d);
    core_settle();
    assert_ptr_equal(domain_lookup(d->id), d);
    assert_int_equal(d->state, DOMAIN_SHUTDOWN);
    assert_int_equal(d->shutdown_code, SHUTDOWN_CRASH);
    core_domain_destroy(d);
}

static void domain_create_destroy_100_times_leaks_nothing(void **state)
{
    (void)state;
    uint64_t before = frame_free_count();

    for (unsigned i = 0; i < 100; i++) {
        struct domain *d = core_domain_running(1 + i % 4);
        evtchn_port_t port;

        assert_int_equal(evtchn_bind_ipi(d, 0, &port), 0);
        assert_int_equal(evtchn_send(d, port), 0);
        core_turn(i % 2);
        core_domain_destroy(d);
        assert_int_equal(frame_free_count(), before);
    }
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, core_pair_setup, core_teardown)
    const struct CMUnitTest tests[] = {
        CASE(domain_shutdown_hardware_domain_ends_machine),
        CASE(domain_shutdown_hardware_domain_reboots_machine),
        CASE(domain_destroy_running_hardware_domain_ends_machine),
        CASE(domain_shutdown_control_domain_leaves_machine),
        CASE(domain_last_end_poweroff_waits_for_the_last),
        CASE(domain_last_end_set_with_nobody_running_ends_at_once),
        CASE(domain_destroy_waits_until_vcpus_are_unloaded),
        CASE(domain_destroy_frees_events_memory_and_pins),
        CASE(domain_destroy_with_foreign_frame_stays_visible),
        CASE(domain_put_reference_keeps_domain),
        CASE(domain_crash_apply_destroy_policy_reaps),
        CASE(domain_crash_apply_preserve_policy_keeps_it),
        CASE(domain_create_destroy_100_times_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
