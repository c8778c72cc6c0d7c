/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Argo front: its structures, its flags, replacement of rings, and messages
 * between domains of both kinds. The reference header is the judge of layouts.
 */
#include "v4v_fixture.h"

#include <string.h>

#include "public/xen.h"
#include "ravelin/evtchn.h"
#include "ravelin/hypercall.h"
#include "ravelin/vmexit.h"

#define LEN 4032u

static struct domain *argo, *v4v, *second;

static int setup(void **state)
{
    (void)state;
    vt_machine_create(1);
    argo = vt_domain(&(struct vt_setup){.id = 5, .argo = true});
    second = vt_domain(&(struct vt_setup){.id = 7, .argo = true});
    v4v = vt_domain_plain(6);
    return 0;
}

static void sendv_between_the_two_abis_has_the_receivers_header(void **state)
{
    struct vt_ring ra = vt_ring(argo, 9, V4V_DOMID_ANY, LEN);
    struct vt_ring rv = vt_ring(v4v, 9, V4V_DOMID_ANY, LEN);
    struct xen_argo_ring_message_header h;

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(vt_send(v4v, 33, 5, 9, i, 100 + i), 100 + i);
        vt_expect(&ra, 6, 33, i, 100 + i);
        assert_int_equal(vt_send(argo, 44, 6, 9, i, 200 + i), 200 + i);
        vt_expect(&rv, 5, 44, i, 200 + i);
    }
    assert_int_equal(vt_unregister(&ra), 0);
    assert_int_equal(vt_register(&ra), 0);
    assert_int_equal(vt_send(v4v, 33, 5, 9, 1, 7), 7);
    fixture_phys_get(argo, &h, VT_RING + 64, sizeof(h));
    assert_int_equal(h.len, 23);
    assert_int_equal(h.source.aport, 33);
    assert_int_equal(h.source.domain_id, 6);
    assert_int_equal(h.message_type, V4V_MESSAGE_DGRAM);
}

static long argo_register_raw(uint32_t port, uint32_t len, uint64_t pages,
                              uint64_t flags)
{
    const struct xen_argo_register_ring reg = {
        .aport = port, .partner_id = V4V_DOMID_ANY, .len = len};

    fixture_phys_put(argo, VT_ADDR, &reg, sizeof(reg));
    return vt_op(argo, XEN_ARGO_OP_register_ring, VT_ADDR, VT_LIST, pages,
                 flags);
}

static void register_bad_requests_are_refused(void **state)
{
    struct xen_argo_register_ring reg = {.aport = 9, .pad = 1, .len = LEN};

    (void)state;
    (void)vt_ring(argo, 8, V4V_DOMID_ANY, LEN); /* fills the list */
    assert_int_equal(argo_register_raw(9, LEN, 1, 2), -RV_EINVAL);
    assert_int_equal(argo_register_raw(9, LEN, 1, 1UL << 32), -RV_EINVAL);
    assert_int_equal(argo_register_raw(9, LEN, 1UL << 32 | 1, 0), -RV_EINVAL);
    assert_int_equal(argo_register_raw(9, LEN + 16, 1, 0), -RV_EINVAL);
    assert_int_equal(argo_register_raw(9, 32, 1, 0), -RV_EINVAL);
    assert_int_equal(argo_register_raw(9, LEN - 4, 1, 0), -RV_EINVAL);
    fixture_phys_put(argo, VT_ADDR, &reg, sizeof(reg));
    assert_int_equal(
        vt_op(argo, XEN_ARGO_OP_register_ring, VT_ADDR, VT_LIST, 1, 0),
        -RV_EINVAL);
    assert_int_equal(
        vt_op(argo, XEN_ARGO_OP_register_ring, VT_BAD, VT_LIST, 1, 0),
        -RV_EFAULT);
    assert_int_equal(argo_register_raw(9, LEN, 1, 0), 0);
}

