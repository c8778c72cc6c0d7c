/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings and sends: what arrives, where, with whose name on it; wrapping, room,
 * long messages in pieces, lookups, limits.
 */
#include "v4v_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "ravelin/evtchn.h"

#define LEN 8128u /* two pages */

static struct domain *a, *b, *control;

static int setup(void **state)
{
    (void)state;
    vt_machine_create(1);
    a = vt_domain_plain(5);
    b = vt_domain_plain(6);
    control = vt_domain(&(struct vt_setup){.id = 3, .roles = ROLE_CONTROL});
    return 0;
}

static void sendv_to_a_ring_arrives_with_the_senders_name(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    assert_int_equal(vt_send(a, 77, 6, 9, 1, 100), 100);
    assert_int_equal(vt_tx(&r), 16 + 112);
    vt_expect(&r, 5, 77, 1, 100);
    assert_int_equal(vt_rx(&r), vt_tx(&r));
}

/* The id in the ring's header is the owner's, whatever was there. */
static void register_ring_for_another_domain_is_ones_own(void **state)
{
    struct vt_ring r = {b, VT_RING, 9, V4V_DOMID_ANY, LEN, false};
    struct v4v_ring h;

    (void)state;
    assert_int_equal(vt_register(&r), 0);
    fixture_phys_get(b, &h, VT_RING, sizeof(h));
    assert_int_equal(h.id.addr.domain, 6);
    assert_int_equal(vt_unregister(&r), 0);
    h.id.addr.domain = 5;
    fixture_phys_put(b, VT_RING, &h, sizeof(h));
    assert_int_equal(vt_register_again(&r), 0);
    assert_int_equal(vt_send(a, 1, 5, 9, 1, 16), -RV_ECONNREFUSED);
    assert_int_equal(vt_send(a, 1, 6, 9, 1, 16), 16);
}

static void sendv_of_nothing_is_an_empty_message(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);
    struct vt_message *m = malloc(sizeof(*m));

    (void)state;
    assert_int_equal(vt_sendv(a, 6, 9, NULL, 0, 4711), 0);
    assert_int_equal(vt_tx(&r), 16);
    assert_true(vt_take(&r, m));
    assert_int_equal(m->len, 0);
    assert_int_equal(m->type, 4711);
    free(m);
}

/* Every length around the slot size, through many wraps of a small ring. */
static void sendv_of_every_length_wraps_and_stays_aligned(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, 4096 - 64);

    (void)state;
    for (uint32_t n = 0; n < 3000; n += n < 70 ? 1 : 61) {
        assert_int_equal(vt_send(a, 1, 6, 9, n, n), n);
        vt_expect(&r, 5, 1, n, n);
    }
}

static void sendv_of_many_iovs_gathers_them_in_order(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);
    struct v4v_iov iov[128];
    uint32_t at = 0;

    (void)state;
    vt_fill(a, VT_BUF, 3, 5000);
    for (uint32_t i = 0; i < 128; i++) {
        uint32_t n = i % 5 == 0 ? 0 : i % 70;

        iov[i] = (struct v4v_iov){.iov_base = VT_BUF + at, .iov_len = n};
        at += n;
    }
    assert_int_equal(vt_sendv(a, 6, 9, iov, 128, V4V_MESSAGE_DGRAM), at);
    vt_expect(&r, 5, 1, 3, at);
}

static void sendv_with_an_unreadable_part_sends_nothing(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);
    struct v4v_iov iov[2] = {{.iov_base = VT_BUF, .iov_len = 100},
                             {.iov_base = VT_HOLE, .iov_len = 1}};

    (void)state;
    assert_int_equal(vt_sendv(a, 6, 9, iov, 2, 1), -RV_EFAULT);
    iov[1].iov_base = 0x400000 - 10; /* the end of RAM */
    iov[1].iov_len = 11;
    assert_int_equal(vt_sendv(a, 6, 9, iov, 2, 1), -RV_EFAULT);
    assert_int_equal(vt_tx(&r), 0);
    assert_int_equal(vt_send(a, 1, 6, 9, 1, 10), 10);
    vt_expect(&r, 5, 1, 1, 10);
}

