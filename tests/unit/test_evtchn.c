/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: how they are bound and closed, with every error, also by
 * domains that bind and close each other's channels at the same time.
 */

#include "evtchn_fixture.h"

#include <pthread.h>

#include "fake.h"
#include "ravelin/frame_pool.h"
#include "ravelin/sched.h"

/* ---- Binding ---- */

static void evtchn_alloc_unbound_takes_lowest_free_port(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t p[3];

    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(evtchn_alloc_unbound(et_a, 77, &p[i]), 0);
        assert_int_equal(p[i], i + 1);
    }
    assert_int_equal(et_status(et_a, 2, &st), EVTCHNSTAT_unbound);
    assert_int_equal(st.u.unbound.dom, 77);
    assert_int_equal(st.vcpu, 0);
    assert_int_equal(evtchn_close(et_a, 2), 0);
    assert_int_equal(et_status(et_a, 2, &st), EVTCHNSTAT_closed);
    assert_int_equal(evtchn_alloc_unbound(et_a, 5, &p[1]), 0);
    assert_int_equal(p[1], 2);
}

static void evtchn_alloc_unbound_all_ports_used_returns_enospc(void **state)
{
    (void)state;
    evtchn_port_t port;

    for (unsigned i = 1; i < 4096; i++) {
        assert_int_equal(evtchn_alloc_unbound(et_a, 0, &port), 0);
        assert_int_equal(port, i);
    }
    assert_int_equal(evtchn_alloc_unbound(et_a, 0, &port), -RV_ENOSPC);
    et_b->is_32bit_abi = true;
    for (unsigned i = 1; i < 1024; i++) {
        assert_int_equal(evtchn_alloc_unbound(et_b, 0, &port), 0);
    }
    assert_int_equal(evtchn_alloc_unbound(et_b, 0, &port), -RV_ENOSPC);
}

static void evtchn_alloc_unbound_above_configured_max_returns_enospc(
    void **state)
{
    (void)state;
    evtchn_port_t port;

    et_a->evtchn_port_max = 2;
    assert_int_equal(evtchn_alloc_unbound(et_a, 0, &port), 0);
    assert_int_equal(evtchn_alloc_unbound(et_a, 0, &port), 0);
    assert_int_equal(evtchn_alloc_unbound(et_a, 0, &port), -RV_ENOSPC);
}

static void evtchn_alloc_unbound_no_memory_returns_enomem(void **state)
{
    (void)state;
    evtchn_port_t port;

    frame_pool_fail_after(0);
    assert_int_equal(evtchn_alloc_unbound(et_a, 0, &port), -RV_ENOMEM);
    frame_pool_fail_after(-1);
    assert_int_equal(evtchn_alloc_unbound(et_a, 0, &port), 0);
    assert_int_equal(port, 1);
}

static void evtchn_bind_interdomain_connects_both_ends(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t pa;
    evtchn_port_t pb;

    assert_int_equal(evtchn_alloc_unbound(et_a, et_b->id, &pa), 0);
    assert_int_equal(evtchn_bind_interdomain(et_b, et_a, pa, &pb), 0);
    assert_int_equal(et_status(et_a, pa, &st), EVTCHNSTAT_interdomain);
    assert_int_equal(st.u.interdomain.dom, et_b->id);
    assert_int_equal(st.u.interdomain.port, pb);
    assert_int_equal(et_status(et_b, pb, &st), EVTCHNSTAT_interdomain);
    assert_int_equal(st.u.interdomain.dom, et_a->id);
    /* The new end is raised once, the old one is not. */
    assert_true(evtchn_port_is_pending(et_b, pb));
    assert_false(evtchn_port_is_pending(et_a, pa));
    assert_true(et_upcall_take(et_b, 0));
    assert_int_equal(evtchn_send(et_a, pa), 0);
    assert_true(evtchn_port_is_pending(et_b, pb));
    assert_int_equal(evtchn_send(et_b, pb), 0);
    assert_true(evtchn_port_is_pending(et_a, pa));
    assert_true(evtchn_is_pending(et_a->vcpu[0]));
}