static void register_existing_fails_or_replaces(void **state)
{
    struct vt_ring r = vt_ring(argo, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    assert_int_equal(vt_send(v4v, 1, 5, 9, 1, 100), 100);
    assert_int_equal(
        argo_register_raw(9, LEN, 1, XEN_ARGO_REGISTER_FLAG_FAIL_EXIST),
        -RV_EEXIST);
    assert_int_equal(argo_register_raw(9, LEN, 1, 0), 0);
    assert_int_equal(vt_send(v4v, 1, 5, 9, 2, 100), 100);
    vt_expect(&r, 6, 1, 1, 100);
    vt_expect(&r, 6, 1, 2, 100);
    /* By a larger one that is refused: the old one stays. */
    r.len = 0x1000000;
    assert_int_equal(argo_register_raw(9, 0x1000000, 4097, 0), -RV_ENOSPC);
    r.len = LEN;
    assert_int_equal(vt_send(v4v, 1, 5, 9, 3, 100), 100);
    vt_expect(&r, 6, 1, 3, 100);
}

static void register_replacing_wakes_those_who_wait(void **state)
{
    (void)state;
    (void)vt_event_port(v4v);
    (void)vt_ring(argo, 9, V4V_DOMID_ANY, 48);
    assert_int_equal(vt_send(v4v, 1, 5, 9, 1, 16), 16);
    assert_int_equal(vt_send(v4v, 1, 5, 9, 1, 16), -RV_EAGAIN);
    assert_int_equal(argo_register_raw(9, 48, 1, 0), 0);
    assert_true(vt_event_taken(v4v));
}

static void register_with_bad_indices_starts_empty(void **state)
{
    const struct {
        uint32_t rx;
        uint32_t tx;
        uint32_t want;
    } cases[] = {
        {16, 32, 32}, {16, 17, 16}, {16, LEN, 16},
        {5, 32, 32},  {LEN, 5, 0},  {0xffffffff, 0xffffffff, 0},
    };
    struct vt_ring r = vt_ring(argo, 9, V4V_DOMID_ANY, LEN);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(vt_unregister(&r), 0);
        vt_rx_set(&r, cases[i].rx);
        vt_tx_set(&r, cases[i].tx);
        assert_int_equal(vt_register_again(&r), 0);
        assert_int_equal(vt_tx(&r), cases[i].want);
        assert_true(vt_rx(&r) < LEN);
    }
}

static void unregister_bad_requests_are_refused(void **state)
{
    const struct xen_argo_unregister_ring u = {.aport = 9, .pad = 1};

    (void)state;
    fixture_phys_put(argo, VT_ADDR, &u, sizeof(u));
    assert_int_equal(vt_op(argo, XEN_ARGO_OP_unregister_ring, VT_ADDR, 0, 0, 0),
                     -RV_EINVAL);
    assert_int_equal(vt_op(argo, XEN_ARGO_OP_unregister_ring, VT_ADDR, 1, 0, 0),
                     -RV_EINVAL);
    assert_int_equal(
        vt_op(argo, XEN_ARGO_OP_unregister_ring, VT_ADDR, 0, 1UL << 40, 0),
        -RV_EINVAL);
    assert_int_equal(vt_op(argo, XEN_ARGO_OP_unregister_ring, VT_BAD, 0, 0, 0),
                     -RV_EFAULT);
}

static uint16_t ask(domid_t to, uint32_t port, uint32_t need, uint32_t *max)
{
    const struct xen_argo_ring_data h = {.nent = 1};
    struct xen_argo_ring_data_ent e = {.ring = {.aport = port, .domain_id = to},
                                       .space_required = need};

    fixture_phys_put(argo, VT_DATA, &h, sizeof(h));
    fixture_phys_put(argo, VT_DATA + sizeof(h), &e, sizeof(e));
    assert_int_equal(vt_op(argo, XEN_ARGO_OP_notify, VT_DATA, 0, 0, 0), 0);
    fixture_phys_get(argo, &e, VT_DATA + sizeof(h), sizeof(e));
    *max = e.max_message_size;
    return e.flags;
}

