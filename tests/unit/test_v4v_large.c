/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings of 16 MiB: their pages are pinned and let go in pieces, between which
 * anything may happen. After each test every frame must be back.
 */
#include "v4v_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "ravelin/frame_pool.h"
#include "ravelin/work.h"

#define ANY V4V_DOMID_ANY
#define BIG_LEN V4V_RING_LEN_MAX
#define BIG_PAGES 4097u
#define BIG_STEPS ((BIG_PAGES + V4V_PIN_PIECE - 1) / V4V_PIN_PIECE)

static struct domain *big, *other;
static struct vt_ring ring;

static void header_put(void)
{
    const struct v4v_ring h = {
        .magic = V4V_RING_MAGIC,
        .id = {.addr = {.port = ring.port}, .partner = ring.partner},
        .len = ring.len,
    };

    fixture_phys_put(big, ring.at, &h, sizeof(h));
}

static int setup(void **state)
{
    (void)state;
    vt_machine_create(2);
    big = vt_domain(&(struct vt_setup){.id = 5, .pages = 4500});
    other = vt_domain_plain(6);
    ring = (struct vt_ring){
        .d = big, .at = VT_RING, .port = 7, .partner = ANY, .len = BIG_LEN};
    header_put();
    for (uint64_t i = 0; i < BIG_PAGES; i++) {
        uint64_t g = (ring.at >> PAGE_SHIFT) + i;

        fixture_phys_put(big, VT_LIST + i * 8, &g, sizeof(g));
    }
    return 0;
}

static void begin(unsigned vcpu)
{
    vt_begin(big->vcpu[vcpu], V4VOP_register_ring, ring.at, VT_LIST, BIG_PAGES,
             0);
}

/* Steps until the end; how many it took. */
static unsigned finish(unsigned vcpu, long want)
{
    unsigned steps = 1;
    long rc;

    while (!vt_step(big->vcpu[vcpu], &rc)) {
        assert_true(steps++ < 100);
    }
    assert_int_equal(rc, want);
    return steps;
}

static void steps(unsigned vcpu, unsigned n)
{
    long rc;

    for (; n > 0; n--) {
        assert_false(vt_step(big->vcpu[vcpu], &rc));
    }
}

static bool is_open(void)
{
    long rc = vt_send(other, 1, 5, ring.port, 1, 20);

    assert_true(rc == 20 || rc == -RV_ECONNREFUSED);
    return rc == 20;
}

static void settle(void)
{
    while (work_is_pending()) {
        work_run();
    }
}

static void register_comes_in_pieces_and_opens_with_the_last(void **state)
{
    (void)state;
    begin(0);
    steps(0, BIG_STEPS - 1);
    assert_false(is_open());
    assert_int_equal(finish(0, 0), 1);
    assert_true(is_open());
    vt_expect(&ring, 6, 1, 1, 20);
}

/* Each frame is pinned once and let go once, a piece at a time. */
static mfn_t frame_at(uint64_t page)
{
    return p2m_lookup(&big->p2m, gfn((ring.at >> PAGE_SHIFT) + page)).mfn;
}

static void holds_frame_from_its_pinning_to_the_end_of_the_ring(void **state)
{
    long rc;

    (void)state;
    assert_false(v4v_holds_frame(big, frame_at(0)));
    begin(0);
    assert_false(vt_step(big->vcpu[0], &rc));
    assert_true(v4v_holds_frame(big, frame_at(0)));
    assert_false(v4v_holds_frame(big, frame_at(BIG_PAGES - 1)));
    finish(0, 0);
    assert_true(v4v_holds_frame(big, frame_at(BIG_PAGES - 1)));
    assert_false(v4v_holds_frame(other, frame_at(0)));
    assert_int_equal(vt_unregister(&ring), 0);
    assert_false(v4v_holds_frame(big, frame_at(0)));
}

