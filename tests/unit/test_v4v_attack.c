/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks on the message engine, one behaviour each, with the detector for
 * second reads on. A pair of bystanders exchanges numbered messages before,
 * during and after; the machine is taken apart after each attack, and every
 * frame must be back.
 */
#include "v4v_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "public/memory.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"
#include "ravelin/hypercall.h"
#include "ravelin/p2m.h"
#include "ravelin/quiesce.h"
#include "ravelin/vmexit.h"

#define LEN 4032u
#define ANY V4V_DOMID_ANY

static struct domain *evil, *victim, *control, *left, *right;
static struct vt_ring quiet;
static uint32_t number;

static int setup(void **state)
{
    (void)state;
    vt_machine_create(2);
    evil = vt_domain_plain(5);
    victim = vt_domain_plain(6);
    control = vt_domain(&(struct vt_setup){.id = 3, .roles = ROLE_CONTROL});
    left = vt_domain(&(struct vt_setup){.id = 8, .pages = 320});
    right = vt_domain(&(struct vt_setup){.id = 9, .pages = 320});
    quiet = vt_ring(right, 4, 8, LEN);
    number = 0;
    return 0;
}

/* Nobody else's traffic is lost, changed or out of order. */
static void bystanders_go_on(void)
{
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(vt_send(left, 2, 9, 4, number + i, 50 + i), 50 + i);
    }
    for (unsigned i = 0; i < 3; i++) {
        vt_expect(&quiet, 8, 2, number + i, 50 + i);
    }
    number += 3;
}

static int teardown(void **state)
{
    (void)state;
    bystanders_go_on();
    vt_machine_destroy(); /* fails if a frame is missing */
    return 0;
}

/* ---- Registration -----------------------------------------------------------
 */

static void register_a_million_times_is_bounded(void **state)
{
    struct vt_ring r = {evil, VT_RING, 1, ANY, LEN, false};
    uint64_t before;
    long rc = 0;

    (void)state;
    assert_int_equal(vt_register(&r), 0);
    before = frame_free_count();
    vt_detector_on = false;
    for (uint32_t i = 2; i < 1u << 20; i++) {
        fixture_phys_put(evil, VT_RING + 8, &i, sizeof(i));
        rc = vt_op(evil, V4VOP_register_ring, VT_RING, VT_LIST, 1, 0);
        assert_int_equal(rc, i <= 128 ? 0 : -RV_ENOSPC);
    }
    vt_detector_on = true;
    assert_true(before - frame_free_count() <= 128);
    bystanders_go_on();
}

static void register_the_same_id_again_and_again_changes_nothing(void **state)
{
    struct vt_ring r = vt_ring(evil, 1, ANY, LEN);
    uint64_t before;

    (void)state;
    assert_int_equal(vt_send(victim, 1, 5, 1, 1, 100), 100);
    before = frame_free_count();
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(vt_register_again(&r), -RV_EEXIST);
    }
    assert_int_equal(frame_free_count(), before);
    vt_expect(&r, 6, 1, 1, 100);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(vt_unregister(&r), 0);
        assert_int_equal(vt_register_again(&r), 0);
    }
    fixture_quiesce();
    assert_int_equal(frame_free_count(), before);
}

static long memory_call(struct domain *d, uint64_t op, uint64_t g)
{
    const struct xen_memory_reservation m = {
        .extent_start = {.gva = VT_DATA + 64},
        .nr_extents = 1,
        .domid = 0x7ff0};
    const struct vmexit exit = {
        .reason = VMEXIT_HYPERCALL, .insn_len = 3, .code_bits = 64};
    struct vcpu *v = d->vcpu[0];

    fixture_phys_put(d, VT_DATA, &m, sizeof(m));
    fixture_phys_put(d, VT_DATA + 64, &g, sizeof(g));
    v->regs.gpr[REG_RAX] = 12;
    v->regs.gpr[REG_RDI] = op;
    v->regs.gpr[REG_RSI] = VT_DATA;
    hypercall_dispatch(v, &exit);
    quiesce_point();
    return (long)v->regs.gpr[REG_RAX];
}

/* The frame stays pinned and charged; new memory at the place is another one,
 * and nothing of what is sent can appear in it. */
