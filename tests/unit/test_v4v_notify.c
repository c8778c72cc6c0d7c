/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests for space: answers, replacement, wake-ups, and what the death of a
 * domain does to rings and requests. Argo's flags as well.
 */
#include "v4v_fixture.h"

#include "v4v_internal.h"

#include "ravelin/evtchn.h"
#include "ravelin/sched.h"

#define LEN 4032u
#define EXISTS V4V_RING_DATA_F_EXISTS
#define EMPTY V4V_RING_DATA_F_EMPTY
#define PENDING V4V_RING_DATA_F_PENDING
#define SUFFICIENT V4V_RING_DATA_F_SUFFICIENT

static struct domain *a, *b, *c;

static int setup(void **state)
{
    (void)state;
    vt_machine_create(1);
    a = vt_domain_plain(5);
    b = vt_domain_plain(6);
    c = vt_domain_plain(7);
    for (struct domain *d = a; d; d = domain_next(d)) {
        (void)vt_event_port(d);
    }
    return 0;
}

static void notify_about_a_ring_tells_its_state(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);
    struct v4v_ring_data_ent e;

    (void)state;
    assert_int_equal(vt_ask(a, 6, 9, 0, &e), EXISTS | EMPTY | SUFFICIENT);
    assert_int_equal(e.max_message_size, LEN - 32);
    assert_int_equal(e.space_required, 0);
    assert_int_equal(vt_ask(a, 6, 9, LEN - 32, &e),
                     EXISTS | EMPTY | SUFFICIENT);
    assert_int_equal(vt_ask(a, 6, 9, LEN - 31, &e), EXISTS | EMPTY);
    assert_int_equal(vt_ask(a, 6, 10, 0, &e), 0);
    assert_int_equal(e.max_message_size, 0);
    assert_int_equal(vt_ask(a, 99, 9, 0, &e), 0);
    assert_int_equal(vt_send(a, 1, 6, 9, 1, 100), 100);
    assert_int_equal(vt_ask(a, 6, 9, LEN - 32, &e), EXISTS | PENDING);
    assert_int_equal(vt_ask(a, 6, 9, LEN - 32 - 128, &e), EXISTS | SUFFICIENT);
    vt_expect(&r, 5, 1, 1, 100);
}

static void fill(unsigned messages)
{
    for (unsigned i = 0; i < messages; i++) {
        assert_int_equal(vt_send(a, 1, 6, 9, i, 1000), 1000);
    }
}

static void sendv_without_room_brings_an_event_when_there_is_some(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    fill(3);
    assert_int_equal(vt_send(a, 1, 6, 9, 3, 1000), -RV_EAGAIN);
    assert_int_equal(vt_notify(b), 0);
    assert_false(vt_event_taken(a));
    vt_expect(&r, 5, 1, 0, 1000);
    assert_false(vt_event_taken(a)); /* nobody has told the hypervisor */
    assert_int_equal(vt_notify(b), 0);
    assert_true(vt_event_taken(a));
    assert_int_equal(vt_send(a, 1, 6, 9, 3, 1000), 1000);
    assert_int_equal(vt_notify(b), 0);
    assert_false(vt_event_taken(a)); /* once */
}

/* R2.3, and the review: the latest size counts, smaller or larger. */
static void notify_again_replaces_the_earlier_size(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    fill(3);
    assert_int_equal(vt_ask(a, 6, 9, 3000, NULL), EXISTS | PENDING);
    assert_int_equal(vt_ask(a, 6, 9, 1000, NULL), EXISTS | PENDING);
    vt_expect(&r, 5, 1, 0, 1000);
    assert_int_equal(vt_notify(b), 0);
    assert_true(vt_event_taken(a)); /* at the smaller size */

    assert_int_equal(vt_send(a, 1, 6, 9, 9, 1000), 1000);
    assert_int_equal(vt_ask(a, 6, 9, 1000, NULL), EXISTS | PENDING);
    assert_int_equal(vt_ask(a, 6, 9, 2000, NULL), EXISTS | PENDING);
    vt_expect(&r, 5, 1, 1, 1000);
    assert_int_equal(vt_notify(b), 0);
    assert_false(vt_event_taken(a)); /* not enough for the larger one */
    vt_expect(&r, 5, 1, 2, 1000);
    assert_int_equal(vt_notify(b), 0);
    assert_true(vt_event_taken(a));
}