static void sendv_to_oneself_is_allowed(void **state)
{
    struct vt_ring r = vt_ring(a, 9, 5, LEN);

    (void)state;
    assert_int_equal(vt_send(a, 1, 5, 9, 8, 300), 300);
    vt_expect(&r, 5, 1, 8, 300);
}

static void sendv_prefers_the_senders_own_ring_to_the_shared_one(void **state)
{
    struct vt_ring any = {b, VT_RING, 9, V4V_DOMID_ANY, LEN, false};
    struct vt_ring own = {b, VT_RING + 0x4000, 9, 5, LEN, false};

    (void)state;
    assert_int_equal(vt_register(&any), 0);
    assert_int_equal(vt_register(&own), 0);
    assert_int_equal(vt_send(a, 1, 6, 9, 1, 16), 16);
    assert_int_equal(vt_send(control, 1, 6, 9, 2, 16), 16);
    vt_expect(&own, 5, 1, 1, 16);
    vt_expect(&any, 3, 1, 2, 16);
    assert_int_equal(vt_unregister(&any), 0);
    assert_int_equal(vt_send(control, 1, 6, 9, 2, 16), -RV_ECONNREFUSED);
    assert_int_equal(vt_send(a, 1, 6, 9, 3, 16), 16);
    vt_expect(&own, 5, 1, 3, 16);
}

/* 16 bytes stay free, or a full ring would look empty. */
static void sendv_fills_a_ring_to_the_last_slot_but_one(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, 160);

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(vt_send(a, 1, 6, 9, i, 16), 16);
    }
    /* 128 of 160 used: an empty message fits, one with payload does not. */
    assert_int_equal(vt_send(a, 1, 6, 9, 9, 1), -RV_EAGAIN);
    assert_int_equal(vt_send(a, 1, 6, 9, 9, 0), 0);
    assert_int_equal(vt_send(a, 1, 6, 9, 9, 0), -RV_EAGAIN);
    assert_int_equal((vt_tx(&r) + 16) % 160, vt_rx(&r));
    for (unsigned i = 0; i < 4; i++) {
        vt_expect(&r, 5, 1, i, 16);
    }
    vt_expect(&r, 5, 1, 9, 0);
    assert_int_equal(vt_send(a, 1, 6, 9, 10, 128), 128);
    vt_expect(&r, 5, 1, 10, 128);
    assert_int_equal(vt_send(a, 1, 6, 9, 10, 129), -RV_EMSGSIZE);
}

static void register_ring_again_goes_on_where_it_stood(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);
    uint32_t tx;

    (void)state;
    assert_int_equal(vt_send(a, 1, 6, 9, 1, 100), 100);
    assert_int_equal(vt_send(a, 1, 6, 9, 2, 200), 200);
    tx = vt_tx(&r);
    assert_int_equal(vt_unregister(&r), 0);
    assert_int_equal(vt_register_again(&r), 0);
    assert_int_equal(vt_tx(&r), tx);
    assert_int_equal(vt_send(a, 1, 6, 9, 3, 300), 300);
    for (unsigned i = 1; i < 4; i++) {
        vt_expect(&r, 5, 1, i, i * 100);
    }
}

static void register_ring_with_a_bad_tx_ptr_starts_at_rx_ptr(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);
    const uint32_t bad[] = {LEN, LEN + 16, 8, 0xffffffff, 0x80000000, 15};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(vt_unregister(&r), 0);
        vt_rx_set(&r, 64);
        vt_tx_set(&r, bad[i]);
        assert_int_equal(vt_register_again(&r), 0);
        assert_int_equal(vt_tx(&r), 64);
        assert_int_equal(vt_send(a, 1, 6, 9, 1, 16), 16);
        vt_expect(&r, 5, 1, 1, 16);
    }
}