static void evtchn_bind_interdomain_not_offered_returns_einval(void **state)
{
    (void)state;
    evtchn_port_t pa;
    evtchn_port_t ipi;
    evtchn_port_t pb = 999;
    struct evtchn_status st;

    assert_int_equal(evtchn_alloc_unbound(et_a, 77, &pa), 0);
    assert_int_equal(evtchn_bind_ipi(et_a, 0, &ipi), 0);
    assert_int_equal(evtchn_bind_interdomain(et_b, et_a, pa, &pb), -RV_EINVAL);
    assert_int_equal(evtchn_bind_interdomain(et_b, et_a, ipi, &pb), -RV_EINVAL);
    assert_int_equal(evtchn_bind_interdomain(et_b, et_a, 3000, &pb),
                     -RV_EINVAL);
    assert_int_equal(evtchn_bind_interdomain(et_b, et_a, UINT32_MAX, &pb),
                     -RV_EINVAL);
    assert_int_equal(pb, 999);
    assert_int_equal(et_status(et_a, pa, &st), EVTCHNSTAT_unbound);
    assert_false(evtchn_port_is_valid(et_b, 1));
}

static void evtchn_bind_interdomain_without_local_port_changes_nothing(
    void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t pa;
    evtchn_port_t pb;

    assert_int_equal(evtchn_alloc_unbound(et_a, et_b->id, &pa), 0);
    frame_pool_fail_after(0);
    assert_int_equal(evtchn_bind_interdomain(et_b, et_a, pa, &pb), -RV_ENOMEM);
    frame_pool_fail_after(-1);
    assert_int_equal(et_status(et_a, pa, &st), EVTCHNSTAT_unbound);
    assert_int_equal(evtchn_bind_interdomain(et_b, et_a, pa, &pb), 0);
}

static void evtchn_bind_interdomain_with_itself_loops_back(void **state)
{
    (void)state;
    evtchn_port_t p;
    evtchn_port_t q;

    assert_int_equal(evtchn_alloc_unbound(et_a, et_a->id, &p), 0);
    assert_int_equal(evtchn_bind_interdomain(et_a, et_a, p, &q), 0);
    et_upcall_take(et_a, 0);
    assert_int_equal(evtchn_send(et_a, p), 0);
    assert_true(evtchn_port_is_pending(et_a, q));
    assert_false(evtchn_port_is_pending(et_a, p));
    assert_int_equal(evtchn_close(et_a, q), 0);
    assert_int_equal(evtchn_send(et_a, p), 0); /* unbound now: nothing */
    assert_int_equal(evtchn_close(et_a, p), 0);
}

static void evtchn_bind_virq_checks_its_arguments(void **state)
{
    (void)state;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_virq(et_a, NR_VIRQS, 0, &port), -RV_EINVAL);
    assert_int_equal(evtchn_bind_virq(et_a, UINT32_MAX, 0, &port), -RV_EINVAL);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_TIMER, 2, &port), -RV_ENOENT);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_DOM_EXC, 1, &port),
                     -RV_EINVAL);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_TIMER, 0, &port), 0);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_TIMER, 0, &port), -RV_EEXIST);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_TIMER, 1, &port), 0);
    assert_int_equal(evtchn_close(et_a, port), 0);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_TIMER, 1, &port), 0);
}

static void evtchn_virq_raise_reaches_its_vcpu(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t port[2];

    evtchn_virq_raise(et_a->vcpu[1], VIRQ_TIMER); /* unbound: nothing */
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_TIMER, 0, &port[0]), 0);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_TIMER, 1, &port[1]), 0);
    assert_int_equal(et_status(et_a, port[1], &st), EVTCHNSTAT_virq);
    assert_int_equal(st.u.virq, VIRQ_TIMER);
    assert_int_equal(st.vcpu, 1);
    evtchn_virq_raise(et_a->vcpu[1], VIRQ_TIMER);
    assert_false(evtchn_port_is_pending(et_a, port[0]));
    assert_true(evtchn_port_is_pending(et_a, port[1]));
    assert_true(et_info(et_a, 1)->evtchn_upcall_pending);
    assert_false(et_info(et_a, 0)->evtchn_upcall_pending);
}

