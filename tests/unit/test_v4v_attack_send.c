/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks in the course of a send: vectors, indices that are garbage or change,
 * and ends of sender, receiver and ring between two pieces of a long message.
 */
#include "v4v_attack_fixture.h"

#include <stdlib.h>

#include "ravelin/frame_pool.h"
#include "ravelin/quiesce.h"

/* ---- Vectors
 * ------------------------------------------------------------------ */

static void sendv_of_giant_vectors_is_refused_before_they_are_read(void **state)
{
    const uint32_t counts[] = {129, 0xffff, 0x7fffffff, 0xffffffff};

    (void)state;
    (void)vt_ring(va_victim, 1, V4V_DOMID_ANY, VA_LEN);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        assert_int_equal(
            vt_op(va_evil, V4VOP_sendv, VT_ADDR, VT_BAD, counts[i], 1),
            -RV_E2BIG);
    }
    va_bystanders_go_on();
}

static void sendv_of_lengths_that_overflow_sums_is_emsgsize(void **state)
{
    struct v4v_iov iov[128];
    struct vt_ring r = vt_ring(va_victim, 1, V4V_DOMID_ANY, VA_LEN);

    (void)state;
    for (unsigned i = 0; i < 128; i++) {
        iov[i] = (struct v4v_iov){.iov_base = VT_BUF, .iov_len = 0xffffffff};
    }
    for (unsigned n = 1; n <= 128; n++) {
        assert_int_equal(vt_sendv(va_evil, 6, 1, iov, n, 1), -RV_EMSGSIZE);
    }
    /* Sums that are small modulo 2^32. */
    iov[0].iov_len = 0x80000000;
    iov[1].iov_len = 0x80000000;
    iov[2].iov_len = 16;
    assert_int_equal(vt_sendv(va_evil, 6, 1, iov, 3, 1), -RV_EMSGSIZE);
    iov[0].iov_len = 0xfffffff0;
    iov[1].iov_len = 0x20;
    assert_int_equal(vt_sendv(va_evil, 6, 1, iov, 2, 1), -RV_EMSGSIZE);
    /* Rounding up must not wrap either. */
    for (uint32_t n = 0xffffffff; n > 0xfffffff0; n--) {
        iov[0].iov_len = n;
        assert_int_equal(vt_sendv(va_evil, 6, 1, iov, 1, 1), -RV_EMSGSIZE);
    }
    assert_int_equal(vt_tx(&r), 0);
    va_bystanders_go_on();
}

/* The iovs, the address and the payload on top of each other. */
static void sendv_of_overlapping_vectors_sends_what_was_read(void **state)
{
    struct vt_ring r = vt_ring(va_victim, 1, V4V_DOMID_ANY, 64 * 1024 - 64);
    struct v4v_iov iov[128];
    struct vt_message *m = malloc(sizeof(*m));

    (void)state;
    /* Each byte would be read more than once: as iov, then as payload. That
     * is what was asked for, so the detector has nothing to say here. */
    vt_detector_on = false;
    for (unsigned i = 0; i < 128; i++) {
        iov[i] = (struct v4v_iov){.iov_base = VT_IOV, .iov_len = 256};
    }
    assert_int_equal(vt_sendv(va_evil, 6, 1, iov, 128, 1), 128 * 256);
    assert_true(vt_take(&r, m));
    for (unsigned i = 0; i < 128; i++) {
        assert_memory_equal(m->data + i * 256, iov, 256);
    }
    free(m);
    va_bystanders_go_on();
}

/* From one's own ring into it, over itself. */
static void sendv_from_inside_the_ring_into_it_hurts_nobody(void **state)
{
    struct vt_ring r = vt_ring(va_evil, 1, V4V_DOMID_ANY, 2 * 4096 - 64);

    (void)state;
    vt_detector_on = false;
    for (uint32_t i = 0; i < 500; i++) {
        uint64_t at = VT_RING + (i * 37) % 4096;

        assert_int_equal(vt_send_at(va_evil, 1, 5, 1, at, 3000), 3000);
        assert_true(vt_tx(&r) < r.len && vt_tx(&r) % 16 == 0);
        vt_rx_set(&r, vt_tx(&r));
    }
    va_bystanders_go_on();
}

/* What a second vCPU does to the request between two reads, made certain: the
 * detector inverts each byte once it is read, and a second read of any fails
 * the test. Here with a vector that crosses pages, in every operation. */
static void sendv_with_a_request_that_changes_under_it_is_what_it_was(
    void **state)
{
    struct vt_ring r = vt_ring(va_victim, 1, V4V_DOMID_ANY, 64 * 1024 - 64);
    const struct v4v_send_addr a = {.src = {.port = 7},
                                    .dst = {.port = 1, .domain = 6}};
    struct v4v_iov iov[100];
    uint64_t at = VT_IOV + 4096 - 20 * 16 - 8;
    uint32_t n = 0;

    (void)state;
    vt_fill(va_evil, VT_BUF, 9, 30000);
    for (uint32_t i = 0; i < 100; i++) {
        iov[i] = (struct v4v_iov){.iov_base = VT_BUF + n, .iov_len = i * 5};
        n += i * 5;
    }
    fixture_phys_put(va_evil, VT_ADDR + 4090, &a, sizeof(a));
    fixture_phys_put(va_evil, at, iov, sizeof(iov));
    assert_int_equal(
        vt_op(va_evil, V4VOP_sendv, VT_ADDR + 4090, at, 100, V4V_MESSAGE_DGRAM),
        n);
    vt_expect(&r, 5, 7, 9, n);
    va_bystanders_go_on();
}

