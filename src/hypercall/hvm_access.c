/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hvm_op: rights that a domain's instructions have on its pages. A long range
 * is worked off in pieces: the operation register counts those that are done,
 * and each piece decodes and checks everything again.
 *
 * Threat surface: a monitor's ranges and rights; a domain on itself gets
 * nothing but -EPERM.
 */
#include "public/hvm/hvm_op.h"

#include "handlers.h"
#include "ravelin/monitor.h"

#define PIECE_SHIFT 8u /* the operation is below, pieces done above */
#define PIECE_FRAMES 1024u

struct access_request {
    struct domain *domain;
    uint64_t first;
    uint64_t count;
    uint8_t mode;
    bool is_default;      /* the rights of new pages are meant */
    bool is_from_default; /* the pages get what new ones get */
};

/* From the numbers of the ABI. */
static bool mode_of(uint16_t access, uint8_t *mode)
{
    if (access == HVMMEM_access_rx2rw) {
        *mode = ACCESS_READ | ACCESS_EXEC | P2M_ACCESS_RX2RW;
    } else {
        *mode = (uint8_t)access;
    }
    return access <= HVMMEM_access_default;
}

static uint16_t number_of(uint8_t mode)
{
    return mode & P2M_ACCESS_RX2RW ? HVMMEM_access_rx2rw : mode;
}

static bool range_is_inside(const struct p2m *p2m, uint64_t first,
                            uint64_t count)
{
    return count != 0 && first < p2m->gfn_limit &&
           count <= p2m->gfn_limit - first;
}

static int decode_set(struct vcpu *v, const struct hypercall_args *a,
                      struct access_request *r)
{
    struct xen_hvm_set_mem_access req;
    int rc;

    rc = target_arg(v, a, &req, sizeof(req), &r->domain);
    if (rc != 0) {
        return rc;
    }
    r->is_default = req.first_pfn == HVMMEM_access_PFN_DEFAULT;
    r->is_from_default = req.hvmmem_access == HVMMEM_access_default;
    r->first = req.first_pfn;
    r->count = req.nr;
    if (!mode_of(req.hvmmem_access, &r->mode) ||
        (r->is_default && r->is_from_default) ||
        (!r->is_default &&
         !range_is_inside(&r->domain->p2m, r->first, r->count))) {
        return -RV_EINVAL;
    }
    return 0;
}

static int invoke_piece(const struct access_request *r, uint64_t done)
{
    uint64_t count = rv_min(r->count - done, (uint64_t)PIECE_FRAMES);
    struct p2m_locked p2m = p2m_lock(&r->domain->p2m);
    uint8_t mode = r->is_from_default ? p2m.p2m->mode_default : r->mode;
    gfn_t next;
    int rc =
        p2m_access_range_set(p2m, gfn(r->first + done), count, mode, &next);

    p2m_unlock(&p2m);
    return rc;
}

static int invoke_default(const struct access_request *r)
{
    struct p2m_locked p2m = p2m_lock(&r->domain->p2m);
    int rc = p2m_access_default_set(p2m, r->mode);

    p2m_unlock(&p2m);
    return rc;
}

long hvm_op_set_mem_access(struct vcpu *v, struct hypercall_args *a)
{
    uint64_t done = (a->arg[0] >> PIECE_SHIFT) * PIECE_FRAMES;
    struct access_request r;
    struct monitor *m;
    int rc = decode_set(v, a, &r);

    if (rc == 0) {
        /* What steps need exists before the first right is missing. */
        rc = monitor_get(r.domain, &m);
    }
    if (rc != 0 || r.is_default) {
        return rc != 0 ? rc : invoke_default(&r);
    }
    if (done >= r.count) {
        return -RV_EINVAL; /* the structure has changed meanwhile */
    }
    rc = invoke_piece(&r, done);
    if (rc != 0 || r.count - done <= PIECE_FRAMES) {
        return rc;
    }
    a->arg[0] += 1UL << PIECE_SHIFT;
    return -RV_ERESTART;
}

long hvm_op_get_mem_access(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_hvm_get_mem_access req;
    struct domain *d;
    uint8_t mode;
    int rc;

    rc = target_arg(v, a, &req, sizeof(req), &d);
    if (rc != 0) {
        return rc;
    }
    if (req.pfn == HVMMEM_access_PFN_DEFAULT) {
        mode = read_once(d->p2m.mode_default);
    } else {
        rc = p2m_access_get(&d->p2m, gfn(req.pfn), &mode);
    }
    if (rc != 0) {
        return rc;
    }
    req.hvmmem_access = number_of(mode);
    return arg_copy_out(v, a, 1, &req, sizeof(req));
}
