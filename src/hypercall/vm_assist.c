/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_assist: the one switch that means something to translated guests.
 */
#include "handlers.h"
#include "ravelin/atomic.h"

static long assist_set(struct domain *d, const struct hypercall_args *a,
                       bool on)
{
    if ((uint32_t)a->arg[1] != VMASST_TYPE_runstate_update_flag) {
        return -RV_EINVAL;
    }
    write_once(d->runstate_update_flag, on);
    return 0;
}

long vm_assist_enable(struct vcpu *v, struct hypercall_args *a)
{
    return assist_set(v->domain, a, true);
}

long vm_assist_disable(struct vcpu *v, struct hypercall_args *a)
{
    return assist_set(v->domain, a, false);
}
