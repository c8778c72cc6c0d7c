/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every errno that the table documents for hypercall 39, each provoked at least
 * once, and none beside them; an error changes nothing.
 */
#include "v4v_fixture.h"

#include <string.h>

#include "hypercall_fixture.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"

#define SMALL 4032u /* a ring of one page */

static struct domain *plain, *control, *argo;

static void result_note(uint64_t op, long rc)
{
    hc_error_note(__HYPERVISOR_v4v_op, op, rc);
}

static int setup(void **state)
{
    (void)state;
    vt_machine_create(1);
    vt_result_hook = result_note;
    plain = vt_domain_plain(5);
    control = vt_domain(&(struct vt_setup){.id = 3, .roles = ROLE_CONTROL});
    argo = vt_domain(&(struct vt_setup){.id = 6, .argo = true});
    return 0;
}

static void limits_set(struct domain *d, uint32_t rings, uint32_t sendv,
                       uint32_t notify, uint32_t size)
{
    const struct v4v_config c = {rings, sendv, notify, size, d->id, 0};

    fixture_phys_put(control, VT_ADDR, &c, sizeof(c));
    assert_int_equal(vt_op(control, V4VOP_config, VT_ADDR, 0, 0, 0), 0);
}

static struct v4v_ring header(uint32_t port, uint32_t len)
{
    return (struct v4v_ring){
        .magic = V4V_RING_MAGIC,
        .id = {.addr = {.port = port}, .partner = V4V_DOMID_ANY},
        .len = len,
    };
}

static long register_with(const struct v4v_ring *h, uint64_t list, uint32_t n,
                          uint32_t arg4)
{
    uint64_t g = VT_RING >> PAGE_SHIFT;

    fixture_phys_put(plain, VT_LIST, &g, sizeof(g));
    fixture_phys_put(plain, VT_RING, h, sizeof(*h));
    return vt_op(plain, V4VOP_register_ring, VT_RING, list, n, arg4);
}

static void register_ring_bad_arguments_are_einval(void **state)
{
    struct v4v_ring h;

    (void)state;
#define BAD(change, pages, arg4)                                               \
    do {                                                                       \
        h = header(9, SMALL);                                                  \
        change;                                                                \
        assert_int_equal(register_with(&h, VT_LIST, pages, arg4), -RV_EINVAL); \
    } while (0)
    BAD(h.magic++, 1, 0);
    BAD(h.id.addr.port = V4V_PORT_ANY, 1, 0);
    BAD(h.id.addr.pad = 1, 1, 0);
    BAD(h.id.pad = 1, 1, 0);
    BAD(h.id.partner = 0x7ff1, 1, 0);
    BAD(h.len = 32, 1, 0);
    BAD(h.len = 47, 1, 0);
    BAD(h.len = SMALL - 8, 1, 0);
    BAD(h.len = V4V_RING_LEN_MAX + 16, 4097, 0);
    BAD(h.len = 0xfffffff0u, 0, 0);
    BAD((void)0, 0, 0);
    BAD((void)0, 2, 0);
    BAD((void)0, 0xffffffffu, 0);
    BAD((void)0, 1, 1);
    BAD(h.rx_ptr = SMALL, 1, 0);
    BAD(h.rx_ptr = 8, 1, 0);
    BAD(h.rx_ptr = 0xffffffffu, 1, 0);
#undef BAD
    h = header(9, SMALL);
    assert_int_equal(register_with(&h, VT_LIST, 1, 0), 0);
    h = header(9, SMALL);
    assert_int_equal(register_with(&h, VT_LIST, 1, 0), -RV_EEXIST);
}

