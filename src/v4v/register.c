/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening and closing rings. The list of frames is read once and each frame is
 * pinned once; from then on no address of the owner is translated again, and
 * giving the pages back or losing them cannot make them somebody else's. A
 * large ring is pinned in pieces, its registration continued; until the last
 * one it is on a list of its domain's, and a vCPU that does something else
 * instead of continuing has dropped it.
 *
 * Threat surface: the list, its length, the two indices in the first page.
 */

#include "arch/host.h"
#include "public/argo.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/sched.h"

#include "v4v_internal.h"

#define HEADER_BYTES 64u

static_assert(offsetof(struct v4v_ring, ring) == HEADER_BYTES &&
                  offsetof(struct xen_argo_ring, ring) == HEADER_BYTES,
              "both ABIs have the messages after 64 bytes");
static_assert(HEADER_BYTES % V4V_SLOT == 0 && PAGE_SIZE % V4V_SLOT == 0,
              "a slot never crosses a page");

static uint32_t pages_needed(uint32_t len)
{
    return (uint32_t)((HEADER_BYTES + (uint64_t)len + PAGE_SIZE - 1) >>
                      PAGE_SHIFT);
}

static bool request_is_valid(const struct v4v_register *req)
{
    return req->port != V4V_PORT_ANY && req->len % V4V_SLOT == 0 &&
           req->len >= V4V_RING_LEN_MIN && req->len <= V4V_RING_LEN_MAX &&
           req->page_count == pages_needed(req->len) &&
           (req->partner < DOMID_FIRST_RESERVED ||
            req->partner == V4V_DOMID_ANY);
}

static bool ring_is_left(const struct v4v_domain *t,
                         const struct v4v_ring_state *old)
{
    return read_once(t->ring_count) - (old ? 1 : 0) <
           read_once(t->limits.max_rings);
}

/* More pages in rings than the domain may own can only be the same pages
 * again; the bound keeps our own tables in proportion. */
static bool pages_are_left(const struct domain *d, uint32_t pages,
                           const struct v4v_ring_state *old)
{
    uint64_t used = read_once(d->v4v->page_count) - (old ? old->page_count : 0);

    return used + pages <= read_once(d->max_pages);
}

static struct v4v_ring_state *ring_alloc(struct domain *d,
                                         const struct v4v_register *req)
{
    uint32_t pages = pages_needed(req->len);
    size_t size = sizeof(struct v4v_ring_state) + pages * sizeof(mfn_t);
    struct v4v_ring_state *ring;
    uint8_t order = 0;

    while (PAGE_SIZE << order < size) {
        order++;
    }
    ring = pages_alloc(order);
    if (!ring) {
        return NULL;
    }
    ring->owner = d;
    ring->port = req->port;
    ring->partner = req->partner;
    ring->abi = (uint8_t)v4v_domain_abi(d);
    ring->order = order;
    ring->len = req->len;
    ring->page_count = pages;
    ring->list = req->pages;
    ring->replace = req->replace;
    spin_init(&ring->lock, LOCK_RANK_V4V_RING);
    for (uint32_t i = 0; i < pages; i++) {
        ring->page[i] = INVALID_MFN;
    }
    return ring;
}

static bool index_is_valid(const struct v4v_ring_state *ring, uint32_t index)
{
    return index < ring->len && index % V4V_SLOT == 0;
}

/* Takes over where the ring stood, as after a suspend. */
static int indices_take(struct v4v_ring_state *ring)
{
    bool is_argo = ring->abi == MANIFEST_ABI_ARGO;
    char *page = host_ptr(mfn_to_hpa(ring->page[0]));
    uint32_t rx;

    ring->rx = (void *)(page + (is_argo ? offsetof(struct xen_argo_ring, rx_ptr)
                                        : offsetof(struct v4v_ring, rx_ptr)));
    ring->tx = (void *)(page + (is_argo ? offsetof(struct xen_argo_ring, tx_ptr)
                                        : offsetof(struct v4v_ring, tx_ptr)));
    rx = shared_u32_read(ring->rx);
    ring->tx_ptr = shared_u32_read(ring->tx);
    if (!index_is_valid(ring, rx)) {
        if (!is_argo) {
            return -RV_EINVAL;
        }
        rx = index_is_valid(ring, ring->tx_ptr) ? ring->tx_ptr : 0;
        shared_u32_write(ring->rx, rx);
    }
    if (!index_is_valid(ring, ring->tx_ptr)) {
        ring->tx_ptr = rx;
    }
    shared_u32_write(ring->tx, ring->tx_ptr);
    return 0;
}

/* May this ring be added now? -ERESTART: when others have let go. */
static int registration_check(const struct domain *d,
                              const struct v4v_register *req,
                              const struct v4v_ring_state *old)
{
    const struct v4v_domain *t = d->v4v;

    if (old && !req->replace) {
        return -RV_EEXIST;
    }
    if (read_once(t->is_dying)) {
        return -RV_EINVAL;
    }
    if (!ring_is_left(t, old)) {
        return -RV_ENOSPC;
    }
    if (!pages_are_left(d, pages_needed(req->len), old)) {
        return load_acquire(&t->closing) != 0 ? -RV_ERESTART : -RV_ENOSPC;
    }
    return 0;
}

/* ---- Registrations under way ------------------------------------------- */

/* Its pages count from now on. */
static int pending_add(struct vcpu *v, const struct v4v_register *req,
                       struct v4v_ring_state *ring)
{
    struct v4v_domain *t = ring->owner->v4v;
    struct v4v_table_locked held = v4v_table_lock(t);
    int rc = registration_check(ring->owner, req,
                                v4v_ring_find(t, req->port, req->partner));

