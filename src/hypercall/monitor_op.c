/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor_op: decode for what one domain may do to another that it watches.
 * Every structure is read once and begins with the target, which is checked
 * before anything else of it is looked at.
 *
 * Threat surface: a monitor's kernel. It may do all this to the domains named
 * for it and to no other, and its buffers are its own.
 */
#include "public/ravelin_monitor.h"

#include "handlers.h"
#include "ravelin/monitor_control.h"
#include "ravelin/sched.h"

#define MEMORY_PIECE 512u

/* The target of an operation and its state, made on first use. */
static int watched(struct vcpu *v, const struct hypercall_args *a, domid_t id,
                   struct domain **d, struct monitor **out)
{
    int rc = target_find(v, a, id, d);

    return rc != 0 ? rc : monitor_get(*d, out);
}

/* The same for the domain that the operation's structure begins with. */
static int watched_arg(struct vcpu *v, const struct hypercall_args *a,
                       void *req, size_t n, struct domain **d,
                       struct monitor **out)
{
    int rc = target_arg(v, a, req, n, d);

    return rc != 0 ? rc : monitor_get(*d, out);
}

long monitor_op_version(struct vcpu *v, struct hypercall_args *a rv_unused)
{
    if (!is_control_domain(v->domain) &&
        (v->domain->roles & ROLE_MONITOR) == 0) {
        return -RV_EPERM;
    }
    return RAVELIN_MONITOR_VERSION;
}

/* ---- Attach ------------------------------------------------------------ */

static bool sizes_are_valid(const struct ravelin_monitor_attach *req)
{
    uint32_t data = req->page_count - 1;

    return (req->event_size == sizeof(struct ravelin_event) ||
            req->event_size == sizeof(struct ravelin_event_full)) &&
           req->page_count >= 2 &&
           req->page_count <= RAVELIN_MONITOR_PAGES_MAX &&
           (data & (data - 1)) == 0;
}

/* The port follows the ring: it is known only when there is one. */
static int attach_own(struct vcpu *v, struct monitor *m,
                      const struct ravelin_monitor_attach *req,
                      evtchn_port_t *port)
{
    uint64_t gfns[RAVELIN_MONITOR_PAGES_MAX];
    struct monitor_attach_request how = {
        .listener = v->domain,
        .format = &monitor_format_own,
        .slot_size = req->event_size,
        .slots = (req->page_count - 1) * (PAGE_SIZE / req->event_size),
        .page_count = req->page_count,
        .gfns = gfns,
    };
    int rc;

    if (guest_copy_in(v, gfns, guest_ref(req->gfns.gva),
                      req->page_count * sizeof(gfns[0])) != 0) {
        return -RV_EFAULT;
    }
    rc = monitor_attach(m, &how);
    if (rc == 0) {
        rc = monitor_port_bind(m, v->domain, port);
        if (rc != 0) {
            monitor_drop(m);
        }
    }
    return rc;
}

long monitor_op_attach(struct vcpu *v, struct hypercall_args *a)
{
    struct ravelin_monitor_attach req;
    struct monitor *m;
    struct domain *d;
    evtchn_port_t port;
    int rc;

    rc = watched_arg(v, a, &req, sizeof(req), &d, &m);
    if (rc != 0) {
        return rc;
    }
    if (req.pad != 0 || req.version != RAVELIN_MONITOR_VERSION ||
        !sizes_are_valid(&req)) {
        return -RV_EINVAL;
    }
    rc = attach_own(v, m, &req, &port);
    if (rc != 0) {
        return rc;
    }
    req.port = port;
    req.vcpu_count = d->vcpu_count;
    rc = arg_copy_out(v, a, 1, &req, sizeof(req));
    if (rc != 0) {
        monitor_drop(m);
    }
    return rc;
}

static int decode_target(struct vcpu *v, const struct hypercall_args *a,
                         struct monitor **m)
{
    struct ravelin_monitor_target req;
    struct domain *d;
    int rc;

    rc = watched_arg(v, a, &req, sizeof(req), &d, m);
    if (rc == 0 && (req.pad[0] | req.pad[1] | req.pad[2]) != 0) {
        rc = -RV_EINVAL;
    }
    return rc;
}

long monitor_op_detach(struct vcpu *v, struct hypercall_args *a)
{
    struct monitor *m;
    int rc = decode_target(v, a, &m);

    return rc != 0 ? rc : monitor_detach(m);
}

long monitor_op_resume(struct vcpu *v, struct hypercall_args *a)
{
    struct monitor *m;
    int rc = decode_target(v, a, &m);

    if (rc == 0) {
        monitor_resume(m);
    }
    return rc;
}

/* The one call that a listener makes for each event: arguments in registers,
 * and who is attached has been permitted to be. */
long monitor_op_wait(struct vcpu *v, struct hypercall_args *a)
{
    uint64_t deadline = a->arg[2];
    struct monitor *m;
    evtchn_port_t port;
    struct domain *d;
    int rc;

    if (a->is_32bit) {
        deadline = (uint32_t)deadline | a->arg[3] << 32;
    }
    d = domain_lookup((domid_t)a->arg[1]);
    m = d ? monitor_of(d) : NULL;
    port = m ? monitor_port_of(m, v->domain) : 0;
    if (unlikely(port == 0)) {
        rc = target_find(v, a, (domid_t)a->arg[1], &d);
        return rc != 0 ? rc : -RV_ENOENT;
    }
    monitor_resume(m);
    return evtchn_poll(v, &port, 1, deadline);
}

/* ---- Settings ---------------------------------------------------------- */

