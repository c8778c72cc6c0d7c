/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v4v_op: rings, sends and requests for space. Numbers 1, 2 and 4 mean the same
 * in both ABIs with other structures; which one a domain speaks stands in its
 * manifest entry, and argo_op.c decodes the other. Bits 8 and up of the
 * operation register are the progress of a call that is continued.
 *
 * Threat surface: every structure here, each read once per piece.
 */
#include "public/argo.h"
#include "public/v4v.h"

#include "argo_op.h"
#include "handlers.h"
#include "ravelin/v4v.h"
#include "v4v_op.h"

/* What of a ring's header tells which ring it is. */
#define RING_ID_BYTES offsetof(struct v4v_ring, rx_ptr)

static bool is_argo(const struct vcpu *v)
{
    return v4v_domain_abi(v->domain) == MANIFEST_ABI_ARGO;
}

/* ---- Rings ------------------------------------------------------------- */

static int ring_header_read(struct vcpu *v, const struct hypercall_args *a,
                            struct v4v_ring *ring)
{
    if (arg_copy_in(v, a, 1, ring, RING_ID_BYTES) != 0) {
        return -RV_EFAULT;
    }
    if (ring->magic != V4V_RING_MAGIC || ring->id.pad != 0 ||
        ring->id.addr.pad != 0) {
        return -RV_EINVAL;
    }
    return 0;
}

/* Whatever the guest wrote there: a ring is its caller's. */
static int ring_domain_write(struct vcpu *v, const struct hypercall_args *a)
{
    const uint16_t id = v->domain->id;

    return guest_copy_out(
        v,
        guest_ref_add(guest_ref(a->arg[1]),
                      offsetof(struct v4v_ring, id.addr.domain)),
        &id, sizeof(id));
}

long ring_register(struct vcpu *v, struct hypercall_args *a,
                   const struct v4v_register *r)
{
    uint32_t op = (uint32_t)a->arg[0] & V4V_OP_MASK;
    uint32_t token;
    int rc = r ? v4v_ring_register(v, r, &token)
               : v4v_ring_register_resume(v, &token);

    if (rc == -RV_ERESTART) {
        a->arg[0] = op | token << V4V_PROGRESS_SHIFT;
    }
    return rc;
}

long v4v_op_register_ring(struct vcpu *v, struct hypercall_args *a)
{
    uint32_t token = (uint32_t)a->arg[0] >> V4V_PROGRESS_SHIFT;
    struct v4v_register req;
    struct v4v_ring ring;
    int rc;

    if (unlikely(token != 0) && v4v_ring_register_is_resumable(v, token)) {
        return ring_register(v, a, NULL);
    }
    if (is_argo(v)) {
        return argo_register(v, a);
    }
    if ((uint32_t)a->arg[4] != 0) {
        return -RV_EINVAL;
    }
    rc = ring_header_read(v, a, &ring);
    rc = rc ? rc : ring_domain_write(v, a);
    if (rc != 0) {
        return rc;
    }
    req = (struct v4v_register){
        .port = ring.id.addr.port,
        .partner = ring.id.partner,
        .len = ring.len,
        .page_count = (uint32_t)a->arg[3],
        .pages = guest_ref(a->arg[2]),
    };
    return ring_register(v, a, &req);
}

long v4v_op_unregister_ring(struct vcpu *v, struct hypercall_args *a)
{
    struct v4v_ring ring;
    int rc;

    if (is_argo(v)) {
        return argo_unregister(v, a);
    }
    if (!args_after_are_zero(a, 1)) {
        return -RV_EINVAL;
    }
    rc = ring_header_read(v, a, &ring);
    if (rc != 0) {
        return rc;
    }
    return v4v_ring_unregister(v->domain, ring.id.addr.port, ring.id.partner);
}

/* ---- Sends ------------------------------------------------------------- */

long message_send(struct vcpu *v, struct hypercall_args *a,
                  const struct v4v_message *m)
{
    uint32_t op = (uint32_t)a->arg[0] & V4V_OP_MASK;
    uint32_t token;
    long rc = m ? v4v_send(v, m, &token) : v4v_send_resume(v, &token);

    if (rc == -RV_ERESTART) {
        a->arg[0] = op | token << V4V_PROGRESS_SHIFT;
    }
    return rc;
}

long v4v_op_sendv(struct vcpu *v, struct hypercall_args *a)
{
    uint32_t token = (uint32_t)a->arg[0] >> V4V_PROGRESS_SHIFT;
    struct v4v_send_addr addr;
    struct v4v_message m;

    if (is_argo(v)) {
        return -RV_ENOSYS;
    }
    if (unlikely(token != 0) && v4v_send_is_resumable(v, token)) {
        return message_send(v, a, NULL);
    }
    if (arg_copy_in(v, a, 1, &addr, sizeof(addr)) != 0) {
        return -RV_EFAULT;
    }
    if ((addr.src.pad | addr.dst.pad) != 0) {
        return -RV_EINVAL;
    }
    m = (struct v4v_message){
        .src_port = addr.src.port,
        .dst = addr.dst,
        .type = (uint32_t)a->arg[4],
        .iov_count = (uint32_t)a->arg[3],
        .iovs = guest_ref(a->arg[2]),
    };
    return message_send(v, a, &m);
}

long v4v_op_argo_sendv(struct vcpu *v, struct hypercall_args *a)
{
    return is_argo(v) ? argo_sendv(v, a) : -RV_ENOSYS;
}

