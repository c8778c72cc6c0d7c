/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hvm_op: a trap for a vCPU of another domain, delivered when it next runs.
 *
 * Threat surface: vCPU, vector and error code come from a monitor.
 */
#include "public/hvm/hvm_op.h"

#include "handlers.h"
#include "ravelin/inject_trap.h"

static int decode_trap(const struct xen_hvm_inject_trap *req,
                       struct trap_request *out)
{
    if (req->trap > UINT8_MAX) {
        return -RV_EINVAL;
    }
    *out = (struct trap_request){
        .vector = (uint8_t)req->trap,
        .has_error = req->error_code != HVMOP_TRAP_no_error,
        .cr2 = req->cr2,
    };
    out->error = out->has_error ? req->error_code : 0;
    return 0;
}

long hvm_op_inject_trap(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_hvm_inject_trap req;
    struct trap_request trap;
    struct domain *d;
    struct vcpu *target;
    int rc;

    rc = target_arg(v, a, &req, sizeof(req), &d);
    if (rc != 0) {
        return rc;
    }
    target = vcpu_find(d, req.vcpuid);
    if (target == NULL) {
        return -RV_ENOENT;
    }
    rc = decode_trap(&req, &trap);
    return rc != 0 ? rc : trap_inject(target, &trap);
}