static void evtchn_virq_raise_global_follows_roles(void **state)
{
    (void)state;
    evtchn_port_t pa;
    evtchn_port_t pb;

    et_a->roles = ROLE_CONTROL;
    et_b->roles = ROLE_MONITOR;
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_DOM_EXC, 0, &pa), 0);
    assert_int_equal(evtchn_bind_virq(et_b, VIRQ_DOM_EXC, 0, &pb), 0);
    evtchn_virq_raise_global(VIRQ_DOM_EXC);
    assert_true(evtchn_port_is_pending(et_a, pa));
    assert_false(evtchn_port_is_pending(et_b, pb));
    evtchn_virq_raise_domain(et_b, VIRQ_DOM_EXC);
    assert_true(evtchn_port_is_pending(et_b, pb));
}

static void evtchn_bind_ipi_reaches_its_vcpu(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(et_a, 2, &port), -RV_ENOENT);
    assert_int_equal(evtchn_bind_ipi(et_a, 1, &port), 0);
    assert_int_equal(et_status(et_a, port, &st), EVTCHNSTAT_ipi);
    assert_int_equal(st.vcpu, 1);
    assert_int_equal(evtchn_send(et_a, port), 0);
    assert_true(et_info(et_a, 1)->evtchn_upcall_pending);
    assert_int_equal(evtchn_bind_vcpu(et_a, port, 0), -RV_EINVAL);
}

static void evtchn_bind_vcpu_moves_what_may_move(void **state)
{
    (void)state;
    evtchn_port_t unbound;
    evtchn_port_t global;
    evtchn_port_t timer;

    assert_int_equal(evtchn_alloc_unbound(et_a, 0, &unbound), 0);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_DOM_EXC, 0, &global), 0);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_TIMER, 0, &timer), 0);
    assert_int_equal(evtchn_bind_vcpu(et_a, unbound, 2), -RV_ENOENT);
    assert_int_equal(evtchn_bind_vcpu(et_a, 55, 1), -RV_EINVAL);
    assert_int_equal(evtchn_bind_vcpu(et_a, 4096, 1), -RV_EINVAL);
    assert_int_equal(evtchn_bind_vcpu(et_a, timer, 1), -RV_EINVAL);
    assert_int_equal(evtchn_bind_vcpu(et_a, unbound, 1), 0);
    assert_int_equal(evtchn_bind_vcpu(et_a, global, 1), 0);
    evtchn_virq_raise_domain(et_a, VIRQ_DOM_EXC);
    assert_true(et_info(et_a, 1)->evtchn_upcall_pending);
    assert_int_equal(evtchn_close(et_a, global), 0);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_DOM_EXC, 0, &global), 0);
}

/* ---- Closing ---- */

static void evtchn_close_unused_port_returns_einval(void **state)
{
    (void)state;
    assert_int_equal(evtchn_close(et_a, 0), -RV_EINVAL);
    assert_int_equal(evtchn_close(et_a, 7), -RV_EINVAL);
    assert_int_equal(evtchn_close(et_a, 4096), -RV_EINVAL);
    assert_int_equal(evtchn_close(et_a, UINT32_MAX), -RV_EINVAL);
}

static void evtchn_close_leaves_partner_unbound_for_the_same(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t pa;
    evtchn_port_t pb;

    assert_int_equal(evtchn_alloc_unbound(et_a, et_b->id, &pa), 0);
    assert_int_equal(evtchn_bind_vcpu(et_a, pa, 1), 0);
    assert_int_equal(evtchn_bind_interdomain(et_b, et_a, pa, &pb), 0);
    assert_int_equal(evtchn_close(et_b, pb), 0);
    assert_int_equal(et_status(et_a, pa, &st), EVTCHNSTAT_unbound);
    assert_int_equal(st.u.unbound.dom, et_b->id);
    assert_int_equal(st.vcpu, 1);
    assert_int_equal(evtchn_send(et_a, pa), 0);
    assert_int_equal(evtchn_bind_interdomain(et_b, et_a, pa, &pb), 0);
}

