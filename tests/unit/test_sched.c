/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mechanics of the scheduler: who is queued, loaded and kicked when, pauses,
 * blocking without lost wake-ups, runstates. What holds with every CPU at it is
 * in test_sched_stress.c, what it promises over time in test_sched_shares.c.
 */

#include "core_fixture.h"

#include "arch/host.h"
#include "fake.h"
#include "public/vcpu.h"
#include "ravelin/errno.h"
#include "ravelin/sched.h"
#include "ravelin/time_info.h"

#define MS 1000000UL

/* A running domain whose vCPUs may only use the CPUs of `affinity`. */
static struct domain *pinned(unsigned vcpus, uint64_t affinity)
{
    struct domain *d = core_domain_with(vcpus, 0, 0, affinity);

    core_domain_start(d);
    return d;
}

/* ---- Picking and loading ---- */

static void sched_pick_nothing_runnable_is_idle(void **state)
{
    (void)state;
    struct cpu *c = core_cpu(0);

    assert_null(sched_pick());
    assert_null(c->current);
    assert_true(c->resched);
}

static void sched_next_without_resched_keeps_current(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct cpu *c = core_cpu(0);
    struct sched_stats before;
    struct sched_stats after;

    assert_ptr_equal(sched_next(c), d->vcpu[0]);
    assert_false(c->resched);
    sched_stats_get(c, &before);
    assert_ptr_equal(sched_next(c), d->vcpu[0]);
    sched_stats_get(c, &after);
    assert_int_equal(before.picks, after.picks);
    core_domain_destroy(d);
}

static void sched_pick_idle_and_back_keeps_state_loaded(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = d->vcpu[0];
    struct fake_vcpu *fv = fake_vcpu(v);

    assert_ptr_equal(core_turn(0), v);
    assert_int_equal(fv->load_count, 1);
    vcpu_block(v);
    assert_null(core_turn(0));
    assert_true(v->running);
    assert_int_equal(fv->save_count, 0);
    vcpu_wake(v);
    assert_ptr_equal(core_turn(0), v);
    assert_int_equal(fv->load_count, 1);
    assert_int_equal(fv->save_count, 0);
    core_domain_destroy(d);
}

static void sched_pick_other_vcpu_saves_the_first(void **state)
{
    (void)state;
    struct domain *d = pinned(2, 1);
    struct vcpu *a = core_turn(0);
    struct vcpu *b = a == d->vcpu[0] ? d->vcpu[1] : d->vcpu[0];

    vcpu_block(a);
    assert_ptr_equal(core_turn(0), b);
    assert_int_equal(fake_vcpu(a)->save_count, 1);
    assert_false(a->running);
    assert_true(b->running);
    core_domain_destroy(d);
}

static void sched_pick_paused_while_idle_saves_state(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = d->vcpu[0];
    uint64_t kicks;

    assert_ptr_equal(core_turn(0), v);
    vcpu_block(v);
    assert_null(core_turn(0));
    core_cpu(1);
    kicks = fake_kick_count(cpu_by_id(0));
    vcpu_pause(v);
    assert_int_equal(fake_kick_count(cpu_by_id(0)), kicks + 1);
    assert_false(vcpu_is_settled(v));
    assert_null(core_turn(0));
    assert_true(vcpu_is_settled(v));
    core_cpu(1);
    vcpu_unpause(v);
    core_domain_destroy(d);
}

static void sched_wake_goes_to_idle_cpu_and_kicks_it(void **state)
{
    (void)state;
    struct domain *busy = pinned(1, 1);
    struct domain *d = core_domain(1);
    uint64_t kicks;

    assert_null(core_turn(1));
    assert_non_null(core_turn(0));
    kicks = fake_kick_count(cpu_by_id(1));
    core_domain_start(d);
    assert_int_equal(fake_kick_count(cpu_by_id(1)), kicks + 1);
    assert_ptr_equal(core_turn(1), d->vcpu[0]);
    core_domain_destroy(d);
    core_domain_destroy(busy);
}

