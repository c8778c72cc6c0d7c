/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages of rings: pinned before anybody can find the ring, let go when
 * nobody uses it any more. Both happen in pieces, since a ring has up to 4097
 * pages: pinning as a continued call of the domain that registers, letting go
 * as deferred work. Until the last page has been let go all of them count
 * against the domain's limit, so that it cannot have more under way than it
 * may have in rings.
 *
 * Threat surface: the list of frames, read once; a vCPU that never continues.
 */

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"

#include "v4v_internal.h"

#define LIST_PIECE 64u
static_assert(V4V_PIN_PIECE % LIST_PIECE == 0, "pieces of whole lists");

static uint64_t serial_last; /* atomic */

uint64_t v4v_serial_next(void)
{
    uint64_t serial;

    do {
        serial = __atomic_add_fetch(&serial_last, 1, __ATOMIC_RELAXED);
    } while ((serial & V4V_TOKEN_MASK) == 0);
    return serial;
}

static int list_pin(struct vcpu *v, struct v4v_ring_state *ring)
{
    uint64_t list[LIST_PIECE];
    uint32_t n = rv_min(LIST_PIECE, ring->page_count - ring->page_next);
    struct p2m_locked p2m;
    bool ok;

    if (guest_copy_in(v, list, ring->list, n * sizeof(list[0])) != 0) {
        return -RV_EFAULT;
    }
    /* Whoever takes a page out of the map under this lock and then asks
     * v4v_holds_frame() is told of it. */
    p2m = p2m_lock(&ring->owner->p2m);
    ok = guest_pages_pin(ring->owner, list, n, &ring->page[ring->page_next]);
    if (ok) {
        write_once(ring->page_next, ring->page_next + n);
    }
    p2m_unlock(&p2m);
    ring->list = guest_ref_add(ring->list, n * sizeof(list[0]));
    return ok ? 0 : -RV_EINVAL;
}

int v4v_ring_pin(struct vcpu *v, struct v4v_ring_state *ring)
{
    uint32_t end = ring->page_next + V4V_PIN_PIECE;
    int rc = 0;

    while (rc == 0 && ring->page_next < ring->page_count) {
        if (ring->page_next == end) {
            return -RV_ERESTART;
        }
        rc = list_pin(v, ring);
    }
    return rc;
}

/* ---- Letting go -------------------------------------------------------- */

static void ring_free(struct quiesce_item *item)
{
    struct v4v_ring_state *ring =
        container_of(item, struct v4v_ring_state, free_item);

    pages_free(ring, ring->order);
}

/* One piece. True: that was the last one. */
static bool piece_unpin(struct v4v_ring_state *ring)
{
    uint32_t n = rv_min(V4V_PIN_PIECE, ring->page_count - ring->page_next);

    for (; n > 0; n--, ring->page_next++) {
        mfn_t *page = &ring->page[ring->page_next];

        if (!mfn_is_invalid(*page)) {
            guest_page_unpin(*page);
            *page = INVALID_MFN;
        }
    }
    return ring->page_next == ring->page_count;
}

static void ring_forget(struct v4v_ring_state *ring)
{
    struct v4v_domain *t = ring->owner->v4v;
    struct v4v_table_locked held = v4v_table_lock(t);

    write_once(t->page_count, t->page_count - ring->page_count);
    v4v_table_unlock(&held);
    quiesce_defer(&ring->free_item, ring_free);
}

/* The domain cannot be gone: its destruction waits for `closing`. */
static int unpin_step(struct work_item *item)
{
    struct v4v_ring_state *ring =
        container_of(item, struct v4v_ring_state, unpin_work);
    struct v4v_domain *t = ring->owner->v4v;

    if (!piece_unpin(ring)) {
        return -RV_ERESTART;
    }
    ring_forget(ring);
    __atomic_fetch_sub(&t->closing, 1, __ATOMIC_RELEASE);
    return 0;
}

void v4v_ring_release(struct v4v_ring_state *ring)
{
    ring->page_next = 0;
    if (piece_unpin(ring)) {
        ring_forget(ring);
        return;
    }
    __atomic_fetch_add(&ring->owner->v4v->closing, 1, __ATOMIC_RELAXED);
    work_init(&ring->unpin_work, unpin_step);
    work_queue(&ring->unpin_work);
}