/* ---- Notify ------------------------------------------------------------ */

static_assert(sizeof(struct v4v_ring_data_ent) ==
                      sizeof(struct xen_argo_ring_data_ent) &&
                  offsetof(struct v4v_ring_data_ent, max_message_size) ==
                      offsetof(struct xen_argo_ring_data_ent, max_message_size),
              "an entry looks the same in both ABIs");

struct notify_list {
    struct guest_ref entries;
    uint32_t count;
};

static int v4v_list_read(struct vcpu *v, const struct hypercall_args *a,
                         struct notify_list *list)
{
    struct v4v_ring_data h;
    uint64_t reserved = 0;

    if (arg_copy_in(v, a, 1, &h, sizeof(h)) != 0) {
        return -RV_EFAULT;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(h.reserved); i++) {
        reserved |= h.reserved[i];
    }
    if (h.magic != V4V_RING_DATA_MAGIC || h.pad != 0 || reserved != 0) {
        return -RV_EINVAL;
    }
    list->count = h.nent;
    list->entries = guest_ref(a->arg[1] + sizeof(h));
    return 0;
}

static int argo_list_read(struct vcpu *v, const struct hypercall_args *a,
                          struct notify_list *list)
{
    struct xen_argo_ring_data h;

    if (arg_copy_in(v, a, 1, &h, sizeof(h)) != 0) {
        return -RV_EFAULT;
    }
    if (h.pad != 0) {
        return -RV_EINVAL;
    }
    list->count = h.nent;
    list->entries = guest_ref(a->arg[1] + sizeof(h));
    return 0;
}

static int list_read(struct vcpu *v, const struct hypercall_args *a,
                     struct notify_list *list)
{
    int rc;

    *list = (struct notify_list){.count = 0};
    if (a->arg[1] == 0) {
        return 0;
    }
    rc = is_argo(v) ? argo_list_read(v, a, list) : v4v_list_read(v, a, list);
    if (rc == 0 && list->count > v4v_limits_get(v->domain).max_notify) {
        rc = -RV_E2BIG;
    }
    return rc;
}

static uint16_t v4v_flags(const struct v4v_space *s)
{
    return (uint16_t)((s->exists ? V4V_RING_DATA_F_EXISTS : 0) |
                      (s->is_empty ? V4V_RING_DATA_F_EMPTY : 0) |
                      (s->is_waiting ? V4V_RING_DATA_F_PENDING : 0) |
                      (s->is_enough ? V4V_RING_DATA_F_SUFFICIENT : 0));
}

static int entry_serve(struct vcpu *v, struct guest_ref at)
{
    struct v4v_ring_data_ent e;
    struct v4v_space s;

    if (guest_copy_in(v, &e, at, sizeof(e)) != 0) {
        return -RV_EFAULT;
    }
    if ((e.ring.pad | e.pad) != 0) {
        return -RV_EINVAL;
    }
    s = v4v_space_request(v->domain, &e.ring, e.space_required);
    e.flags = is_argo(v) ? argo_flags(&s, e.space_required) : v4v_flags(&s);
    e.max_message_size = s.exists ? s.max_message : 0;
    return guest_copy_out(v, at, &e, sizeof(e));
}

/* Progress: first buckets of the caller's rings, then entries. */
static int notify_entries(struct vcpu *v, const struct notify_list *list,
                          unsigned *at)
{
    for (unsigned i = 0; *at - V4V_BUCKETS < list->count; i++, (*at)++) {
        int rc;

        if (i == V4V_NOTIFY_PIECE) {
            return -RV_ERESTART;
        }
        rc =
            entry_serve(v, guest_ref_add(list->entries,
                                         (uint64_t)(*at - V4V_BUCKETS) *
                                             sizeof(struct v4v_ring_data_ent)));
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

long v4v_op_notify(struct vcpu *v, struct hypercall_args *a)
{
    unsigned at = (uint32_t)a->arg[0] >> V4V_PROGRESS_SHIFT;
    struct notify_list list;
    int rc;

    if (!args_after_are_zero(a, 1)) {
        return -RV_EINVAL;
    }
    rc = list_read(v, a, &list);
    if (rc == 0 && at < V4V_BUCKETS) {
        rc = v4v_waiters_wake(v->domain, &at);
    }
    if (rc == 0) {
        rc = notify_entries(v, &list, &at);
    }
    if (rc == -RV_ERESTART) {
        a->arg[0] = V4VOP_notify | at << V4V_PROGRESS_SHIFT;
    }
    return rc;
}

/* ---- Info -------------------------------------------------------------- */

long v4v_op_info(struct vcpu *v, struct hypercall_args *a)
{
    struct v4v_limits limits = v4v_limits_get(v->domain);
    struct v4v_info info = {
        .ring_magic = V4V_RING_MAGIC,
        .data_magic = V4V_RING_DATA_MAGIC,
        .max_rings = limits.max_rings,
        .max_sendv = limits.max_sendv,
        .max_notify = limits.max_notify,
        .max_send_size = limits.max_send_size,
    };
    int rc;

    if (is_argo(v)) {
        return -RV_ENOSYS;
    }
    if (!args_after_are_zero(a, 1)) {
        return -RV_EINVAL;
    }
    rc = v4v_event_port(v->domain, &info.evtchn);
    return rc ? rc : arg_copy_out(v, a, 1, &info, sizeof(info));
}