static void sched_idle_cpu_steals_waiting_vcpu(void **state)
{
    (void)state;
    struct domain *a = pinned(1, 2);
    struct domain *d = pinned(2, 1);
    struct sched_stats stats;

    assert_non_null(core_turn(1));
    assert_non_null(core_turn(0));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(sched_affinity_set(d->vcpu[i], 3), 0);
    }
    core_cpu(1);
    vcpu_block(a->vcpu[0]);
    assert_non_null(core_turn(1));
    assert_ptr_equal(cpu_by_id(1)->current->domain, d);
    assert_ptr_not_equal(cpu_by_id(0)->current, cpu_by_id(1)->current);
    sched_stats_get(cpu_by_id(1), &stats);
    assert_int_equal(stats.steals, 1);
    core_domain_destroy(d);
    core_domain_destroy(a);
}

static void sched_slice_end_gives_way_to_the_next(void **state)
{
    (void)state;
    struct domain *d = pinned(2, 1);
    struct vcpu *first = core_turn(0);

    assert_int_equal(fake_timer_deadline(cpu_by_id(0)),
                     arch_time_ns() + SCHED_SLICE_NS);
    fake_time_advance(SCHED_SLICE_NS / 2);
    assert_ptr_equal(core_turn(0), first);
    fake_time_advance(SCHED_SLICE_NS / 2);
    assert_ptr_not_equal(core_turn(0), first);
    core_domain_destroy(d);
}

static void vcpu_yield_lets_the_other_run(void **state)
{
    (void)state;
    struct domain *d = pinned(2, 1);
    struct vcpu *first = core_turn(0);
    struct vcpu *second;

    fake_time_advance(1000);
    vcpu_yield(first);
    second = core_turn(0);
    assert_ptr_not_equal(second, first);
    vcpu_yield(second);
    assert_ptr_equal(core_turn(0), first);
    core_domain_destroy(d);
}

static void vcpu_yield_alone_goes_on(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = core_turn(0);

    vcpu_yield(v);
    assert_ptr_equal(core_turn(0), v);
    assert_int_equal(fake_vcpu(v)->load_count, 1);
    core_domain_destroy(d);
}

/* ---- Affinity and weight ---- */

static void sched_affinity_set_moves_running_vcpu(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = core_turn(0);

    core_cpu(1);
    assert_int_equal(sched_affinity_set(v, 2), 0);
    assert_true(cpu_by_id(0)->resched);
    assert_null(core_turn(1)); /* its state is still on CPU 0 */
    assert_null(core_turn(0));
    assert_false(v->running);
    assert_ptr_equal(core_turn(1), v);
    assert_int_equal(sched_affinity_get(v), 2);
    core_domain_destroy(d);
}

static void sched_affinity_set_moves_blocked_and_loaded_vcpu(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = core_turn(0);

    vcpu_block(v);
    assert_null(core_turn(0));
    core_cpu(1);
    assert_int_equal(sched_affinity_set(v, 2), 0);
    vcpu_wake(v);
    assert_null(core_turn(0));
    assert_ptr_equal(core_turn(1), v);
    core_domain_destroy(d);
}

static void sched_affinity_set_moves_queued_vcpu(void **state)
{
    (void)state;
    struct domain *d = pinned(2, 1);
    struct vcpu *first = core_turn(0);
    struct vcpu *second = first == d->vcpu[0] ? d->vcpu[1] : d->vcpu[0];

    assert_null(core_turn(1));
    core_cpu(0);
    assert_int_equal(sched_affinity_set(second, 2), 0);
    assert_ptr_equal(core_turn(1), second);
    core_domain_destroy(d);
}

static void sched_affinity_set_without_online_cpu_returns_einval(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);

    assert_int_equal(sched_affinity_set(d->vcpu[0], 4), -RV_EINVAL);
    assert_int_equal(sched_affinity_get(d->vcpu[0]), 1);
    assert_int_equal(sched_affinity_set(d->vcpu[0], 0), 0);
    assert_int_equal(sched_affinity_get(d->vcpu[0]), UINT64_MAX);
    core_domain_destroy(d);
}

