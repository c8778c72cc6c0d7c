/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a listener is lost, and what follows for those that wait for it.
 */
#include "monitor_fixture.h"

#include "ravelin/sched.h"
#include "ravelin/work.h"

static void listener_end_releases_waiting_vcpus(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 1), MONITOR_PAUSED);
    monitor_listener_ended(listener);
    assert_int_equal(mon->state, MONITOR_BROKEN);
    assert_int_equal(event_cr3(1, 1), MONITOR_UNHEARD);
    work_run();
    assert_int_equal(mon->state, MONITOR_OFF);
    assert_false(vcpu_waits(0));
    assert_int_equal(own_ring()->state, RAVELIN_RING_OVER);
}

static void lost_listener_leaves_int3_to_the_guest(void **state)
{
    struct vcpu *v = watched->vcpu[0];

    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_INT3, HVMPME_mode_sync);
    watched_enter(0);
    v->pending.valid = false;
    assert_int_equal(
        monitor_event(v, &(struct monitor_event){.reason = RAVELIN_REASON_INT3,
                                                 .gla = 0x1000}),
        MONITOR_PAUSED);
    watched_leave();
    monitor_listener_ended(listener);
    work_run();
    assert_false(vcpu_waits(0));
    watched_enter(0);
    monitor_attend(v);
    watched_leave();
    assert_true(v->pending.valid);
    assert_int_equal(v->pending.vector, 3);
    assert_int_equal(v->pending.type, EVENT_SOFT_EXC);
    assert_int_equal(v->pending.insn_len, 1);
    v->pending.valid = false;
}

static void silent_listener_is_lost_after_two_looks(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 1), MONITOR_PAUSED);
    assert_true(timer_is_armed(&mon->timer));
    mon->timer.fn(&mon->timer);
    assert_int_equal(mon->state, MONITOR_ON);
    own_ring_answer(0, 1, 0);
    assert_int_equal(event_cr3(0, 2), MONITOR_PAUSED);
    mon->timer.fn(&mon->timer); /* another event: it lives */
    assert_int_equal(mon->state, MONITOR_ON);
    mon->timer.fn(&mon->timer);
    assert_int_equal(mon->state, MONITOR_BROKEN);
    work_run();
    assert_false(vcpu_waits(0));
}

/* Numbers begin again with each listener; what was seen of the last one's must
 * not be held against the next. */
static void next_listener_gets_its_whole_time(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 1), MONITOR_PAUSED);
    mon->timer.fn(&mon->timer);
    assert_int_equal(mon->state, MONITOR_ON);
    assert_int_equal(monitor_detach(mon), 0);
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 1), MONITOR_PAUSED);
    mon->timer.fn(&mon->timer);
    assert_int_equal(mon->state, MONITOR_ON);
    own_ring_answer(0, 1, 0);
}

static void second_loss_before_the_work_ran_takes_one_reference(void **state)
{
    uint32_t before = watched->refcount;

    (void)state;
    own_ring_attach(2);
    monitor_listener_ended(listener);
    assert_int_equal(monitor_detach(mon), 0);
    own_ring_attach(2);
    monitor_listener_ended(listener);
    assert_int_equal(mon->state, MONITOR_BROKEN);
    while (work_is_pending()) {
        work_run();
    }
    assert_int_equal(mon->state, MONITOR_OFF);
    fixture_quiesce();
    assert_int_equal(watched->refcount, before);
}

static void policy_pause_keeps_the_domain_paused(void **state)
{
    static struct manifest_domain md;

    (void)state;
    manifest_domain_init(&md);
    md.on_monitor_loss = MANIFEST_LOSS_PAUSE;
    watched->manifest = &md;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 1), MONITOR_PAUSED);
    monitor_listener_ended(listener);
    work_run();
    assert_int_equal(watched->pause_count, 1);
    assert_false(vcpu_waits(0));
    assert_int_equal(domain_unpause(watched), 0);
    watched->manifest = NULL;
}

static void target_end_is_told_and_the_ring_stays(void **state)
{
    (void)state;
    own_ring_attach(2);
    monitor_target_ended(watched);
    assert_int_equal(own_ring()->state, RAVELIN_RING_ON);
    watched->state = DOMAIN_SHUTDOWN;
    monitor_target_ended(watched);
    assert_int_equal(own_ring()->state, RAVELIN_RING_OVER);
    assert_int_equal(mon->state, MONITOR_ON);
    watched->state = DOMAIN_RUNNING;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MONITOR_CASE(listener_end_releases_waiting_vcpus),
        MONITOR_CASE(lost_listener_leaves_int3_to_the_guest),
        MONITOR_CASE(silent_listener_is_lost_after_two_looks),
        MONITOR_CASE(next_listener_gets_its_whole_time),
        MONITOR_CASE(second_loss_before_the_work_ran_takes_one_reference),
        MONITOR_CASE(policy_pause_keeps_the_domain_paused),
        MONITOR_CASE(target_end_is_told_and_the_ring_stays),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