/* ---- Long messages ----------------------------------------------------------
 */

static void sendv_of_a_long_message_goes_in_pieces(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, 3 * V4V_SEND_PIECE);
    uint32_t n = 2 * V4V_SEND_PIECE + 1000;
    struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = n};
    struct v4v_send_addr addr = {.dst = {.port = 9, .domain = 6}};
    unsigned pieces = 1;
    long rc;

    (void)state;
    vt_fill(a, VT_BUF, 5, n);
    fixture_phys_put(a, VT_ADDR, &addr, sizeof(addr));
    fixture_phys_put(a, VT_IOV, &iov, sizeof(iov));
    vt_begin(a->vcpu[0], V4VOP_sendv, VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM);
    while (!vt_step(a->vcpu[0], &rc)) {
        assert_int_equal(vt_tx(&r), 0);
        pieces++;
        /* The request has been read: what is there now is ignored. */
        memset(&iov, 0xff, sizeof(iov));
        memset(&addr, 0xff, sizeof(addr));
        fixture_phys_put(a, VT_ADDR, &addr, sizeof(addr));
        fixture_phys_put(a, VT_IOV, &iov, sizeof(iov));
    }
    assert_int_equal(rc, n);
    assert_int_equal(pieces, 3);
    vt_expect(&r, 5, 0, 5, n);
}

static void long_send_begin(struct domain *d, uint32_t n)
{
    struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = n};
    struct v4v_send_addr addr = {.src = {.port = 1},
                                 .dst = {.port = 9, .domain = 6}};
    long rc;

    vt_fill(d, VT_BUF, 5, n);
    fixture_phys_put(d, VT_ADDR, &addr, sizeof(addr));
    fixture_phys_put(d, VT_IOV, &iov, sizeof(iov));
    vt_begin(d->vcpu[0], V4VOP_sendv, VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM);
    assert_false(vt_step(d->vcpu[0], &rc));
}

/* Others take another turn while it goes on, and go first when it does not. */
static void sendv_of_a_long_message_keeps_others_waiting_for_a_while(
    void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, 4 * V4V_SEND_PIECE);
    uint32_t n = 2 * V4V_SEND_PIECE + 1000;
    struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = 16};
    struct v4v_send_addr addr = {.src = {.port = 2},
                                 .dst = {.port = 9, .domain = 6}};
    struct vcpu *other = control->vcpu[0];
    long rc;

    (void)state;
    long_send_begin(a, n);
    vt_fill(control, VT_BUF, 7, 16);
    fixture_phys_put(control, VT_ADDR, &addr, sizeof(addr));
    fixture_phys_put(control, VT_IOV, &iov, sizeof(iov));
    vt_begin(other, V4VOP_sendv, VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM);
    assert_false(vt_step(other, &rc));
    fake_time_advance(V4V_HOLD_NS / 2);
    assert_false(vt_step(other, &rc));
    fake_time_advance(V4V_HOLD_NS);
    assert_true(vt_step(other, &rc));
    assert_int_equal(rc, 16);
    /* The long one starts again behind it. */
    while (!vt_step(a->vcpu[0], &rc)) {
    }
    assert_int_equal(rc, n);
    vt_expect(&r, 3, 2, 7, 16);
    vt_expect(&r, 5, 1, 5, n);
}

/* The clock of one CPU is a little behind that of another. */
static void sendv_of_a_long_message_holds_its_ring_from_the_future(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, 4 * V4V_SEND_PIECE);
    uint32_t n = V4V_SEND_PIECE + 1;
    struct vcpu *other = a->vcpu[1];
    struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = 3};
    long rc;

    (void)state;
    fake_time_advance(1000);
    long_send_begin(a, n);
    fake_time_advance(-500ULL);
    fixture_phys_put(a, VT_IOV, &iov, sizeof(iov));
    vt_begin(other, V4VOP_sendv, VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM);
    assert_false(vt_step(other, &rc));
    assert_true(vt_step(a->vcpu[0], &rc));
    assert_true(vt_step(other, &rc));
    vt_expect(&r, 5, 1, 5, n);
    vt_expect(&r, 5, 1, 5, 3);
}