static void sched_weight_set_out_of_range_returns_einval(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);

    assert_int_equal(sched_weight_set(d, 0), -RV_EINVAL);
    assert_int_equal(sched_weight_set(d, 65536), -RV_EINVAL);
    assert_int_equal(d->weight, SCHED_WEIGHT_DEFAULT);
    assert_int_equal(sched_weight_set(d, 65535), 0);
    assert_int_equal(d->weight, 65535);
    core_domain_destroy(d);
}

/* ---- Pausing ---- */

static void vcpu_pause_is_counted(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = d->vcpu[0];

    core_cpu(1);
    vcpu_pause(v);
    vcpu_pause(v);
    assert_null(core_turn(0));
    vcpu_unpause(v);
    assert_null(core_turn(0));
    vcpu_unpause(v);
    assert_ptr_equal(core_turn(0), v);
    core_domain_destroy(d);
}

static void domain_pause_from_outside_stops_all_vcpus(void **state)
{
    (void)state;
    struct domain *d = pinned(2, 1);

    core_turn(0);
    core_cpu(1);
    domain_pause(d);
    domain_pause(d);
    assert_null(core_turn(0));
    assert_int_equal(domain_unpause(d), 0);
    assert_null(core_turn(0));
    assert_int_equal(domain_unpause(d), 0);
    assert_non_null(core_turn(0));
    assert_int_equal(domain_unpause(d), -RV_EINVAL);
    core_domain_destroy(d);
}

static bool guest_left;

static void leave_guest(void)
{
    struct cpu *c = cpu_by_id(0);

    guest_left = true;
    store_release(&c->in_guest, false);
}

static void vcpu_pause_sync_waits_for_guest_mode_only(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = core_turn(0);
    struct cpu *c = cpu_by_id(0);

    assert_true(sched_guest_enter(c));
    core_cpu(1);
    guest_left = false;
    fake_relax_hook = leave_guest;
    vcpu_pause_sync(v);
    fake_relax_hook = NULL;
    assert_true(guest_left);
    assert_true(c->resched);
    assert_false(vcpu_is_settled(v));
    /* The CPU cannot go back into the guest. */
    assert_false(sched_guest_enter(c));
    assert_false(c->in_guest);
    assert_null(core_turn(0));
    assert_true(vcpu_is_settled(v));
    vcpu_unpause(v);
    core_domain_destroy(d);
}

/* Two CPUs whose guests pause each other do not wait for each other. */
static void vcpu_pause_sync_of_vcpu_in_hypervisor_returns(void **state)
{
    (void)state;
    struct domain *a = pinned(1, 1);
    struct domain *b = pinned(1, 2);

    core_turn(0);
    core_turn(1);
    core_cpu(0);
    vcpu_pause_sync(b->vcpu[0]);
    core_cpu(1);
    vcpu_pause_sync(a->vcpu[0]);
    assert_null(core_turn(0));
    assert_null(core_turn(1));
    vcpu_unpause(a->vcpu[0]);
    vcpu_unpause(b->vcpu[0]);
    core_domain_destroy(a);
    core_domain_destroy(b);
}

/* ---- Blocking and waking ---- */

static void vcpu_block_with_event_due_does_not_sleep(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = core_turn(0);

    v->nmi_pending = true;
    vcpu_block(v);
    assert_int_equal(v->flags, 0);
    assert_ptr_equal(core_turn(0), v);
    core_domain_destroy(d);
}

static void vcpu_block_events_pending_upcall_counts_without_if(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = core_turn(0);
    struct vcpu_info *info = v->vcpu_info;

    fake_vcpu(v)->irq_blocked = true;
    info->evtchn_upcall_mask = 1;
    info->evtchn_upcall_pending = 1;
    vcpu_block_events(v);
    assert_int_equal(info->evtchn_upcall_mask, 0);
    assert_int_equal(v->flags, 0);
    info->evtchn_upcall_pending = 0;
    vcpu_block_events(v);
    assert_int_equal(v->flags, VCPU_BLOCKED);
    vcpu_wake(v);
    core_domain_destroy(d);
}

