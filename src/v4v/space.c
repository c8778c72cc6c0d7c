/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much room a ring has, and who waits for more. The receiver moves rx_ptr
 * and then calls notify; the sender enters its request and then looks at rx_ptr
 * once more. With a full barrier between the two steps on each side, one of
 * them sees the other: no wake-up is lost (docs/v4v.md, tests/model).
 *
 * Threat surface: rx_ptr, which may be anything at any moment. Garbage counts
 * as a full ring: it stops the flow into the ring whose owner wrote it.
 */

#include "ravelin/errno.h"
#include "ravelin/evtchn.h"

#include "v4v_internal.h"

uint32_t v4v_ring_used(struct v4v_ring_locked held)
{
    const struct v4v_ring_state *ring = held.ring;
    uint32_t rx = shared_u32_read(ring->rx);

    if (unlikely(rx >= ring->len || rx % V4V_SLOT != 0)) {
        return ring->len;
    }
    return ring->tx_ptr - rx + (ring->tx_ptr < rx ? ring->len : 0);
}

/* A slot always stays free, since a full ring would look like an empty one. */
int32_t v4v_ring_room(struct v4v_ring_locked held)
{
    uint32_t room = held.ring->len - v4v_ring_used(held);

    return room < 2 * V4V_SLOT ? V4V_NO_ROOM : (int32_t)(room - 2 * V4V_SLOT);
}

static bool fits(struct v4v_ring_locked held, uint32_t need)
{
    int32_t room = v4v_ring_room(held);

    return room >= 0 && (uint32_t)room >= need;
}

static struct v4v_waiter *waiter_find(struct v4v_ring_state *ring,
                                      domid_t domain)
{
    for (uint32_t i = 0; i < ring->waiter_count; i++) {
        if (ring->waiter[i].domain == domain) {
            return &ring->waiter[i];
        }
    }
    return NULL;
}

static void waiting_count(struct v4v_ring_state *ring, uint32_t change)
{
    __atomic_fetch_add(&ring->owner->v4v->waiting, change, __ATOMIC_SEQ_CST);
}

static void waiter_remove(struct v4v_ring_state *ring, struct v4v_waiter *w)
{
    write_once(ring->waiter_count, ring->waiter_count - 1);
    *w = ring->waiter[ring->waiter_count];
    waiting_count(ring, UINT32_MAX);
}

int v4v_wait(struct v4v_ring_locked held, domid_t domain, uint32_t need)
{
    struct v4v_ring_state *ring = held.ring;
    struct v4v_waiter *w = waiter_find(ring, domain);

    if (!w) {
        if (ring->waiter_count == V4V_WAITERS_MAX) {
            return -RV_EBUSY;
        }
        w = &ring->waiter[ring->waiter_count];
        w->domain = domain;
        write_once(ring->waiter_count, ring->waiter_count + 1);
        waiting_count(ring, 1);
    }
    w->need = need;
    full_barrier();
    if (unlikely(fits(held, need))) {
        waiter_remove(ring, w);
        return 0;
    }
    return -RV_EAGAIN;
}

void v4v_wait_cancel(struct v4v_ring_locked held, domid_t domain)
{
    struct v4v_waiter *w = waiter_find(held.ring, domain);

    if (w) {
        waiter_remove(held.ring, w);
    }
}

void v4v_signal(struct domain *d)
{
    struct v4v_domain *t = d->v4v;
    uint32_t port;

    if (v4v_domain_abi(d) == MANIFEST_ABI_ARGO) {
        evtchn_virq_raise_domain(d, VIRQ_ARGO);
        return;
    }
    port = load_acquire(&t->evtchn);
    if (likely(port != 0)) {
        evtchn_service_raise(d, port);
    }
}

void v4v_wake(struct v4v_ring_locked held, bool all)
{
    struct v4v_ring_state *ring = held.ring;

    for (uint32_t i = ring->waiter_count; i-- > 0;) {
        struct v4v_waiter w = ring->waiter[i];
        struct domain *d;

        if (!all && !fits(held, w.need)) {
            continue;
        }
        waiter_remove(ring, &ring->waiter[i]);
        d = domain_lookup(w.domain);
        if (d) {
            v4v_signal(d);
        }
    }
}

static void bucket_wake(struct v4v_ring_state *ring)
{
    for (; ring; ring = load_acquire(&ring->hash_next)) {
        struct v4v_ring_locked held;

        if (read_once(ring->waiter_count) == 0) {
            continue;
        }
        held = v4v_ring_lock(ring);
        if (!ring->is_dead) {
            v4v_wake(held, false);
        }
        v4v_ring_unlock(&held);
    }
}

int v4v_waiters_wake(struct domain *d, unsigned *at)
{
    struct v4v_domain *t = d->v4v;
    unsigned end = rv_min(*at + V4V_NOTIFY_PIECE, V4V_BUCKETS);

    full_barrier(); /* rx_ptr was written before */
    if (read_once(t->waiting) == 0) {
        *at = V4V_BUCKETS;
        return 0;
    }
    for (; *at < end; (*at)++) {
        bucket_wake(load_acquire(&t->bucket[*at]));
    }
    return *at == V4V_BUCKETS ? 0 : -RV_ERESTART;
}

static struct v4v_space space_describe(struct v4v_ring_locked held,
                                       domid_t domain, uint32_t need)
{
    const struct v4v_ring_state *ring = held.ring;
    struct v4v_space s = {
        .exists = true,
        .is_shared = ring->partner == V4V_DOMID_ANY,
        .is_empty = v4v_ring_used(held) == 0,
        .max_message = v4v_ring_payload_max(ring),
    };

    if (need > s.max_message) {
        v4v_wait_cancel(held, domain);
        return s;
    }
    if (fits(held, need)) {
        v4v_wait_cancel(held, domain);
        s.is_enough = true;
        return s;
    }
    switch (v4v_wait(held, domain, need)) {
    case 0:
        s.is_enough = true;
        break;
    case -RV_EAGAIN:
        s.is_waiting = true;
        break;
    default: /* neither: too many wait */
        break;
    }
    return s;
}

struct v4v_space v4v_space_request(struct domain *d, const struct v4v_addr *dst,
                                   uint32_t need)
{
    struct v4v_space s = {.exists = false};
    struct v4v_ring_locked held;
    struct domain *owner;

    if (!v4v_rules_permit_some(d->id, dst)) {
        return s;
    }
    owner = domain_lookup(dst->domain);
    if (!owner || !v4v_ring_find_lock(owner, dst->port, d->id, &held)) {
        return s;
    }
    s = space_describe(held, d->id, need);
    v4v_ring_unlock(&held);
    return s;
}