static void sendv_of_a_long_message_in_time_comes_first(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, 4 * V4V_SEND_PIECE);
    uint32_t n = V4V_SEND_PIECE + 1;
    struct vcpu *other = a->vcpu[1];
    struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = 3};
    long rc;

    (void)state;
    long_send_begin(a, n);
    /* Another vCPU of the same domain, with the same address. */
    fixture_phys_put(a, VT_IOV, &iov, sizeof(iov));
    vt_begin(other, V4VOP_sendv, VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM);
    assert_false(vt_step(other, &rc));
    assert_true(vt_step(a->vcpu[0], &rc));
    assert_int_equal(rc, n);
    assert_true(vt_step(other, &rc));
    assert_int_equal(rc, 3);
    vt_expect(&r, 5, 1, 5, n);
    vt_expect(&r, 5, 1, 5, 3);
}

/* Whoever has begun may let any time go by before going on. */
static void sendv_of_a_long_message_forbidden_meanwhile_is_refused(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, 4 * V4V_SEND_PIECE);
    const struct v4vtables_rule rule = vt_rule(5, 1, 6, 9, false);
    long rc;

    (void)state;
    long_send_begin(a, V4V_SEND_PIECE + 1);
    assert_int_equal(v4v_rule_add(&rule, 1), 0);
    assert_true(vt_step(a->vcpu[0], &rc));
    assert_int_equal(rc, -RV_ECONNREFUSED);
    assert_int_equal(vt_tx(&r), 0);
}

/* An interrupt handler that sends too: the interrupted call starts anew. */
static void sendv_inside_an_interrupted_send_loses_neither(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, 4 * V4V_SEND_PIECE);
    uint32_t n = V4V_SEND_PIECE + 1;
    struct vcpu *v = a->vcpu[0];
    struct vcpu_regs regs;
    struct v4v_iov iov = {.iov_base = VT_BUF + 16, .iov_len = 5};
    long rc;

    (void)state;
    long_send_begin(a, n);
    regs = v->regs;
    fake_time_advance(V4V_HOLD_NS);
    fixture_phys_put(a, VT_IOV + 64, &iov, sizeof(iov));
    assert_int_equal(
        vt_call(v, V4VOP_sendv, VT_ADDR, VT_IOV + 64, 1, V4V_MESSAGE_DGRAM), 5);
    v->regs = regs;
    while (!vt_step(v, &rc)) {
    }
    assert_int_equal(rc, n);
    assert_int_equal(vt_tx(&r), 32 + 16 + V4V_ROUNDUP(n));
}

/* ---- Events, limits, figures -------------------------------------------- */

static void sendv_raises_the_receivers_event(void **state)
{
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    (void)vt_event_port(a);
    assert_false(vt_event_taken(b));
    assert_int_equal(vt_send(a, 1, 6, 9, 1, 1), 1);
    assert_true(vt_event_taken(b));
    assert_false(vt_event_taken(a));
    assert_int_equal(vt_send(a, 1, 6, 10, 1, 1), -RV_ECONNREFUSED);
    assert_false(vt_event_taken(b));
    vt_expect(&r, 5, 1, 1, 1);
}

