/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks with what a domain has: rings, requests for notice, names, positions
 * of rules, silence, and calls at random. One behaviour each, with the detector
 * for second reads on.
 */
#include "v4v_attack_fixture.h"

#include "public/memory.h"
#include "ravelin/frame_pool.h"
#include "ravelin/hypercall.h"
#include "ravelin/p2m.h"
#include "ravelin/quiesce.h"
#include "ravelin/vmexit.h"
#include "v4v_internal.h"

/* ---- Registration ---- */

static void register_a_million_times_is_bounded(void **state)
{
    struct vt_ring r = {va_evil, VT_RING, 1, V4V_DOMID_ANY, VA_LEN, false};
    uint64_t before;
    long rc = 0;

    (void)state;
    assert_int_equal(vt_register(&r), 0);
    before = frame_free_count();
    vt_detector_on = false;
    for (uint32_t i = 2; i < 1u << 20; i++) {
        fixture_phys_put(va_evil, VT_RING + 8, &i, sizeof(i));
        rc = vt_op(va_evil, V4VOP_register_ring, VT_RING, VT_LIST, 1, 0);
        assert_int_equal(rc, i <= 128 ? 0 : -RV_ENOSPC);
    }
    vt_detector_on = true;
    assert_true(before - frame_free_count() <= 128);
    va_bystanders_go_on();
}

static void register_the_same_id_again_and_again_changes_nothing(void **state)
{
    struct vt_ring r = vt_ring(va_evil, 1, V4V_DOMID_ANY, VA_LEN);
    uint64_t before;

    (void)state;
    assert_int_equal(vt_send(va_victim, 1, 5, 1, 1, 100), 100);
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

static unsigned longest_chain(const struct v4v_domain *t)
{
    unsigned longest = 0;

    for (unsigned i = 0; i < V4V_BUCKETS; i++) {
        unsigned n = 0;

        for (struct v4v_ring_state *r = t->bucket[i]; r; r = r->hash_next) {
            n++;
        }
        longest = rv_max(longest, n);
    }
    return longest;
}

/* Ids that a multiplicative hash with a well-known factor puts into one bucket:
 * multiples of the factor's inverse, and the same sum of port and partner. */
static void register_ids_made_to_collide_spreads_them(void **state)
{
    const uint32_t factor = 0x9e3779b1u;
    uint32_t inverse = 1;
    struct vt_ring r = {va_evil, VT_RING, 1, V4V_DOMID_ANY, VA_LEN, false};

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        inverse *= 2 - factor * inverse;
    }
    assert_int_equal(factor * inverse, 1);
    for (uint32_t i = 1; i <= 64; i++) {
        r.port = i * inverse;
        r.partner = 1;
        assert_int_equal(vt_register(&r), 0);
        r.port = 1 ^ i << 16;
        r.partner = (domid_t)(i + 1);
        assert_int_equal(vt_register(&r), 0);
    }
    assert_true(longest_chain(va_evil->v4v) <= 8);
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
    struct vt_ring r = {va_evil,       VT_RING,       1,
                        V4V_DOMID_ANY, 2 * 4096 - 64, false};
    uint64_t g = VT_RING >> PAGE_SHIFT;
    uint8_t zero[4096] = {0};
    uint8_t seen[4096];
    mfn_t old[2];

    (void)state;
    assert_int_equal(vt_register(&r), 0);
    for (unsigned i = 0; i < 2; i++) {
        old[i] = p2m_lookup(&va_evil->p2m, gfn(g + i)).mfn;
        assert_int_equal(memory_call(va_evil, 1, g + i), 1);
        fixture_quiesce();
        assert_int_equal(frame_owner(old[i]), 5);
        assert_int_equal(frame_ref_count(old[i]), 1);
    }
    for (unsigned i = 0; i < 30; i++) {
        assert_int_equal(vt_send(va_victim, 1, 5, 1, i, 100), 100);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(memory_call(va_evil, 6, g + i), 1);
        fixture_phys_get(va_evil, seen, (g + i) << PAGE_SHIFT, sizeof(seen));
        assert_memory_equal(seen, zero, sizeof(zero));
        assert_false(mfn_eq(p2m_lookup(&va_evil->p2m, gfn(g + i)).mfn, old[i]));
    }
    va_bystanders_go_on();
    assert_int_equal(v4v_ring_unregister(va_evil, 1, V4V_DOMID_ANY), 0);
    fixture_quiesce();
    assert_int_not_equal(frame_owner(old[0]), 5);
}

