/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: every operation with its errors, delivery in both layouts,
 * polling, services, and domains that bind and close each other's channels at
 * the same time.
 */

#include "core_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "arch/host.h"
#include "fake.h"
#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/sched.h"
#include "ravelin/time_info.h"
#include "ravelin/vlapic.h"

#define MS 1000000UL

static struct domain *a;
static struct domain *b;

static int machine_up(void **state)
{
    (void)state;
    core_machine_create(2);
    a = core_domain_with(2, 0, 0, 1);
    b = core_domain_with(1, 0, 0, 2);
    core_domain_start(a);
    core_domain_start(b);
    core_turn(1);
    core_turn(0);
    return 0;
}

static int machine_down(void **state)
{
    (void)state;
    if (a) {
        core_domain_destroy(a);
    }
    if (b) {
        core_domain_destroy(b);
    }
    core_machine_destroy();
    return 0;
}

static struct shared_info *shared(const struct domain *d)
{
    return d->shared_info;
}

static struct vcpu_info *info(const struct domain *d, unsigned vcpu)
{
    return d->vcpu[vcpu]->vcpu_info;
}

/* What a guest does after an upcall; returns whether there was one. */
static bool upcall_take(const struct domain *d, unsigned vcpu)
{
    bool was = info(d, vcpu)->evtchn_upcall_pending != 0;

    info(d, vcpu)->evtchn_upcall_pending = 0;
    info(d, vcpu)->evtchn_pending_sel = 0;
    memset(shared(d)->evtchn_pending, 0, sizeof(shared(d)->evtchn_pending));
    return was;
}

static uint32_t status_of(struct domain *d, evtchn_port_t port,
                          struct evtchn_status *st)
{
    assert_int_equal(evtchn_status_get(d, port, st), 0);
    return st->status;
}

/* ---- Binding ---- */

static void evtchn_alloc_unbound_takes_lowest_free_port(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t p[3];

    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(evtchn_alloc_unbound(a, 77, &p[i]), 0);
        assert_int_equal(p[i], i + 1);
    }
    assert_int_equal(status_of(a, 2, &st), EVTCHNSTAT_unbound);
    assert_int_equal(st.u.unbound.dom, 77);
    assert_int_equal(st.vcpu, 0);
    assert_int_equal(evtchn_close(a, 2), 0);
    assert_int_equal(status_of(a, 2, &st), EVTCHNSTAT_closed);
    assert_int_equal(evtchn_alloc_unbound(a, 5, &p[1]), 0);
    assert_int_equal(p[1], 2);
}

static void evtchn_alloc_unbound_all_ports_used_returns_enospc(void **state)
{
    (void)state;
    evtchn_port_t port;

    for (unsigned i = 1; i < 4096; i++) {
        assert_int_equal(evtchn_alloc_unbound(a, 0, &port), 0);
        assert_int_equal(port, i);
    }
    assert_int_equal(evtchn_alloc_unbound(a, 0, &port), -RV_ENOSPC);
    b->is_32bit_abi = true;
    for (unsigned i = 1; i < 1024; i++) {
        assert_int_equal(evtchn_alloc_unbound(b, 0, &port), 0);
    }
    assert_int_equal(evtchn_alloc_unbound(b, 0, &port), -RV_ENOSPC);
}

static void evtchn_alloc_unbound_above_configured_max_returns_enospc(
    void **state)
{
    (void)state;
    evtchn_port_t port;

    a->evtchn_port_max = 2;
    assert_int_equal(evtchn_alloc_unbound(a, 0, &port), 0);
    assert_int_equal(evtchn_alloc_unbound(a, 0, &port), 0);
    assert_int_equal(evtchn_alloc_unbound(a, 0, &port), -RV_ENOSPC);
}

static void evtchn_alloc_unbound_no_memory_returns_enomem(void **state)
{
    (void)state;
    evtchn_port_t port;

    frame_pool_fail_after(0);
    assert_int_equal(evtchn_alloc_unbound(a, 0, &port), -RV_ENOMEM);
    frame_pool_fail_after(-1);
    assert_int_equal(evtchn_alloc_unbound(a, 0, &port), 0);
    assert_int_equal(port, 1);
}

