/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_channel_op: requests and their errors. The engine's own behaviour is
 * in test_evtchn.c.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "public/event_channel.h"
#include "ravelin/evtchn.h"

#define NR __HYPERVISOR_event_channel_op

static long op(enum hc_who who, uint64_t cmd, void *arg, size_t n)
{
    return hc(who, NR, cmd, arg, n);
}

static uint32_t alloc(enum hc_who who, domid_t remote)
{
    struct evtchn_alloc_unbound a = {DOMID_SELF, remote, 0};

    assert_int_equal(op(who, EVTCHNOP_alloc_unbound, &a, sizeof(a)), 0);
    assert_true(a.port != 0);
    return a.port;
}

static void close_port(enum hc_who who, uint32_t port)
{
    struct evtchn_close c = {port};

    assert_int_equal(op(who, EVTCHNOP_close, &c, sizeof(c)), 0);
}

static void evtchn_bad_pointer_returns_efault(void **state)
{
    static const uint8_t ops[] = {0, 1, 3, 4, 5, 6, 7, 8, 9, 10};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        assert_int_equal(hc_call(HC_PLAIN, false, NR, ops[i], HC_BAD, 0),
                         -RV_EFAULT);
        assert_int_equal(hc_call(HC_PLAIN, true, NR, ops[i], HC_BAD32, 0),
                         -RV_EFAULT);
    }
}

static void evtchn_bad_port_returns_einval(void **state)
{
    static const uint8_t ops[] = {EVTCHNOP_close, EVTCHNOP_send,
                                  EVTCHNOP_unmask, EVTCHNOP_bind_vcpu};
    static const uint32_t ports[] = {0, 4095, 4096, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(ports); j++) {
            uint32_t req[2] = {ports[j], 0};

            assert_int_equal(op(HC_PLAIN, ops[i], req, sizeof(req)),
                             -RV_EINVAL);
        }
    }
}

static void evtchn_status_tells_what_a_port_is(void **state)
{
    uint32_t port = alloc(HC_PLAIN, hc_domain[HC_CONTROL]->id);
    struct evtchn_status s = {.dom = DOMID_SELF, .port = port};

    (void)state;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_status, &s, sizeof(s)), 0);
    assert_int_equal(s.status, EVTCHNSTAT_unbound);
    assert_int_equal(s.u.unbound.dom, hc_domain[HC_CONTROL]->id);
    s.dom = hc_domain[HC_PLAIN]->id;
    assert_int_equal(op(HC_CONTROL, EVTCHNOP_status, &s, sizeof(s)), 0);
    assert_int_equal(op(HC_HARDWARE, EVTCHNOP_status, &s, sizeof(s)),
                     -RV_EPERM);
    s.dom = 99;
    assert_int_equal(op(HC_CONTROL, EVTCHNOP_status, &s, sizeof(s)), -RV_ESRCH);
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_status, &s, sizeof(s)), -RV_EPERM);
    s.dom = DOMID_SELF;
    s.port = 5000;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_status, &s, sizeof(s)), -RV_EINVAL);
    close_port(HC_PLAIN, port);
}

static void evtchn_alloc_for_others_needs_control(void **state)
{
    struct evtchn_alloc_unbound a = {hc_domain[HC_PLAIN]->id, DOMID_SELF, 0};

    (void)state;
    assert_int_equal(op(HC_HARDWARE, EVTCHNOP_alloc_unbound, &a, sizeof(a)),
                     -RV_EPERM);
    assert_int_equal(op(HC_CONTROL, EVTCHNOP_alloc_unbound, &a, sizeof(a)), 0);
    close_port(HC_PLAIN, a.port);
    a.dom = 99;
    assert_int_equal(op(HC_CONTROL, EVTCHNOP_alloc_unbound, &a, sizeof(a)),
                     -RV_ESRCH);
    a.dom = DOMID_SELF;
    a.remote_dom = DOMID_INVALID;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_alloc_unbound, &a, sizeof(a)),
                     -RV_EINVAL);
}