/* ---- Indices
 * -------------------------------------------------------------------- */

static void indices_of_garbage_stop_only_their_owners_ring(void **state)
{
    const uint32_t garbage[] = {1,          8,          VA_LEN,     VA_LEN + 16,
                                0x7ffffff0, 0x80000000, 0xfffffff0, 0xffffffff,
                                VA_LEN - 8, VA_LEN * 2};
    struct vt_ring r = vt_ring(va_victim, 1, V4V_DOMID_ANY, VA_LEN);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
        struct v4v_ring_data_ent e;

        vt_rx_set(&r, garbage[i]);
        vt_tx_set(&r, garbage[ARRAY_SIZE(garbage) - 1 - i]);
        assert_int_equal(vt_send(va_evil, 1, 6, 1, 1, 16), -RV_EAGAIN);
        assert_int_equal(vt_ask(va_evil, 6, 1, 0, &e),
                         V4V_RING_DATA_F_EXISTS | V4V_RING_DATA_F_PENDING);
        assert_int_equal(vt_notify(va_victim), 0);
        va_bystanders_go_on();
    }
    /* Repaired, it works again; our tx_ptr was never theirs. */
    vt_rx_set(&r, 0);
    assert_int_equal(vt_send(va_evil, 1, 6, 1, 5, 16), 16);
    assert_int_equal(vt_tx(&r), 32);
    vt_expect(&r, 5, 1, 5, 16);
}

/* At every moment: before, between the pieces of, and after a long send. */
static void indices_changed_during_a_send_cannot_move_it(void **state)
{
    const uint32_t n = 2 * V4V_SEND_PIECE + 5;
    struct vt_ring r = vt_ring(va_victim, 1, V4V_DOMID_ANY, 4 * V4V_SEND_PIECE);
    const struct v4v_send_addr a = {.dst = {.port = 1, .domain = 6}};
    const struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = n};
    long rc;

    (void)state;
    vt_fill(va_evil, VT_BUF, 3, n);
    fixture_phys_put(va_evil, VT_ADDR, &a, sizeof(a));
    fixture_phys_put(va_evil, VT_IOV, &iov, sizeof(iov));
    vt_begin(va_evil->vcpu[0], V4VOP_sendv, VT_ADDR, VT_IOV, 1,
             V4V_MESSAGE_DGRAM);
    while (!vt_step(va_evil->vcpu[0], &rc)) {
        vt_rx_set(&r, 0xfffffff1);
        vt_tx_set(&r, 0xffffffff);
        va_bystanders_go_on();
    }
    assert_int_equal(rc, n);
    assert_int_equal(vt_tx(&r), 16 + V4V_ROUNDUP(n));
    vt_rx_set(&r, 0);
    vt_expect(&r, 5, 0, 3, n);
}

/* ---- Ends during a send
 * -------------------------------------------------------- */

static struct vcpu *long_send_start(struct vt_ring *r)
{
    const uint32_t n = 2 * V4V_SEND_PIECE;
    const struct v4v_send_addr a = {.dst = {.port = 1, .domain = 6}};
    const struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = n};
    long rc;

    *r = vt_ring(va_victim, 1, V4V_DOMID_ANY, 3 * V4V_SEND_PIECE);
    fixture_phys_put(va_evil, VT_ADDR, &a, sizeof(a));
    fixture_phys_put(va_evil, VT_IOV, &iov, sizeof(iov));
    vt_begin(va_evil->vcpu[0], V4VOP_sendv, VT_ADDR, VT_IOV, 1,
             V4V_MESSAGE_DGRAM);
    assert_false(vt_step(va_evil->vcpu[0], &rc));
    return va_evil->vcpu[0];
}

static void receiver_dies_during_a_send_and_it_is_refused(void **state)
{
    struct vt_ring r;
    struct vcpu *v = long_send_start(&r);
    long rc;

    (void)state;
    vt_domain_destroy(va_victim);
    assert_true(vt_step(v, &rc));
    assert_int_equal(rc, -RV_ECONNREFUSED);
    va_bystanders_go_on();
}

static void sender_dies_during_a_send_and_nothing_arrived(void **state)
{
    struct vt_ring r;

    (void)state;
    (void)long_send_start(&r);
    vt_domain_destroy(va_evil);
    assert_int_equal(vt_tx(&r), 0);
    fake_time_advance(V4V_HOLD_NS);
    assert_int_equal(vt_send(va_bystander, 1, 6, 1, 1, 10), 10);
    vt_expect(&r, 8, 1, 1, 10);
}