static void register_ring_bad_frames_are_einval_and_let_go(void **state)
{
    struct vt_ring r = {plain, VT_RING, 9, V4V_DOMID_ANY, 2 * 4096 - 64, false};
    uint64_t bad[] = {0x100000, 1UL << 36, UINT64_MAX};
    mfn_t first = p2m_lookup(&plain->p2m, gfn(VT_RING >> PAGE_SHIFT)).mfn;
    uint32_t refs = frame_ref_count(first);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(vt_register(&r), 0);
        assert_int_equal(vt_unregister(&r), 0);
        fixture_phys_put(plain, VT_LIST + 8, &bad[i], 8);
        assert_int_equal(vt_op(plain, V4VOP_register_ring, r.at, VT_LIST, 2, 0),
                         -RV_EINVAL);
        assert_int_equal(frame_ref_count(first), refs);
    }
}

static void register_ring_unreadable_is_efault(void **state)
{
    struct v4v_ring h = header(9, SMALL);

    (void)state;
    assert_int_equal(register_with(&h, VT_BAD, 1, 0), -RV_EFAULT);
    assert_int_equal(vt_op(plain, V4VOP_register_ring, VT_BAD, VT_LIST, 1, 0),
                     -RV_EFAULT);
    assert_int_equal(
        vt_op(plain, V4VOP_register_ring, VT_HOLE - 8, VT_LIST, 1, 0),
        -RV_EFAULT);
}

static void register_ring_over_quota_is_enospc(void **state)
{
    struct vt_ring a = {plain, VT_RING, 9, V4V_DOMID_ANY, SMALL, false};
    struct vt_ring b = {plain, VT_RING + 0x1000, 10, 1, SMALL, false};

    (void)state;
    limits_set(plain, 1, 1, 1, 1);
    assert_int_equal(vt_register(&a), 0);
    assert_int_equal(vt_register(&b), -RV_ENOSPC);
    limits_set(plain, 2, 1, 1, 1);
    assert_int_equal(vt_register(&b), 0);
    assert_int_equal(vt_unregister(&a), 0);
    assert_int_equal(vt_unregister(&b), 0);
    limits_set(plain, 0, 1, 1, 1);
    assert_int_equal(vt_register(&a), -RV_ENOSPC);
}

/* The same pages again and again do not make the tables larger than memory. */
static void register_ring_more_pages_than_owned_is_enospc(void **state)
{
    struct vt_ring r = {plain,         VT_RING,         1,
                        V4V_DOMID_ANY, 500 * 4096 - 64, false};
    long rc = 0;

    (void)state;
    for (r.port = 1; rc == 0; r.port++) {
        rc = vt_register(&r);
    }
    assert_int_equal(rc, -RV_ENOSPC);
    assert_int_equal(r.port, 4);
}

static void register_ring_without_memory_is_enomem(void **state)
{
    struct vt_ring r = {plain, VT_RING, 1, V4V_DOMID_ANY, SMALL, false};

    (void)state;
    frame_pool_fail_after(0);
    assert_int_equal(vt_register(&r), -RV_ENOMEM);
    frame_pool_fail_after(-1);
    assert_int_equal(vt_register(&r), 0);
}

static void unregister_ring_bad_requests_are_refused(void **state)
{
    struct vt_ring r = vt_ring(plain, 9, V4V_DOMID_ANY, SMALL);
    uint64_t wrong = 1;

    (void)state;
    assert_int_equal(vt_op(plain, V4VOP_unregister_ring, VT_BAD, 0, 0, 0),
                     -RV_EFAULT);
    assert_int_equal(vt_op(plain, V4VOP_unregister_ring, r.at, 1, 0, 0),
                     -RV_EINVAL);
    assert_int_equal(vt_op(plain, V4VOP_unregister_ring, r.at, 0, 1, 0),
                     -RV_EINVAL);
    assert_int_equal(vt_op(plain, V4VOP_unregister_ring, r.at, 0, 0, 1),
                     -RV_EINVAL);
    fixture_phys_put(plain, VT_DATA, &wrong, 8);
    assert_int_equal(vt_op(plain, V4VOP_unregister_ring, VT_DATA, 0, 0, 0),
                     -RV_EINVAL);
    assert_int_equal(vt_unregister(&r), 0);
    assert_int_equal(vt_unregister(&r), -RV_ENOENT);
}