/* ---- Notify
 * ---------------------------------------------------------------------- */

static void notify_storm_of_all_sizes_keeps_one_request(void **state)
{
    struct vt_ring r = vt_ring(va_victim, 1, V4V_DOMID_ANY, VA_LEN);
    const uint32_t sizes[] = {0,           1,          100,        VA_LEN - 32,
                              VA_LEN - 31, 0x7fffffff, 0x80000000, 0xffffffff};
    struct v4v_ring_stat s;

    (void)state;
    (void)vt_event_port(va_evil);
    assert_int_equal(vt_send(va_evil, 1, 6, 1, 1, VA_LEN - 32), VA_LEN - 32);
    for (uint32_t i = 0; i < 5000; i++) {
        (void)vt_ask(va_evil, 6, 1, sizes[i % ARRAY_SIZE(sizes)], NULL);
        assert_int_equal(v4v_ring_stats(va_victim, 0, &s, 1), 1);
        assert_true(s.waiting <= 1);
    }
    assert_int_equal(vt_ask(va_evil, 6, 1, 7, NULL),
                     V4V_RING_DATA_F_EXISTS | V4V_RING_DATA_F_PENDING);
    vt_expect(&r, 5, 1, 1, VA_LEN - 32);
    assert_int_equal(vt_notify(va_victim), 0);
    assert_true(vt_event_taken(va_evil));
    va_bystanders_go_on();
}

static void notify_tells_nothing_of_rings_the_rules_forbid(void **state)
{
    struct v4vtables_rule deny = vt_rule(5, 0, 6, 0, false);
    struct v4v_ring_data_ent there, absent;
    struct v4v_ring_stat s;

    (void)state;
    (void)vt_ring(va_victim, 1, V4V_DOMID_ANY, VA_LEN);
    assert_int_equal(vt_rule_add(va_control, &deny, 1), 0);
    assert_int_equal(vt_ask(va_evil, 6, 1, VA_LEN, &there), 0);
    assert_int_equal(vt_ask(va_evil, 6, 2, VA_LEN, &absent), 0);
    there.ring.port = absent.ring.port;
    assert_memory_equal(&there, &absent, sizeof(there));
    assert_int_equal(vt_send(va_evil, 1, 6, 1, 1, 1), -RV_ECONNREFUSED);
    assert_int_equal(vt_send(va_evil, 1, 6, 2, 1, 1), -RV_ECONNREFUSED);
    assert_int_equal(vt_send(va_evil, 1, 6, 1, 1, VA_LEN), -RV_ECONNREFUSED);
    assert_int_equal(v4v_ring_stats(va_victim, 0, &s, 1), 1);
    assert_int_equal(s.waiting, 0);
    assert_int_equal(s.messages, 0);
}

/* ---- Names, positions, quiet receivers
 * ------------------------------------------- */

static void sender_that_claims_another_name_is_named_truly(void **state)
{
    struct vt_ring r = vt_ring(va_victim, 1, V4V_DOMID_ANY, VA_LEN);
    struct vt_ring own = {va_victim, VT_RING + 0x2000, 1, 8, VA_LEN, false};
    const struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = 10};
    struct v4vtables_rule deny = vt_rule(5, 0, 6, 0, false);
    struct v4v_send_addr a = {.src = {.port = 3, .domain = 8},
                              .dst = {.port = 1, .domain = 6}};

    (void)state;
    assert_int_equal(vt_register(&own), 0);
    vt_fill(va_evil, VT_BUF, 4, 10);
    fixture_phys_put(va_evil, VT_ADDR, &a, sizeof(a));
    fixture_phys_put(va_evil, VT_IOV, &iov, sizeof(iov));
    assert_int_equal(
        vt_op(va_evil, V4VOP_sendv, VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM), 10);
    vt_expect(&r, 5, 3, 4, 10);
    assert_int_equal(vt_tx(&own), 0);
    assert_int_equal(vt_rule_add(va_control, &deny, 1), 0);
    assert_int_equal(vt_op(va_evil, V4VOP_sendv, VT_ADDR, VT_IOV, 1, 1),
                     -RV_ECONNREFUSED);
}

