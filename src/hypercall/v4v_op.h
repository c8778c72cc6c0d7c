/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files behind hypercall 39 share.
 */
#pragma once

#include "ravelin/hypercall.h"
#include "ravelin/v4v.h"

/* The operation, and above it the progress of a call that is continued. */
#define V4V_OP_MASK 0xffu
#define V4V_PROGRESS_SHIFT 8u

/** Are arguments 2 to 4 zero, from the one after `last` on? They are 32-bit
 * values but for pointers. */
static inline bool args_after_are_zero(const struct hypercall_args *a,
                                       unsigned last)
{
    return (last >= 2 || a->arg[2] == 0) &&
           (last >= 3 || (uint32_t)a->arg[3] == 0) && (uint32_t)a->arg[4] == 0;
}

/** Registers `r`, or goes on with the registration under way if it is NULL. */
long ring_register(struct vcpu *v, struct hypercall_args *a,
                   const struct v4v_register *r);

/** Sends `m`, or goes on with the send under way if it is NULL. */
long message_send(struct vcpu *v, struct hypercall_args *a,
                  const struct v4v_message *m);