static void evtchn_interdomain_connects_who_was_offered(void **state)
{
    uint32_t offer = alloc(HC_PLAIN, hc_domain[HC_CONTROL]->id);
    struct evtchn_bind_interdomain b = {
        .remote_dom = hc_domain[HC_PLAIN]->id,
        .remote_port = offer,
    };
    struct evtchn_send s;

    (void)state;
    assert_int_equal(op(HC_HARDWARE, EVTCHNOP_bind_interdomain, &b, sizeof(b)),
                     -RV_EINVAL);
    assert_int_equal(op(HC_CONTROL, EVTCHNOP_bind_interdomain, &b, sizeof(b)),
                     0);
    s.port = b.local_port;
    assert_int_equal(op(HC_CONTROL, EVTCHNOP_send, &s, sizeof(s)), 0);
    assert_true(evtchn_port_is_pending(hc_domain[HC_PLAIN], offer));
    close_port(HC_CONTROL, b.local_port);
    close_port(HC_PLAIN, offer);
    b.remote_dom = 99;
    assert_int_equal(op(HC_CONTROL, EVTCHNOP_bind_interdomain, &b, sizeof(b)),
                     -RV_ESRCH);
}

static void evtchn_bind_virq_bad_requests_are_refused(void **state)
{
    struct evtchn_bind_virq b = {VIRQ_TIMER, 0, 0};
    struct evtchn_bind_vcpu to = {0, 1};

    (void)state;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_virq, &b, sizeof(b)), 0);
    to.port = b.port;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_virq, &b, sizeof(b)),
                     -RV_EEXIST);
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_vcpu, &to, sizeof(to)),
                     -RV_EINVAL);
    close_port(HC_PLAIN, b.port);
    b.virq = NR_VIRQS;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_virq, &b, sizeof(b)),
                     -RV_EINVAL);
    b = (struct evtchn_bind_virq){VIRQ_TIMER, 2, 0};
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_virq, &b, sizeof(b)),
                     -RV_ENOENT);
}

static void evtchn_bind_ipi_unknown_vcpu_returns_enoent(void **state)
{
    struct evtchn_bind_ipi ipi = {2, 0};

    (void)state;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_ipi, &ipi, sizeof(ipi)),
                     -RV_ENOENT);
    ipi.vcpu = 1;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_ipi, &ipi, sizeof(ipi)), 0);
    close_port(HC_PLAIN, ipi.port);
}

static void evtchn_bind_vcpu_moves_a_port(void **state)
{
    uint32_t port = alloc(HC_PLAIN, hc_domain[HC_PLAIN]->id);
    struct evtchn_bind_vcpu to = {port, 1};
    struct evtchn_status s = {.dom = DOMID_SELF, .port = port};

    (void)state;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_vcpu, &to, sizeof(to)), 0);
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_status, &s, sizeof(s)), 0);
    assert_int_equal(s.vcpu, 1);
    to.vcpu = 2;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_vcpu, &to, sizeof(to)),
                     -RV_ENOENT);
    close_port(HC_PLAIN, port);
}

/* A read-only page: the port is made and unmade again. */
static void evtchn_result_that_cannot_be_told_is_undone(void **state)
{
    struct evtchn_alloc_unbound a = {DOMID_SELF, DOMID_SELF, 0};
    struct domain *d = hc_domain[HC_PLAIN];
    gfn_t g = gfn(HC_FREE >> PAGE_SHIFT);
    struct p2m_locked p2m;
    uint32_t before;

    (void)state;
    before = alloc(HC_PLAIN, DOMID_SELF);
    close_port(HC_PLAIN, before);
    hc_put(HC_PLAIN, HC_FREE, &a, sizeof(a));
    p2m = p2m_lock(&d->p2m);
    assert_int_equal(p2m_access_set(p2m, g, ACCESS_READ), 0);
    p2m_unlock(&p2m);
    for (unsigned i = 0; i < 5000; i++) {
        assert_int_equal(
            hc_call(HC_PLAIN, false, NR, EVTCHNOP_alloc_unbound, HC_FREE, 0),
            -RV_EFAULT);
    }
    p2m = p2m_lock(&d->p2m);
    assert_int_equal(p2m_access_set(p2m, g, ACCESS_ALL), 0);
    p2m_unlock(&p2m);
    assert_int_equal(alloc(HC_PLAIN, DOMID_SELF), before);
    close_port(HC_PLAIN, before);
}

