/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_op: a vCPU gives up its processor, waits for events, or ends its
 * domain. Nothing waits inside: state is set, and the CPU loop acts on it.
 *
 * Threat surface: the port list of poll, which is a bounded snapshot; the
 * reason of a shutdown; a watchdog's id and seconds.
 */
#include "public/sched.h"

#include "handlers.h"
#include "ravelin/evtchn.h"
#include "ravelin/sched.h"

long sched_op_yield(struct vcpu *v, struct hypercall_args *a rv_unused)
{
    vcpu_yield(v);
    return 0;
}

long sched_op_block(struct vcpu *v, struct hypercall_args *a rv_unused)
{
    vcpu_block_events(v);
    return 0;
}

static int decode_reason(struct vcpu *v, const struct hypercall_args *a,
                         enum shutdown_code *code)
{
    struct sched_shutdown req;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    *code = (enum shutdown_code)req.reason;
    return req.reason > SHUTDOWN_MAX ? -RV_EINVAL : 0;
}

long sched_op_shutdown(struct vcpu *v, struct hypercall_args *a)
{
    enum shutdown_code code;
    int rc = decode_reason(v, a, &code);

    if (rc == 0) {
        domain_shutdown(v->domain, code);
    }
    return rc;
}

long sched_op_shutdown_code(struct vcpu *v, struct hypercall_args *a)
{
    enum shutdown_code code;
    int rc = decode_reason(v, a, &code);

    if (rc == 0) {
        domain_shutdown_code_set(v->domain, code);
    }
    return rc;
}

long sched_op_watchdog(struct vcpu *v, struct hypercall_args *a)
{
    struct sched_watchdog req;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    return domain_watchdog_set(v->domain, req.id, req.timeout);
}

struct poll_request {
    struct guest_ref ports;
    uint32_t count;
    uint64_t timeout; /* system time; 0: none */
};

static int decode_poll(struct vcpu *v, const struct hypercall_args *a,
                       struct poll_request *req)
{
    if (a->is_32bit) {
        struct compat_sched_poll p;

        if (arg_copy_in(v, a, 1, &p, sizeof(p)) != 0) {
            return -RV_EFAULT;
        }
        *req = (struct poll_request){guest_ref(p.ports.gva), p.nr_ports,
                                     p.timeout};
    } else {
        struct sched_poll p;

        if (arg_copy_in(v, a, 1, &p, sizeof(p)) != 0) {
            return -RV_EFAULT;
        }
        *req = (struct poll_request){guest_ref(p.ports.gva), p.nr_ports,
                                     p.timeout};
    }
    return req->count > EVTCHN_POLL_MAX ? -RV_EINVAL : 0;
}

long sched_op_poll(struct vcpu *v, struct hypercall_args *a)
{
    evtchn_port_t port[EVTCHN_POLL_MAX];
    struct poll_request req;
    int rc = decode_poll(v, a, &req);

    if (rc != 0) {
        return rc;
    }
    if (guest_copy_in(v, port, req.ports, req.count * sizeof(port[0])) != 0) {
        return -RV_EFAULT;
    }
    return evtchn_poll(v, port, req.count, req.timeout);
}

long sched_op_remote_shutdown(struct vcpu *v, struct hypercall_args *a)
{
    struct sched_remote_shutdown req;
    struct domain *d;
    int rc;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    rc = target_find(v, a, req.domain_id, &d);
    if (rc != 0) {
        return rc;
    }
    if (req.reason > SHUTDOWN_MAX) {
        return -RV_EINVAL;
    }
    domain_shutdown(d, (enum shutdown_code)req.reason);
    return 0;
}

long sched_op_pin_override(struct vcpu *v rv_unused,
                           struct hypercall_args *a rv_unused)
{
    return -RV_EOPNOTSUPP;
}
