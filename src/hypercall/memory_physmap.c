/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Placing special pages in a domain's memory: shared_info, its own RAM at
 * another frame, and, for control domains, RAM of a foreign domain.
 *
 * Threat surface: frame numbers and spaces. Every mapping holds a reference on
 * its frame, so none can outlive the page behind it.
 */
#include "public/memory.h"

#include "handlers.h"
#include "ravelin/frame_pool.h"

#define BATCH_PER_CALL 32u /* then other work gets a turn */

struct placement {
    struct domain *domain;
    struct domain *foreign; /* gmfn_foreign only */
    uint32_t space;
    uint64_t idx;
    gfn_t at;
};

/* What is to appear: a frame with a reference that the mapping will own. */
struct source {
    mfn_t frame;
    enum p2m_type type;
    uint8_t access;
};

static int shared_info_source(const struct placement *p, struct source *s)
{
    if (p->idx != 0) {
        return -RV_EINVAL;
    }
    frame_get_held(p->domain->shared_info_mfn);
    *s = (struct source){p->domain->shared_info_mfn, P2M_SHARED,
                         ACCESS_READ | ACCESS_WRITE};
    return 0;
}

static int ram_source(const struct domain *owner, uint64_t idx,
                      enum p2m_type as, struct source *s)
{
    struct p2m_entry e;

    if (idx >= owner->p2m.gfn_limit) {
        return -RV_EINVAL;
    }
    e = p2m_lookup(&owner->p2m, gfn(idx));
    if ((e.type != P2M_RAM && e.type != P2M_RAM_RO) ||
        !frame_get(e.mfn, owner->id)) {
        return -RV_ENOENT;
    }
    s->frame = e.mfn;
    s->type = as == P2M_RAM ? e.type : as;
    s->access = ACCESS_ALL;
    if (as == P2M_FOREIGN) {
        s->access = ACCESS_READ | (e.type == P2M_RAM ? ACCESS_WRITE : 0);
    }
    return 0;
}

static int put_at(struct p2m_locked p2m, const struct placement *p,
                  const struct source *s)
{
    int rc = p2m_unmap(p2m, p->at, 0);

    return rc != 0 ? rc : p2m_map(p2m, p->at, s->frame, 0, s->type, s->access);
}

/* Takes the page away from where it was; undone if it cannot go where it is
 * wanted, which needs no memory as the tables are there. */
static int move(struct p2m_locked p2m, gfn_t from, const struct placement *p,
                const struct source *s)
{
    int rc;

    /* Another vCPU may have moved it since it was looked up. */
    if (!mfn_eq(p2m_lookup(p2m.p2m, from).mfn, s->frame)) {
        return -RV_ENOENT;
    }
    rc = p2m_unmap(p2m, from, 0);
    if (rc != 0) {
        return rc;
    }
    rc = put_at(p2m, p, s);
    if (rc != 0 && p2m_map(p2m, from, s->frame, 0, s->type, s->access) == 0) {
        /* Back where it was, which took the reference; the caller drops one. */
        frame_get_held(s->frame);
    }
    return rc;
}

/* Is the domain's shared_info still where it was placed last? */
static bool shared_info_is_placed(const struct domain *d)
{
    struct p2m_entry e = p2m_lookup(&d->p2m, d->shared_info_gfn);

    return e.type == P2M_SHARED && mfn_eq(e.mfn, d->shared_info_mfn);
}

static int shared_info_place(struct p2m_locked p2m, const struct placement *p,
                             const struct source *s)
{
    struct domain *d = p->domain;
    int rc = shared_info_is_placed(d) ? move(p2m, d->shared_info_gfn, p, s)
                                      : put_at(p2m, p, s);

    if (rc == 0) {
        d->shared_info_gfn = p->at;
    }
    return rc;
}

/* Both changes of a move share one lock: nobody sees the page twice. */
static int place(const struct placement *p, const struct source *s)
{
    struct p2m_locked p2m = p2m_lock(&p->domain->p2m);
    int rc;

    if (page_is_held(p->domain, p->at) ||
        (p->space == XENMAPSPACE_gmfn &&
         page_is_held(p->domain, gfn(p->idx)))) {
        p2m_unlock(&p2m);
        frame_put(s->frame);
        return -RV_EPERM;
    }
    switch (p->space) {
    case XENMAPSPACE_gmfn:
        rc = move(p2m, gfn(p->idx), p, s);
        break;
    case XENMAPSPACE_shared_info:
        rc = shared_info_place(p2m, p, s);
        break;
    default:
        rc = put_at(p2m, p, s);
        break;
    }
    p2m_unlock(&p2m);
    if (rc != 0) {
        frame_put(s->frame);
    }
    return rc;
}