long monitor_op_listen(struct vcpu *v, struct hypercall_args *a)
{
    struct ravelin_monitor_listen req;
    struct monitor *m;
    struct domain *d;
    int rc;

    rc = watched_arg(v, a, &req, sizeof(req), &d, &m);
    return rc != 0 ? rc : monitor_listen(m, req.reason, req.mode);
}

long monitor_op_filter(struct vcpu *v, struct hypercall_args *a)
{
    struct ravelin_range ranges[RAVELIN_FILTER_MAX];
    struct ravelin_monitor_filter req;
    struct monitor *m;
    struct domain *d;
    int rc;

    rc = watched_arg(v, a, &req, sizeof(req), &d, &m);
    if (rc != 0) {
        return rc;
    }
    if (req.count > RAVELIN_FILTER_MAX) {
        return -RV_E2BIG;
    }
    if (guest_copy_in(v, ranges, guest_ref(req.ranges.gva),
                      req.count * sizeof(ranges[0])) != 0) {
        return -RV_EFAULT;
    }
    return monitor_filter_set(m, req.kind, ranges, req.count);
}

long monitor_op_status(struct vcpu *v, struct hypercall_args *a)
{
    struct ravelin_monitor_status req;
    struct monitor *m;
    struct domain *d;
    int rc;

    rc = watched_arg(v, a, &req, sizeof(req), &d, &m);
    if (rc != 0) {
        return rc;
    }
    monitor_status_get(m, &req);
    return arg_copy_out(v, a, 1, &req, sizeof(req));
}

/* ---- Registers --------------------------------------------------------- */

/*
 * The vCPU, paused once more: its state is in memory and stays there until the
 * caller is done. Only one that stands still already, or the guest could be
 * stopped at any point by asking.
 */
static int still_vcpu(struct vcpu *v, const struct hypercall_args *a,
                      const struct ravelin_monitor_registers *req,
                      struct vcpu **out)
{
    struct monitor *m;
    struct domain *d;
    int rc = watched(v, a, req->domid, &d, &m);

    if (rc != 0) {
        return rc;
    }
    *out = vcpu_find(d, req->vcpu);
    if (*out == NULL) {
        return -RV_ENOENT;
    }
    if ((read_once((*out)->flags) &
         (VCPU_WATCHED | VCPU_PAUSED | VCPU_DOWN | VCPU_DEAD)) == 0) {
        return -RV_EBUSY;
    }
    vcpu_pause_sync(*out);
    if (!vcpu_is_settled(*out)) {
        vcpu_unpause(*out);
        return -RV_ERESTART;
    }
    return 0;
}

long monitor_op_registers_get(struct vcpu *v, struct hypercall_args *a)
{
    struct ravelin_monitor_registers req;
    struct vcpu *target;
    int rc;

    if (arg_copy_in(v, a, 1, &req,
                    offsetof(struct ravelin_monitor_registers, regs)) != 0) {
        return -RV_EFAULT;
    }
    rc = still_vcpu(v, a, &req, &target);
    if (rc != 0) {
        return rc;
    }
    monitor_registers_read(target, &req.regs);
    vcpu_unpause(target);
    return arg_copy_out(v, a, 1, &req, sizeof(req));
}

long monitor_op_registers_set(struct vcpu *v, struct hypercall_args *a)
{
    struct ravelin_monitor_registers req;
    struct vcpu *target;
    int rc;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    rc = still_vcpu(v, a, &req, &target);
    if (rc == 0) {
        rc = monitor_registers_write(target, &req.regs);
        vcpu_unpause(target);
    }
    return rc;
}

/* ---- Memory ------------------------------------------------------------ */

static int memory_decode(struct vcpu *v, const struct hypercall_args *a,
                         struct ravelin_monitor_memory *req, struct domain **d)
{
    int rc;

    if (arg_copy_in(v, a, 1, req, sizeof(*req)) != 0) {
        return -RV_EFAULT;
    }
    rc = target_find(v, a, req->domid, d);
    if (rc != 0) {
        return rc;
    }
    return req->pad != 0 || req->length > RAVELIN_MONITOR_MEMORY_MAX ||
                   req->gpa + req->length < req->gpa
               ? -RV_EINVAL
               : 0;
}

long monitor_op_memory_read(struct vcpu *v, struct hypercall_args *a)
{
    struct ravelin_monitor_memory req;
    uint8_t piece[MEMORY_PIECE];
    struct domain *d;
    int rc = memory_decode(v, a, &req, &d);

    for (uint32_t done = 0; rc == 0 && done < req.length;) {
        uint32_t n = rv_min(MEMORY_PIECE, req.length - done);

        rc = guest_phys_read(d, piece, gpa(req.gpa + done), n);
        if (rc == 0) {
            rc = guest_copy_out(
                v, guest_ref_add(guest_ref(req.buffer.gva), done), piece, n);
        }
        done += n;
    }
    return rc;
}

long monitor_op_memory_write(struct vcpu *v, struct hypercall_args *a)
{
    struct ravelin_monitor_memory req;
    uint8_t piece[MEMORY_PIECE];
    struct domain *d;
    int rc = memory_decode(v, a, &req, &d);

    for (uint32_t done = 0; rc == 0 && done < req.length;) {
        uint32_t n = rv_min(MEMORY_PIECE, req.length - done);

        rc = guest_copy_in(v, piece,
                           guest_ref_add(guest_ref(req.buffer.gva), done), n);
        if (rc == 0) {
            rc = guest_phys_write(d, gpa(req.gpa + done), piece, n);
        }
        done += n;
    }
    return rc;
}
