/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may act on whom. Every operation that names a domain comes through here,
 * before anything else of its argument is looked at, and the answer for a
 * domain one may not touch is the same whether it exists or not.
 */
#include "handlers.h"
#include "ravelin/cpu.h"
#include "ravelin/monitor.h"
#include "ravelin/string.h"

static int watched_find(const struct domain *self, domid_t id,
                        struct domain **out)
{
    struct domain *d = id == DOMID_SELF ? NULL : domain_lookup(id);

    if (d == NULL) {
        return is_control_domain(self) && id != DOMID_SELF ? -RV_ESRCH
                                                           : -RV_EPERM;
    }
    if (!monitor_permits(self, d)) {
        return -RV_EPERM;
    }
    *out = d;
    return domain_is_dying(d) ? -RV_ESRCH : 0;
}

int target_find(struct vcpu *v, const struct hypercall_args *a, domid_t id,
                struct domain **out)
{
    struct domain *self = v->domain;
    struct domain *d;

    if (a->perm == PERM_MONITOR) {
        return watched_find(self, id, out);
    }
    if (id == DOMID_SELF || id == self->id) {
        *out = self;
        return 0;
    }
    if (a->perm == PERM_ANY || !is_control_domain(self)) {
        return -RV_EPERM;
    }
    d = domain_lookup(id);
    if (d == NULL || domain_is_dying(d)) {
        return -RV_ESRCH;
    }
    *out = d;
    return 0;
}

bool page_is_held(const struct domain *d, gfn_t g)
{
    const struct vcpu *caller = this_cpu()->current;

    return caller != NULL && caller->domain == d &&
           p2m_access_is_held(&d->p2m, g);
}

int target_arg(struct vcpu *v, const struct hypercall_args *a, void *req,
               size_t n, struct domain **out)
{
    uint16_t id;

    if (arg_copy_in(v, a, 1, req, n) != 0) {
        return -RV_EFAULT;
    }
    memcpy(&id, req, sizeof(id));
    return target_find(v, a, id, out);
}
