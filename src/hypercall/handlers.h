/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this directory share: the handlers' prototypes from the
 * table, argument access, and the one function that turns a domain id from a
 * guest into a domain the caller may act on.
 */
#pragma once

#include "public/xen.h"
#include "ravelin/errno.h"
#include "ravelin/guest_copy.h"
#include "ravelin/hypercall.h"

#define HANDLER(call, name) \
    long call##_##name(struct vcpu *v, struct hypercall_args *a);
#define SUBOP_memory_op(name, ...) HANDLER(memory_op, name)
#define SUBOP_set_timer_op(name, ...) HANDLER(set_timer_op, name)
#define SUBOP_xen_version(name, ...) HANDLER(xen_version, name)
#define SUBOP_console_io(name, ...) HANDLER(console_io, name)
#define SUBOP_vm_assist(name, ...) HANDLER(vm_assist, name)
#define SUBOP_vcpu_op(name, ...) HANDLER(vcpu_op, name)
#define SUBOP_sched_op(name, ...) HANDLER(sched_op, name)
#define SUBOP_event_channel_op(name, ...) HANDLER(event_channel_op, name)
#define SUBOP_hvm_op(name, ...) HANDLER(hvm_op, name)
#define SUBOP_v4v_op(name, ...) HANDLER(v4v_op, name)
#define SUBOP_monitor_op(name, ...) HANDLER(monitor_op, name)
#include "table.def"

/* The control calls read their structure and find their operation there; see
 * domctl.h and sysctl.c. */
HANDLER(domctl, call)
HANDLER(sysctl, call)
#undef HANDLER

/** Copies the structure that argument `i` (0-based) points to. 0; -EFAULT. */
static inline int rv_must_check arg_copy_in(struct vcpu *v,
                                            const struct hypercall_args *a,
                                            unsigned i, void *dst, size_t n)
{
    return guest_copy_in(v, dst, guest_ref(a->arg[i]), n);
}

/** Copies a result to where argument `i` points. 0; -EFAULT. */
static inline int rv_must_check arg_copy_out(struct vcpu *v,
                                             const struct hypercall_args *a,
                                             unsigned i, const void *src,
                                             size_t n)
{
    return guest_copy_out(v, guest_ref(a->arg[i]), src, n);
}

/**
 * The domain that `id` names, if the caller may act on it under the
 * permission of the operation served. Valid until the next quiescent point.
 *
 * @return 0 with *out; -EPERM not allowed, whether it exists or not; -ESRCH no
 *         such domain, or it is dying.
 */
int rv_must_check target_find(struct vcpu *v, const struct hypercall_args *a,
                              domid_t id, struct domain **out);
/**
 * Copies the `n` bytes that argument 1 points to, which begin with the target's
 * domain id, and finds the target.
 *
 * @return -EFAULT; else as target_find().
 */
int rv_must_check target_arg(struct vcpu *v, const struct hypercall_args *a,
                             void *req, size_t n, struct domain **out);

/** Is the page at `g` withheld from the calling domain, because it is its own
 * and a monitor has restricted it? Giving it back or moving it would undo
 * that. */
bool page_is_held(const struct domain *d, gfn_t g);

/** Before `d` gets frames or tables: if too many that it has given back are not
 * free yet, the call takes another turn. 0; -ERESTART. */
int rv_must_check memory_turn_take(struct vcpu *v, const struct domain *d);

/** The vCPU `id` of `d`; NULL if there is none. */
static inline struct vcpu *vcpu_find(const struct domain *d, uint64_t id)
{
    return id < d->vcpu_count ? d->vcpu[id] : NULL;
}