static void evtchn_bind_interdomain_connects_both_ends(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t pa;
    evtchn_port_t pb;

    assert_int_equal(evtchn_alloc_unbound(a, b->id, &pa), 0);
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &pb), 0);
    assert_int_equal(status_of(a, pa, &st), EVTCHNSTAT_interdomain);
    assert_int_equal(st.u.interdomain.dom, b->id);
    assert_int_equal(st.u.interdomain.port, pb);
    assert_int_equal(status_of(b, pb, &st), EVTCHNSTAT_interdomain);
    assert_int_equal(st.u.interdomain.dom, a->id);
    /* The new end is raised once, the old one is not. */
    assert_true(evtchn_port_is_pending(b, pb));
    assert_false(evtchn_port_is_pending(a, pa));
    assert_true(upcall_take(b, 0));
    assert_int_equal(evtchn_send(a, pa), 0);
    assert_true(evtchn_port_is_pending(b, pb));
    assert_int_equal(evtchn_send(b, pb), 0);
    assert_true(evtchn_port_is_pending(a, pa));
    assert_true(evtchn_is_pending(a->vcpu[0]));
}

static void evtchn_bind_interdomain_not_offered_returns_einval(void **state)
{
    (void)state;
    evtchn_port_t pa;
    evtchn_port_t ipi;
    evtchn_port_t pb = 999;
    struct evtchn_status st;

    assert_int_equal(evtchn_alloc_unbound(a, 77, &pa), 0);
    assert_int_equal(evtchn_bind_ipi(a, 0, &ipi), 0);
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &pb), -RV_EINVAL);
    assert_int_equal(evtchn_bind_interdomain(b, a, ipi, &pb), -RV_EINVAL);
    assert_int_equal(evtchn_bind_interdomain(b, a, 3000, &pb), -RV_EINVAL);
    assert_int_equal(evtchn_bind_interdomain(b, a, UINT32_MAX, &pb),
                     -RV_EINVAL);
    assert_int_equal(pb, 999);
    assert_int_equal(status_of(a, pa, &st), EVTCHNSTAT_unbound);
    assert_false(evtchn_port_is_valid(b, 1));
}

static void evtchn_bind_interdomain_without_local_port_changes_nothing(
    void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t pa;
    evtchn_port_t pb;

    assert_int_equal(evtchn_alloc_unbound(a, b->id, &pa), 0);
    frame_pool_fail_after(0);
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &pb), -RV_ENOMEM);
    frame_pool_fail_after(-1);
    assert_int_equal(status_of(a, pa, &st), EVTCHNSTAT_unbound);
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &pb), 0);
}

static void evtchn_bind_interdomain_with_itself_loops_back(void **state)
{
    (void)state;
    evtchn_port_t p;
    evtchn_port_t q;

    assert_int_equal(evtchn_alloc_unbound(a, a->id, &p), 0);
    assert_int_equal(evtchn_bind_interdomain(a, a, p, &q), 0);
    upcall_take(a, 0);
    assert_int_equal(evtchn_send(a, p), 0);
    assert_true(evtchn_port_is_pending(a, q));
    assert_false(evtchn_port_is_pending(a, p));
    assert_int_equal(evtchn_close(a, q), 0);
    assert_int_equal(evtchn_send(a, p), 0); /* unbound now: nothing */
    assert_int_equal(evtchn_close(a, p), 0);
}

static void evtchn_bind_virq_checks_its_arguments(void **state)
{
    (void)state;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_virq(a, NR_VIRQS, 0, &port), -RV_EINVAL);
    assert_int_equal(evtchn_bind_virq(a, UINT32_MAX, 0, &port), -RV_EINVAL);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 2, &port), -RV_ENOENT);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_DOM_EXC, 1, &port), -RV_EINVAL);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 0, &port), 0);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 0, &port), -RV_EEXIST);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 1, &port), 0);
    assert_int_equal(evtchn_close(a, port), 0);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 1, &port), 0);
}