    if (rc == 0) {
        write_once(t->page_count, t->page_count + ring->page_count);
        ring->pending_of = v;
        ring->pending_next = t->pending;
        t->pending = ring;
    }
    v4v_table_unlock(&held);
    return rc;
}

/* Deferred work runs when the CPU looks round, which a yield makes it do. */
static int turn_take(struct vcpu *v, int rc)
{
    if (rc == -RV_ERESTART) {
        vcpu_yield(v);
    }
    return rc;
}

static void pending_remove(struct v4v_table_locked held,
                           const struct v4v_ring_state *ring)
{
    struct v4v_ring_state **at = &held.table->pending;

    while (*at != ring) {
        at = &(*at)->pending_next;
    }
    *at = ring->pending_next;
}

/* Only its vCPU takes it away as long as that runs. */
static struct v4v_ring_state *pending_find(struct v4v_table_locked held,
                                           const struct vcpu *v)
{
    struct v4v_ring_state *ring = held.table->pending;

    while (ring && v && ring->pending_of != v) {
        ring = ring->pending_next;
    }
    return ring;
}

void v4v_pending_drop(struct v4v_domain *t, const struct vcpu *v)
{
    struct v4v_ring_state *ring;

    do {
        struct v4v_table_locked held = v4v_table_lock(t);

        ring = pending_find(held, v);
        if (ring) {
            pending_remove(held, ring);
        }
        v4v_table_unlock(&held);
        if (ring) {
            v4v_ring_release(ring);
        }
    } while (ring);
}

static struct v4v_ring_state *pending_of(const struct vcpu *v)
{
    struct v4v_table_locked held = v4v_table_lock(v->domain->v4v);
    struct v4v_ring_state *ring = pending_find(held, v);

    v4v_table_unlock(&held);
    return ring;
}

/* Puts the pinned ring in its place, out of which `*old` goes. */
static int ring_publish(struct v4v_ring_state *ring,
                        struct v4v_ring_state **old)
{
    struct v4v_domain *t = ring->owner->v4v;
    struct v4v_table_locked held = v4v_table_lock(t);
    struct v4v_ring_state *there = v4v_ring_find(t, ring->port, ring->partner);
    int rc = 0;

    pending_remove(held, ring);
    if (there && !ring->replace) {
        rc = -RV_EEXIST;
    } else if (t->is_dying) {
        rc = -RV_EINVAL;
    } else if (!ring_is_left(t, there)) {
        rc = -RV_ENOSPC;
    } else if (there) {
        v4v_ring_remove(held, there);
        *old = there;
    }
    if (rc == 0) {
        v4v_ring_insert(held, ring);
    }
    v4v_table_unlock(&held);
    return rc;
}

/* One piece of a registration; with the last one the ring opens. */
static int register_run(struct vcpu *v, struct v4v_ring_state *ring,
                        uint32_t *token)
{
    struct v4v_ring_state *old = NULL;
    int rc = v4v_ring_pin(v, ring);

    if (rc == -RV_ERESTART) {
        if (ring->serial == 0) {
            ring->serial = v4v_serial_next();
        }
        *token = (uint32_t)(ring->serial & V4V_TOKEN_MASK);
        return rc;
    }
    rc = rc ? rc : indices_take(ring);
    if (rc != 0) {
        v4v_pending_drop(v->domain->v4v, v);
        return rc;
    }
    rc = ring_publish(ring, &old);
    if (rc != 0) {
        v4v_ring_release(ring);
    }
    if (old) {
        v4v_ring_close(old);
    }
    return rc;
}

int v4v_ring_register(struct vcpu *v, const struct v4v_register *req,
                      uint32_t *token)
{
    struct domain *d = v->domain;
    struct v4v_ring_state *ring;
    int rc;

    *token = 0;
    if (!request_is_valid(req)) {
        return -RV_EINVAL;
    }
    if (unlikely(read_once(d->v4v->pending) != NULL)) {
        v4v_pending_drop(d->v4v, v);
    }
    /* A cheap refusal first; it is decided again under the lock. */
    rc = registration_check(d, req,
                            v4v_ring_find(d->v4v, req->port, req->partner));
    if (rc != 0) {
        return turn_take(v, rc);
    }
    ring = ring_alloc(d, req);
    if (!ring) {
        return -RV_ENOMEM;
    }
    rc = pending_add(v, req, ring);
    if (rc != 0) {
        pages_free(ring, ring->order);
        return turn_take(v, rc);
    }
    return register_run(v, ring, token);
}

bool v4v_ring_register_is_resumable(const struct vcpu *v, uint32_t token)
{
    const struct v4v_ring_state *ring = pending_of(v);

    return ring && ring->serial != 0 &&
           (ring->serial & V4V_TOKEN_MASK) == token;
}

int v4v_ring_register_resume(struct vcpu *v, uint32_t *token)
{
    *token = 0;
    return register_run(v, pending_of(v), token);
}

int v4v_ring_unregister(struct domain *d, uint32_t port, domid_t partner)
{
    struct v4v_domain *t = d->v4v;
    struct v4v_table_locked held = v4v_table_lock(t);
    struct v4v_ring_state *ring = v4v_ring_find(t, port, partner);

    if (ring) {
        v4v_ring_remove(held, ring);
    }
    v4v_table_unlock(&held);
    if (!ring) {
        return -RV_ENOENT;
    }
    v4v_ring_close(ring);
    return 0;
}