static void ring_page_given_back_while_registered_stays_the_domains(
    void **state)
{
    struct vt_ring r = {evil, VT_RING, 1, ANY, 2 * 4096 - 64, false};
    uint64_t g = VT_RING >> PAGE_SHIFT;
    uint8_t zero[4096] = {0};
    uint8_t seen[4096];
    mfn_t old[2];

    (void)state;
    assert_int_equal(vt_register(&r), 0);
    for (unsigned i = 0; i < 2; i++) {
        old[i] = p2m_lookup(&evil->p2m, gfn(g + i)).mfn;
        assert_int_equal(memory_call(evil, 1, g + i), 1);
        fixture_quiesce();
        assert_int_equal(frame_owner(old[i]), 5);
        assert_int_equal(frame_ref_count(old[i]), 1);
    }
    for (unsigned i = 0; i < 30; i++) {
        assert_int_equal(vt_send(victim, 1, 5, 1, i, 100), 100);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(memory_call(evil, 6, g + i), 1);
        fixture_phys_get(evil, seen, (g + i) << PAGE_SHIFT, sizeof(seen));
        assert_memory_equal(seen, zero, sizeof(zero));
        assert_false(mfn_eq(p2m_lookup(&evil->p2m, gfn(g + i)).mfn, old[i]));
    }
    bystanders_go_on();
    assert_int_equal(v4v_ring_unregister(evil, 1, ANY), 0);
    fixture_quiesce();
    assert_int_not_equal(frame_owner(old[0]), 5);
}

/* ---- Vectors
 * ------------------------------------------------------------------ */

static void sendv_of_giant_vectors_is_refused_before_they_are_read(void **state)
{
    const uint32_t counts[] = {129, 0xffff, 0x7fffffff, 0xffffffff};

    (void)state;
    (void)vt_ring(victim, 1, ANY, LEN);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        assert_int_equal(
            vt_op(evil, V4VOP_sendv, VT_ADDR, VT_BAD, counts[i], 1), -RV_E2BIG);
    }
    bystanders_go_on();
}

static void sendv_of_lengths_that_overflow_sums_is_emsgsize(void **state)
{
    struct v4v_iov iov[128];
    struct vt_ring r = vt_ring(victim, 1, ANY, LEN);

    (void)state;
    for (unsigned i = 0; i < 128; i++) {
        iov[i] = (struct v4v_iov){.iov_base = VT_BUF, .iov_len = 0xffffffff};
    }
    for (unsigned n = 1; n <= 128; n++) {
        assert_int_equal(vt_sendv(evil, 6, 1, iov, n, 1), -RV_EMSGSIZE);
    }
    /* Sums that are small modulo 2^32. */
    iov[0].iov_len = 0x80000000;
    iov[1].iov_len = 0x80000000;
    iov[2].iov_len = 16;
    assert_int_equal(vt_sendv(evil, 6, 1, iov, 3, 1), -RV_EMSGSIZE);
    iov[0].iov_len = 0xfffffff0;
    iov[1].iov_len = 0x20;
    assert_int_equal(vt_sendv(evil, 6, 1, iov, 2, 1), -RV_EMSGSIZE);
    /* Rounding up must not wrap either. */
    for (uint32_t n = 0xffffffff; n > 0xfffffff0; n--) {
        iov[0].iov_len = n;
        assert_int_equal(vt_sendv(evil, 6, 1, iov, 1, 1), -RV_EMSGSIZE);
    }
    assert_int_equal(vt_tx(&r), 0);
    bystanders_go_on();
}

/* The iovs, the address and the payload on top of each other. */
static void sendv_of_overlapping_vectors_sends_what_was_read(void **state)
{
    struct vt_ring r = vt_ring(victim, 1, ANY, 64 * 1024 - 64);
    struct v4v_iov iov[128];
    struct vt_message *m = malloc(sizeof(*m));

    (void)state;
    /* Each byte would be read more than once: as iov, then as payload. That
     * is what was asked for, so the detector has nothing to say here. */
    vt_detector_on = false;
    for (unsigned i = 0; i < 128; i++) {
        iov[i] = (struct v4v_iov){.iov_base = VT_IOV, .iov_len = 256};
    }
    assert_int_equal(vt_sendv(evil, 6, 1, iov, 128, 1), 128 * 256);
    assert_true(vt_take(&r, m));
    for (unsigned i = 0; i < 128; i++) {
        assert_memory_equal(m->data + i * 256, iov, 256);
    }
    free(m);
    bystanders_go_on();
}

