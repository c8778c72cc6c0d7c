/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's part in messages: limits, event channel, the end. When a domain
 * dies its rings close, and rings of others that were for it alone become
 * orphans: whoever gets the id next is not the partner the owner meant.
 */

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"

#include "v4v_internal.h"

/* Rings that one step of a destruction closes, as long as those before have
 * less than V4V_PIN_PIECE pages together. */
#define CLOSE_PIECE 16u
/* Other domains that one step tells. */
#define FORGET_PIECE 8u

int v4v_domain_create(struct domain *d)
{
    const struct manifest_domain *m = d->manifest;
    struct v4v_domain *t = page_alloc();

    if (!t) {
        return -RV_ENOMEM;
    }
    spin_init(&t->lock, LOCK_RANK_V4V_DOMAIN);
    t->hash_factor = arch_random64() | 1;
    t->limits = (struct v4v_limits){
        .max_rings = m ? m->max_rings : V4V_DEFAULT_MAX_RINGS,
        .max_sendv = m ? m->max_sendv : V4V_DEFAULT_MAX_SENDV,
        .max_notify = m ? m->max_notify : V4V_DEFAULT_MAX_NOTIFY,
        .max_send_size = m ? m->max_send_size : V4V_DEFAULT_MAX_SEND_SIZE,
    };
    d->v4v = t;
    return 0;
}

void v4v_domain_free(struct domain *d)
{
    if (d->v4v) {
        page_free(d->v4v);
        d->v4v = NULL;
    }
}

struct v4v_limits v4v_limits_get(const struct domain *d)
{
    const struct v4v_limits *l = &d->v4v->limits;

    return (struct v4v_limits){
        .max_rings = read_once(l->max_rings),
        .max_sendv = read_once(l->max_sendv),
        .max_notify = read_once(l->max_notify),
        .max_send_size = read_once(l->max_send_size),
    };
}

int v4v_limits_set(struct domain *d, const struct v4v_limits *l)
{
    struct v4v_limits *to = &d->v4v->limits;

    if (l->max_rings > V4V_MAX_RINGS_LIMIT ||
        l->max_sendv > V4V_MAX_SENDV_LIMIT ||
        l->max_notify > V4V_MAX_NOTIFY_LIMIT ||
        l->max_send_size > V4V_MAX_SEND_SIZE_LIMIT) {
        return -RV_EINVAL;
    }
    write_once(to->max_rings, l->max_rings);
    write_once(to->max_sendv, l->max_sendv);
    write_once(to->max_notify, l->max_notify);
    write_once(to->max_send_size, l->max_send_size);
    return 0;
}

/* The guest has nothing to tell us through its end. */
static void guest_sent(struct vcpu *v rv_unused, evtchn_port_t port rv_unused)
{
}

/* A guest may have closed its end; asking again makes a new one. */
int v4v_event_port(struct domain *d, uint32_t *port)
{
    struct v4v_table_locked held = v4v_table_lock(d->v4v);
    evtchn_port_t p = d->v4v->evtchn;
    int rc = 0;

    if (p == 0 || !evtchn_service_is_bound(d, p, guest_sent)) {
        rc = evtchn_service_bind(d, guest_sent, &p);
        if (rc == 0) {
            store_release(&d->v4v->evtchn, p);
        }
    }
    v4v_table_unlock(&held);
    *port = p;
    return rc;
}

/* ---- The end ----------------------------------------------------------- */

/* Whoever locks a ring after this has sees the end; whoever waits since before
 * is woken here. */
void v4v_domain_end(struct domain *d)
{
    struct v4v_domain *t = d->v4v;

    write_once(t->is_ended, true);
    full_barrier(); /* before the chains are looked at */
    for (unsigned i = 0; i < V4V_BUCKETS; i++) {
        struct v4v_ring_state *ring = load_acquire(&t->bucket[i]);

        for (; ring; ring = load_acquire(&ring->hash_next)) {
            struct v4v_ring_locked held = v4v_ring_lock(ring);

            v4v_wake(held, true);
            v4v_ring_unlock(&held);
        }
    }
}

/* Closes some of the domain's own rings. True: there are none any more. */
static bool rings_close(struct domain *d)
{
    struct v4v_domain *t = d->v4v;
    unsigned left = CLOSE_PIECE;
    uint32_t pages = 0;

    while (t->destroy_bucket < V4V_BUCKETS && left > 0 &&
           pages < V4V_PIN_PIECE) {
        struct v4v_table_locked held = v4v_table_lock(t);
        struct v4v_ring_state *ring = t->bucket[t->destroy_bucket];

        t->is_dying = true;
        if (ring) {
            v4v_ring_remove(held, ring);
        }
        v4v_table_unlock(&held);
        if (!ring) {
            t->destroy_bucket++;
            continue;
        }
        pages += ring->page_count;
        v4v_ring_close(ring);
        left--;
    }
    return t->destroy_bucket == V4V_BUCKETS;
}

static void ring_forget(struct v4v_ring_state *ring, domid_t dead)
{
    struct v4v_ring_locked held;

    if (ring->partner != dead && read_once(ring->waiter_count) == 0) {
        return;
    }
    held = v4v_ring_lock(ring);
    if (!ring->is_dead) {
        v4v_wait_cancel(held, dead);
    }
    if (!ring->is_dead && ring->partner == dead) {
        write_once(ring->is_orphan, true);
        v4v_signal(ring->owner);
    }
    v4v_ring_unlock(&held);
}

/* Rings on their way to their places take the mark along. */
static void pending_forget(struct v4v_domain *t, domid_t dead)
{
    struct v4v_table_locked held = v4v_table_lock(t);
    struct v4v_ring_state *ring = t->pending;

    for (; ring; ring = ring->pending_next) {
        if (ring->partner == dead) {
            write_once(ring->is_orphan, true);
            v4v_signal(ring->owner);
        }
    }
    v4v_table_unlock(&held);
}

/* Those under way first: they may be in their places a moment later. */
static void rings_forget(struct v4v_domain *t, domid_t dead)
{
    pending_forget(t, dead);
    for (unsigned i = 0; i < V4V_BUCKETS; i++) {
        struct v4v_ring_state *ring = load_acquire(&t->bucket[i]);

        for (; ring; ring = load_acquire(&ring->hash_next)) {
            ring_forget(ring, dead);
        }
    }
}

/* Some other domains a step. */
int v4v_domain_destroy(struct domain *d)
{
    struct v4v_domain *t = d->v4v;

    if (!rings_close(d)) {
        return -RV_ERESTART;
    }
    v4v_pending_drop(t, NULL);
    if (load_acquire(&t->closing) != 0) {
        return -RV_ERESTART;
    }
    for (unsigned left = FORGET_PIECE; left > 0; left--) {
        struct domain *other = domain_lookup_from(t->destroy_next);

        if (!other) {
            return 0;
        }
        if (other != d) {
            rings_forget(other->v4v, d->id);
        }
        t->destroy_next = other->id + 1u;
    }
    return -RV_ERESTART;
}
