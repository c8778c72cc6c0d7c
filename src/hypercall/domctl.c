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
    TARGET_OTHER, /* any but the caller and dying ones */
    TARGET_ANY,   /* the caller as well */
    TARGET_DYING, /* any but the caller, dying ones as well */
    TARGET_NONE,  /* makes its own */
};

static const struct domctl_op ops[] = {
#define SUBOP_domctl(name, number, perm, ...) \
    [number] = {domctl_##name, perm, TARGET_OTHER},
#include "table.def"
};

static enum domctl_target target_of(uint32_t cmd)
{
    switch (cmd) {
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
    default:
        return TARGET_OTHER;
    }
}

static int decode_target(struct vcpu *v, const struct xen_domctl *ctl,
                         struct domain **out)
{
    enum domctl_target kind = target_of(ctl->cmd);
    struct domain *d;

    *out = NULL;
    if (kind == TARGET_NONE) {
        return 0;
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
    if (arg_copy_in(v, a, 0, ctl, sizeof(*ctl)) != 0) {
        return -RV_EFAULT;
    }
    if (ctl->interface_version != XEN_DOMCTL_INTERFACE_VERSION) {
        return -RV_EACCES;
    }
    if (ctl->cmd >= ARRAY_SIZE(ops) || ops[ctl->cmd].fn == NULL) {
        return -RV_ENOSYS;
    }
    if ((ctl->_pad[0] | ctl->_pad[1] | ctl->_pad[2]) != 0) {
        return -RV_EINVAL;
    }
    a->perm = ops[ctl->cmd].perm;
    *fn = ops[ctl->cmd].fn;
    return 0;
}

long domctl_call(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_domctl ctl;
    struct domain *d;
    domctl_fn fn;
    int rc = decode_domctl(v, a, &ctl, &fn);

    if (rc == 0) {
        rc = decode_target(v, &ctl, &d);
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