static void evtchn_virq_raise_reaches_its_vcpu(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t port[2];

    evtchn_virq_raise(a->vcpu[1], VIRQ_TIMER); /* unbound: nothing */
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 0, &port[0]), 0);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 1, &port[1]), 0);
    assert_int_equal(status_of(a, port[1], &st), EVTCHNSTAT_virq);
    assert_int_equal(st.u.virq, VIRQ_TIMER);
    assert_int_equal(st.vcpu, 1);
    evtchn_virq_raise(a->vcpu[1], VIRQ_TIMER);
    assert_false(evtchn_port_is_pending(a, port[0]));
    assert_true(evtchn_port_is_pending(a, port[1]));
    assert_true(info(a, 1)->evtchn_upcall_pending);
    assert_false(info(a, 0)->evtchn_upcall_pending);
}

static void evtchn_virq_raise_global_follows_roles(void **state)
{
    (void)state;
    evtchn_port_t pa;
    evtchn_port_t pb;

    a->roles = ROLE_CONTROL;
    b->roles = ROLE_MONITOR;
    assert_int_equal(evtchn_bind_virq(a, VIRQ_DOM_EXC, 0, &pa), 0);
    assert_int_equal(evtchn_bind_virq(b, VIRQ_DOM_EXC, 0, &pb), 0);
    evtchn_virq_raise_global(VIRQ_DOM_EXC);
    assert_true(evtchn_port_is_pending(a, pa));
    assert_false(evtchn_port_is_pending(b, pb));
    evtchn_virq_raise_domain(b, VIRQ_DOM_EXC);
    assert_true(evtchn_port_is_pending(b, pb));
}

static void evtchn_bind_ipi_reaches_its_vcpu(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(a, 2, &port), -RV_ENOENT);
    assert_int_equal(evtchn_bind_ipi(a, 1, &port), 0);
    assert_int_equal(status_of(a, port, &st), EVTCHNSTAT_ipi);
    assert_int_equal(st.vcpu, 1);
    assert_int_equal(evtchn_send(a, port), 0);
    assert_true(info(a, 1)->evtchn_upcall_pending);
    assert_int_equal(evtchn_bind_vcpu(a, port, 0), -RV_EINVAL);
}

static void evtchn_bind_vcpu_moves_what_may_move(void **state)
{
    (void)state;
    evtchn_port_t unbound;
    evtchn_port_t global;
    evtchn_port_t timer;

    assert_int_equal(evtchn_alloc_unbound(a, 0, &unbound), 0);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_DOM_EXC, 0, &global), 0);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 0, &timer), 0);
    assert_int_equal(evtchn_bind_vcpu(a, unbound, 2), -RV_ENOENT);
    assert_int_equal(evtchn_bind_vcpu(a, 55, 1), -RV_EINVAL);
    assert_int_equal(evtchn_bind_vcpu(a, 4096, 1), -RV_EINVAL);
    assert_int_equal(evtchn_bind_vcpu(a, timer, 1), -RV_EINVAL);
    assert_int_equal(evtchn_bind_vcpu(a, unbound, 1), 0);
    assert_int_equal(evtchn_bind_vcpu(a, global, 1), 0);
    evtchn_virq_raise_domain(a, VIRQ_DOM_EXC);
    assert_true(info(a, 1)->evtchn_upcall_pending);
    assert_int_equal(evtchn_close(a, global), 0);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_DOM_EXC, 0, &global), 0);
}

/* ---- Closing ---- */

static void evtchn_close_unused_port_returns_einval(void **state)
{
    (void)state;
    assert_int_equal(evtchn_close(a, 0), -RV_EINVAL);
    assert_int_equal(evtchn_close(a, 7), -RV_EINVAL);
    assert_int_equal(evtchn_close(a, 4096), -RV_EINVAL);
    assert_int_equal(evtchn_close(a, UINT32_MAX), -RV_EINVAL);
}

static void evtchn_close_leaves_partner_unbound_for_the_same(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t pa;
    evtchn_port_t pb;

    assert_int_equal(evtchn_alloc_unbound(a, b->id, &pa), 0);
    assert_int_equal(evtchn_bind_vcpu(a, pa, 1), 0);
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &pb), 0);
    assert_int_equal(evtchn_close(b, pb), 0);
    assert_int_equal(status_of(a, pa, &st), EVTCHNSTAT_unbound);
    assert_int_equal(st.u.unbound.dom, b->id);
    assert_int_equal(st.vcpu, 1);
    assert_int_equal(evtchn_send(a, pa), 0);
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &pb), 0);
}