/* From one's own ring into it, over itself. */
static void sendv_from_inside_the_ring_into_it_hurts_nobody(void **state)
{
    struct vt_ring r = vt_ring(evil, 1, ANY, 2 * 4096 - 64);

    (void)state;
    vt_detector_on = false;
    for (uint32_t i = 0; i < 500; i++) {
        uint64_t at = VT_RING + (i * 37) % 4096;

        assert_int_equal(vt_send_at(evil, 1, 5, 1, at, 3000), 3000);
        assert_true(vt_tx(&r) < r.len && vt_tx(&r) % 16 == 0);
        vt_rx_set(&r, vt_tx(&r));
    }
    bystanders_go_on();
}

/* What a second vCPU does to the request between two reads, made certain: the
 * detector inverts each byte once it is read, and a second read of any fails
 * the test. Here with a vector that crosses pages, in every operation. */
static void sendv_with_a_request_that_changes_under_it_is_what_it_was(
    void **state)
{
    struct vt_ring r = vt_ring(victim, 1, ANY, 64 * 1024 - 64);
    const struct v4v_send_addr a = {.src = {.port = 7},
                                    .dst = {.port = 1, .domain = 6}};
    struct v4v_iov iov[100];
    uint64_t at = VT_IOV + 4096 - 20 * 16 - 8;
    uint32_t n = 0;

    (void)state;
    vt_fill(evil, VT_BUF, 9, 30000);
    for (uint32_t i = 0; i < 100; i++) {
        iov[i] = (struct v4v_iov){.iov_base = VT_BUF + n, .iov_len = i * 5};
        n += i * 5;
    }
    fixture_phys_put(evil, VT_ADDR + 4090, &a, sizeof(a));
    fixture_phys_put(evil, at, iov, sizeof(iov));
    assert_int_equal(
        vt_op(evil, V4VOP_sendv, VT_ADDR + 4090, at, 100, V4V_MESSAGE_DGRAM),
        n);
    vt_expect(&r, 5, 7, 9, n);
    bystanders_go_on();
}

/* ---- Indices
 * -------------------------------------------------------------------- */

static void indices_of_garbage_stop_only_their_owners_ring(void **state)
{
    const uint32_t garbage[] = {1,          8,          LEN,        LEN + 16,
                                0x7ffffff0, 0x80000000, 0xfffffff0, 0xffffffff,
                                LEN - 8,    LEN * 2};
    struct vt_ring r = vt_ring(victim, 1, ANY, LEN);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
        struct v4v_ring_data_ent e;

        vt_rx_set(&r, garbage[i]);
        vt_tx_set(&r, garbage[ARRAY_SIZE(garbage) - 1 - i]);
        assert_int_equal(vt_send(evil, 1, 6, 1, 1, 16), -RV_EAGAIN);
        assert_int_equal(vt_ask(evil, 6, 1, 0, &e),
                         V4V_RING_DATA_F_EXISTS | V4V_RING_DATA_F_PENDING);
        assert_int_equal(vt_notify(victim), 0);
        bystanders_go_on();
    }
    /* Repaired, it works again; our tx_ptr was never theirs. */
    vt_rx_set(&r, 0);
    assert_int_equal(vt_send(evil, 1, 6, 1, 5, 16), 16);
    assert_int_equal(vt_tx(&r), 32);
    vt_expect(&r, 5, 1, 5, 16);
}

/* At every moment: before, between the pieces of, and after a long send. */
static void indices_changed_during_a_send_cannot_move_it(void **state)
{
    const uint32_t n = 2 * V4V_SEND_PIECE + 5;
    struct vt_ring r = vt_ring(victim, 1, ANY, 4 * V4V_SEND_PIECE);
    const struct v4v_send_addr a = {.dst = {.port = 1, .domain = 6}};
    const struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = n};
    long rc;

    (void)state;
    vt_fill(evil, VT_BUF, 3, n);
    fixture_phys_put(evil, VT_ADDR, &a, sizeof(a));
    fixture_phys_put(evil, VT_IOV, &iov, sizeof(iov));
    vt_begin(evil->vcpu[0], V4VOP_sendv, VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM);
    while (!vt_step(evil->vcpu[0], &rc)) {
        vt_rx_set(&r, 0xfffffff1);
        vt_tx_set(&r, 0xffffffff);
        bystanders_go_on();
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

    *r = vt_ring(victim, 1, ANY, 3 * V4V_SEND_PIECE);
    fixture_phys_put(evil, VT_ADDR, &a, sizeof(a));
    fixture_phys_put(evil, VT_IOV, &iov, sizeof(iov));
    vt_begin(evil->vcpu[0], V4VOP_sendv, VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM);
    assert_false(vt_step(evil->vcpu[0], &rc));
    return evil->vcpu[0];
}