/* ---- Sending, in both ABIs ---------------------------------------------- */

static long send_raw(struct domain *d, uint64_t addr, uint64_t iovs,
                     uint64_t count)
{
    return vt_op(d, d == argo ? XEN_ARGO_OP_sendv : V4VOP_sendv, addr, iovs,
                 count, 7);
}

static void send_errors(struct domain *d)
{
    struct vt_ring r = vt_ring(control, 9, V4V_DOMID_ANY, SMALL);
    struct v4v_iov iov[9] = {{.iov_base = VT_BUF, .iov_len = 16}};
    struct v4v_send_addr a = {.dst = {.port = 9, .domain = 3}};

    /* The first send has to make its snapshot. */
    frame_pool_fail_after(0);
    assert_int_equal(vt_sendv(d, 3, 9, iov, 1, 7), -RV_ENOMEM);
    frame_pool_fail_after(-1);
    assert_int_equal(vt_sendv(d, 3, 9, iov, 1, 7), 16);

    assert_int_equal(vt_sendv(d, 3, 10, iov, 1, 7), -RV_ECONNREFUSED);
    assert_int_equal(vt_sendv(d, 77, 9, iov, 1, 7), -RV_ECONNREFUSED);
    assert_int_equal(vt_sendv(d, DOMID_SELF, 9, iov, 1, 7), -RV_ECONNREFUSED);
    assert_int_equal(vt_sendv(d, V4V_DOMID_ANY, 9, iov, 1, 7),
                     -RV_ECONNREFUSED);
    iov[0].pad = 1;
    assert_int_equal(vt_sendv(d, 3, 9, iov, 1, 7), -RV_EINVAL);
    iov[0].pad = 0;
    iov[0].iov_base = VT_BAD;
    assert_int_equal(vt_sendv(d, 3, 9, iov, 1, 7), -RV_EFAULT);
    iov[0].iov_base = VT_BUF;
    assert_int_equal(send_raw(d, VT_BAD, VT_IOV, 1), -RV_EFAULT);
    assert_int_equal(send_raw(d, VT_ADDR, VT_BAD, 1), -RV_EFAULT);
    a.src.pad = 1;
    fixture_phys_put(d, VT_ADDR, &a, sizeof(a));
    assert_int_equal(send_raw(d, VT_ADDR, VT_IOV, 1), -RV_EINVAL);
    a.src.pad = 0;
    a.dst.pad = 1;
    fixture_phys_put(d, VT_ADDR, &a, sizeof(a));
    assert_int_equal(send_raw(d, VT_ADDR, VT_IOV, 1), -RV_EINVAL);

    iov[0].iov_len = SMALL - 31;
    assert_int_equal(vt_sendv(d, 3, 9, iov, 1, 7), -RV_EMSGSIZE);
    iov[0].iov_len = SMALL - 32;
    assert_int_equal(vt_sendv(d, 3, 9, iov, 1, 7), -RV_EAGAIN);
    limits_set(d, 8, 8, 8, 4096);
    iov[0].iov_len = 4097;
    assert_int_equal(vt_sendv(d, 3, 9, iov, 1, 7), -RV_EMSGSIZE);
    limits_set(d, 8, 2, 8, 4096);
    assert_int_equal(vt_sendv(d, 3, 9, iov, 3, 7), -RV_E2BIG);
    assert_int_equal(vt_unregister(&r), 0);
}

static void sendv_bad_requests_are_refused(void **state)
{
    (void)state;
    send_errors(plain);
    assert_int_equal(vt_op(plain, XEN_ARGO_OP_sendv, 0, 0, 0, 0), -RV_ENOSYS);
}

