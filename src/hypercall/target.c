/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may act on whom. Every operation that names a domain comes through here,
 * before anything else of its argument is looked at, and the answer for a
 * domain one may not touch is the same whether it exists or not.
 */
#include "handlers.h"

int target_find(struct vcpu *v, const struct hypercall_args *a, domid_t id,
                struct domain **out)
{
    struct domain *self = v->domain;
    struct domain *d;

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