static void receiver_dies_during_a_send_and_it_is_refused(void **state)
{
    struct vt_ring r;
    struct vcpu *v = long_send_start(&r);
    long rc;

    (void)state;
    vt_domain_destroy(victim);
    assert_true(vt_step(v, &rc));
    assert_int_equal(rc, -RV_ECONNREFUSED);
    bystanders_go_on();
}

static void sender_dies_during_a_send_and_nothing_arrived(void **state)
{
    struct vt_ring r;

    (void)state;
    (void)long_send_start(&r);
    vt_domain_destroy(evil);
    assert_int_equal(vt_tx(&r), 0);
    fake_time_advance(V4V_HOLD_NS);
    assert_int_equal(vt_send(left, 1, 6, 1, 1, 10), 10);
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
    fixture_phys_get(victim, before, VT_RING, 3 * V4V_SEND_PIECE);
    assert_true(vt_step(v, &rc));
    assert_int_equal(rc, -RV_ECONNREFUSED);
    fixture_phys_get(victim, after, VT_RING, 3 * V4V_SEND_PIECE);
    assert_memory_equal(before, after, 3 * V4V_SEND_PIECE);
    free(before);
    free(after);
    bystanders_go_on();
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
    bystanders_go_on();
}

static void sender_that_never_goes_on_does_not_close_the_ring(void **state)
{
    struct vt_ring r;

    (void)state;
    (void)long_send_start(&r);
    fake_time_advance(V4V_HOLD_NS);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(vt_send(left, 1, 6, 1, i, 10), 10);
    }
    for (unsigned i = 0; i < 20; i++) {
        vt_expect(&r, 8, 1, i, 10);
    }
}