static void evtchn_close_takes_back_what_is_pending(void **state)
{
    (void)state;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(a, 0, &port), 0);
    assert_int_equal(evtchn_send(a, port), 0);
    assert_int_equal(evtchn_close(a, port), 0);
    assert_false(evtchn_port_is_pending(a, port));
    assert_int_equal(evtchn_send(a, port), -RV_EINVAL);
}

static void evtchn_partner_dies_end_becomes_unbound(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t pa;
    evtchn_port_t pb;

    assert_int_equal(evtchn_alloc_unbound(a, b->id, &pa), 0);
    assert_int_equal(evtchn_bind_interdomain(b, a, pa, &pb), 0);
    core_domain_destroy(b);
    b = NULL;
    assert_int_equal(status_of(a, pa, &st), EVTCHNSTAT_unbound);
    assert_int_equal(evtchn_send(a, pa), 0);
    assert_int_equal(evtchn_close(a, pa), 0);
}

static void evtchn_domain_destroy_refuses_new_ports(void **state)
{
    (void)state;
    evtchn_port_t port;
    unsigned steps = 1;

    for (unsigned i = 0; i < 600; i++) {
        assert_int_equal(evtchn_alloc_unbound(a, 0, &port), 0);
    }
    while (evtchn_domain_destroy(a) == -RV_ERESTART) {
        steps++;
    }
    assert_int_equal(steps, 3);
    assert_int_equal(evtchn_alloc_unbound(a, 0, &port), -RV_EINVAL);
    assert_int_equal(evtchn_bind_ipi(a, 0, &port), -RV_EINVAL);
    assert_false(evtchn_port_is_valid(a, 300));
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

    assert_int_equal(evtchn_service_bind(a, serve, &service), 0);
    assert_int_equal(evtchn_bind_ipi(a, 0, &ipi), 0);
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 1, &virq), 0);
    assert_int_equal(evtchn_reset(a), 0);
    assert_false(evtchn_port_is_valid(a, ipi));
    assert_false(evtchn_port_is_valid(a, virq));
    assert_true(evtchn_port_is_valid(a, service));
    assert_int_equal(evtchn_bind_virq(a, VIRQ_TIMER, 1, &virq), 0);
}

static void evtchn_service_sends_both_ways(void **state)
{
    (void)state;
    struct evtchn_status st;
    evtchn_port_t port;

    assert_int_equal(evtchn_service_bind(a, serve, &port), 0);
    assert_int_equal(status_of(a, port, &st), EVTCHNSTAT_interdomain);
    assert_int_equal(st.u.interdomain.dom, DOMID_XEN);
    served_port = 0;
    assert_int_equal(evtchn_send(a, port), 0);
    assert_int_equal(served_port, port);
    assert_ptr_equal(served_vcpu, cpu_by_id(0)->current);
    assert_false(evtchn_port_is_pending(a, port));
    evtchn_service_raise(a, port);
    assert_true(evtchn_port_is_pending(a, port));
    assert_int_equal(evtchn_close(a, port), 0);
    evtchn_service_raise(a, port); /* the guest closed it: nothing */
    assert_false(evtchn_port_is_pending(a, port));
    assert_int_equal(evtchn_alloc_unbound(a, 0, &port), 0);
    evtchn_service_unbind(a, port); /* no service any more: stays */
    assert_true(evtchn_port_is_valid(a, port));
}

static void evtchn_status_get_bad_port_returns_einval(void **state)
{
    (void)state;
    struct evtchn_status st;

    assert_int_equal(evtchn_status_get(a, 4096, &st), -RV_EINVAL);
    assert_int_equal(status_of(a, 4095, &st), EVTCHNSTAT_closed);
    a->is_32bit_abi = true;
    assert_int_equal(evtchn_status_get(a, 1024, &st), -RV_EINVAL);
}

/* ---- Delivery ---- */