static void argo_sendv_bad_requests_are_refused(void **state)
{
    (void)state;
    send_errors(argo);
    assert_int_equal(send_raw(argo, VT_ADDR, VT_IOV, 9), -RV_EINVAL);
    assert_int_equal(
        vt_op(argo, XEN_ARGO_OP_sendv, VT_ADDR, VT_IOV, 1, 1UL << 32),
        -RV_EINVAL);
    assert_int_equal(vt_op(argo, V4VOP_sendv, 0, 0, 0, 0), -RV_ENOSYS);
    assert_int_equal(vt_op(argo, V4VOP_info, VT_ADDR, 0, 0, 0), -RV_ENOSYS);
}

static void sendv_more_waiters_than_places_is_ebusy(void **state)
{
    struct vt_ring r = vt_ring(control, 9, V4V_DOMID_ANY, 48);
    struct v4v_ring_data_ent e;

    (void)state;
    assert_int_equal(vt_send(plain, 1, 3, 9, 1, 16), 16);
    for (unsigned i = 0; i < V4V_WAITERS_MAX; i++) {
        struct domain *d = vt_domain(&(struct vt_setup){
            .id = (domid_t)(100 + i), .pages = 160, .vcpus = 1});

        assert_int_equal(vt_send(d, 1, 3, 9, 1, 16), -RV_EAGAIN);
    }
    assert_int_equal(vt_send(plain, 1, 3, 9, 1, 16), -RV_EBUSY);
    assert_int_equal(vt_send(argo, 1, 3, 9, 1, 16), -RV_EBUSY);
    assert_int_equal(vt_ask(plain, 3, 9, 16, &e), V4V_RING_DATA_F_EXISTS);
    assert_int_equal(e.max_message_size, 16);
    vt_expect(&r, 5, 1, 1, 16);
    assert_int_equal(vt_notify(control), 0);
    assert_int_equal(vt_send(plain, 1, 3, 9, 2, 16), 16);
}

/* ---- The rest -------------------------------------------------------------
 */

static void notify_bad_requests_are_refused(void **state)
{
    struct v4v_ring_data h = {.magic = V4V_RING_DATA_MAGIC, .nent = 1};
    struct v4v_ring_data_ent e = {.ring = {.port = 1, .domain = 3}};

    (void)state;
#define PUT()                                                 \
    do {                                                      \
        fixture_phys_put(plain, VT_DATA, &h, sizeof(h));      \
        fixture_phys_put(plain, VT_DATA + 48, &e, sizeof(e)); \
    } while (0)
#define NOTIFY(a1, a2, a3, a4) vt_op(plain, V4VOP_notify, a1, a2, a3, a4)
    PUT();
    assert_int_equal(NOTIFY(VT_DATA, 0, 0, 0), 0);
    assert_int_equal(NOTIFY(VT_DATA, 1, 0, 0), -RV_EINVAL);
    assert_int_equal(NOTIFY(VT_DATA, 0, 1, 0), -RV_EINVAL);
    assert_int_equal(NOTIFY(0, 0, 0, 1), -RV_EINVAL);
    assert_int_equal(NOTIFY(VT_BAD, 0, 0, 0), -RV_EFAULT);
    h.magic ^= 1;
    PUT();
    assert_int_equal(NOTIFY(VT_DATA, 0, 0, 0), -RV_EINVAL);
    h.magic ^= 1;
    h.pad = 1;
    PUT();
    assert_int_equal(NOTIFY(VT_DATA, 0, 0, 0), -RV_EINVAL);
    h.pad = 0;
    h.reserved[3] = 1;
    PUT();
    assert_int_equal(NOTIFY(VT_DATA, 0, 0, 0), -RV_EINVAL);
    h.reserved[3] = 0;
    e.pad = 1;
    PUT();
    assert_int_equal(NOTIFY(VT_DATA, 0, 0, 0), -RV_EINVAL);
    e.pad = 0;
    e.ring.pad = 1;
    PUT();
    assert_int_equal(NOTIFY(VT_DATA, 0, 0, 0), -RV_EINVAL);
    e.ring.pad = 0;
    h.nent = 0x101;
    PUT();
    assert_int_equal(NOTIFY(VT_DATA, 0, 0, 0), -RV_E2BIG);
    h.nent = UINT32_MAX;
    PUT();
    assert_int_equal(NOTIFY(VT_DATA, 0, 0, 0), -RV_E2BIG);
    h.nent = 1;
    fixture_phys_put(plain, 0x400000 - 48, &h, sizeof(h));
    assert_int_equal(NOTIFY(0x400000 - 48, 0, 0, 0), -RV_EFAULT);
#undef NOTIFY
#undef PUT
}