static void notify_that_finds_room_cancels_the_request(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    fill(3);
    assert_int_equal(vt_ask(a, 6, 9, 3000, NULL), EXISTS | PENDING);
    assert_int_equal(vt_ask(a, 6, 9, 100, NULL), EXISTS | SUFFICIENT);
    for (unsigned i = 0; i < 3; i++) {
        vt_expect(&r, 5, 1, i, 1000);
    }
    assert_int_equal(vt_notify(b), 0);
    assert_false(vt_event_taken(a));
    assert_int_equal(vt_ask(a, 6, 9, LEN, NULL), EXISTS | EMPTY);
}

static void notify_wakes_each_waiter_whose_size_fits(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    fill(3);
    assert_int_equal(vt_ask(a, 6, 9, 3000, NULL), EXISTS | PENDING);
    assert_int_equal(vt_ask(c, 6, 9, 1000, NULL), EXISTS | PENDING);
    vt_expect(&r, 5, 1, 0, 1000);
    assert_int_equal(vt_notify(b), 0);
    assert_true(vt_event_taken(c));
    assert_false(vt_event_taken(a));
    vt_expect(&r, 5, 1, 1, 1000);
    vt_expect(&r, 5, 1, 2, 1000);
    assert_int_equal(vt_notify(b), 0);
    assert_true(vt_event_taken(a));
    assert_false(vt_event_taken(c));
}

static void notify_of_many_entries_answers_each(void **state)
{
    struct v4v_ring_data h = {.magic = V4V_RING_DATA_MAGIC, .nent = 0x100};
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    fixture_phys_put(a, VT_DATA, &h, sizeof(h));
    for (uint32_t i = 0; i < h.nent; i++) {
        struct v4v_ring_data_ent e = {
            .ring = {.port = 8 + i % 2, .domain = 6},
            .space_required = i,
        };

        fixture_phys_put(a, VT_DATA + sizeof(h) + i * sizeof(e), &e, sizeof(e));
    }
    assert_int_equal(vt_op(a, V4VOP_notify, VT_DATA, 0, 0, 0), 0);
    for (uint32_t i = 0; i < h.nent; i++) {
        struct v4v_ring_data_ent e;

        fixture_phys_get(a, &e, VT_DATA + sizeof(h) + i * sizeof(e), sizeof(e));
        assert_int_equal(e.flags, i % 2 ? EXISTS | EMPTY | SUFFICIENT : 0);
        assert_int_equal(e.space_required, i);
    }
    assert_int_equal(vt_unregister(&r), 0);
}

/* Waiters on rings in all parts of the table, in one continued call. */
static void notify_with_many_rings_wakes_at_each(void **state)
{
    struct vt_ring r[100];

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        r[i] = (struct vt_ring){
            b, VT_RING + i * 4096, i + 1, V4V_DOMID_ANY, 48, false};
        assert_int_equal(vt_register(&r[i]), 0);
        assert_int_equal(vt_send(a, 1, 6, i + 1, i, 16), 16);
    }
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(vt_send(a, 1, 6, i + 1, i, 16), -RV_EAGAIN);
        vt_expect(&r[i], 5, 1, i, 16);
        assert_int_equal(vt_notify(b), 0);
        assert_true(vt_event_taken(a));
    }
}

/* ---- Ends
 * -------------------------------------------------------------------- */

static void unregister_wakes_those_who_wait(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    fill(3);
    assert_int_equal(vt_ask(a, 6, 9, 3000, NULL), EXISTS | PENDING);
    assert_int_equal(vt_unregister(&r), 0);
    assert_true(vt_event_taken(a));
    assert_int_equal(vt_ask(a, 6, 9, 3000, NULL), 0);
}

static void death_of_the_receiver_wakes_those_who_wait(void **state)
{
    (void)state;
    (void)vt_ring(b, 9, V4V_DOMID_ANY, LEN);
    fill(3);
    assert_int_equal(vt_send(a, 1, 6, 9, 3, 1000), -RV_EAGAIN);
    vt_domain_destroy(b);
    assert_true(vt_event_taken(a));
    assert_int_equal(vt_send(a, 1, 6, 9, 3, 1000), -RV_ECONNREFUSED);
}

/* The receiver has made room between a sender's look and its request, and has
 * looked for requests in between: the sender has to see it itself. */
