/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What control domains may see of rings and traffic. Snapshots; a ring that
 * comes or goes meanwhile may be missed or seen twice.
 */

#include "v4v_internal.h"

static bool ring_describe(struct v4v_ring_state *ring,
                          struct v4v_ring_stat *out)
{
    struct v4v_ring_locked held = v4v_ring_lock(ring);
    bool alive = !ring->is_dead;

    if (alive) {
        *out = (struct v4v_ring_stat){
            .port = ring->port,
            .partner = ring->partner,
            .flags =
                (uint16_t)((ring->abi == MANIFEST_ABI_ARGO ? V4V_RING_STAT_ARGO
                                                           : 0) |
                           (ring->is_orphan ? V4V_RING_STAT_ORPHAN : 0)),
            .len = ring->len,
            .used = v4v_ring_used(held),
            .waiting = ring->waiter_count,
            .messages = ring->messages,
            .bytes = ring->bytes,
        };
    }
    v4v_ring_unlock(&held);
    return alive;
}

unsigned v4v_ring_stats(struct domain *d, uint32_t start,
                        struct v4v_ring_stat *out, unsigned n)
{
    unsigned stored = 0;
    uint32_t seen = 0;

    for (unsigned i = 0; i < V4V_BUCKETS && stored < n; i++) {
        struct v4v_ring_state *ring = load_acquire(&d->v4v->bucket[i]);

        for (; ring && stored < n; ring = load_acquire(&ring->hash_next)) {
            if (seen++ >= start && ring_describe(ring, &out[stored])) {
                stored++;
            }
        }
    }
    return stored;
}

static bool ring_holds(const struct v4v_ring_state *ring, uint32_t pages,
                       mfn_t m)
{
    for (uint32_t i = 0; i < pages; i++) {
        if (ring->page[i].v == m.v) {
            return true;
        }
    }
    return false;
}

bool v4v_holds_frame(struct domain *d, mfn_t m)
{
    struct v4v_table_locked held = v4v_table_lock(d->v4v);
    struct v4v_ring_state *ring;
    bool found = false;

    for (unsigned i = 0; i < V4V_BUCKETS && !found; i++) {
        for (ring = d->v4v->bucket[i]; ring && !found; ring = ring->hash_next) {
            found = ring_holds(ring, ring->page_count, m);
        }
    }
    for (ring = d->v4v->pending; ring && !found; ring = ring->pending_next) {
        found = ring_holds(ring, read_once(ring->page_next), m);
    }
    v4v_table_unlock(&held);
    return found;
}

struct v4v_traffic v4v_traffic_get(const struct domain *d)
{
    const struct v4v_traffic *t = &d->v4v->traffic;

    return (struct v4v_traffic){
        .messages = read_once(t->messages),
        .bytes = read_once(t->bytes),
        .refused = read_once(t->refused),
    };
}
