/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Argo forms of hypercall 39's operations, for v4v_op.c.
 */
#pragma once

#include "ravelin/hypercall.h"
#include "ravelin/v4v.h"

long argo_register(struct vcpu *v, struct hypercall_args *a);
long argo_unregister(struct vcpu *v, struct hypercall_args *a);
long argo_sendv(struct vcpu *v, struct hypercall_args *a);
/** XEN_ARGO_RING_ flags of an answer to a request for `need` bytes. */
uint16_t argo_flags(const struct v4v_space *s, uint32_t need);
