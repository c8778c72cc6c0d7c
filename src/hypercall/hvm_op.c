/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hvm_op beside the parameters (hvm_param.c): small services to HVM domains.
 *
 * Threat surface: vector and vCPU numbers, frame numbers.
 */
#include "public/hvm/hvm_op.h"

#include "handlers.h"
#include "ravelin/evtchn.h"
#include "ravelin/monitor.h"
#include "ravelin/time_info.h"

/* Below are the processor's own exceptions. */
#define VECTOR_MIN 16u

/* Pretends that something was removed: every vCPU flushes before it runs guest
 * code again, and unlock returns when none runs with old translations. */
long hvm_op_flush_tlbs(struct vcpu *v, struct hypercall_args *a)
{
    struct p2m_locked p2m;

    if (a->arg[1] != 0) {
        return -RV_EINVAL;
    }
    p2m = p2m_lock(&v->domain->p2m);
    p2m.p2m->dirty = true;
    p2m_unlock(&p2m);
    return 0;
}

long hvm_op_pagetable_dying(struct vcpu *v rv_unused,
                            struct hypercall_args *a rv_unused)
{
    return -RV_EINVAL;
}

long hvm_op_get_time(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_hvm_get_time out = {.now = domain_time_ns(v->domain)};

    return arg_copy_out(v, a, 1, &out, sizeof(out));
}

static uint16_t mem_type(enum p2m_type type)
{
    switch (type) {
    case P2M_RAM:
    case P2M_FOREIGN:
    case P2M_SHARED:
        return HVMMEM_ram_rw;
    case P2M_RAM_RO:
        return HVMMEM_ram_ro;
    default:
        return HVMMEM_mmio_dm;
    }
}

long hvm_op_get_mem_type(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_hvm_get_mem_type req;
    struct domain *d;
    int rc;

    rc = target_arg(v, a, &req, sizeof(req), &d);
    if (rc != 0) {
        return rc;
    }
    if (req.pfn >= d->p2m.gfn_limit) {
        return -RV_EINVAL;
    }
    req.mem_type = mem_type(p2m_lookup(&d->p2m, gfn(req.pfn)).type);
    return arg_copy_out(v, a, 1, &req, sizeof(req));
}

long hvm_op_set_evtchn_upcall_vector(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_hvm_evtchn_upcall_vector req;
    struct vcpu *target;

    if (arg_copy_in(v, a, 1, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    if (req.vector < VECTOR_MIN) {
        return -RV_EINVAL;
    }
    target = vcpu_find(v->domain, req.vcpu);
    if (target == NULL) {
        return -RV_ENOENT;
    }
    evtchn_upcall_vector_set(target, req.vector);
    return 0;
}

long hvm_op_guest_request_vm_event(struct vcpu *v, struct hypercall_args *a)
{
    if (a->arg[1] != 0) {
        return -RV_EINVAL;
    }
    monitor_guest_request(v);
    return 0;
}