static void evtchn_close_takes_back_what_is_pending(void **state)
{
    (void)state;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(et_a, 0, &port), 0);
    assert_int_equal(evtchn_send(et_a, port), 0);
    assert_int_equal(evtchn_close(et_a, port), 0);
    assert_false(evtchn_port_is_pending(et_a, port));
    assert_int_equal(evtchn_send(et_a, port), -RV_EINVAL);
}

static void evtchn_partner_dies_end_becomes_unbound(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t pa;
    evtchn_port_t pb;

    assert_int_equal(evtchn_alloc_unbound(et_a, et_b->id, &pa), 0);
    assert_int_equal(evtchn_bind_interdomain(et_b, et_a, pa, &pb), 0);
    core_domain_destroy(et_b);
    et_b = NULL;
    assert_int_equal(et_status(et_a, pa, &st), EVTCHNSTAT_unbound);
    assert_int_equal(evtchn_send(et_a, pa), 0);
    assert_int_equal(evtchn_close(et_a, pa), 0);
}

static void evtchn_domain_destroy_refuses_new_ports(void **state)
{
    (void)state;
    evtchn_port_t port;
    unsigned steps = 1;

    for (unsigned i = 0; i < 600; i++) {
        assert_int_equal(evtchn_alloc_unbound(et_a, 0, &port), 0);
    }
    while (evtchn_domain_destroy(et_a) == -RV_ERESTART) {
        steps++;
    }
    assert_int_equal(steps, 3);
    assert_int_equal(evtchn_alloc_unbound(et_a, 0, &port), -RV_EINVAL);
    assert_int_equal(evtchn_bind_ipi(et_a, 0, &port), -RV_EINVAL);
    assert_false(evtchn_port_is_valid(et_a, 300));
}

static evtchn_port_t served_port;
static struct vcpu *served_vcpu;

static void serve(struct vcpu *v, evtchn_port_t port)
{
    served_vcpu = v;
    served_port = port;
}

static void evtchn_reset_closes_all_but_services(void **state)
{
    (void)state;
    evtchn_port_t service;
    evtchn_port_t ipi;
    evtchn_port_t virq;

    assert_int_equal(evtchn_service_bind(et_a, serve, &service), 0);
    assert_int_equal(evtchn_bind_ipi(et_a, 0, &ipi), 0);
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_TIMER, 1, &virq), 0);
    assert_int_equal(evtchn_reset(et_a), 0);
    assert_false(evtchn_port_is_valid(et_a, ipi));
    assert_false(evtchn_port_is_valid(et_a, virq));
    assert_true(evtchn_port_is_valid(et_a, service));
    assert_int_equal(evtchn_bind_virq(et_a, VIRQ_TIMER, 1, &virq), 0);
}

static void evtchn_service_sends_both_ways(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t port;

    assert_int_equal(evtchn_service_bind(et_a, serve, &port), 0);
    assert_int_equal(et_status(et_a, port, &st), EVTCHNSTAT_interdomain);
    assert_int_equal(st.u.interdomain.dom, DOMID_XEN);
    served_port = 0;
    assert_int_equal(evtchn_send(et_a, port), 0);
    assert_int_equal(served_port, port);
    assert_ptr_equal(served_vcpu, cpu_by_id(0)->current);
    assert_false(evtchn_port_is_pending(et_a, port));
    evtchn_service_raise(et_a, port);
    assert_true(evtchn_port_is_pending(et_a, port));
    assert_int_equal(evtchn_close(et_a, port), 0);
    evtchn_service_raise(et_a, port); /* the guest closed it: nothing */
    assert_false(evtchn_port_is_pending(et_a, port));
    assert_int_equal(evtchn_alloc_unbound(et_a, 0, &port), 0);
    evtchn_service_unbind(et_a, port); /* no service any more: stays */
    assert_true(evtchn_port_is_valid(et_a, port));
}