static void ring_unregistered_during_a_send_gets_no_more_of_it(void **state)
{
    struct vt_ring r;
    struct vcpu *v = long_send_start(&r);
    uint8_t *before = malloc(3 * V4V_SEND_PIECE);
    uint8_t *after = malloc(3 * V4V_SEND_PIECE);
    long rc;

    (void)state;
    assert_int_equal(vt_unregister(&r), 0);
    fixture_quiesce();
    fixture_phys_get(va_victim, before, VT_RING, 3 * V4V_SEND_PIECE);
    assert_true(vt_step(v, &rc));
    assert_int_equal(rc, -RV_ECONNREFUSED);
    fixture_phys_get(va_victim, after, VT_RING, 3 * V4V_SEND_PIECE);
    assert_memory_equal(before, after, 3 * V4V_SEND_PIECE);
    free(before);
    free(after);
    va_bystanders_go_on();
}

/* Another ring with the same id: the send starts again and arrives once. */
static void ring_registered_anew_during_a_send_gets_all_of_it(void **state)
{
    struct vt_ring r;
    struct vcpu *v = long_send_start(&r);
    long rc;

    (void)state;
    assert_int_equal(vt_unregister(&r), 0);
    assert_int_equal(vt_register(&r), 0);
    while (!vt_step(v, &rc)) {
    }
    assert_int_equal(rc, 2 * V4V_SEND_PIECE);
    assert_int_equal(vt_tx(&r), 16 + 2 * V4V_SEND_PIECE);
    va_bystanders_go_on();
}

static void sender_that_never_goes_on_does_not_close_the_ring(void **state)
{
    struct vt_ring r;

    (void)state;
    (void)long_send_start(&r);
    fake_time_advance(V4V_HOLD_NS);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(vt_send(va_bystander, 1, 6, 1, i, 10), 10);
    }
    for (unsigned i = 0; i < 20; i++) {
        vt_expect(&r, 8, 1, i, 10);
    }
}

/* A token that is guessed continues one's own send or nothing. */
static void sendv_with_a_forged_token_is_a_new_send(void **state)
{
    struct vt_ring r = vt_ring(va_victim, 1, V4V_DOMID_ANY, VA_LEN);
    const struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = 10};
    const struct v4v_send_addr a = {.src = {.port = 3},
                                    .dst = {.port = 1, .domain = 6}};

    (void)state;
    vt_fill(va_evil, VT_BUF, 4, 10);
    fixture_phys_put(va_evil, VT_ADDR, &a, sizeof(a));
    fixture_phys_put(va_evil, VT_IOV, &iov, sizeof(iov));
    for (uint64_t token = 0; token < 0x1000000; token += 0x3333) {
        assert_int_equal(vt_op(va_evil, V4VOP_sendv | token << 8, VT_ADDR,
                               VT_IOV, 1, V4V_MESSAGE_DGRAM),
                         10);
        vt_expect(&r, 5, 3, 4, 10);
    }
}

/* Whoever found it before may still look at it: until every CPU has passed a
 * quiescent point nothing of it is given back. */
static void ring_and_rule_stay_until_nobody_can_look_at_them(void **state)
{
    const struct v4vtables_rule r = vt_rule(1, 0, 2, 0, false);
    uint64_t before = frame_free_count();
    uint64_t with;

    (void)state;
    (void)vt_ring(va_victim, 1, V4V_DOMID_ANY, VA_LEN);
    assert_int_equal(v4v_rule_add(&r, 1), 0);
    with = frame_free_count();
    assert_int_equal(with, before - 2);
    assert_int_equal(v4v_ring_unregister(va_victim, 1, V4V_DOMID_ANY), 0);
    assert_int_equal(v4v_rule_del_at(1), 0);
    assert_int_equal(frame_free_count(), with);
    assert_int_equal(quiesce_pending_count(), 2);
    fixture_quiesce();
    assert_int_equal(frame_free_count(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VA_CASE(sendv_of_giant_vectors_is_refused_before_they_are_read),
        VA_CASE(sendv_of_lengths_that_overflow_sums_is_emsgsize),
        VA_CASE(sendv_of_overlapping_vectors_sends_what_was_read),
        VA_CASE(sendv_from_inside_the_ring_into_it_hurts_nobody),
        VA_CASE(sendv_with_a_request_that_changes_under_it_is_what_it_was),
        VA_CASE(indices_of_garbage_stop_only_their_owners_ring),
        VA_CASE(indices_changed_during_a_send_cannot_move_it),
        VA_CASE(receiver_dies_during_a_send_and_it_is_refused),
        VA_CASE(sender_dies_during_a_send_and_nothing_arrived),
        VA_CASE(ring_unregistered_during_a_send_gets_no_more_of_it),
        VA_CASE(ring_registered_anew_during_a_send_gets_all_of_it),
        VA_CASE(sender_that_never_goes_on_does_not_close_the_ring),
        VA_CASE(sendv_with_a_forged_token_is_a_new_send),
        VA_CASE(ring_and_rule_stay_until_nobody_can_look_at_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
