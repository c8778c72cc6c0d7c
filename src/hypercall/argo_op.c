/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Argo: decoding for domains whose manifest entry says that they speak it. The
 * engine behind is the same; messages between the two kinds of domains get the
 * header of the receiver's ABI.
 *
 * Threat surface: every structure here, each read once.
 */
#include "argo_op.h"

#include "public/argo.h"

#include "handlers.h"
#include "v4v_op.h"

long argo_register(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_argo_register_ring r;
    struct v4v_register req;

    if ((a->arg[4] & ~(uint64_t)XEN_ARGO_REGISTER_FLAG_FAIL_EXIST) != 0) {
        return -RV_EINVAL;
    }
    if (arg_copy_in(v, a, 1, &r, sizeof(r)) != 0) {
        return -RV_EFAULT;
    }
    if (r.pad != 0) {
        return -RV_EINVAL;
    }
    req = (struct v4v_register){
        .port = r.aport,
        .partner = r.partner_id,
        .len = r.len,
        .page_count = a->arg[3],
        .pages = guest_ref(a->arg[2]),
        .replace = (a->arg[4] & XEN_ARGO_REGISTER_FLAG_FAIL_EXIST) == 0,
    };
    return ring_register(v, a, &req);
}

long argo_unregister(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_argo_unregister_ring r;

    if ((a->arg[2] | a->arg[3] | a->arg[4]) != 0) {
        return -RV_EINVAL;
    }
    if (arg_copy_in(v, a, 1, &r, sizeof(r)) != 0) {
        return -RV_EFAULT;
    }
    if (r.pad != 0) {
        return -RV_EINVAL;
    }
    return v4v_ring_unregister(v->domain, r.aport, r.partner_id);
}

long argo_sendv(struct vcpu *v, struct hypercall_args *a)
{
    uint32_t token = (uint32_t)a->arg[0] >> V4V_PROGRESS_SHIFT;
    struct xen_argo_send_addr addr;
    struct v4v_message m;

    if (unlikely(token != 0) && v4v_send_is_resumable(v, token)) {
        return message_send(v, a, NULL);
    }
    if (arg_copy_in(v, a, 1, &addr, sizeof(addr)) != 0) {
        return -RV_EFAULT;
    }
    if ((addr.src.pad | addr.dst.pad) != 0 || a->arg[3] > XEN_ARGO_MAXIOV ||
        a->arg[4] > UINT32_MAX) {
        return -RV_EINVAL;
    }
    m = (struct v4v_message){
        .src_port = addr.src.aport,
        .dst = {.port = addr.dst.aport, .domain = addr.dst.domain_id},
        .type = (uint32_t)a->arg[4],
        .iov_count = (uint32_t)a->arg[3],
        .iovs = guest_ref(a->arg[2]),
        .is_narrow = a->is_32bit,
    };
    return message_send(v, a, &m);
}

uint16_t argo_flags(const struct v4v_space *s, uint32_t need)
{
    uint32_t flags = XEN_ARGO_RING_EXISTS;

    if (!s->exists) {
        return 0;
    }
    flags |= s->is_shared ? XEN_ARGO_RING_SHARED : 0;
    flags |= s->is_empty ? XEN_ARGO_RING_EMPTY : 0;
    flags |= s->is_enough ? XEN_ARGO_RING_SUFFICIENT : 0;
    if (need > s->max_message) {
        flags |= XEN_ARGO_RING_EMSGSIZE;
    } else if (!s->is_enough && !s->is_waiting) {
        flags |= XEN_ARGO_RING_EBUSY;
    }
    return (uint16_t)flags;
}
