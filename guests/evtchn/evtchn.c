/* SPDX-License-Identifier: MIT */
/*
 * Event channels inside one domain: allocation, loopback, IPI and virtual
 * interrupt ports, masks, close, poll, and the limit on ports. Delivery is
 * looked at in the shared page; upcalls are in `evtchn-upcall`.
 *
 * Environments: all.
 */

#include "guest.h"

const char test_title[] = "evtchn: ports, masks, poll and limits";

static void unbound_and_loopback(void)
{
    struct evtchn_status s;
    long a, b;

    a = event_unbound(DOMID_SELF, DOMID_SELF);
    CHECK(a > 0);
    CHECK_EQ(event_status((unsigned int)a, &s), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_unbound);
    /* Nobody at the other end yet: nothing to send to. */
    CHECK_EQ(event_send((unsigned int)a), 0);
    b = event_interdomain(DOMID_SELF, (unsigned int)a);
    CHECK(b > 0 && b != a);
    CHECK_EQ(event_status((unsigned int)a, &s), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_interdomain);
    CHECK_EQ(s.u.interdomain.port, b);
    CHECK_EQ(s.u.interdomain.dom, own_domid());

    /* A new interdomain binding raises the local end once. */
    event_clear((unsigned int)b);
    event_clear((unsigned int)a);
    CHECK_EQ(event_send((unsigned int)b), 0);
    CHECK(event_is_pending((unsigned int)a));
    CHECK(!event_is_pending((unsigned int)b));
    CHECK_EQ(event_send((unsigned int)a), 0);
    CHECK(event_is_pending((unsigned int)b));
    /* Bound already. */
    CHECK_EQ(event_interdomain(DOMID_SELF, (unsigned int)a), -XEN_EINVAL);

    /* Closing one end leaves the other unbound; its pending bit is its own. */
    CHECK_EQ(event_close((unsigned int)b), 0);
    CHECK_EQ(event_status((unsigned int)b, &s), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_closed);
    CHECK_EQ(event_status((unsigned int)a, &s), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_unbound);
    CHECK_EQ(event_close((unsigned int)a), 0);
    CHECK_EQ(event_close((unsigned int)a), -XEN_EINVAL);
    CHECK_EQ(event_send((unsigned int)a), -XEN_EINVAL);
}

static void pending_is_cleared_by_close(void)
{
    long p = event_ipi(0);

    CHECK(p > 0);
    event_mask((unsigned int)p);
    CHECK_EQ(event_send((unsigned int)p), 0);
    CHECK(event_is_pending((unsigned int)p));
    CHECK_EQ(event_close((unsigned int)p), 0);
    CHECK(!event_is_pending((unsigned int)p));
    event_mask_clear((unsigned int)p);
}

static void ports_are_reused(void)
{
    long a = event_ipi(0), b;

    CHECK_EQ(event_close((unsigned int)a), 0);
    b = event_ipi(0);
    CHECK_EQ(b, a);
    CHECK_EQ(event_close((unsigned int)b), 0);
}

static void mask_and_unmask(void)
{
    unsigned int p = (unsigned int)event_ipi(0);
    vcpu_info_t *v = vcpu_info(0);

    event_cpu_reset(0);
    event_mask(p);
    CHECK_EQ(event_send(p), 0);
    CHECK(event_is_pending(p));
    CHECK_EQ(v->evtchn_upcall_pending, 0);
    CHECK_EQ(v->evtchn_pending_sel, 0);

    /* A plain clear of the mask bit shows nothing; the operation does. */
    event_mask_clear(p);
    CHECK_EQ(v->evtchn_upcall_pending, 0);
    event_mask(p);
    CHECK_EQ(event_unmask_op(p), 0);
    CHECK(!event_is_masked(p));
    CHECK_EQ(v->evtchn_upcall_pending, 1);
    CHECK(v->evtchn_pending_sel != 0);
    CHECK_EQ(event_take(NULL), 1);
    CHECK(!event_is_pending(p));

    /* Pending already: a second send adds nothing. */
    CHECK_EQ(event_send(p), 0);
    CHECK_EQ(v->evtchn_upcall_pending, 1);
    event_cpu_reset(0);
    CHECK_EQ(event_send(p), 0);
    CHECK_EQ(v->evtchn_upcall_pending, 0);
    event_clear(p);
    CHECK_EQ(event_close(p), 0);
}