static void vcpu_kick_only_where_it_runs_elsewhere(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = core_turn(0);
    uint64_t kicks = fake_kick_count(cpu_by_id(0));

    vcpu_kick(v);
    assert_int_equal(fake_kick_count(cpu_by_id(0)), kicks);
    core_cpu(1);
    vcpu_kick(v);
    assert_int_equal(fake_kick_count(cpu_by_id(0)), kicks + 1);
    core_domain_destroy(d);
}

static void vcpu_flags_set_on_other_cpu_kicks_it(void **state)
{
    (void)state;
    struct domain *d = pinned(1, 1);
    struct vcpu *v = core_turn(0);
    uint64_t kicks = fake_kick_count(cpu_by_id(0));

    core_cpu(1);
    vcpu_flags_set(v, VCPU_DOWN);
    assert_int_equal(fake_kick_count(cpu_by_id(0)), kicks + 1);
    vcpu_flags_set(v, VCPU_DOWN);
    assert_int_equal(fake_kick_count(cpu_by_id(0)), kicks + 1);
    assert_null(core_turn(0));
    core_domain_destroy(d);
}

/* ---- Runstates ---- */

static void runstate_times_add_up(void **state)
{
    (void)state;
    struct domain *d = pinned(2, 1);
    struct vcpu *a = core_turn(0);
    struct vcpu_runstate_info info;
    uint64_t created = d->boot_time_ns;
    uint64_t sum = 0;

    fake_time_advance(3 * MS); /* a runs, b waits */
    vcpu_block(a);
    core_turn(0);
    fake_time_advance(4 * MS); /* a blocked */
    vcpu_wake(a);
    fake_time_advance(MS / 2); /* a waits for b's slice */
    vcpu_runstate_get(a, &info);
    assert_int_equal(info.state, RUNSTATE_runnable);
    assert_int_equal(info.time[RUNSTATE_running], 3 * MS);
    assert_int_equal(info.time[RUNSTATE_blocked], 4 * MS);
    assert_int_equal(info.time[RUNSTATE_runnable], MS / 2);
    assert_int_equal(info.state_entry_time, 7 * MS);
    for (unsigned i = 0; i < 4; i++) {
        sum += info.time[i];
    }
    assert_int_equal(sum, arch_time_ns() - created);
    assert_int_equal(vcpu_time_used_ns(a), 3 * MS);
    domain_pause(d);
    vcpu_runstate_get(a, &info);
    assert_int_equal(info.state, RUNSTATE_offline);
    core_domain_destroy(d);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, core_pair_setup, core_teardown)
    const struct CMUnitTest tests[] = {
        CASE(sched_pick_nothing_runnable_is_idle),
        CASE(sched_next_without_resched_keeps_current),
        CASE(sched_pick_idle_and_back_keeps_state_loaded),
        CASE(sched_pick_other_vcpu_saves_the_first),
        CASE(sched_pick_paused_while_idle_saves_state),
        CASE(sched_wake_goes_to_idle_cpu_and_kicks_it),
        CASE(sched_idle_cpu_steals_waiting_vcpu),
        CASE(sched_slice_end_gives_way_to_the_next),
        CASE(vcpu_yield_lets_the_other_run),
        CASE(vcpu_yield_alone_goes_on),
        CASE(sched_affinity_set_moves_running_vcpu),
        CASE(sched_affinity_set_moves_blocked_and_loaded_vcpu),
        CASE(sched_affinity_set_moves_queued_vcpu),
        CASE(sched_affinity_set_without_online_cpu_returns_einval),
        CASE(sched_weight_set_out_of_range_returns_einval),
        CASE(vcpu_pause_is_counted),
        CASE(domain_pause_from_outside_stops_all_vcpus),
        CASE(vcpu_pause_sync_waits_for_guest_mode_only),
        CASE(vcpu_pause_sync_of_vcpu_in_hypervisor_returns),
        CASE(vcpu_block_with_event_due_does_not_sleep),
        CASE(vcpu_block_events_pending_upcall_counts_without_if),
        CASE(vcpu_kick_only_where_it_runs_elsewhere),
        CASE(vcpu_flags_set_on_other_cpu_kicks_it),
        CASE(runstate_times_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