static void evtchn_reset_closes_and_needs_rights(void **state)
{
    uint32_t port = alloc(HC_PLAIN, DOMID_SELF);
    struct evtchn_reset r = {hc_domain[HC_PLAIN]->id};
    struct evtchn_close c = {port};

    (void)state;
    assert_int_equal(op(HC_HARDWARE, EVTCHNOP_reset, &r, sizeof(r)), -RV_EPERM);
    r.dom = 99;
    assert_int_equal(op(HC_CONTROL, EVTCHNOP_reset, &r, sizeof(r)), -RV_ESRCH);
    r.dom = DOMID_SELF;
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_reset, &r, sizeof(r)), 0);
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_close, &c, sizeof(c)), -RV_EINVAL);
}

static void evtchn_all_ports_in_use_returns_enospc(void **state)
{
    struct evtchn_alloc_unbound a = {DOMID_SELF, DOMID_SELF, 0};
    struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};
    struct evtchn_bind_virq virq = {VIRQ_TIMER, 0, 0};
    struct evtchn_bind_ipi ipi = {0, 0};
    struct evtchn_reset r = {DOMID_SELF};
    unsigned count = 0;
    long rc;

    (void)state;
    do {
        rc = op(HC_PLAIN, EVTCHNOP_alloc_unbound, &a, sizeof(a));
        if (rc == 0) {
            b.remote_port = a.port;
            count++;
        }
    } while (rc == 0 && count < 5000);
    assert_int_equal(rc, -RV_ENOSPC);
    assert_true(count >= 4000);
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_interdomain, &b, sizeof(b)),
                     -RV_ENOSPC);
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_virq, &virq, sizeof(virq)),
                     -RV_ENOSPC);
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_bind_ipi, &ipi, sizeof(ipi)),
                     -RV_ENOSPC);
    assert_int_equal(op(HC_PLAIN, EVTCHNOP_reset, &r, sizeof(r)), 0);
}

/* Ports come in pages; a domain that has used few lacks one sooner or later. */
static long until_error(enum hc_who who, uint64_t cmd, void *arg, size_t n)
{
    uint8_t keep[32];
    long rc;

    memcpy(keep, arg, n);
    for (unsigned i = 0; i < 4096; i++) {
        memcpy(arg, keep, n);
        hc_alloc_fail();
        rc = op(who, cmd, arg, n);
        hc_alloc_heal();
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static void evtchn_out_of_memory_returns_enomem(void **state)
{
    struct evtchn_alloc_unbound a = {DOMID_SELF, DOMID_SELF, 0};
    struct evtchn_bind_ipi ipi = {0, 0};
    struct evtchn_bind_virq virq = {VIRQ_TIMER, 0, 0};
    struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};
    enum hc_who who = HC_HARDWARE;
    long rc = 0;

    (void)state;
    assert_int_equal(until_error(who, EVTCHNOP_alloc_unbound, &a, sizeof(a)),
                     -RV_ENOMEM);
    assert_int_equal(until_error(who, EVTCHNOP_bind_ipi, &ipi, sizeof(ipi)),
                     -RV_ENOMEM);
    assert_int_equal(until_error(who, EVTCHNOP_bind_virq, &virq, sizeof(virq)),
                     -RV_ENOMEM);
    for (unsigned i = 0; i < 4096 && rc == 0; i++) {
        b.remote_port = alloc(who, DOMID_SELF);
        hc_alloc_fail();
        rc = op(who, EVTCHNOP_bind_interdomain, &b, sizeof(b));
        hc_alloc_heal();
    }
    assert_int_equal(rc, -RV_ENOMEM);
}

static void evtchn_documented_errors_are_all_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("event_channel_op");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evtchn_bad_pointer_returns_efault),
        cmocka_unit_test(evtchn_bad_port_returns_einval),
        cmocka_unit_test(evtchn_status_tells_what_a_port_is),
        cmocka_unit_test(evtchn_alloc_for_others_needs_control),
        cmocka_unit_test(evtchn_interdomain_connects_who_was_offered),
        cmocka_unit_test(evtchn_bind_virq_bad_requests_are_refused),
        cmocka_unit_test(evtchn_bind_ipi_unknown_vcpu_returns_enoent),
        cmocka_unit_test(evtchn_bind_vcpu_moves_a_port),
        cmocka_unit_test(evtchn_result_that_cannot_be_told_is_undone),
        cmocka_unit_test(evtchn_reset_closes_and_needs_rights),
        cmocka_unit_test(evtchn_all_ports_in_use_returns_enospc),
        cmocka_unit_test(evtchn_out_of_memory_returns_enomem),
        cmocka_unit_test(evtchn_documented_errors_are_all_provoked),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