static void info_bad_requests_are_refused(void **state)
{
    struct domain *tight = vt_domain(
        &(struct vt_setup){.id = 8, .evtchn_port_max = 1, .pages = 160});
    uint32_t port;

    (void)state;
    assert_int_equal(vt_op(plain, V4VOP_info, VT_ADDR, 1, 0, 0), -RV_EINVAL);
    frame_pool_fail_after(0);
    assert_int_equal(vt_op(plain, V4VOP_info, VT_ADDR, 0, 0, 0), -RV_ENOMEM);
    frame_pool_fail_after(-1);
    assert_int_equal(vt_op(plain, V4VOP_info, VT_BAD, 0, 0, 0), -RV_EFAULT);
    assert_int_equal(vt_op(plain, V4VOP_info, VT_ADDR, 0, 0, 0), 0);
    assert_int_equal(evtchn_alloc_unbound(tight, 1, &port), 0);
    assert_int_equal(vt_op(tight, V4VOP_info, VT_ADDR, 0, 0, 0), -RV_ENOSPC);
}

static void tables_bad_requests_are_refused(void **state)
{
    struct v4vtables_rule r = vt_rule(1, 0, 2, 0, true);
    struct v4vtables_list list = {.start_rule = 0, .nb_rules = 0};

    (void)state;
    for (unsigned op = V4VOP_tables_add; op <= V4VOP_config_get; op++) {
        assert_int_equal(vt_op(plain, op, VT_ADDR, 0, 1, 0), -RV_EPERM);
        assert_int_equal(vt_op(argo, op, VT_ADDR, 0, 1, 0), -RV_EPERM);
        assert_int_equal(
            vt_op(control, op, VT_BAD, 0, 0xffffffffu, 0),
            op == V4VOP_tables_list || op == V4VOP_tables_counters ||
                    op == V4VOP_tables_explain || op == V4VOP_ring_list ||
                    op == V4VOP_tables_add || op == V4VOP_tables_del
                ? -RV_EFAULT
                : -RV_EINVAL);
        fixture_phys_put(control, VT_ADDR, "\3\0\0\0\0\0\0\0\1\0\0\0", 12);
        assert_int_equal(vt_op(control, op, VT_ADDR, 0, 0, 1), -RV_EINVAL);
    }
    assert_int_equal(vt_op(control, V4VOP_config, VT_BAD, 0, 0, 0), -RV_EFAULT);
    r.src.pad = 1;
    assert_int_equal(vt_rule_add(control, &r, 1), -RV_EINVAL);
    assert_int_equal(vt_rule_del(control, &r, 0xffffffffu), -RV_EINVAL);
    r.src.pad = 0;
    r.dst.pad = 1;
    assert_int_equal(vt_rule_add(control, &r, 1), -RV_EINVAL);
    r.dst.pad = 0;
    assert_int_equal(vt_op(control, V4VOP_tables_add, VT_ADDR, 1, 0, 0),
                     -RV_EINVAL);
    assert_int_equal(vt_rule_del(control, &r, 0xffffffffu), -RV_ENOENT);
    assert_int_equal(vt_rule_del(control, NULL, 0), -RV_ENOENT);
    assert_int_equal(vt_rule_del(control, NULL, 1), -RV_ENOENT);
    fixture_phys_put(control, VT_DATA, &list, sizeof(list));
    assert_int_equal(vt_op(control, V4VOP_tables_list, VT_DATA, 0, 0, 0),
                     -RV_EINVAL);
    frame_pool_fail_after(0);
    assert_int_equal(vt_rule_add(control, &r, 1), -RV_ENOMEM);
    frame_pool_fail_after(-1);
    for (unsigned i = 0; i < V4V_RULES_MAX; i++) {
        assert_int_equal(v4v_rule_add(&r, 1), 0);
    }
    assert_int_equal(vt_rule_add(control, &r, 1), -RV_ENOSPC);
    v4v_rules_flush();
}

