/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event engine with the listener's own ring: what becomes of an event,
 * which answers are believed, what a hostile listener can do. Everything that
 * is read from the ring goes through the double-fetch detector.
 */
#include "monitor_fixture.h"

#include "ravelin/vmexit.h"
#include "ravelin/work.h"

static void event_nobody_listens_is_unheard(void **state)
{
    (void)state;
    assert_int_equal(event_cr3(0, 1), MONITOR_UNHEARD);
    own_ring_attach(2);
    assert_int_equal(event_cr3(0, 1), MONITOR_UNHEARD);
    assert_int_equal(mon->sequence, 0);
}

static void event_async_is_sent_and_pauses_nobody(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    assert_int_equal(event_cr3(0, 0x5000), MONITOR_SENT);
    assert_false(vcpu_waits(0));
    assert_int_equal(own_ring()->prod, 1);
    assert_int_equal(own_ring_event(0)->sequence, 1);
    assert_int_equal(own_ring_event(0)->value, 0x5000);
    assert_int_equal(own_ring_event(0)->old, 0x1000);
    assert_int_equal(own_ring_event(0)->reason, RAVELIN_REASON_CR3);
    assert_int_equal(own_ring_event(0)->flags & RAVELIN_EVENT_PAUSED, 0);
}

static void event_sync_pauses_until_its_own_answer(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(1, 1), MONITOR_PAUSED);
    assert_true(vcpu_waits(1));
    assert_int_equal(mon->waiting, 2);
    own_ring_answer(1, 1, 0);
    assert_false(vcpu_waits(1));
    assert_int_equal(mon->waiting, 0);
    assert_int_equal(mon->refused, 0);
}

static void event_unchanged_is_not_sent_with_onchangeonly(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync | HVMPME_onchangeonly);
    assert_int_equal(event_cr3(0, 0x1000), MONITOR_UNHEARD);
    assert_int_equal(event_cr3(0, 0x2000), MONITOR_PAUSED);
    own_ring_answer(0, 1, 0);
}

static void event_of_a_waiting_vcpu_is_lost_and_counted(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 1), MONITOR_PAUSED);
    assert_int_equal(event_cr3(0, 2), MONITOR_LOST);
    assert_int_equal(mon->lost, 1);
    assert_int_equal(own_ring()->lost, 1);
    assert_int_equal(mon->sequence, 2);
    own_ring_answer(0, 2, 0);
    assert_true(vcpu_waits(0));
    own_ring_answer(0, 1, 0);
    assert_false(vcpu_waits(0));
}

static void async_flood_counts_what_has_no_room(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    for (unsigned i = 0; i < OWN_SLOTS; i++) {
        assert_int_equal(event_cr3(0, i), MONITOR_SENT);
    }
    assert_int_equal(event_cr3(0, 99), MONITOR_LOST);
    assert_int_equal(event_cr3(1, 99), MONITOR_LOST);
    assert_int_equal(mon->lost, 2);
    own_ring()->cons = 1;
    assert_int_equal(event_cr3(0, 100), MONITOR_SENT);
    assert_int_equal(own_ring_event(OWN_SLOTS)->sequence, OWN_SLOTS + 3);
    assert_int_equal(own_ring_event(OWN_SLOTS)->lost, 2);
}

static void sync_without_room_waits_in_its_slot(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    for (unsigned i = 0; i < OWN_SLOTS; i++) {
        assert_int_equal(event_cr3(0, i), MONITOR_SENT);
    }
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(1, 7), MONITOR_QUEUED);
    assert_int_equal(event_cr3(0, 8), MONITOR_QUEUED);
    assert_int_equal(own_ring()->queued, 2);
    /* It cannot be answered before it has been told. */
    own_ring_answer(1, OWN_SLOTS + 1, 0);
    assert_true(vcpu_waits(1));
    assert_int_equal(mon->refused, 1);
    own_ring()->cons = 1;
    answers_take();
    assert_int_equal(own_ring()->queued, 1);
    assert_int_equal(own_ring_event(OWN_SLOTS)->sequence, OWN_SLOTS + 1);
    assert_true(own_ring_event(OWN_SLOTS)->flags & RAVELIN_EVENT_FULL);
    own_ring()->cons = 2;
    answers_take();
    assert_int_equal(own_ring()->queued, 0);
    assert_int_equal(own_ring_event(OWN_SLOTS + 1)->vcpu, 0);
    own_ring()->answer[1].sequence = 0;
    answers_take();
    own_ring_answer(1, OWN_SLOTS + 1, 0);
    own_ring_answer(0, OWN_SLOTS + 2, 0);
    assert_false(vcpu_waits(0) || vcpu_waits(1));
    assert_int_equal(mon->delayed, 2);
    assert_int_equal(mon->lost, 0);
}

