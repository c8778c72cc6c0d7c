/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening and closing rings. The list of frames is read once and each frame is
 * pinned once; from then on no address of the owner is translated again, and
 * giving the pages back or losing them cannot make them somebody else's.
 *
 * Threat surface: the list, its length, the two indices in the first page.
 */

#include "arch/host.h"
#include "public/argo.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"

#include "v4v_internal.h"

#define HEADER_BYTES 64u
#define LIST_PIECE 64u

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

/* More pages in rings than the domain may own can only be the same pages
 * again; the bound keeps our own tables in proportion. */
static bool quota_is_left(const struct domain *d, uint32_t pages,
                          const struct v4v_ring_state *old)
{
    const struct v4v_domain *t = d->v4v;
    uint32_t rings = read_once(t->ring_count) - (old ? 1 : 0);
    uint64_t used = read_once(t->page_count) - (old ? old->page_count : 0);

    return rings < read_once(t->limits.max_rings) &&
           used + pages <= read_once(d->max_pages);
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
    spin_init(&ring->lock, LOCK_RANK_V4V_RING);
    for (uint32_t i = 0; i < pages; i++) {
        ring->page[i] = INVALID_MFN;
    }
    return ring;
}

static int ring_pin(struct vcpu *v, struct v4v_ring_state *ring,
                    struct guest_ref pages)
{
    uint64_t list[LIST_PIECE];
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < ring->page_count; i += LIST_PIECE) {
        uint32_t n = rv_min(LIST_PIECE, ring->page_count - i);

        rc = guest_copy_in(v, list, guest_ref_add(pages, i * sizeof(list[0])),
                           n * sizeof(list[0]));
        if (rc == 0 && !guest_pages_pin(ring->owner, list, n, &ring->page[i])) {
            rc = -RV_EINVAL;
        }
    }
    return rc;
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

static int registration_check(const struct domain *d,
                              const struct v4v_register *req,
                              const struct v4v_ring_state *old)
{
    if (old && !req->replace) {
        return -RV_EEXIST;
    }
    if (read_once(d->v4v->is_dying)) {
        return -RV_EINVAL;
    }
    return quota_is_left(d, pages_needed(req->len), old) ? 0 : -RV_ENOSPC;
}

/* Puts the ring in its place, out of which `*old` goes. */
static int ring_publish(struct v4v_ring_state *ring,
                        const struct v4v_register *req,
                        struct v4v_ring_state **old)
{
    struct v4v_domain *t = ring->owner->v4v;
    struct v4v_table_locked held = v4v_table_lock(t);
    struct v4v_ring_state *there = v4v_ring_find(t, req->port, req->partner);
    int rc = registration_check(ring->owner, req, there);

    if (rc == 0 && there) {
        v4v_ring_remove(held, there);
        *old = there;
    }
    if (rc == 0) {
        v4v_ring_insert(held, ring);
    }
    v4v_table_unlock(&held);
    return rc;
}

int v4v_ring_register(struct vcpu *v, const struct v4v_register *req)
{
    struct domain *d = v->domain;
    struct v4v_ring_state *old = NULL;
    struct v4v_ring_state *ring;
    int rc;

    if (!request_is_valid(req)) {
        return -RV_EINVAL;
    }
    /* A cheap refusal first; it is decided again under the lock. */
    rc = registration_check(d, req,
                            v4v_ring_find(d->v4v, req->port, req->partner));
    if (rc != 0) {
        return rc;
    }
    ring = ring_alloc(d, req);
    if (!ring) {
        return -RV_ENOMEM;
    }
    rc = ring_pin(v, ring, req->pages);
    rc = rc ? rc : indices_take(ring);
    rc = rc ? rc : ring_publish(ring, req, &old);
    if (rc != 0) {
        v4v_ring_unpin(ring);
        pages_free(ring, ring->order);
    }
    if (old) {
        v4v_ring_close(old);
    }
    return rc;
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
