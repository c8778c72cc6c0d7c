/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot CPU that runs no guest: where, and what the scheduler makes of it.
 */

#include "core_fixture.h"

#include "fake.h"
#include "ravelin/errno.h"
#include "ravelin/sched.h"
#include "ravelin/spare_cpu.h"

#define BOTH 3u

static int machine_down(void **state)
{
    (void)state;
    fake_play_tcg(false);
    core_machine_destroy();
    return 0;
}

static void machine_boot(unsigned cpus, bool tcg)
{
    core_machine_create(cpus);
    fake_play_tcg(tcg);
    boot_cpu_spare();
}

static struct domain *started(unsigned vcpus, uint64_t affinity)
{
    struct domain *d = core_domain_with(vcpus, 0, 0, affinity);

    core_domain_start(d);
    return d;
}

static void boot_cpu_spare_on_tcg_leaves_guests_to_the_others(void **state)
{
    struct domain *d;

    (void)state;
    machine_boot(2, true);
    d = started(2, 0);
    for (unsigned i = 0; i < 8; i++) {
        assert_null(core_turn(0));
        assert_non_null(core_turn(1));
        fake_time_advance(SCHED_SLICE_NS);
    }
    core_domain_destroy(d);
}

static void boot_cpu_spare_on_tcg_wakes_only_the_others(void **state)
{
    struct domain *d;
    struct vcpu *v;

    (void)state;
    machine_boot(2, true);
    d = started(1, BOTH);
    v = core_turn(1);
    assert_ptr_equal(v, d->vcpu[0]);
    vcpu_block(v);
    assert_null(core_turn(1));
    assert_null(core_turn(0));
    core_cpu(0);
    vcpu_wake(v);
    assert_null(core_turn(0));
    assert_ptr_equal(core_turn(1), v);
    core_domain_destroy(d);
}

static void boot_cpu_spare_on_tcg_refuses_a_pin_to_it(void **state)
{
    struct domain *d;

    (void)state;
    machine_boot(2, true);
    d = started(1, 0);
    assert_int_equal(sched_affinity_set(d->vcpu[0], 1), -RV_EINVAL);
    assert_int_equal(sched_affinity_set(d->vcpu[0], BOTH), 0);
    assert_int_equal(sched_affinity_get(d->vcpu[0]), 2);
    core_domain_destroy(d);
}

static void boot_cpu_spare_alone_on_tcg_runs_guests(void **state)
{
    struct domain *d;

    (void)state;
    machine_boot(1, true);
    d = started(1, 1);
    assert_ptr_equal(core_turn(0), d->vcpu[0]);
    core_domain_destroy(d);
}

static void boot_cpu_spare_elsewhere_changes_nothing(void **state)
{
    struct domain *d;

    (void)state;
    machine_boot(2, false);
    d = started(1, 1);
    assert_ptr_equal(core_turn(0), d->vcpu[0]);
    assert_int_equal(sched_affinity_set(d->vcpu[0], 0), 0);
    assert_int_equal(sched_affinity_get(d->vcpu[0]), UINT64_MAX);
    core_domain_destroy(d);
}

#define CASE(name) cmocka_unit_test_teardown(name, machine_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(boot_cpu_spare_on_tcg_leaves_guests_to_the_others),
        CASE(boot_cpu_spare_on_tcg_wakes_only_the_others),
        CASE(boot_cpu_spare_on_tcg_refuses_a_pin_to_it),
        CASE(boot_cpu_spare_alone_on_tcg_runs_guests),
        CASE(boot_cpu_spare_elsewhere_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
