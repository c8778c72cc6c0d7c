/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-level event channels of the Xen ABI: ports of a domain, bound to another
 * domain's port, a virtual interrupt, an IPI or a hypervisor service, with
 * pending and mask bits in the guest's shared_info page. Sending takes no
 * lock; binding and closing take the event locks of the domains involved.
 *
 * Threat surface: port numbers and partner ids from guests, and the shared
 * bitmaps, which a guest may change at any time (they can hurt only itself).
 */
#pragma once

#include "public/event_channel.h"
#include "ravelin/domain.h"

typedef uint32_t evtchn_port_t;

/* What a hypervisor service does when the guest sends on its port. `v` is the
 * sender, current on this CPU; no lock is held. */
typedef void (*evtchn_service_fn)(struct vcpu *v, evtchn_port_t port);

int rv_must_check evtchn_domain_init(struct domain *d);
/** Closes every port, partners' ends become unbound; no port can be allocated
 * afterwards. 0; -ERESTART after a bounded number: call again. */
int rv_must_check evtchn_domain_destroy(struct domain *d);
/** Frees the tables; no CPU can still be using them. */
void evtchn_domain_free(struct domain *d);

/* The guest's operations. All: -EINVAL for a port that is out of range or not
 * in use and while the domain dies; on error nothing has changed. */

/** A port that `remote` may bind to; `remote` need not exist.
 * 0; -ENOSPC no port left; -ENOMEM. */
int rv_must_check evtchn_alloc_unbound(struct domain *d, domid_t remote,
                                       evtchn_port_t *port);
/** Binds a new port of `d` to the port `rport` that `remote` offered to it. The
 * new port is raised once, as something may have been sent before.
 * 0; -EINVAL not offered to `d`; -ENOSPC; -ENOMEM. */
int rv_must_check evtchn_bind_interdomain(struct domain *d,
                                          struct domain *remote,
                                          evtchn_port_t rport,
                                          evtchn_port_t *port);
/** 0; -EINVAL no such virq, or a global one not on vCPU 0; -ENOENT no such
 * vCPU; -EEXIST bound already; -ENOSPC; -ENOMEM. */
int rv_must_check evtchn_bind_virq(struct domain *d, uint32_t virq,
                                   uint32_t vcpu, evtchn_port_t *port);
/** 0; -ENOENT no such vCPU; -ENOSPC; -ENOMEM. */
int rv_must_check evtchn_bind_ipi(struct domain *d, uint32_t vcpu,
                                  evtchn_port_t *port);
/** Changes the vCPU notified. 0; -ENOENT no such vCPU; -EINVAL also for IPIs
 * and per-vCPU virqs. */
int rv_must_check evtchn_bind_vcpu(struct domain *d, evtchn_port_t port,
                                   uint32_t vcpu);
/** 0; the partner's end becomes unbound, waiting for `d` again. */
int rv_must_check evtchn_close(struct domain *d, evtchn_port_t port);
/** Closes all ports but those of hypervisor services. 0; -ERESTART after a
 * bounded number: call again. */
int rv_must_check evtchn_reset(struct domain *d);
/** Fills status, vcpu and u; a closed port is a status, not an error. */
int rv_must_check evtchn_status_get(struct domain *d, evtchn_port_t port,
                                    struct evtchn_status *out);
/** Clears the mask bit and delivers what is pending. */
int rv_must_check evtchn_unmask(struct domain *d, evtchn_port_t port);
/**
 * Sends on `port` of `d`; on an unbound port that is nothing. The path
 * measured by evtchn_send_self. For a service port `d` is the current domain.
 * @return 0; -EINVAL no port that can be sent on.
 */
int rv_must_check evtchn_send(struct domain *d, evtchn_port_t port);

/** Is the port in use? */
bool evtchn_port_is_valid(const struct domain *d, evtchn_port_t port);
/** Is its pending bit set? False for ports out of range. */
bool evtchn_port_is_pending(const struct domain *d, evtchn_port_t port);

/**
 * SCHEDOP_poll of the current vCPU: blocks it until one of `ports` is pending,
 * anything else wakes it, or guest system time `deadline_ns` (0: none) has
 * come. `ports` is a snapshot; at most EVTCHN_POLL_MAX.
 * @return 0, blocked or not; -EINVAL a port out of range, or too many.
 */
#define EVTCHN_POLL_MAX 128u
int rv_must_check evtchn_poll(struct vcpu *v, const evtchn_port_t *ports,
                              unsigned count, uint64_t deadline_ns);

/** Raises a virtual interrupt on a vCPU; nothing if unbound. */
void evtchn_virq_raise(struct vcpu *v, unsigned virq);
/** Raises a global virq with its receivers: VIRQ_DOM_EXC with all control
 * domains, others with the hardware domain. */
void evtchn_virq_raise_global(unsigned virq);
/** Raises a global virq with one domain (VIRQ_ARGO). */
void evtchn_virq_raise_domain(struct domain *d, unsigned virq);

/**
 * A hypervisor-owned channel: the guest end is allocated in `d`, connected;
 * `fn` is called when the guest sends.
 * @return 0 with *port; -ENOSPC, -ENOMEM, -EINVAL dying.
 */
int rv_must_check evtchn_service_bind(struct domain *d, evtchn_service_fn fn,
                                      evtchn_port_t *port);
/** Raises the guest end of a service channel; nothing if the guest closed it.
 */
void evtchn_service_raise(struct domain *d, evtchn_port_t port);
/** Is the port still the guest end that was allocated with `fn`? The guest may
 * have closed it, and opened the same number for something else. */
bool evtchn_service_is_bound(struct domain *d, evtchn_port_t port,
                             evtchn_service_fn fn);
/** Closes it; nothing if it is none any more. */
void evtchn_service_unbind(struct domain *d, evtchn_port_t port);

/** Does vcpu_info ask for an upcall (pending and not masked)? */
bool evtchn_is_pending(const struct vcpu *v);
/** Is an upcall by callback vector asked for, masked or not? */
bool evtchn_is_flagged(const struct vcpu *v);
/** Vector to inject for the upcall by callback vector, directly and not
 * through the local APIC; -1 if nothing is to be injected that way. */
int evtchn_upcall_vector(const struct vcpu *v);
/** Chooses a vector of the vCPU's local APIC for upcalls (0: none, the domain's
 * callback vector again); one that is due is raised at once. */
void evtchn_upcall_vector_set(struct vcpu *v, uint8_t vector);
/** Chooses the vector injected for upcalls on all vCPUs that have none of their
 * own; 0: none. Those with an upcall pending look at once. d->lock held. */
void evtchn_callback_vector_set(struct domain *d, uint8_t vector);
/** vcpu_info has just asked for an upcall: through the vCPU's APIC vector if
 * it has one, else by a kick so that the callback vector is looked at. */
void evtchn_upcall_raise(struct vcpu *v);
/** The vCPU's local APIC was enabled: raises what is due by its vector. */
void evtchn_upcall_apic_enabled(struct vcpu *v);
/** Clears the upcall mask, as SCHEDOP_block promises. */
void evtchn_upcall_unmask(struct vcpu *v);
/**
 * vcpu_info now lives at `info` in the pinned frame `m` (reference passed).
 * Contents are carried over and every channel is made to be looked at again.
 * `v` is current here or down; its time is to be published next. False, nothing
 * changed: it was moved before.
 */
bool rv_must_check evtchn_vcpu_info_move(struct vcpu *v, void *info, mfn_t m);
/** Back to shared_info; the pinned frame is released after quiescence. */
void evtchn_vcpu_info_reset(struct vcpu *v);