static void evtchn_status_get_bad_port_returns_einval(void **state)
{
    (void)state;
    struct evtchn_status st;

    assert_int_equal(evtchn_status_get(et_a, 4096, &st), -RV_EINVAL);
    assert_int_equal(et_status(et_a, 4095, &st), EVTCHNSTAT_closed);
    et_a->is_32bit_abi = true;
    assert_int_equal(evtchn_status_get(et_a, 1024, &st), -RV_EINVAL);
}

/* ---- Threads ---- */

#define ROUNDS 3000u

static uint32_t race_done;

static void *race_binder(void *arg)
{
    struct domain *self = arg;
    struct domain *other = self == et_a ? et_b : et_a;
    evtchn_port_t offer;
    evtchn_port_t bound;

    core_cpu(self == et_a ? 0 : 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (evtchn_alloc_unbound(self, other->id, &offer) == 0 && i % 3 == 0) {
            (void)!evtchn_close(self, offer);
        }
        for (evtchn_port_t p = 1; p < 24; p++) {
            (void)!evtchn_send(self, p);
            if ((p + i) % 5 == 0) {
                (void)!evtchn_bind_interdomain(self, other, p, &bound);
            } else if ((p + i) % 7 == 0) {
                (void)!evtchn_close(self, p);
            }
        }
        if (i % 100 == 99) {
            while (evtchn_reset(self) != 0) {
            }
        }
    }
    __atomic_fetch_add(&race_done, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

/* Every interdomain end must have its other end. */
static void bindings_check(struct domain *d, struct domain *other)
{
    struct evtchn_status st;

    for (evtchn_port_t p = 1; p < 4096; p++) {
        struct evtchn_status peer;

        if (et_status(d, p, &st) != EVTCHNSTAT_interdomain) {
            continue;
        }
        assert_int_equal(st.u.interdomain.dom, other->id);
        assert_int_equal(et_status(other, st.u.interdomain.port, &peer),
                         EVTCHNSTAT_interdomain);
        assert_int_equal(peer.u.interdomain.port, p);
        assert_int_equal(peer.u.interdomain.dom, d->id);
    }
}

static void evtchn_threads_bind_close_send_stay_consistent(void **state)
{
    (void)state;
    pthread_t threads[2];

    pthread_create(&threads[0], NULL, race_binder, et_a);
    pthread_create(&threads[1], NULL, race_binder, et_b);
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    core_cpu(0);
    assert_int_equal(race_done, 2);
    bindings_check(et_a, et_b);
    bindings_check(et_b, et_a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ET_CASE(evtchn_alloc_unbound_takes_lowest_free_port),
        ET_CASE(evtchn_alloc_unbound_all_ports_used_returns_enospc),
        ET_CASE(evtchn_alloc_unbound_above_configured_max_returns_enospc),
        ET_CASE(evtchn_alloc_unbound_no_memory_returns_enomem),
        ET_CASE(evtchn_bind_interdomain_connects_both_ends),
        ET_CASE(evtchn_bind_interdomain_not_offered_returns_einval),
        ET_CASE(evtchn_bind_interdomain_without_local_port_changes_nothing),
        ET_CASE(evtchn_bind_interdomain_with_itself_loops_back),
        ET_CASE(evtchn_bind_virq_checks_its_arguments),
        ET_CASE(evtchn_virq_raise_reaches_its_vcpu),
        ET_CASE(evtchn_virq_raise_global_follows_roles),
        ET_CASE(evtchn_bind_ipi_reaches_its_vcpu),
        ET_CASE(evtchn_bind_vcpu_moves_what_may_move),
        ET_CASE(evtchn_close_unused_port_returns_einval),
        ET_CASE(evtchn_close_leaves_partner_unbound_for_the_same),
        ET_CASE(evtchn_close_takes_back_what_is_pending),
        ET_CASE(evtchn_partner_dies_end_becomes_unbound),
        ET_CASE(evtchn_domain_destroy_refuses_new_ports),
        ET_CASE(evtchn_reset_closes_all_but_services),
        ET_CASE(evtchn_service_sends_both_ways),
        ET_CASE(evtchn_status_get_bad_port_returns_einval),
        ET_CASE(evtchn_threads_bind_close_send_stay_consistent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