static void positions_out_of_range_touch_no_rule(void **state)
{
    const uint32_t positions[] = {
        0, 2, 3, 0x7fffffff, 0x80000000, 0xfffffffe, 1u << 31 | 1};
    struct v4vtables_rule r = vt_rule(5, 1, 6, 1, false);
    struct v4vtables_list l = {.nb_rules = 0xffffffff};

    (void)state;
    assert_int_equal(vt_rule_add(va_control, &r, 0xfffffffe), 0);
    for (size_t i = 0; i < ARRAY_SIZE(positions); i++) {
        assert_int_equal(vt_rule_del(va_control, NULL, positions[i]),
                         -RV_ENOENT);
    }
    for (size_t i = 0; i < ARRAY_SIZE(positions); i++) {
        l.start_rule = positions[i];
        l.nb_rules = 0xffffffff;
        fixture_phys_put(va_control, VT_DATA, &l, sizeof(l));
        assert_int_equal(vt_op(va_control, V4VOP_tables_list, VT_DATA, 0, 0, 0),
                         0);
        fixture_phys_get(va_control, &l, VT_DATA, sizeof(l));
        assert_int_equal(l.nb_rules, positions[i] == 0);
    }
    /* Forged progress of a continued call. */
    l = (struct v4vtables_list){.start_rule = 0xffffffff, .nb_rules = 5};
    fixture_phys_put(va_control, VT_DATA, &l, sizeof(l));
    assert_int_equal(vt_op(va_control, V4VOP_tables_list | 0xffffffUL << 8,
                           VT_DATA, 0, 0, 0),
                     0);
    assert_int_equal(v4v_rule_count(), 1);
    va_bystanders_go_on();
}

static void receiver_that_never_reads_costs_its_senders_only_eagain(
    void **state)
{
    struct v4v_ring_stat s;
    uint64_t before;
    unsigned sent = 0;

    (void)state;
    (void)vt_ring(va_victim, 1, V4V_DOMID_ANY, VA_LEN);
    while (vt_send(va_evil, 1, 6, 1, sent, 100) == 100) {
        sent++;
    }
    assert_int_equal(sent, (VA_LEN - 16) / 128);
    before = frame_free_count();
    for (unsigned i = 0; i < 10000; i++) {
        assert_int_equal(vt_send_at(va_evil, 1, 6, 1, VT_BUF, 100), -RV_EAGAIN);
    }
    assert_int_equal(frame_free_count(), before);
    assert_int_equal(v4v_ring_stats(va_victim, 0, &s, 1), 1);
    assert_int_equal(s.messages, sent);
    assert_int_equal(s.waiting, 1);
    va_bystanders_go_on();
}

/* Small messages cannot outrun the ring: each is charged header and slot. */
static void tiny_messages_are_counted_like_bytes(void **state)
{
    struct vt_ring r = vt_ring(va_victim, 1, V4V_DOMID_ANY, VA_LEN);
    unsigned empty = 0;

    (void)state;
    while (vt_sendv(va_evil, 6, 1, NULL, 0, 1) == 0) {
        empty++;
        assert_true(empty <= VA_LEN / 16);
    }
    assert_int_equal(empty, VA_LEN / 16 - 1);
    vt_rx_set(&r, vt_tx(&r));
    va_bystanders_go_on();
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
        (void)vt_op(va_evil, arg[0], arg[1], arg[2], arg[3], arg[4]);
        if (i % 500 == 0) {
            va_bystanders_go_on();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VA_CASE(register_a_million_times_is_bounded),
        VA_CASE(register_the_same_id_again_and_again_changes_nothing),
        VA_CASE(register_ids_made_to_collide_spreads_them),
        VA_CASE(ring_page_given_back_while_registered_stays_the_domains),
        VA_CASE(notify_storm_of_all_sizes_keeps_one_request),
        VA_CASE(notify_tells_nothing_of_rings_the_rules_forbid),
        VA_CASE(sender_that_claims_another_name_is_named_truly),
        VA_CASE(positions_out_of_range_touch_no_rule),
        VA_CASE(receiver_that_never_reads_costs_its_senders_only_eagain),
        VA_CASE(tiny_messages_are_counted_like_bytes),
        VA_CASE(random_calls_from_a_hostile_guest_hurt_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