static void config_bad_targets_and_limits_are_refused(void **state)
{
    struct v4v_config c = {1, 1, 1, 1, 77, 0};
    struct v4v_ring_list l = {.target_id = 77};

    (void)state;
#define CONFIG()                                        \
    (fixture_phys_put(control, VT_ADDR, &c, sizeof(c)), \
     vt_op(control, V4VOP_config, VT_ADDR, 0, 0, 0))
    assert_int_equal(CONFIG(), -RV_ESRCH);
    c.target_id = 5;
    c.pad = 1;
    assert_int_equal(CONFIG(), -RV_EINVAL);
    c.pad = 0;
    c.max_rings = V4V_MAX_RINGS_LIMIT + 1;
    assert_int_equal(CONFIG(), -RV_EINVAL);
    c.max_rings = 1;
    c.max_sendv = V4V_MAX_SENDV_LIMIT + 1;
    assert_int_equal(CONFIG(), -RV_EINVAL);
    c.max_sendv = 1;
    c.max_notify = V4V_MAX_NOTIFY_LIMIT + 1;
    assert_int_equal(CONFIG(), -RV_EINVAL);
    c.max_notify = 1;
    c.max_send_size = V4V_MAX_SEND_SIZE_LIMIT + 1;
    assert_int_equal(CONFIG(), -RV_EINVAL);
#undef CONFIG
    fixture_phys_put(control, VT_ADDR, &l, sizeof(l));
    assert_int_equal(vt_op(control, V4VOP_ring_list, VT_ADDR, 0, 0, 0),
                     -RV_ESRCH);
    assert_int_equal(vt_op(control, V4VOP_config_get, VT_BAD, 0, 0, 0),
                     -RV_EFAULT);
    c.target_id = 77;
    fixture_phys_put(control, VT_ADDR, &c, sizeof(c));
    assert_int_equal(vt_op(control, V4VOP_config_get, VT_ADDR, 0, 0, 0),
                     -RV_ESRCH);
    c.target_id = 5;
    c.pad = 1;
    fixture_phys_put(control, VT_ADDR, &c, sizeof(c));
    assert_int_equal(vt_op(control, V4VOP_config_get, VT_ADDR, 0, 0, 0),
                     -RV_EINVAL);
}

static void unknown_operations_are_enosys(void **state)
{
    (void)state;
    assert_int_equal(vt_op(plain, 0, 0, 0, 0, 0), -RV_ENOSYS);
    for (unsigned op = V4VOP_config_get + 1; op < 256; op++) {
        assert_int_equal(vt_op(control, op, 0, 0, 0, 0), -RV_ENOSYS);
    }
}

static void every_documented_errno_was_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("v4v_op");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, vt_teardown)
    const struct CMUnitTest tests[] = {
        T(register_ring_bad_arguments_are_einval),
        T(register_ring_bad_frames_are_einval_and_let_go),
        T(register_ring_unreadable_is_efault),
        T(register_ring_over_quota_is_enospc),
        T(register_ring_more_pages_than_owned_is_enospc),
        T(register_ring_without_memory_is_enomem),
        T(unregister_ring_bad_requests_are_refused),
        T(sendv_bad_requests_are_refused),
        T(argo_sendv_bad_requests_are_refused),
        T(sendv_more_waiters_than_places_is_ebusy),
        T(notify_bad_requests_are_refused),
        T(info_bad_requests_are_refused),
        T(tables_bad_requests_are_refused),
        T(config_bad_targets_and_limits_are_refused),
        T(unknown_operations_are_enosys),
        cmocka_unit_test(every_documented_errno_was_provoked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