static int invoke_placement(const struct placement *p)
{
    struct source s;
    int rc;

    switch (p->space) {
    case XENMAPSPACE_shared_info:
        rc = shared_info_source(p, &s);
        break;
    case XENMAPSPACE_gmfn:
        if (p->idx == p->at.v) {
            return 0;
        }
        rc = ram_source(p->domain, p->idx, P2M_RAM, &s);
        break;
    case XENMAPSPACE_gmfn_foreign:
        rc = ram_source(p->foreign, p->idx, P2M_FOREIGN, &s);
        break;
    default:
        return -RV_EINVAL;
    }
    return rc != 0 ? rc : place(p, &s);
}

static int decode_add(struct vcpu *v, const struct hypercall_args *a,
                      struct xen_add_to_physmap *req)
{
    struct compat_add_to_physmap m;

    if (!a->is_32bit) {
        return arg_copy_in(v, a, 1, req, sizeof(*req));
    }
    if (arg_copy_in(v, a, 1, &m, sizeof(m)) != 0) {
        return -RV_EFAULT;
    }
    *req = (struct xen_add_to_physmap){m.domid, m.size, m.space, m.idx, m.gpfn};
    return 0;
}

static int space_check(uint32_t space)
{
    switch (space) {
    case XENMAPSPACE_shared_info:
    case XENMAPSPACE_gmfn:
    case XENMAPSPACE_gmfn_range:
        return 0;
    case XENMAPSPACE_grant_table:
    case XENMAPSPACE_gmfn_foreign:
        return -RV_EOPNOTSUPP;
    default:
        return -RV_EINVAL;
    }
}

/* A range is bounded by its 16-bit size; the operation register counts. */
static long invoke_range(struct hypercall_args *a,
                         const struct xen_add_to_physmap *req, struct domain *d)
{
    uint64_t done = a->arg[0] >> 6;
    uint64_t end = rv_min(done + BATCH_PER_CALL, (uint64_t)req->size);

    for (; done < end; done++) {
        struct placement p = {d, NULL, XENMAPSPACE_gmfn, req->idx + done,
                              gfn(req->gpfn + done)};
        int rc = invoke_placement(&p);

        if (rc != 0) {
            return rc;
        }
    }
    if (done >= req->size) {
        return 0;
    }
    a->arg[0] = XENMEM_add_to_physmap | done << 6;
    return -RV_ERESTART;
}

long memory_op_add_to_physmap(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_add_to_physmap req;
    struct placement p = {0};
    int rc;

    if (decode_add(v, a, &req) != 0) {
        return -RV_EFAULT;
    }
    rc = target_find(v, a, req.domid, &p.domain);
    if (rc == 0) {
        rc = space_check(req.space);
    }
    if (rc == 0) {
        rc = memory_turn_take(v, p.domain);
    }
    if (rc != 0) {
        return rc;
    }
    if (req.space == XENMAPSPACE_gmfn_range) {
        return invoke_range(a, &req, p.domain);
    }
    p.space = req.space;
    p.idx = req.idx;
    p.at = gfn(req.gpfn);
    return invoke_placement(&p);
}

static int decode_remove(struct vcpu *v, const struct hypercall_args *a,
                         domid_t *id, gfn_t *g)
{
    if (a->is_32bit) {
        struct compat_remove_from_physmap m;

        if (arg_copy_in(v, a, 1, &m, sizeof(m)) != 0) {
            return -RV_EFAULT;
        }
        *id = m.domid;
        *g = gfn(m.gpfn);
    } else {
        struct xen_remove_from_physmap m;

        if (arg_copy_in(v, a, 1, &m, sizeof(m)) != 0) {
            return -RV_EFAULT;
        }
        *id = m.domid;
        *g = gfn(m.gpfn);
    }
    return 0;
}

long memory_op_remove_from_physmap(struct vcpu *v, struct hypercall_args *a)
{
    struct p2m_locked p2m;
    struct domain *d;
    domid_t id;
    gfn_t g;
    int rc;

    if (decode_remove(v, a, &id, &g) != 0) {
        return -RV_EFAULT;
    }
    rc = target_find(v, a, id, &d);
    if (rc != 0) {
        return rc;
    }
    if (g.v >= d->p2m.gfn_limit) {
        return -RV_EINVAL;
    }
    p2m = p2m_lock(&d->p2m);
    if (p2m_lookup(p2m.p2m, g).type == P2M_NONE) {
        rc = -RV_ENOENT;
    } else if (page_is_held(d, g)) {
        rc = -RV_EPERM;
    } else {
        rc = p2m_unmap(p2m, g, 0);
    }
    p2m_unlock(&p2m);
    return rc;
}

