/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching a listener and letting it go. Between the two the ring's pages are
 * pinned and, if they were the watched domain's, out of its reach: they are
 * taken from its memory first and initialised only then, so that nothing it
 * wrote there is ever looked at. A change under way holds the state CHANGING
 * rather than the lock, because it waits for vCPUs to leave their guests.
 *
 * Threat surface: frame numbers of the listener; two domains that end at any
 * moment.
 */

#include "arch/host.h"
#include "public/hvm/params.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/sched.h"
#include "ravelin/v4v.h"

#include "monitor_internal.h"

/* Takes the state from `from` to CHANGING. */
static int change_begin(struct monitor *m, bool attach)
{
    int rc = 0;

    spin_lock(&m->lock);
    if (m->state == MONITOR_CHANGING) {
        rc = -RV_EBUSY;
    } else if (attach && m->state != MONITOR_OFF) {
        rc = -RV_EBUSY;
    } else if (!attach && m->state == MONITOR_OFF) {
        rc = -RV_ENOENT;
    } else if (attach) {
        m->state = MONITOR_CHANGING;
    }
    spin_unlock(&m->lock);
    return rc;
}

static void change_end(struct monitor *m)
{
    spin_lock(&m->lock);
    m->ring.format = NULL;
    m->listener = NULL;
    m->port = 0;
    m->state = MONITOR_OFF;
    spin_unlock(&m->lock);
}

/* ---- Pages ------------------------------------------------------------- */

static void pages_unpin(struct monitor_ring *r)
{
    for (uint32_t i = 0; i < r->page_count; i++) {
        if (!mfn_eq(r->frame[i], INVALID_MFN)) {
            guest_page_unpin(r->frame[i]);
        }
    }
    r->page_count = 0;
}

static int pages_pin(struct monitor *m,
                     const struct monitor_attach_request *req)
{
    struct monitor_ring *r = &m->ring;

    r->page_count = req->page_count;
    for (uint32_t i = 0; i < r->page_count; i++) {
        r->frame[i] = INVALID_MFN;
    }
    if (!guest_pages_pin(req->listener, req->gfns, r->page_count, r->frame)) {
        pages_unpin(r);
        return -RV_ENOENT;
    }
    m->ring_is_page = false;
    return 0;
}

/* Back where it was, with nothing in it if it was a ring; if the place is
 * taken, it is given up. */
static void page_return(struct monitor *m, bool clear)
{
    struct domain *d = m->domain;
    struct p2m_locked p2m;
    int rc;

    if (clear) {
        arch_clear_guest(m->ring.page[0], PAGE_SIZE);
    }
    p2m = p2m_lock(&d->p2m);
    rc = domain_is_dying(d) ? -RV_ESRCH
                            : p2m_map(p2m, m->ring_gfn, m->ring.frame[0], 0,
                                      P2M_RAM, ACCESS_ALL);
    p2m_unlock(&p2m);
    if (rc != 0) {
        guest_page_unpin(m->ring.frame[0]);
    }
    m->ring.page_count = 0;
}

/* Does the hypervisor itself write to this frame where the domain told it to?
 * Its pins outlive the mapping. */
static bool frame_is_written(struct domain *d, mfn_t m)
{
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        if (read_once(d->vcpu[i]->vcpu_info_mfn.v) == m.v) {
            return true;
        }
    }
    return v4v_holds_frame(d, m);
}

/* The page leaves the watched domain's memory. Its reference stays with us. A
 * parameter that was never set is 0. */
static int page_take(struct monitor *m)
{
    struct domain *d = m->domain;
    gfn_t g = gfn(read_once(d->hvm_param[HVM_PARAM_MONITOR_RING_PFN]));
    struct p2m_locked p2m = p2m_lock(&d->p2m);
    struct p2m_entry e = p2m_lookup(p2m.p2m, g);
    int rc = -RV_ENOENT;

    /* Whatever rights the domain has there. */
    if (g.v != 0 && e.type == P2M_RAM && frame_get(e.mfn, d->id)) {
        m->ring.frame[0] = e.mfn;
        rc = p2m_unmap(p2m, g, 0);
        if (rc != 0) {
            guest_page_unpin(m->ring.frame[0]);
        }
    }
    p2m_unlock(&p2m);
    if (rc != 0) {
        return rc;
    }
    m->ring_gfn = g;
    m->ring_is_page = true;
    m->ring.page_count = 1;
    if (frame_is_written(d, m->ring.frame[0])) {
        page_return(m, false);
        m->ring_is_page = false;
        return -RV_EBUSY;
    }
    return 0;
}

static void pages_release(struct monitor *m)
{
    if (m->ring_is_page) {
        page_return(m, true);
    } else {
        pages_unpin(&m->ring);
    }
}

bool monitor_ring_page_is(const struct domain *d, gfn_t g)
{
    struct monitor *m = monitor_of(d);
    bool is;

    if (!m) {
        return false;
    }
    spin_lock(&m->lock);
    is = m->ring.format != NULL && m->ring_is_page && m->ring_gfn.v == g.v;
    spin_unlock(&m->lock);
    return is;
}

/* ---- The channel ------------------------------------------------------- */