/* A token that is guessed continues one's own send or nothing. */
static void sendv_with_a_forged_token_is_a_new_send(void **state)
{
    struct vt_ring r = vt_ring(victim, 1, ANY, LEN);
    const struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = 10};
    const struct v4v_send_addr a = {.src = {.port = 3},
                                    .dst = {.port = 1, .domain = 6}};

    (void)state;
    vt_fill(evil, VT_BUF, 4, 10);
    fixture_phys_put(evil, VT_ADDR, &a, sizeof(a));
    fixture_phys_put(evil, VT_IOV, &iov, sizeof(iov));
    for (uint64_t token = 0; token < 0x1000000; token += 0x3333) {
        assert_int_equal(vt_op(evil, V4VOP_sendv | token << 8, VT_ADDR, VT_IOV,
                               1, V4V_MESSAGE_DGRAM),
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
    (void)vt_ring(victim, 1, ANY, LEN);
    assert_int_equal(v4v_rule_add(&r, 1), 0);
    with = frame_free_count();
    assert_int_equal(with, before - 2);
    assert_int_equal(v4v_ring_unregister(victim, 1, ANY), 0);
    assert_int_equal(v4v_rule_del_at(1), 0);
    assert_int_equal(frame_free_count(), with);
    assert_int_equal(quiesce_pending_count(), 2);
    fixture_quiesce();
    assert_int_equal(frame_free_count(), before);
}

/* ---- Notify
 * ---------------------------------------------------------------------- */

static void notify_storm_of_all_sizes_keeps_one_request(void **state)
{
    struct vt_ring r = vt_ring(victim, 1, ANY, LEN);
    const uint32_t sizes[] = {0,        1,          100,        LEN - 32,
                              LEN - 31, 0x7fffffff, 0x80000000, 0xffffffff};
    struct v4v_ring_stat s;

    (void)state;
    (void)vt_event_port(evil);
    assert_int_equal(vt_send(evil, 1, 6, 1, 1, LEN - 32), LEN - 32);
    for (uint32_t i = 0; i < 5000; i++) {
        (void)vt_ask(evil, 6, 1, sizes[i % ARRAY_SIZE(sizes)], NULL);
        assert_int_equal(v4v_ring_stats(victim, 0, &s, 1), 1);
        assert_true(s.waiting <= 1);
    }
    assert_int_equal(vt_ask(evil, 6, 1, 7, NULL),
                     V4V_RING_DATA_F_EXISTS | V4V_RING_DATA_F_PENDING);
    vt_expect(&r, 5, 1, 1, LEN - 32);
    assert_int_equal(vt_notify(victim), 0);
    assert_true(vt_event_taken(evil));
    bystanders_go_on();
}

static void notify_tells_nothing_of_rings_the_rules_forbid(void **state)
{
    struct v4vtables_rule deny = vt_rule(5, 0, 6, 0, false);
    struct v4v_ring_data_ent there, absent;
    struct v4v_ring_stat s;

    (void)state;
    (void)vt_ring(victim, 1, ANY, LEN);
    assert_int_equal(vt_rule_add(control, &deny, 1), 0);
    assert_int_equal(vt_ask(evil, 6, 1, LEN, &there), 0);
    assert_int_equal(vt_ask(evil, 6, 2, LEN, &absent), 0);
    there.ring.port = absent.ring.port;
    assert_memory_equal(&there, &absent, sizeof(there));
    assert_int_equal(vt_send(evil, 1, 6, 1, 1, 1), -RV_ECONNREFUSED);
    assert_int_equal(vt_send(evil, 1, 6, 2, 1, 1), -RV_ECONNREFUSED);
    assert_int_equal(vt_send(evil, 1, 6, 1, 1, LEN), -RV_ECONNREFUSED);
    assert_int_equal(v4v_ring_stats(victim, 0, &s, 1), 1);
    assert_int_equal(s.waiting, 0);
    assert_int_equal(s.messages, 0);
}

/* ---- Names, positions, quiet receivers
 * ------------------------------------------- */

static void sender_that_claims_another_name_is_named_truly(void **state)
{
    struct vt_ring r = vt_ring(victim, 1, ANY, LEN);
    struct vt_ring own = {victim, VT_RING + 0x2000, 1, 8, LEN, false};
    const struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = 10};
    struct v4vtables_rule deny = vt_rule(5, 0, 6, 0, false);
    struct v4v_send_addr a = {.src = {.port = 3, .domain = 8},
                              .dst = {.port = 1, .domain = 6}};

    (void)state;
    assert_int_equal(vt_register(&own), 0);
    vt_fill(evil, VT_BUF, 4, 10);
    fixture_phys_put(evil, VT_ADDR, &a, sizeof(a));
    fixture_phys_put(evil, VT_IOV, &iov, sizeof(iov));
    assert_int_equal(
        vt_op(evil, V4VOP_sendv, VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM), 10);
    vt_expect(&r, 5, 3, 4, 10);
    assert_int_equal(vt_tx(&own), 0);
    assert_int_equal(vt_rule_add(control, &deny, 1), 0);
    assert_int_equal(vt_op(evil, V4VOP_sendv, VT_ADDR, VT_IOV, 1, 1),
                     -RV_ECONNREFUSED);
}

static void positions_out_of_range_touch_no_rule(void **state)
{
    const uint32_t positions[] = {
        0, 2, 3, 0x7fffffff, 0x80000000, 0xfffffffe, 1u << 31 | 1};
    struct v4vtables_rule r = vt_rule(5, 1, 6, 1, false);
    struct v4vtables_list l = {.nb_rules = 0xffffffff};

    (void)state;
    assert_int_equal(vt_rule_add(control, &r, 0xfffffffe), 0);
    for (size_t i = 0; i < ARRAY_SIZE(positions); i++) {
        assert_int_equal(vt_rule_del(control, NULL, positions[i]), -RV_ENOENT);
    }
    for (size_t i = 0; i < ARRAY_SIZE(positions); i++) {
        l.start_rule = positions[i];
        l.nb_rules = 0xffffffff;
        fixture_phys_put(control, VT_DATA, &l, sizeof(l));
        assert_int_equal(vt_op(control, V4VOP_tables_list, VT_DATA, 0, 0, 0),
                         0);
        fixture_phys_get(control, &l, VT_DATA, sizeof(l));
        assert_int_equal(l.nb_rules, positions[i] == 0);
    }
    /* Forged progress of a continued call. */
    l = (struct v4vtables_list){.start_rule = 0xffffffff, .nb_rules = 5};
    fixture_phys_put(control, VT_DATA, &l, sizeof(l));
    assert_int_equal(
        vt_op(control, V4VOP_tables_list | 0xffffffUL << 8, VT_DATA, 0, 0, 0),
        0);
    assert_int_equal(v4v_rule_count(), 1);
    bystanders_go_on();
}