static void evtchn_send_sets_the_bits_of_the_64bit_layout(void **state)
{
    (void)state;
    evtchn_port_t port = 0;

    while (port < 200) {
        assert_int_equal(evtchn_bind_ipi(a, 0, &port), 0);
    }
    assert_int_equal(evtchn_send(a, 200), 0);
    assert_int_equal(shared(a)->evtchn_pending[3], 1UL << 8);
    assert_int_equal(info(a, 0)->evtchn_pending_sel, 1UL << 3);
    assert_int_equal(info(a, 0)->evtchn_upcall_pending, 1);
}

static void evtchn_send_sets_the_bits_of_the_32bit_layout(void **state)
{
    (void)state;
    struct compat_shared_info *narrow = a->shared_info;
    evtchn_port_t port = 0;

    a->is_32bit_abi = true;
    while (port < 200) {
        assert_int_equal(evtchn_bind_ipi(a, 1, &port), 0);
    }
    assert_int_equal(evtchn_send(a, 200), 0);
    assert_int_equal(narrow->evtchn_pending[6], 1u << 8);
    assert_int_equal(narrow->vcpu_info[1].evtchn_pending_sel, 1u << 6);
    assert_int_equal(narrow->vcpu_info[1].evtchn_upcall_pending, 1);
}

static void evtchn_send_masked_port_waits_for_unmask(void **state)
{
    (void)state;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(a, 0, &port), 0);
    shared(a)->evtchn_mask[0] = 1UL << port;
    assert_int_equal(evtchn_send(a, port), 0);
    assert_true(evtchn_port_is_pending(a, port));
    assert_int_equal(info(a, 0)->evtchn_upcall_pending, 0);
    assert_int_equal(evtchn_unmask(a, port), 0);
    assert_int_equal(shared(a)->evtchn_mask[0], 0);
    assert_int_equal(info(a, 0)->evtchn_upcall_pending, 1);
    assert_int_equal(evtchn_unmask(a, 99), -RV_EINVAL);
    assert_int_equal(evtchn_unmask(a, 4096), -RV_EINVAL);
}

static void evtchn_send_pending_port_is_not_raised_again(void **state)
{
    (void)state;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(a, 0, &port), 0);
    assert_int_equal(evtchn_send(a, port), 0);
    info(a, 0)->evtchn_upcall_pending = 0;
    assert_int_equal(evtchn_send(a, port), 0);
    assert_int_equal(info(a, 0)->evtchn_upcall_pending, 0);
}

static void evtchn_send_wakes_blocked_vcpu(void **state)
{
    (void)state;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(b, 0, &port), 0);
    core_cpu(1);
    vcpu_block(b->vcpu[0]);
    assert_null(core_turn(1));
    core_cpu(0);
    assert_int_equal(evtchn_send(b, port), 0);
    assert_ptr_equal(core_turn(1), b->vcpu[0]);
}

static void evtchn_upcall_vector_follows_callback_and_mask(void **state)
{
    (void)state;
    struct vcpu *v = a->vcpu[0];

    info(a, 0)->evtchn_upcall_pending = 1;
    assert_int_equal(evtchn_upcall_vector(v), -1); /* no callback set */
    a->callback_vector = 0xf3;
    assert_int_equal(evtchn_upcall_vector(v), 0xf3);
    info(a, 0)->evtchn_upcall_mask = 1;
    assert_int_equal(evtchn_upcall_vector(v), -1);
    info(a, 0)->evtchn_upcall_mask = 0;
    v->upcall_vector = 0x40;
    assert_int_equal(evtchn_upcall_vector(v), -1);
    v->upcall_vector = 0;
    info(a, 0)->evtchn_upcall_pending = 0;
    assert_int_equal(evtchn_upcall_vector(v), -1);
}

static void evtchn_upcall_vector_set_goes_through_the_local_apic(void **state)
{
    (void)state;
    struct vcpu *v = a->vcpu[0];
    evtchn_port_t port;

    vlapic_mmio_write(v, 0xf0, 0x1ff); /* software-enable */
    assert_int_equal(evtchn_bind_ipi(a, 0, &port), 0);
    evtchn_upcall_vector_set(v, 0x52);
    assert_int_equal(vlapic_irq_pending(v), -1);
    assert_int_equal(evtchn_send(a, port), 0);
    assert_int_equal(vlapic_irq_pending(v), 0x52);
    vlapic_irq_accept(v, 0x52);
    vlapic_eoi(v);
    evtchn_upcall_vector_set(v, 0x61); /* pending: raised at once */
    assert_int_equal(vlapic_irq_pending(v), 0x61);
}