static void info_tells_limits_and_one_port(void **state)
{
    const struct v4v_config c = {1, 2, 3, 4, 5, 0};
    struct v4v_info info[2];

    (void)state;
    fixture_phys_put(control, VT_ADDR, &c, sizeof(c));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(vt_op(a, V4VOP_info, VT_ADDR, 0, 0, 0), 0);
        fixture_phys_get(a, &info[i], VT_ADDR, sizeof(info[i]));
        assert_int_equal(vt_op(control, V4VOP_config, VT_ADDR, 0, 0, 0), 0);
    }
    assert_true(info[0].ring_magic == V4V_RING_MAGIC);
    assert_true(info[0].data_magic == V4V_RING_DATA_MAGIC);
    assert_int_equal(info[0].max_rings, 0x80);
    assert_int_equal(info[0].max_sendv, 0x80);
    assert_int_equal(info[0].max_notify, 0x100);
    assert_int_equal(info[0].max_send_size, 0x2000000);
    assert_int_not_equal(info[0].evtchn, 0);
    assert_int_equal(info[1].evtchn, info[0].evtchn);
    assert_int_equal(info[1].max_rings, 1);
    assert_int_equal(info[1].max_sendv, 2);
    assert_int_equal(info[1].max_notify, 3);
    assert_int_equal(info[1].max_send_size, 4);
}

static void config_get_tells_the_limits_of_others(void **state)
{
    const struct v4v_config set = {1, 2, 3, 4, 5, 0};
    struct v4v_config got = {.target_id = 5};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        fixture_phys_put(control, VT_ADDR, &got, sizeof(got));
        assert_int_equal(vt_op(control, V4VOP_config_get, VT_ADDR, 0, 0, 0), 0);
        fixture_phys_get(control, &got, VT_ADDR, sizeof(got));
        assert_int_equal(got.max_rings, i ? 1 : V4V_DEFAULT_MAX_RINGS);
        assert_int_equal(got.max_sendv, i ? 2 : V4V_DEFAULT_MAX_SENDV);
        assert_int_equal(got.max_notify, i ? 3 : V4V_DEFAULT_MAX_NOTIFY);
        assert_int_equal(got.max_send_size, i ? 4 : V4V_DEFAULT_MAX_SEND_SIZE);
        assert_int_equal(got.target_id, 5);
        fixture_phys_put(control, VT_ADDR, &set, sizeof(set));
        assert_int_equal(vt_op(control, V4VOP_config, VT_ADDR, 0, 0, 0), 0);
    }
}