static void unregister_lets_go_in_pieces(void **state)
{
    const uint64_t unmapped = ring.at + (4000u << PAGE_SHIFT);
    struct p2m_entry e = p2m_lookup(&big->p2m, gfn(unmapped >> PAGE_SHIFT));
    unsigned pieces = 0;

    (void)state;
    begin(0);
    assert_int_equal(finish(0, 0), BIG_STEPS);
    assert_int_equal(frame_ref_count(e.mfn), 2);
    assert_int_equal(vt_unregister(&ring), 0);
    assert_false(is_open());
    while (work_is_pending()) {
        assert_int_equal(frame_ref_count(e.mfn), pieces < 15 ? 2 : 1);
        work_run();
        pieces++;
    }
    assert_int_equal(pieces, BIG_STEPS - 1);
    assert_int_equal(frame_ref_count(e.mfn), 1);
}

static void register_again_at_once_waits_for_the_pages(void **state)
{
    (void)state;
    begin(0);
    finish(0, 0);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(vt_unregister(&ring), 0);
        header_put();
        assert_int_equal(vt_call(big->vcpu[i % 2], V4VOP_register_ring, ring.at,
                                 VT_LIST, BIG_PAGES, 0),
                         0);
        assert_true(is_open());
    }
}

static void register_bad_frame_in_the_last_piece_lets_all_go(void **state)
{
    const uint64_t bad = 0x123456;
    uint64_t free_before;

    (void)state;
    assert_false(is_open()); /* the sender has its snapshot from now on */
    free_before = frame_free_count();
    fixture_phys_put(big, VT_LIST + (BIG_PAGES - 1) * 8, &bad, sizeof(bad));
    begin(0);
    assert_int_equal(finish(0, -RV_EINVAL), BIG_STEPS);
    assert_false(is_open());
    settle();
    fixture_quiesce();
    assert_int_equal(frame_free_count(), free_before);
}

/* The vCPU does something else with its life. */
static void register_not_continued_is_dropped_by_the_next(void **state)
{
    struct vt_ring small = {.d = big,
                            .at = VT_RING + 0x100000,
                            .port = 8,
                            .partner = ANY,
                            .len = 4032};
    const struct v4v_ring h = {.magic = V4V_RING_MAGIC,
                               .id = {.addr = {.port = 8}, .partner = ANY},
                               .len = 4032};

    (void)state;
    begin(0);
    steps(0, 5);
    fixture_phys_put(big, small.at, &h, sizeof(h));
    vt_begin(big->vcpu[0], V4VOP_register_ring, small.at, VT_LIST + 0x100 * 8,
             1, 0);
    assert_int_equal(finish(0, 0), 1);
    settle();
    assert_false(is_open());
    begin(0);
    assert_int_equal(finish(0, 0), BIG_STEPS);
    assert_true(is_open());
    assert_int_equal(vt_unregister(&small), 0);
}

static void register_with_a_forged_token_starts_anew(void **state)
{
    (void)state;
    begin(0);
    steps(0, 5);
    begin(0);
    big->vcpu[0]->regs.gpr[REG_RDI] |= 0xabcd00;
    /* The dropped one has to let go first: all its pages count. */
    while (is_open() == false) {
        long rc;

        if (vt_step(big->vcpu[0], &rc)) {
            assert_int_equal(rc, 0);
            break;
        }
        work_run();
    }
    assert_true(is_open());
}

/* The token of another vCPU is nobody's. */
static void register_with_the_token_of_another_vcpu_starts_anew(void **state)
{
    uint64_t rdi;

    (void)state;
    begin(0);
    steps(0, 2);
    rdi = big->vcpu[0]->regs.gpr[REG_RDI];
    assert_true(rdi >> 8 != 0);
    begin(1);
    big->vcpu[1]->regs.gpr[REG_RDI] = rdi;
    /* All pages count for the first: there is no room for a second. */
    assert_int_equal(finish(1, -RV_ENOSPC), 1);
    assert_int_equal(finish(0, 0), BIG_STEPS - 2);
    assert_true(is_open());
}

static void register_of_two_vcpus_the_first_to_finish_wins(void **state)
{
    const uint64_t len = 0x400000 - 64;
    const struct v4v_ring h = {.magic = V4V_RING_MAGIC,
                               .id = {.addr = {.port = 7}, .partner = ANY},
                               .len = (uint32_t)len};

    (void)state;
    fixture_phys_put(big, ring.at, &h, sizeof(h));
    ring.len = (uint32_t)len;
    for (unsigned i = 0; i < 2; i++) {
        vt_begin(big->vcpu[i], V4VOP_register_ring, ring.at, VT_LIST, 1024, 0);
        steps(i, 2);
    }
    finish(1, 0);
    finish(0, -RV_EEXIST);
    assert_true(is_open());
    vt_expect(&ring, 6, 1, 1, 20);
}

