/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl: decode. One read of the structure, version, padding, operation,
 * permission, target, in this order; then the operation, then one write if it
 * has something to tell.
 *
 * Threat surface: a control domain's kernel, which must not be able to do more
 * than the operations say.
 */
#include "domctl.h"

struct domctl_op {
    domctl_fn fn;
    uint8_t perm; /* enum hypercall_perm */
    uint8_t target;
};

/* Which domains an operation takes. */
enum domctl_target {
    TARGET_OTHER,   /* any but the caller and dying ones */
    TARGET_ANY,     /* the caller as well */
    TARGET_DYING,   /* any but the caller, dying ones as well */
    TARGET_NONE,    /* makes its own */
    TARGET_WATCHED, /* any that the caller may watch */
};

/* The debugger's operations count from 1000; slot 90 and up are theirs. */
#define DEBUG_OP_FIRST 1000u
#define DEBUG_SLOT_FIRST 90u
#define OP_SLOT(number)                   \
    ((number) < DEBUG_OP_FIRST ? (number) \
                               : (number)-DEBUG_OP_FIRST + DEBUG_SLOT_FIRST)

static const struct domctl_op ops[] = {
#define SUBOP_domctl(name, number, perm, ...) \
    [OP_SLOT(number)] = {domctl_##name, perm, TARGET_OTHER},
#include "table.def"
};

static enum domctl_target target_of(const struct xen_domctl *ctl)
{
    switch (ctl->cmd) {
    case XEN_DOMCTL_createdomain:
        return TARGET_NONE;
    case XEN_DOMCTL_destroydomain:
        return TARGET_DYING;
    case XEN_DOMCTL_getdomaininfo:
    case XEN_DOMCTL_getvcpuinfo:
    case XEN_DOMCTL_getvcpuaffinity:
    case XEN_DOMCTL_get_address_size:
    case XEN_DOMCTL_setdomainhandle:
        return TARGET_ANY;
    case XEN_DOMCTL_mem_event_op:
        return ctl->u.mem_event_op.op == XEN_VM_EVENT_GET_VERSION
                   ? TARGET_NONE
                   : TARGET_WATCHED;
    case XEN_DOMCTL_monitor_op:
        return TARGET_WATCHED;
    default:
        return TARGET_OTHER;
    }
}

static int decode_target(struct vcpu *v, const struct hypercall_args *a,
                         const struct xen_domctl *ctl, struct domain **out)
{
    enum domctl_target kind = target_of(ctl);
    struct domain *d;

    *out = NULL;
    if (kind == TARGET_NONE) {
        return 0;
    }
    if (kind == TARGET_WATCHED) {
        return target_find(v, a, ctl->domain, out);
    }
    d = ctl->domain == DOMID_SELF ? v->domain : domain_lookup(ctl->domain);
    if (d == NULL || (domain_is_dying(d) && kind != TARGET_DYING)) {
        return -RV_ESRCH;
    }
    if (d == v->domain && kind != TARGET_ANY) {
        return -RV_EINVAL;
    }
    *out = d;
    return 0;
}

static int decode_domctl(struct vcpu *v, struct hypercall_args *a,
                         struct xen_domctl *ctl, domctl_fn *fn)
{
    uint32_t slot;

    if (arg_copy_in(v, a, 0, ctl, sizeof(*ctl)) != 0) {
        return -RV_EFAULT;
    }
    if (ctl->interface_version != XEN_DOMCTL_INTERFACE_VERSION) {
        return -RV_EACCES;
    }
    slot = OP_SLOT(ctl->cmd);
    if ((ctl->cmd >= DEBUG_SLOT_FIRST && ctl->cmd < DEBUG_OP_FIRST) ||
        slot >= ARRAY_SIZE(ops) || ops[slot].fn == NULL) {
        return -RV_ENOSYS;
    }
    if ((ctl->_pad[0] | ctl->_pad[1] | ctl->_pad[2]) != 0) {
        return -RV_EINVAL;
    }
    a->perm = ops[slot].perm;
    *fn = ops[slot].fn;
    if (a->perm != PERM_MONITOR && !is_control_domain(v->domain)) {
        return -RV_EPERM;
    }
    return 0;
}

long domctl_call(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_domctl ctl;
    struct domain *d;
    domctl_fn fn;
    int rc;

    if ((v->domain->roles & (ROLE_CONTROL | ROLE_MONITOR)) == 0) {
        return -RV_EPERM;
    }
    rc = decode_domctl(v, a, &ctl, &fn);
    if (rc == 0) {
        rc = decode_target(v, a, &ctl, &d);
    }
    /* These can be answered only once. */
    if (rc == 0 && (ctl.cmd == XEN_DOMCTL_createdomain ||
                    ctl.cmd == XEN_DOMCTL_mem_event_op ||
                    ctl.cmd == XEN_DOMCTL_gdbsx_domstatus)) {
        rc = guest_copy_probe(v, guest_ref(a->arg[0]), sizeof(ctl));
    }
    if (rc != 0) {
        return rc;
    }
    rc = fn(v, d, &ctl);
    if (rc != CTL_REPLY) {
        return rc;
    }
    rc = arg_copy_out(v, a, 0, &ctl, sizeof(ctl));
    if (rc != 0 && ctl.cmd == XEN_DOMCTL_createdomain) {
        /* Its maker does not know its number: it must not stay behind. */
        d = domain_lookup(ctl.domain);
        if (d != NULL) {
            domain_reap(d);
        }
    }
    return rc;
}