static void evtchn_vcpu_info_move_keeps_contents_and_rescans(void **state)
{
    (void)state;
    struct vcpu *v = a->vcpu[1];
    struct vcpu_info *moved;
    struct p2m_locked held;
    evtchn_port_t port;
    char *page;
    mfn_t m;

    held = p2m_lock(&a->p2m);
    assert_int_equal(frame_alloc_domain(a, 0, &m), 0);
    assert_int_equal(p2m_map(held, gfn(3), m, 0, P2M_RAM, 7), 0);
    p2m_unlock(&held);
    page = guest_page_pin(a, gfn(3), &m);
    assert_non_null(page);
    info(a, 1)->arch.cr2 = 0x1234;
    assert_true(evtchn_vcpu_info_move(v, page + 192, m));
    moved = (void *)(page + 192);
    assert_int_equal(moved->arch.cr2, 0x1234);
    assert_int_equal(moved->evtchn_upcall_pending, 1);
    assert_int_equal(moved->evtchn_pending_sel, UINT64_MAX);
    assert_int_equal(moved->time.version, 4); /* published there */
    assert_false(evtchn_vcpu_info_move(v, page, m));
    upcall_take(a, 1);
    assert_int_equal(evtchn_bind_ipi(a, 1, &port), 0);
    assert_int_equal(evtchn_send(a, port), 0);
    assert_int_equal(moved->evtchn_upcall_pending, 1);
    assert_int_equal(shared(a)->vcpu_info[1].evtchn_upcall_pending, 0);
}

/* ---- Polling ---- */

static void evtchn_poll_pending_port_does_not_block(void **state)
{
    (void)state;
    struct vcpu *v = cpu_by_id(0)->current;
    evtchn_port_t ports[2];

    assert_int_equal(evtchn_bind_ipi(a, 0, &ports[0]), 0);
    assert_int_equal(evtchn_bind_ipi(a, 1, &ports[1]), 0);
    shared(a)->evtchn_mask[0] = ~0UL;
    assert_int_equal(evtchn_send(a, ports[1]), 0);
    assert_int_equal(evtchn_poll(v, ports, 2, 0), 0);
    assert_int_equal(v->flags, 0);
    assert_int_equal(a->poller_count, 0);
}

static void evtchn_poll_masked_port_wakes(void **state)
{
    (void)state;
    struct vcpu *v = cpu_by_id(0)->current;
    evtchn_port_t ports[3];

    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(evtchn_bind_ipi(a, v->id, &ports[i]), 0);
    }
    shared(a)->evtchn_mask[0] = ~0UL;
    assert_int_equal(evtchn_poll(v, &ports[1], 1, 0), 0);
    assert_int_equal(v->flags, VCPU_BLOCKED | VCPU_POLLING);
    assert_int_equal(a->poller_count, 1);
    core_cpu(1);
    assert_int_equal(evtchn_send(a, ports[0]), 0); /* not the one */
    assert_int_equal(v->flags, VCPU_BLOCKED | VCPU_POLLING);
    assert_int_equal(evtchn_send(a, ports[1]), 0);
    assert_int_equal(v->flags, 0);
    assert_int_equal(a->poller_count, 0);
    assert_false(info(a, v->id)->evtchn_upcall_pending);
}

static void evtchn_poll_timeout_wakes(void **state)
{
    (void)state;
    struct vcpu *v = cpu_by_id(0)->current;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(a, 0, &port), 0);
    assert_int_equal(evtchn_poll(v, &port, 1, domain_time_ns(a) + 5 * MS), 0);
    core_turn(0);
    fake_time_advance(4 * MS);
    core_turn(0);
    assert_int_equal(v->flags, VCPU_BLOCKED | VCPU_POLLING);
    fake_time_advance(1 * MS);
    core_turn(0);
    assert_int_equal(v->flags, 0);
    assert_int_equal(a->poller_count, 0);
}

