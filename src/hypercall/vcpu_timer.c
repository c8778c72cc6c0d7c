/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vcpu_op, timers: one periodic and one one-shot timer per vCPU, both raising
 * VIRQ_TIMER. Times are system time in nanoseconds.
 */
#include "public/vcpu.h"

#include "handlers.h"
#include "ravelin/time_info.h"

#define PERIOD_MAX_NS (1ULL << 62)

long vcpu_op_set_periodic_timer(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);
    struct vcpu_set_periodic_timer req;

    if (target == NULL) {
        return -RV_ENOENT;
    }
    if (arg_copy_in(v, a, 2, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    if (req.period_ns < VCPU_PERIOD_MIN_NS || req.period_ns > PERIOD_MAX_NS) {
        return -RV_EINVAL;
    }
    return vcpu_periodic_set(target, req.period_ns);
}

long vcpu_op_stop_periodic_timer(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);

    if (target == NULL) {
        return -RV_ENOENT;
    }
    return vcpu_periodic_set(target, 0);
}

static int decode_singleshot(struct vcpu *v, const struct hypercall_args *a,
                             struct vcpu_set_singleshot_timer *req)
{
    struct compat_vcpu_set_singleshot_timer small;

    if (!a->is_32bit) {
        return arg_copy_in(v, a, 2, req, sizeof(*req));
    }
    if (arg_copy_in(v, a, 2, &small, sizeof(small)) != 0) {
        return -RV_EFAULT;
    }
    req->timeout_abs_ns = small.timeout_abs_ns;
    req->flags = small.flags;
    return 0;
}

long vcpu_op_set_singleshot_timer(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);
    struct vcpu_set_singleshot_timer req;

    if (target == NULL) {
        return -RV_ENOENT;
    }
    if (target != v) {
        return -RV_EINVAL;
    }
    if (decode_singleshot(v, a, &req) != 0) {
        return -RV_EFAULT;
    }
    if ((req.flags & VCPU_SSHOTTMR_future) != 0 &&
        req.timeout_abs_ns < domain_time_ns(v->domain)) {
        return -RV_ETIME;
    }
    vcpu_singleshot_set(v, req.timeout_abs_ns);
    return 0;
}

long vcpu_op_stop_singleshot_timer(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);

    if (target == NULL) {
        return -RV_ENOENT;
    }
    if (target != v) {
        return -RV_EINVAL;
    }
    vcpu_singleshot_stop(v);
    return 0;
}
