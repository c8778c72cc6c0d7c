/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's rings by id, and their end. Senders walk the hash chains without a
 * lock; a ring leaves its chain first, is marked dead under its own lock, which
 * a sender takes before it touches a page, and is freed after quiescence.
 */

#include "v4v_internal.h"

/* A sender finds a dead ring only if it was unregistered between lookup and
 * lock, and a new one only if it was registered again. Who plays that game
 * longer than this has no ring. */
#define LOOKUPS_MAX 8u

/* By a factor that guests do not know, or one could have all its rings in one
 * chain, which others walk with each message. */
static unsigned bucket_of(const struct v4v_domain *t, uint32_t port,
                          domid_t partner)
{
    return ((port | (uint64_t)partner << 32) * t->hash_factor) >> 56;
}
static_assert(V4V_BUCKETS == 1u << 8, "bucket_of() gives eight bits");

struct v4v_ring_state *v4v_ring_find(const struct v4v_domain *t, uint32_t port,
                                     domid_t partner)
{
    struct v4v_ring_state *ring =
        load_acquire(&t->bucket[bucket_of(t, port, partner)]);

    while (ring && (ring->port != port || ring->partner != partner)) {
        ring = load_acquire(&ring->hash_next);
    }
    return ring;
}

static struct v4v_ring_state *open_find(const struct v4v_domain *t,
                                        uint32_t port, domid_t sender)
{
    struct v4v_ring_state *ring = v4v_ring_find(t, port, sender);

    if (ring && likely(!read_once(ring->is_orphan))) {
        return ring;
    }
    return v4v_ring_find(t, port, V4V_DOMID_ANY);
}

bool v4v_ring_find_lock(struct domain *owner, uint32_t port, domid_t sender,
                        struct v4v_ring_locked *out)
{
    for (unsigned i = 0; i < LOOKUPS_MAX; i++) {
        struct v4v_ring_state *ring = open_find(owner->v4v, port, sender);

        if (!ring) {
            return false;
        }
        *out = v4v_ring_lock(ring);
        if (likely(!ring->is_dead && !read_once(owner->v4v->is_ended))) {
            return true;
        }
        v4v_ring_unlock(out);
    }
    return false;
}

void v4v_ring_insert(struct v4v_table_locked held, struct v4v_ring_state *ring)
{
    struct v4v_domain *t = held.table;
    struct v4v_ring_state **head =
        &t->bucket[bucket_of(t, ring->port, ring->partner)];

    ring->hash_next = *head;
    store_release(head, ring);
    write_once(t->ring_count, t->ring_count + 1);
}

/* The removed ring keeps its link: a reader standing on it goes on. */
void v4v_ring_remove(struct v4v_table_locked held, struct v4v_ring_state *ring)
{
    struct v4v_domain *t = held.table;
    struct v4v_ring_state **at =
        &t->bucket[bucket_of(t, ring->port, ring->partner)];

    while (*at != ring) {
        at = &(*at)->hash_next;
    }
    store_release(at, ring->hash_next);
    write_once(t->ring_count, t->ring_count - 1);
}

void v4v_ring_close(struct v4v_ring_state *ring)
{
    struct v4v_ring_locked held = v4v_ring_lock(ring);

    ring->is_dead = true;
    v4v_wake(held, true);
    v4v_ring_unlock(&held);
    v4v_ring_release(ring);
}