static void evtchn_poll_bad_arguments_return_einval(void **state)
{
    (void)state;
    static evtchn_port_t many[EVTCHN_POLL_MAX + 1];
    struct vcpu *v = cpu_by_id(0)->current;
    evtchn_port_t port = 4096;

    assert_int_equal(evtchn_poll(v, &port, 1, 0), -RV_EINVAL);
    assert_int_equal(evtchn_poll(v, many, EVTCHN_POLL_MAX + 1, 0), -RV_EINVAL);
    assert_int_equal(v->flags, 0);
    assert_int_equal(a->poller_count, 0);
}

/* ---- Threads ---- */

#define ROUNDS 3000u

static uint32_t race_done;

static void *race_binder(void *arg)
{
    struct domain *self = arg;
    struct domain *other = self == a ? b : a;
    evtchn_port_t offer;
    evtchn_port_t bound;

    core_cpu(self == a ? 0 : 1);
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

        if (status_of(d, p, &st) != EVTCHNSTAT_interdomain) {
            continue;
        }
        assert_int_equal(st.u.interdomain.dom, other->id);
        assert_int_equal(status_of(other, st.u.interdomain.port, &peer),
                         EVTCHNSTAT_interdomain);
        assert_int_equal(peer.u.interdomain.port, p);
        assert_int_equal(peer.u.interdomain.dom, d->id);
    }
}

static void evtchn_threads_bind_close_send_stay_consistent(void **state)
{
    (void)state;
    pthread_t threads[2];

    pthread_create(&threads[0], NULL, race_binder, a);
    pthread_create(&threads[1], NULL, race_binder, b);
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    core_cpu(0);
    assert_int_equal(race_done, 2);
    bindings_check(a, b);
    bindings_check(b, a);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, machine_up, machine_down)
    const struct CMUnitTest tests[] = {
        CASE(evtchn_alloc_unbound_takes_lowest_free_port),
        CASE(evtchn_alloc_unbound_all_ports_used_returns_enospc),
        CASE(evtchn_alloc_unbound_above_configured_max_returns_enospc),
        CASE(evtchn_alloc_unbound_no_memory_returns_enomem),
        CASE(evtchn_bind_interdomain_connects_both_ends),
        CASE(evtchn_bind_interdomain_not_offered_returns_einval),
        CASE(evtchn_bind_interdomain_without_local_port_changes_nothing),
        CASE(evtchn_bind_interdomain_with_itself_loops_back),
        CASE(evtchn_bind_virq_checks_its_arguments),
        CASE(evtchn_virq_raise_reaches_its_vcpu),
        CASE(evtchn_virq_raise_global_follows_roles),
        CASE(evtchn_bind_ipi_reaches_its_vcpu),
        CASE(evtchn_bind_vcpu_moves_what_may_move),
        CASE(evtchn_close_unused_port_returns_einval),
        CASE(evtchn_close_leaves_partner_unbound_for_the_same),
        CASE(evtchn_close_takes_back_what_is_pending),
        CASE(evtchn_partner_dies_end_becomes_unbound),
        CASE(evtchn_domain_destroy_refuses_new_ports),
        CASE(evtchn_reset_closes_all_but_services),
        CASE(evtchn_service_sends_both_ways),
        CASE(evtchn_status_get_bad_port_returns_einval),
        CASE(evtchn_send_sets_the_bits_of_the_64bit_layout),
        CASE(evtchn_send_sets_the_bits_of_the_32bit_layout),
        CASE(evtchn_send_masked_port_waits_for_unmask),
        CASE(evtchn_send_pending_port_is_not_raised_again),
        CASE(evtchn_send_wakes_blocked_vcpu),
        CASE(evtchn_upcall_vector_follows_callback_and_mask),
        CASE(evtchn_upcall_vector_set_goes_through_the_local_apic),
        CASE(evtchn_vcpu_info_move_keeps_contents_and_rescans),
        CASE(evtchn_poll_pending_port_does_not_block),
        CASE(evtchn_poll_masked_port_wakes),
        CASE(evtchn_poll_timeout_wakes),
        CASE(evtchn_poll_bad_arguments_return_einval),
        CASE(evtchn_threads_bind_close_send_stay_consistent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