static void virq_ports(void)
{
    struct evtchn_status s;
    long p = event_virq(VIRQ_TIMER, 0);

    CHECK(p > 0);
    CHECK_EQ(event_virq(VIRQ_TIMER, 0), -XEN_EEXIST);
    CHECK_EQ(event_status((unsigned int)p, &s), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_virq);
    CHECK_EQ(s.u.virq, VIRQ_TIMER);
    /* A virtual interrupt is not the guest's to raise. */
    CHECK_EQ(event_send((unsigned int)p), -XEN_EINVAL);
    event_clear((unsigned int)p);
    CHECK_EQ(set_timer_op(clock_ns() + 2 * MS), 0);
    CHECK_EQ(event_poll((unsigned int)p, clock_ns() + 1000 * MS), 0);
    CHECK(event_is_pending((unsigned int)p));
    CHECK_EQ(event_close((unsigned int)p), 0);
    p = event_virq(VIRQ_TIMER, 0);
    CHECK(p > 0);
    CHECK_EQ(event_close((unsigned int)p), 0);
}

static void poll_returns(void)
{
    unsigned int p = (unsigned int)event_ipi(0);
    uint64_t before = clock_ns();

    event_mask(p);
    CHECK_EQ(event_poll(p, before + 3 * MS), 0);
    CHECK(clock_ns() >= before + 3 * MS);
    CHECK_EQ(event_send(p), 0);
    before = clock_ns();
    CHECK_EQ(event_poll(p, before + 2000 * MS), 0);
    CHECK(clock_ns() < before + 1000 * MS);
    event_clear(p);
    event_mask_clear(p);
    CHECK_EQ(event_close(p), 0);
    CHECK_EQ(event_poll(EVENT_PORTS, clock_ns() + MS), -XEN_EINVAL);
}

static void limits(void)
{
    unsigned int first = 0, last = 0, n = 0;
    long p;

    while ((p = event_ipi(0)) > 0) {
        if (!first) {
            first = (unsigned int)p;
        }
        CHECK((unsigned int)p > last && (unsigned int)p < EVENT_PORTS);
        last = (unsigned int)p;
        n++;
    }
    CHECK_EQ(p, -XEN_ENOSPC);
    CHECK(n >= 64);
    printf("%u ports, the last is %u\n", n, last);
    event_cpu_reset(0);
    CHECK_EQ(event_send(last), 0);
    CHECK(event_is_pending(last));
    CHECK_EQ(event_take(NULL), 1);
    for (p = first; p <= (long)last; p++) {
        struct evtchn_status s;

        if (event_status((unsigned int)p, &s) == 0 &&
            s.status == EVTCHNSTAT_ipi) {
            CHECK_EQ(event_close((unsigned int)p), 0);
            n--;
        }
    }
    CHECK_EQ(n, 0);
}

static void reset(void)
{
    struct evtchn_reset op = {.dom = DOMID_SELF};
    long a = event_unbound(DOMID_SELF, DOMID_SELF), b = event_ipi(0);

    if (cmdline_value("keep")) {
        return;
    }
    CHECK(a > 0 && b > 0);
    CHECK_EQ(event_channel_op(EVTCHNOP_reset, &op), 0);
    CHECK_EQ(event_close((unsigned int)a), -XEN_EINVAL);
    CHECK_EQ(event_close((unsigned int)b), -XEN_EINVAL);
    b = event_ipi(0);
    CHECK(b > 0);
    CHECK_EQ(event_close((unsigned int)b), 0);
}

void test_main(void)
{
    unbound_and_loopback();
    pending_is_cleared_by_close();
    ports_are_reused();
    mask_and_unmask();
    virq_ports();
    poll_returns();
    limits();
    reset();
}
