/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * set_timer_op: the one-shot timer of the calling vCPU, with the time in
 * registers.
 */
#include "handlers.h"
#include "ravelin/time_info.h"

long set_timer_op_arm(struct vcpu *v, struct hypercall_args *a)
{
    uint64_t deadline = a->arg[0];

    if (a->is_32bit) {
        deadline |= a->arg[1] << 32;
    }
    if (deadline == 0) {
        vcpu_singleshot_stop(v);
    } else {
        vcpu_singleshot_set(v, deadline);
    }
    return 0;
}