/* Whoever sends has taken events and perhaps answered some. */
static void listener_sent(struct vcpu *v, evtchn_port_t port)
{
    domain_for_each(d)
    {
        struct monitor *m = monitor_of(d);

        if (m && read_once(m->listener) == v->domain &&
            read_once(m->port) == port) {
            monitor_resume(m);
            return;
        }
    }
}

int monitor_port_bind(struct monitor *m, struct domain *listener,
                      evtchn_port_t *port)
{
    evtchn_port_t old;
    int rc = evtchn_service_bind(listener, listener_sent, port);

    if (rc != 0) {
        return rc;
    }
    spin_lock(&m->lock);
    if (m->listener == listener && m->state == MONITOR_ON) {
        old = m->port;
        write_once(m->port, *port);
    } else {
        old = *port;
        rc = -RV_EINVAL;
    }
    spin_unlock(&m->lock);
    if (old != 0) {
        evtchn_service_unbind(listener, old);
    }
    if (rc == 0) {
        /* What was put before must not be missed. */
        evtchn_service_raise(listener, *port);
    }
    return rc;
}

evtchn_port_t monitor_port_of(const struct monitor *m,
                              const struct domain *listener)
{
    return read_once(m->listener) == listener ? read_once(m->port) : 0;
}

/* ---- Attach ------------------------------------------------------------ */

static void ring_start(struct monitor *m,
                       const struct monitor_attach_request *req)
{
    struct monitor_ring *r = &m->ring;

    for (uint32_t i = 0; i < r->page_count; i++) {
        r->page[i] = host_ptr(mfn_to_hpa(r->frame[i]));
        arch_clear_guest(r->page[i], PAGE_SIZE);
    }
    r->format = req->format;
    r->slots = req->slots;
    r->slot_size = req->slot_size;
    r->prod = 0;
    r->cons = 0;
    r->format->init(m);
}

static void counters_start(struct monitor *m)
{
    m->sequence = 0;
    m->lost = 0;
    m->refused = 0;
    m->filtered = 0;
    m->delayed = 0;
    monitor_filters_clear(m);
    for (unsigned i = 0; i < m->domain->vcpu_count; i++) {
        m->vcpu[i].seen = 0;
        m->vcpu[i].checked = 0;
    }
}

/* An end that came while the state was CHANGING has found nothing to end. */
static void ends_check(struct monitor *m, const struct domain *listener)
{
    spin_lock(&m->lock);
    if (read_once(listener->state) >= DOMAIN_SHUTDOWN ||
        domain_is_dying(m->domain)) {
        monitor_break(m, MONITOR_LOSS_ENDED);
    }
    spin_unlock(&m->lock);
}

int monitor_attach(struct monitor *m, const struct monitor_attach_request *req)
{
    int rc = change_begin(m, true);

    if (rc != 0) {
        return rc;
    }
    rc = domain_get(req->listener) ? 0 : -RV_ESRCH;
    if (rc == 0) {
        rc = req->gfns ? pages_pin(m, req) : page_take(m);
        if (rc != 0) {
            domain_put(req->listener);
        }
    }
    if (rc != 0) {
        change_end(m);
        return rc;
    }
    spin_lock(&m->lock);
    counters_start(m);
    ring_start(m, req);
    write_once(m->listener, req->listener);
    write_once(m->mode[RAVELIN_REASON_VIOLATION], HVMPME_mode_sync);
    write_once(m->mode[RAVELIN_REASON_INJECT], HVMPME_mode_async);
    m->state = MONITOR_ON;
    spin_unlock(&m->lock);
    full_barrier();
    ends_check(m, req->listener);
    monitor_target_ended(m->domain); /* if it had before */
    return 0;
}

/* ---- Detach ------------------------------------------------------------ */

int monitor_detach(struct monitor *m)
{
    struct domain *listener;
    evtchn_port_t port;
    int rc = change_begin(m, false);

    if (rc != 0) {
        return rc;
    }
    spin_lock(&m->lock);
    if (m->state != MONITOR_ON && m->state != MONITOR_BROKEN) {
        spin_unlock(&m->lock);
        return -RV_EBUSY;
    }
    for (unsigned i = 0; i < RAVELIN_REASON_COUNT; i++) {
        write_once(m->mode[i], 0);
    }
    m->ring.format->tell(m, m->state == MONITOR_BROKEN &&
                                    m->loss == MONITOR_LOSS_RING
                                ? RAVELIN_RING_FAILED
                                : RAVELIN_RING_OVER);
    m->state = MONITOR_CHANGING;
    monitor_release_all(m);
    listener = m->listener;
    port = m->port;
    spin_unlock(&m->lock);

    monitor_latch(m->domain);
    monitor_access_detach(m->domain);
    timer_cancel(&m->timer);
    m->timer_runs = false;
    if (port != 0) {
        evtchn_service_raise(listener, port);
        evtchn_service_unbind(listener, port);
    }
    pages_release(m);
    change_end(m);
    domain_put(listener);
    return 0;
}

void monitor_drop(struct monitor *m)
{
    int rc = monitor_detach(m);

    (void)rc; /* whoever is at it already does the same */
}
