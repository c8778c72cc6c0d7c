/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_channel_op: requests are snapshots, the engine of core/evtchn.c does
 * the work under its lock.
 *
 * Threat surface: port numbers, domain ids, vCPU numbers; all are looked up,
 * none is used as an index here. When a result cannot be written back, the port
 * that was made is closed again.
 */
#include "public/event_channel.h"

#include "handlers.h"
#include "ravelin/evtchn.h"
#include "ravelin/monitor_control.h"
#include "ravelin/string.h"

/* Finishes a call that made `port`: its structure goes back, or the port is
 * closed again, unless somebody guessed its number and was faster. */
static long port_out(struct vcpu *v, struct hypercall_args *a,
                     struct domain *owner, evtchn_port_t port,
                     const void *result, size_t size)
{
    int rc = arg_copy_out(v, a, 1, result, size);

    if (rc != 0 && evtchn_close(owner, port) != 0) {
        return rc;
    }
    return rc;
}

long event_channel_op_bind_interdomain(struct vcpu *v, struct hypercall_args *a)
{
    struct evtchn_bind_interdomain req;
    struct domain *remote;
    int rc;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    remote = req.remote_dom == DOMID_SELF ? v->domain
                                          : domain_lookup(req.remote_dom);
    if (remote == NULL) {
        return -RV_ESRCH;
    }
    if (req.remote_port == MONITOR_REMOTE_PORT) {
        rc = monitor_of(remote) ? monitor_port_bind(monitor_of(remote),
                                                    v->domain, &req.local_port)
                                : -RV_EINVAL;
    } else {
        rc = evtchn_bind_interdomain(v->domain, remote, req.remote_port,
                                     &req.local_port);
    }
    return rc != 0
               ? rc
               : port_out(v, a, v->domain, req.local_port, &req, sizeof(req));
}

long event_channel_op_bind_virq(struct vcpu *v, struct hypercall_args *a)
{
    struct evtchn_bind_virq req;
    int rc;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    rc = evtchn_bind_virq(v->domain, req.virq, req.vcpu, &req.port);
    return rc != 0 ? rc
                   : port_out(v, a, v->domain, req.port, &req, sizeof(req));
}

long event_channel_op_bind_ipi(struct vcpu *v, struct hypercall_args *a)
{
    struct evtchn_bind_ipi req;
    int rc;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    rc = evtchn_bind_ipi(v->domain, req.vcpu, &req.port);
    return rc != 0 ? rc
                   : port_out(v, a, v->domain, req.port, &req, sizeof(req));
}

long event_channel_op_alloc_unbound(struct vcpu *v, struct hypercall_args *a)
{
    struct evtchn_alloc_unbound req;
    struct domain *d;
    domid_t remote;
    int rc;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    rc = target_find(v, a, req.dom, &d);
    if (rc != 0) {
        return rc;
    }
    remote = req.remote_dom == DOMID_SELF ? v->domain->id : req.remote_dom;
    if (remote >= DOMID_FIRST_RESERVED) {
        return -RV_EINVAL;
    }
    rc = evtchn_alloc_unbound(d, remote, &req.port);
    return rc != 0 ? rc : port_out(v, a, d, req.port, &req, sizeof(req));
}

long event_channel_op_close(struct vcpu *v, struct hypercall_args *a)
{
    struct evtchn_close req;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    return evtchn_close(v->domain, req.port);
}

long event_channel_op_send(struct vcpu *v, struct hypercall_args *a)
{
    struct evtchn_send req;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    return evtchn_send(v->domain, req.port);
}

long event_channel_op_status(struct vcpu *v, struct hypercall_args *a)
{
    struct evtchn_status req;
    struct evtchn_status out;
    struct domain *d;
    int rc;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    rc = target_find(v, a, req.dom, &d);
    if (rc != 0) {
        return rc;
    }
    memset(&out, 0, sizeof(out));
    out.dom = req.dom;
    out.port = req.port;
    rc = evtchn_status_get(d, req.port, &out);
    return rc != 0 ? rc : arg_copy_out(v, a, 1, &out, sizeof(out));
}

long event_channel_op_bind_vcpu(struct vcpu *v, struct hypercall_args *a)
{
    struct evtchn_bind_vcpu req;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    return evtchn_bind_vcpu(v->domain, req.port, req.vcpu);
}

long event_channel_op_unmask(struct vcpu *v, struct hypercall_args *a)
{
    struct evtchn_unmask req;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    return evtchn_unmask(v->domain, req.port);
}

long event_channel_op_reset(struct vcpu *v, struct hypercall_args *a)
{
    struct evtchn_reset req;
    struct domain *d;
    int rc;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    rc = target_find(v, a, req.dom, &d);
    return rc != 0 ? rc : evtchn_reset(d);
}