static void request_when_room_has_just_appeared_is_not_left_behind(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);
    struct v4v_ring_locked held;

    (void)state;
    fill(3);
    assert_int_equal(vt_ask(a, 6, 9, 2000, NULL), EXISTS | PENDING);
    assert_true(v4v_ring_find_lock(b, 9, 7, &held));
    assert_int_equal(v4v_wait(held, 7, 1000), -RV_EAGAIN);
    v4v_wait_cancel(held, 7);
    vt_rx_set(&r, vt_tx(&r));
    assert_int_equal(v4v_wait(held, 7, 1000), 0);
    assert_int_equal(held.ring->waiter_count, 1); /* that of `a` */
    assert_int_equal(b->v4v->waiting, 1);
    v4v_ring_unlock(&held);
}

/* Shut down for good, but not destroyed: nobody will ever read. */
static void shutdown_of_the_receiver_wakes_those_who_wait(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    assert_int_equal(domain_unpause(b), 0);
    fill(3);
    assert_int_equal(vt_send(a, 1, 6, 9, 3, 1000), -RV_EAGAIN);
    domain_shutdown(b, SHUTDOWN_SUSPEND);
    assert_false(vt_event_taken(a));
    assert_int_equal(vt_send(a, 1, 6, 9, 3, 100), 100);
    assert_int_equal(domain_resume(b), 0);
    domain_shutdown(b, SHUTDOWN_CRASH);
    assert_true(vt_event_taken(a));
    assert_int_equal(vt_send(a, 1, 6, 9, 3, 100), -RV_ECONNREFUSED);
    assert_int_equal(vt_ask(a, 6, 9, 0, NULL), 0);
    vt_expect(&r, 5, 1, 0, 1000); /* the dead one's memory is as it was */
}

static void death_of_a_waiter_removes_its_request(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);
    struct domain *reborn;

    (void)state;
    fill(3);
    assert_int_equal(vt_ask(c, 6, 9, 3000, NULL), EXISTS | PENDING);
    vt_domain_destroy(c);
    reborn = vt_domain_plain(7);
    (void)vt_event_port(reborn);
    for (unsigned i = 0; i < 3; i++) {
        vt_expect(&r, 5, 1, i, 1000);
    }
    assert_int_equal(vt_notify(b), 0);
    assert_false(vt_event_taken(reborn));
}

/* Who gets the id next is not the partner that was meant. */
static void death_of_the_partner_makes_its_ring_an_orphan(void **state)
{
    struct vt_ring own = {b, VT_RING, 9, 7, LEN, false};
    struct vt_ring any = {b, VT_RING + 0x1000, 9, V4V_DOMID_ANY, LEN, false};
    struct domain *reborn;

    (void)state;
    assert_int_equal(vt_register(&own), 0);
    assert_int_equal(vt_send(c, 1, 6, 9, 1, 10), 10);
    assert_true(vt_event_taken(b));
    vt_domain_destroy(c);
    assert_true(vt_event_taken(b)); /* the owner is told */
    reborn = vt_domain_plain(7);
    assert_int_equal(vt_send(reborn, 1, 6, 9, 1, 10), -RV_ECONNREFUSED);
    vt_expect(&own, 7, 1, 1, 10);
    assert_int_equal(vt_register(&any), 0);
    assert_int_equal(vt_send(reborn, 1, 6, 9, 2, 10), 10);
    vt_expect(&any, 7, 1, 2, 10);
    assert_int_equal(vt_unregister(&own), 0);
    assert_int_equal(vt_register(&own), 0);
    assert_int_equal(vt_send(reborn, 1, 6, 9, 3, 10), 10);
    vt_expect(&own, 7, 1, 3, 10);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, vt_teardown)
    const struct CMUnitTest tests[] = {
        T(notify_about_a_ring_tells_its_state),
        T(sendv_without_room_brings_an_event_when_there_is_some),
        T(notify_again_replaces_the_earlier_size),
        T(notify_that_finds_room_cancels_the_request),
        T(notify_wakes_each_waiter_whose_size_fits),
        T(notify_of_many_entries_answers_each),
        T(notify_with_many_rings_wakes_at_each),
        T(unregister_wakes_those_who_wait),
        T(death_of_the_receiver_wakes_those_who_wait),
        T(request_when_room_has_just_appeared_is_not_left_behind),
        T(shutdown_of_the_receiver_wakes_those_who_wait),
        T(death_of_a_waiter_removes_its_request),
        T(death_of_the_partner_makes_its_ring_an_orphan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