static void receiver_that_never_reads_costs_its_senders_only_eagain(
    void **state)
{
    struct v4v_ring_stat s;
    uint64_t before;
    unsigned sent = 0;

    (void)state;
    (void)vt_ring(victim, 1, ANY, LEN);
    while (vt_send(evil, 1, 6, 1, sent, 100) == 100) {
        sent++;
    }
    assert_int_equal(sent, (LEN - 16) / 128);
    before = frame_free_count();
    for (unsigned i = 0; i < 10000; i++) {
        assert_int_equal(vt_send_at(evil, 1, 6, 1, VT_BUF, 100), -RV_EAGAIN);
    }
    assert_int_equal(frame_free_count(), before);
    assert_int_equal(v4v_ring_stats(victim, 0, &s, 1), 1);
    assert_int_equal(s.messages, sent);
    assert_int_equal(s.waiting, 1);
    bystanders_go_on();
}

/* Small messages cannot outrun the ring: each is charged header and slot. */
static void tiny_messages_are_counted_like_bytes(void **state)
{
    struct vt_ring r = vt_ring(victim, 1, ANY, LEN);
    unsigned empty = 0;

    (void)state;
    while (vt_sendv(evil, 6, 1, NULL, 0, 1) == 0) {
        empty++;
        assert_true(empty <= LEN / 16);
    }
    assert_int_equal(empty, LEN / 16 - 1);
    vt_rx_set(&r, vt_tx(&r));
    bystanders_go_on();
}

static void random_calls_from_a_hostile_guest_hurt_nobody(void **state)
{
    uint64_t seed = 12345;

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t arg[5];

        for (unsigned k = 0; k < 5; k++) {
            seed = seed * 6364136223846793005UL + 1442695040888963407UL;
            arg[k] = seed >> (seed % 64);
        }
        (void)vt_op(evil, arg[0], arg[1], arg[2], arg[3], arg[4]);
        if (i % 500 == 0) {
            bystanders_go_on();
        }
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(register_a_million_times_is_bounded),
        T(register_the_same_id_again_and_again_changes_nothing),
        T(ring_page_given_back_while_registered_stays_the_domains),
        T(sendv_of_giant_vectors_is_refused_before_they_are_read),
        T(sendv_of_lengths_that_overflow_sums_is_emsgsize),
        T(sendv_of_overlapping_vectors_sends_what_was_read),
        T(sendv_from_inside_the_ring_into_it_hurts_nobody),
        T(sendv_with_a_request_that_changes_under_it_is_what_it_was),
        T(indices_of_garbage_stop_only_their_owners_ring),
        T(indices_changed_during_a_send_cannot_move_it),
        T(receiver_dies_during_a_send_and_it_is_refused),
        T(sender_dies_during_a_send_and_nothing_arrived),
        T(ring_unregistered_during_a_send_gets_no_more_of_it),
        T(ring_registered_anew_during_a_send_gets_all_of_it),
        T(sender_that_never_goes_on_does_not_close_the_ring),
        T(sendv_with_a_forged_token_is_a_new_send),
        T(ring_and_rule_stay_until_nobody_can_look_at_them),
        T(notify_storm_of_all_sizes_keeps_one_request),
        T(notify_tells_nothing_of_rings_the_rules_forbid),
        T(sender_that_claims_another_name_is_named_truly),
        T(positions_out_of_range_touch_no_rule),
        T(receiver_that_never_reads_costs_its_senders_only_eagain),
        T(tiny_messages_are_counted_like_bytes),
        T(random_calls_from_a_hostile_guest_hurt_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