/* Argo: the new ring takes the old one's place, whose pages go meanwhile. */
static void register_in_place_of_a_large_ring(void **state)
{
    const struct xen_argo_register_ring again = {
        .aport = 7, .partner_id = ANY, .len = BIG_LEN};
    struct domain *argo =
        vt_domain(&(struct vt_setup){.id = 7, .pages = 4500, .argo = true});
    struct vt_ring r = {
        .d = argo, .at = VT_RING, .port = 7, .partner = ANY, .len = BIG_LEN};

    (void)state;
    assert_int_equal(vt_register(&r), 0);
    for (unsigned i = 0; i < 3; i++) {
        fixture_phys_put(argo, VT_ADDR, &again, sizeof(again));
        assert_int_equal(vt_op(argo, XEN_ARGO_OP_register_ring, VT_ADDR,
                               VT_LIST, BIG_PAGES, 0),
                         0);
        assert_int_equal(vt_send(other, 1, 7, 7, i, 20), 20);
        vt_expect(&r, 6, 1, i, 20);
    }
    assert_int_equal(vt_unregister(&r), 0);
}

static void domain_dies_while_it_registers_frees_all(void **state)
{
    (void)state;
    begin(0);
    steps(0, 7);
    vt_domain_destroy(big);
}

static void domain_dies_while_its_ring_lets_go(void **state)
{
    (void)state;
    begin(0);
    finish(0, 0);
    assert_int_equal(vt_unregister(&ring), 0);
    work_run();
    vt_domain_destroy(big);
}

static void domain_dies_with_a_large_ring_frees_all(void **state)
{
    (void)state;
    begin(0);
    finish(0, 0);
    assert_true(is_open());
    vt_domain_destroy(big);
}

/* Others are not kept waiting by registrations, finished or not. */
/* Whoever gets the id next is not the partner that was meant. */
static void partner_dies_while_it_is_registered_leaves_an_orphan(void **state)
{
    (void)state;
    ring.partner = 6;
    header_put();
    (void)vt_event_port(big);
    begin(0);
    steps(0, 1);
    (void)vt_event_taken(big);
    vt_domain_destroy(other);
    assert_true(vt_event_taken(big));
    finish(0, 0);
    other = vt_domain_plain(6);
    assert_false(is_open());
    assert_int_equal(vt_unregister(&ring), 0);
    settle();
    begin(0);
    finish(0, 0);
    assert_true(is_open());
}

static void register_under_way_disturbs_nobody(void **state)
{
    struct vt_ring r = vt_ring(other, 9, ANY, 4032);

    (void)state;
    begin(0);
    for (unsigned i = 1; i < BIG_STEPS; i++) {
        steps(0, 1);
        assert_int_equal(vt_call(big->vcpu[1], V4VOP_notify, 0, 0, 0, 0), 0);
        assert_int_equal(vt_send(other, 1, 6, 9, i, 30), 30);
        vt_expect(&r, 6, 1, i, 30);
    }
    finish(0, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, vt_teardown)
    const struct CMUnitTest tests[] = {
        T(register_comes_in_pieces_and_opens_with_the_last),
        T(holds_frame_from_its_pinning_to_the_end_of_the_ring),
        T(unregister_lets_go_in_pieces),
        T(register_again_at_once_waits_for_the_pages),
        T(register_bad_frame_in_the_last_piece_lets_all_go),
        T(register_not_continued_is_dropped_by_the_next),
        T(register_with_a_forged_token_starts_anew),
        T(register_with_the_token_of_another_vcpu_starts_anew),
        T(register_of_two_vcpus_the_first_to_finish_wins),
        T(register_in_place_of_a_large_ring),
        T(domain_dies_while_it_registers_frees_all),
        T(domain_dies_while_its_ring_lets_go),
        T(domain_dies_with_a_large_ring_frees_all),
        T(partner_dies_while_it_is_registered_leaves_an_orphan),
        T(register_under_way_disturbs_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