/* ---- The batch form --------------------------------------------------- */

struct batch {
    struct placement p; /* of the entry being served */
    struct guest_ref idxs;
    struct guest_ref gpfns;
    struct guest_ref errs;
    uint64_t done;
    uint16_t count;
    uint16_t extra;
    bool is_32bit;
};

static int decode_batch_layout(struct vcpu *v, const struct hypercall_args *a,
                               struct xen_add_to_physmap_batch *out)
{
    struct compat_add_to_physmap_batch m;

    if (!a->is_32bit) {
        return arg_copy_in(v, a, 1, out, sizeof(*out));
    }
    if (arg_copy_in(v, a, 1, &m, sizeof(m)) != 0) {
        return -RV_EFAULT;
    }
    *out = (struct xen_add_to_physmap_batch){
        .domid = m.domid,
        .space = m.space,
        .size = m.size,
        .u.res0 = m.u.res0,
        .idxs.gva = m.idxs.gva,
        .gpfns.gva = m.gpfns.gva,
        .errs.gva = m.errs.gva,
    };
    return 0;
}

static int decode_batch(struct vcpu *v, const struct hypercall_args *a,
                        struct batch *b)
{
    struct xen_add_to_physmap_batch req;
    int rc = decode_batch_layout(v, a, &req);

    if (rc == 0) {
        rc = target_find(v, a, req.domid, &b->p.domain);
    }
    if (rc != 0) {
        return rc;
    }
    b->p.space = req.space;
    b->idxs = guest_ref(req.idxs.gva);
    b->gpfns = guest_ref(req.gpfns.gva);
    b->errs = guest_ref(req.errs.gva);
    b->count = req.size;
    b->done = a->arg[0] >> 6;
    b->is_32bit = a->is_32bit;
    if (req.space == XENMAPSPACE_gmfn_foreign) {
        /* Whatever the domain id says, a foreign page is another's. */
        struct hypercall_args foreign = {.perm = PERM_MONITOR};

        if (is_control_domain(v->domain)) {
            foreign.perm = PERM_TARGET;
        }
        rc = target_find(v, &foreign, req.u.foreign_domid, &b->p.foreign);
        return rc == 0 && b->p.foreign == b->p.domain ? -RV_EINVAL : rc;
    }
    if (req.space == XENMAPSPACE_gmfn_range || req.u.res0 != 0) {
        return -RV_EINVAL;
    }
    return space_check(req.space);
}

static int word_read(struct vcpu *v, const struct batch *b,
                     struct guest_ref list, uint64_t *out)
{
    uint32_t small;

    if (!b->is_32bit) {
        return guest_copy_in(
            v, out, guest_ref_add(list, b->done * sizeof(*out)), sizeof(*out));
    }
    if (guest_copy_in(v, &small, guest_ref_add(list, b->done * sizeof(small)),
                      sizeof(small)) != 0) {
        return -RV_EFAULT;
    }
    *out = small;
    return 0;
}

static int batch_step(struct vcpu *v, struct batch *b)
{
    struct guest_ref err = guest_ref_add(b->errs, b->done * sizeof(int32_t));
    int32_t result;
    uint64_t at;

    if (word_read(v, b, b->idxs, &b->p.idx) != 0 ||
        word_read(v, b, b->gpfns, &at) != 0 ||
        guest_copy_probe(v, err, sizeof(result)) != 0) {
        return -RV_EFAULT;
    }
    b->p.at = gfn(at);
    result = invoke_placement(&b->p);
    return guest_copy_out(v, err, &result, sizeof(result));
}

long memory_op_add_to_physmap_batch(struct vcpu *v, struct hypercall_args *a)
{
    struct batch b = {0};
    int rc = decode_batch(v, a, &b);

    if (rc == 0) {
        rc = memory_turn_take(v, b.p.domain);
    }
    if (rc != 0) {
        return rc;
    }
    for (unsigned i = 0; i < BATCH_PER_CALL && b.done < b.count; i++) {
        if (batch_step(v, &b) != 0) {
            if (i == 0) {
                return -RV_EFAULT;
            }
            break; /* what is placed is not placed twice */
        }
        b.done++;
    }
    if (b.done >= b.count) {
        return 0;
    }
    a->arg[0] = XENMEM_add_to_physmap_batch | b.done << 6;
    return -RV_ERESTART;
}