static void filters_keep_back_and_count(void **state)
{
    const struct ravelin_range pages[] = {{5, 5}, {8, 9}};
    struct monitor_event cr4 = {
        .reason = RAVELIN_REASON_CR4, .value = 0x20, .old = 0xa0};
    const struct ravelin_range bit = {0x20, 0};

    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    reason_listen(RAVELIN_REASON_CR4, HVMPME_mode_async);
    assert_int_equal(monitor_filter_set(mon, RAVELIN_FILTER_CR3, pages, 2), 0);
    assert_int_equal(event_cr3(0, 0x4fff), MONITOR_UNHEARD);
    assert_int_equal(event_cr3(0, 0x5018), MONITOR_SENT);
    assert_int_equal(event_cr3(0, 0x9000), MONITOR_SENT);
    assert_int_equal(event_cr3(0, 0xa000), MONITOR_UNHEARD);
    assert_int_equal(event_raise(0, &cr4), MONITOR_SENT);
    assert_int_equal(monitor_filter_set(mon, RAVELIN_FILTER_CR4, &bit, 1), 0);
    assert_int_equal(event_raise(0, &cr4), MONITOR_UNHEARD);
    cr4.value = 0x80;
    assert_int_equal(event_raise(0, &cr4), MONITOR_SENT);
    assert_int_equal(mon->filtered, 3);
    assert_int_equal(mon->sequence, 4);
}

static void sequence_skips_zero_when_it_goes_round(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    mon->sequence = UINT32_MAX;
    assert_int_equal(event_cr3(0, 1), MONITOR_PAUSED);
    assert_int_equal(own_ring_event(0)->sequence, 1);
    own_ring_answer(0, 1, 0);
    assert_false(vcpu_waits(0));
}

static void own_index_out_of_range_breaks_the_watch(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    for (unsigned i = 0; i < OWN_SLOTS; i++) {
        assert_int_equal(event_cr3(0, i), MONITOR_SENT);
    }
    own_ring()->cons = OWN_SLOTS + 1;
    assert_int_equal(event_cr3(0, 1), MONITOR_FAILED);
    assert_int_equal(event_cr3(0, 1), MONITOR_UNHEARD);
    work_run();
    assert_int_equal(mon->state, MONITOR_OFF);
    assert_int_equal(own_ring()->state, RAVELIN_RING_FAILED);
}

static void own_forged_answers_are_counted_and_ignored(void **state)
{
    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 1), MONITOR_PAUSED);
    own_ring_answer(1, 1, 0); /* another vCPU's slot */
    own_ring_answer(0, 2, 0);
    own_ring_answer(0, 1, 0x80000000);
    own_ring_answer(0, 1, MONITOR_ANSWER_REGISTERS);
    assert_true(vcpu_waits(0));
    assert_int_equal(mon->refused, 4);
    assert_int_equal(own_ring()->refused, 4);
    own_ring_answer(0, 1, 0);
    assert_false(vcpu_waits(0));
    answers_take(); /* the same word again is nothing new */
    assert_int_equal(mon->refused, 4);
}

static void own_answer_is_left_to_the_vcpus_cpu(void **state)
{
    struct vcpu *v;

    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR4, HVMPME_mode_sync);
    v = watched_enter(0);
    v->watch_due = false;
    assert_int_equal(
        monitor_event(v, &(struct monitor_event){.reason = RAVELIN_REASON_CR4,
                                                 .value = v->paging.cr4,
                                                 .old = v->paging.cr4 ^ 0x80}),
        MONITOR_PAUSED);
    watched_leave();
    own_ring_answer(0, 1, RAVELIN_ANSWER_DENY);
    assert_false(vcpu_waits(0));
    assert_true(v->watch_due);
    watched_enter(0);
    monitor_attend(v);
    watched_leave();
    assert_int_equal(v->paging.cr4 & 0x80, 0x80);
    hv->creg_set(v, CREG_CR4, v->paging.cr4 ^ 0x80);
    assert_false(v->watch_due);
}

static void answer_comes_before_init(void **state)
{
    struct vcpu *v = watched->vcpu[1];

    (void)state;
    own_ring_attach(2);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(1, 0x2000), MONITOR_PAUSED);
    own_ring_answer(1, 1, RAVELIN_ANSWER_DENY);
    v->init_pending = true;
    watched_enter(1);
    assert_false(vmentry_attend(v)); /* it waits for STARTUP */
    watched_leave();
    assert_int_equal(hv->creg_get(v, CREG_CR3), 0);
    assert_true(v->intercepts.cr3_write);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MONITOR_CASE(event_nobody_listens_is_unheard),
        MONITOR_CASE(event_async_is_sent_and_pauses_nobody),
        MONITOR_CASE(event_sync_pauses_until_its_own_answer),
        MONITOR_CASE(event_unchanged_is_not_sent_with_onchangeonly),
        MONITOR_CASE(event_of_a_waiting_vcpu_is_lost_and_counted),
        MONITOR_CASE(async_flood_counts_what_has_no_room),
        MONITOR_CASE(sync_without_room_waits_in_its_slot),
        MONITOR_CASE(filters_keep_back_and_count),
        MONITOR_CASE(sequence_skips_zero_when_it_goes_round),
        MONITOR_CASE(own_index_out_of_range_breaks_the_watch),
        MONITOR_CASE(own_forged_answers_are_counted_and_ignored),
        MONITOR_CASE(own_answer_is_left_to_the_vcpus_cpu),
        MONITOR_CASE(answer_comes_before_init),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