static void notify_flags_tell_room_and_kind_of_ring(void **state)
{
    struct vt_ring any = vt_ring(v4v, 9, V4V_DOMID_ANY, LEN);
    struct vt_ring own = {v4v, VT_RING + 0x2000, 10, 5, 48, false};
    struct xen_argo_ring_data h = {.nent = 1, .pad = 1};
    uint32_t max;

    (void)state;
    assert_int_equal(vt_register(&own), 0);
    assert_int_equal(ask(6, 9, 100, &max),
                     XEN_ARGO_RING_EXISTS | XEN_ARGO_RING_SHARED |
                         XEN_ARGO_RING_EMPTY | XEN_ARGO_RING_SUFFICIENT);
    assert_int_equal(max, LEN - 32);
    assert_int_equal(ask(6, 10, 16, &max), XEN_ARGO_RING_EXISTS |
                                               XEN_ARGO_RING_EMPTY |
                                               XEN_ARGO_RING_SUFFICIENT);
    assert_int_equal(ask(6, 10, 17, &max), XEN_ARGO_RING_EXISTS |
                                               XEN_ARGO_RING_EMPTY |
                                               XEN_ARGO_RING_EMSGSIZE);
    assert_int_equal(vt_send(argo, 1, 6, 10, 1, 16), 16);
    assert_int_equal(ask(6, 10, 16, &max), XEN_ARGO_RING_EXISTS);
    assert_int_equal(ask(6, 11, 16, &max), 0);
    assert_int_equal(max, 0);
    fixture_phys_put(argo, VT_DATA, &h, sizeof(h));
    assert_int_equal(vt_op(argo, XEN_ARGO_OP_notify, VT_DATA, 0, 0, 0),
                     -RV_EINVAL);
    assert_int_equal(vt_op(argo, XEN_ARGO_OP_notify, VT_BAD, 0, 0, 0),
                     -RV_EFAULT);
    assert_int_equal(vt_unregister(&any), 0);
}

static bool virq_taken(struct domain *d, uint32_t port)
{
    uint64_t *word = (uint64_t *)((char *)d->shared_info +
                                  offsetof(struct shared_info, evtchn_pending));

    return (__atomic_fetch_and(word, ~(1UL << port), __ATOMIC_SEQ_CST) >>
            port) &
           1;
}

static void arrival_raises_virq_argo(void **state)
{
    struct vt_ring r = vt_ring(argo, 9, V4V_DOMID_ANY, LEN);
    uint32_t port;

    (void)state;
    assert_int_equal(evtchn_bind_virq(argo, VIRQ_ARGO, 0, &port), 0);
    assert_false(virq_taken(argo, port));
    assert_int_equal(vt_send(v4v, 1, 5, 9, 1, 16), 16);
    assert_true(virq_taken(argo, port));
    vt_expect(&r, 6, 1, 1, 16);
}

/* A 32-bit caller's iovs have 12 bytes. */
static void sendv_from_32_bit_code_reads_narrow_iovs(void **state)
{
    struct vt_ring r = vt_ring(v4v, 9, V4V_DOMID_ANY, LEN);
    struct compat_argo_iov iov[8];
    const struct xen_argo_send_addr addr = {
        .src = {.aport = 4}, .dst = {.aport = 9, .domain_id = 6}};
    struct vmexit exit = {
        .reason = VMEXIT_HYPERCALL, .insn_len = 3, .code_bits = 32};
    struct vcpu *v = argo->vcpu[0];

    (void)state;
    vt_fill(argo, VT_BUF, 1, 80);
    for (uint32_t i = 0; i < 8; i++) {
        iov[i] = (struct compat_argo_iov){{VT_BUF + i * 10}, 10, 0};
    }
    fixture_phys_put(argo, VT_ADDR, &addr, sizeof(addr));
    fixture_phys_put(argo, VT_IOV, iov, sizeof(iov));
    v->regs.gpr[REG_RAX] = 39;
    v->regs.gpr[REG_RBX] = XEN_ARGO_OP_sendv;
    v->regs.gpr[REG_RCX] = VT_ADDR;
    v->regs.gpr[REG_RDX] = VT_IOV;
    v->regs.gpr[REG_RSI] = 8;
    v->regs.gpr[REG_RDI] = V4V_MESSAGE_DGRAM;
    hypercall_dispatch(v, &exit);
    assert_int_equal((int32_t)v->regs.gpr[REG_RAX], 80);
    vt_expect(&r, 5, 4, 1, 80);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, vt_teardown)
    const struct CMUnitTest tests[] = {
        T(sendv_between_the_two_abis_has_the_receivers_header),
        T(register_bad_requests_are_refused),
        T(register_existing_fails_or_replaces),
        T(register_replacing_wakes_those_who_wait),
        T(register_with_bad_indices_starts_empty),
        T(unregister_bad_requests_are_refused),
        T(notify_flags_tell_room_and_kind_of_ring),
        T(arrival_raises_virq_argo),
        T(sendv_from_32_bit_code_reads_narrow_iovs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
