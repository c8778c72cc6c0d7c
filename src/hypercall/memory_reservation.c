/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Populating a domain's memory and giving it back, extent by extent. A long
 * list is worked off in pieces: the operation register counts what is done, and
 * each piece decodes and checks everything again.
 *
 * Threat surface: the list, which the guest may change between pieces; counts
 * and orders.
 */
#include "public/memory.h"

#include "handlers.h"
#include "ravelin/frame_pool.h"
#include "ravelin/monitor.h"

#define EXTENT_SHIFT 6u /* the operation is below, extents done above */
#define PIECE_FRAMES 512u
#define PIECE_EXTENTS 64u

struct reservation {
    struct guest_ref list;
    uint64_t count;
    uint64_t done;
    struct domain *domain;
    uint32_t order;
    uint32_t flags;
    bool is_32bit;
    bool is_foreign; /* the caller acts on another domain */
};

static int decode_layout(struct vcpu *v, const struct hypercall_args *a,
                         struct xen_memory_reservation *out)
{
    struct compat_memory_reservation m;

    if (!a->is_32bit) {
        return arg_copy_in(v, a, 1, out, sizeof(*out));
    }
    if (arg_copy_in(v, a, 1, &m, sizeof(m)) != 0) {
        return -RV_EFAULT;
    }
    *out = (struct xen_memory_reservation){
        .extent_start.gva = m.extent_start.gva,
        .nr_extents = m.nr_extents,
        .extent_order = m.extent_order,
        .mem_flags = m.mem_flags,
        .domid = m.domid,
    };
    return 0;
}

static int decode_reservation(struct vcpu *v, const struct hypercall_args *a,
                              struct reservation *r)
{
    uint64_t count_max =
        (a->is_32bit ? UINT32_MAX : UINT64_MAX) >> EXTENT_SHIFT;
    struct xen_memory_reservation req;
    int rc = decode_layout(v, a, &req);

    if (rc != 0) {
        return rc;
    }
    rc = target_find(v, a, req.domid, &r->domain);
    if (rc != 0) {
        return rc;
    }
    r->list = guest_ref(req.extent_start.gva);
    r->count = req.nr_extents;
    r->done = a->arg[0] >> EXTENT_SHIFT;
    r->order = req.extent_order;
    r->flags = req.mem_flags;
    r->is_32bit = a->is_32bit;
    r->is_foreign = r->domain != v->domain;
    if (r->order > FRAME_ORDER_2M || r->count > count_max ||
        r->done > r->count) {
        return -RV_EINVAL;
    }
    return 0;
}

static unsigned piece_size(const struct reservation *r)
{
    uint64_t n = rv_min(r->count - r->done,
                        (uint64_t)rv_max(1u, PIECE_FRAMES >> r->order));

    return (unsigned)rv_min(n, (uint64_t)PIECE_EXTENTS);
}

/* Reads the next `n` frame numbers. 0; -EFAULT. */
static int piece_read(struct vcpu *v, const struct reservation *r, gfn_t *out,
                      unsigned n)
{
    compat_pfn_t small[PIECE_EXTENTS];

    if (!r->is_32bit) {
        struct guest_ref at =
            guest_ref_add(r->list, r->done * sizeof(xen_pfn_t));

        return guest_copy_in(v, out, at, n * sizeof(xen_pfn_t));
    }
    if (guest_copy_in(v, small,
                      guest_ref_add(r->list, r->done * sizeof(small[0])),
                      n * sizeof(small[0])) != 0) {
        return -RV_EFAULT;
    }
    for (unsigned i = 0; i < n; i++) {
        out[i] = gfn(small[i]);
    }
    return 0;
}

/* Works off one piece; returns how many extents succeeded. */
typedef unsigned (*piece_fn)(const struct reservation *r, const gfn_t *list,
                             unsigned n);

static long reservation_run(struct vcpu *v, struct hypercall_args *a,
                            struct reservation *r, piece_fn fn)
{
    gfn_t list[PIECE_EXTENTS];
    unsigned n = piece_size(r);
    unsigned good;

    if (n == 0 || piece_read(v, r, list, n) != 0) {
        return (long)r->done;
    }
    good = fn(r, list, n);
    r->done += good;
    if (good < n || r->done == r->count) {
        return (long)r->done;
    }
    a->arg[0] = (a->arg[0] & ((1u << EXTENT_SHIFT) - 1)) | r->done
                                                               << EXTENT_SHIFT;
    return -RV_ERESTART;
}

static unsigned populate_piece(const struct reservation *r, const gfn_t *list,
                               unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (p2m_populate(r->domain, list[i], r->order) != 0) {
            return i;
        }
    }
    return n;
}

long memory_op_populate_physmap(struct vcpu *v, struct hypercall_args *a)
{
    struct reservation r;
    int rc = decode_reservation(v, a, &r);

    if (rc != 0) {
        return rc;
    }
    if ((r.flags & XENMEMF_populate_on_demand) != 0) {
        return -RV_EINVAL;
    }
    rc = memory_turn_take(v, r.domain);
    return rc != 0 ? rc : reservation_run(v, a, &r, populate_piece);
}

/* Is every frame of the extent RAM of this domain, and nobody's but its own
 * business? */
static bool extent_is_free(const struct reservation *r, const struct p2m *p2m,
                           gfn_t g)
{
    unsigned order = r->order;
    uint64_t n = 1ULL << order;

    if (g.v >= p2m->gfn_limit || n > p2m->gfn_limit - g.v) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        enum p2m_type type = p2m_lookup(p2m, gfn(g.v + i)).type;

        if ((type != P2M_RAM && type != P2M_RAM_RO) ||
            page_is_held(r->domain, gfn(g.v + i))) {
            return false;
        }
    }
    return true;
}

/* Tools take the page of a monitor's ring out of the watched domain's memory
 * after enabling it. That has been done, and it has not come back. */
static bool is_taken_ring(const struct reservation *r, gfn_t g)
{
    return r->is_foreign && r->order == 0 && monitor_ring_page_is(r->domain, g);
}

static unsigned decrease_piece(const struct reservation *r, const gfn_t *list,
                               unsigned n)
{
    struct p2m_locked p2m;
    unsigned i;

    if (n == 1 && is_taken_ring(r, list[0])) {
        return 1;
    }
    p2m = p2m_lock(&r->domain->p2m);
    for (i = 0; i < n; i++) {
        if (!extent_is_free(r, p2m.p2m, list[i]) ||
            p2m_unmap(p2m, list[i], r->order) != 0) {
            break;
        }
    }
    p2m_unlock(&p2m);
    return i;
}

long memory_op_decrease_reservation(struct vcpu *v, struct hypercall_args *a)
{
    struct reservation r;
    int rc = decode_reservation(v, a, &r);

    return rc != 0 ? rc : reservation_run(v, a, &r, decrease_piece);
}