static void info_after_the_guest_closed_its_port_gives_a_new_one(void **state)
{
    uint32_t port = vt_event_port(b);
    struct vt_ring r = vt_ring(b, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    assert_int_equal(evtchn_close(b, port), 0);
    assert_int_equal(vt_send(a, 1, 6, 9, 1, 1), 1);
    assert_false(vt_event_taken(b));
    assert_int_equal(vt_send(a, 1, 6, 9, 1, 1), 1);
    assert_true(vt_event_taken(b));
    assert_int_equal(vt_unregister(&r), 0);
}

/* The number may have been opened for something else in between. */
static void info_after_the_port_was_given_away_gives_a_new_one(void **state)
{
    uint32_t port = vt_event_port(b);
    evtchn_port_t other;

    (void)state;
    assert_int_equal(evtchn_close(b, port), 0);
    assert_int_equal(evtchn_bind_virq(b, VIRQ_TIMER, 0, &other), 0);
    assert_int_equal(other, port);
    assert_int_not_equal(vt_event_port(b), port);
}

static void ring_list_shows_rings_and_traffic(void **state)
{
    struct vt_ring r = vt_ring(b, 9, 5, LEN);
    struct v4v_ring_list l = {.target_id = 6, .nb_rings = 4};
    struct v4v_ring_stat s;

    (void)state;
    assert_int_equal(vt_send(a, 1, 6, 9, 1, 100), 100);
    assert_int_equal(vt_send(a, 1, 6, 10, 1, 100), -RV_ECONNREFUSED);
    fixture_phys_put(control, VT_DATA, &l, sizeof(l));
    assert_int_equal(vt_op(control, V4VOP_ring_list, VT_DATA, 0, 0, 0), 0);
    fixture_phys_get(control, &l, VT_DATA, sizeof(l));
    fixture_phys_get(control, &s, VT_DATA + sizeof(l), sizeof(s));
    assert_int_equal(l.nb_rings, 1);
    assert_int_equal(l.sent_messages, 0);
    assert_int_equal(s.port, 9);
    assert_int_equal(s.partner, 5);
    assert_int_equal(s.flags, 0);
    assert_int_equal(s.len, LEN);
    assert_int_equal(s.used, 128);
    assert_int_equal(s.messages, 1);
    assert_int_equal(s.bytes, 100);
    l = (struct v4v_ring_list){.target_id = 5, .nb_rings = 4};
    fixture_phys_put(control, VT_DATA, &l, sizeof(l));
    assert_int_equal(vt_op(control, V4VOP_ring_list, VT_DATA, 0, 0, 0), 0);
    fixture_phys_get(control, &l, VT_DATA, sizeof(l));
    assert_int_equal(l.nb_rings, 0);
    assert_int_equal(l.sent_messages, 1);
    assert_int_equal(l.sent_bytes, 100);
    assert_int_equal(l.refused, 1);
    vt_expect(&r, 5, 1, 1, 100);
}

static void ring_list_of_many_rings_comes_in_pieces(void **state)
{
    struct v4v_ring_list l = {.target_id = 6, .nb_rings = 200};
    uint32_t sum = 0;

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        struct vt_ring r = {
            b, VT_RING + i * 4096, i + 1, V4V_DOMID_ANY, 1024, false};

        assert_int_equal(vt_register(&r), 0);
    }
    fixture_phys_put(control, VT_DATA, &l, sizeof(l));
    assert_int_equal(vt_op(control, V4VOP_ring_list, VT_DATA, 0, 0, 0), 0);
    fixture_phys_get(control, &l, VT_DATA, sizeof(l));
    assert_int_equal(l.nb_rings, 100);
    for (uint32_t i = 0; i < 100; i++) {
        struct v4v_ring_stat s;

        fixture_phys_get(control, &s, VT_DATA + sizeof(l) + i * sizeof(s),
                         sizeof(s));
        sum += s.port;
    }
    assert_int_equal(sum, 5050);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, vt_teardown)
    const struct CMUnitTest tests[] = {
        T(sendv_to_a_ring_arrives_with_the_senders_name),
        T(register_ring_for_another_domain_is_ones_own),
        T(sendv_of_nothing_is_an_empty_message),
        T(sendv_of_every_length_wraps_and_stays_aligned),
        T(sendv_of_many_iovs_gathers_them_in_order),
        T(sendv_with_an_unreadable_part_sends_nothing),
        T(sendv_to_oneself_is_allowed),
        T(sendv_prefers_the_senders_own_ring_to_the_shared_one),
        T(sendv_fills_a_ring_to_the_last_slot_but_one),
        T(register_ring_again_goes_on_where_it_stood),
        T(register_ring_with_a_bad_tx_ptr_starts_at_rx_ptr),
        T(sendv_of_a_long_message_goes_in_pieces),
        T(sendv_of_a_long_message_keeps_others_waiting_for_a_while),
        T(sendv_of_a_long_message_holds_its_ring_from_the_future),
        T(sendv_of_a_long_message_in_time_comes_first),
        T(sendv_of_a_long_message_forbidden_meanwhile_is_refused),
        T(sendv_inside_an_interrupted_send_loses_neither),
        T(sendv_raises_the_receivers_event),
        T(info_tells_limits_and_one_port),
        T(config_get_tells_the_limits_of_others),
        T(info_after_the_guest_closed_its_port_gives_a_new_one),
        T(info_after_the_port_was_given_away_gives_a_new_one),
        T(ring_list_shows_rings_and_traffic),
        T(ring_list_of_many_rings_comes_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
