/* SPDX-License-Identifier: MIT */
/*
 * Two-level event channels: allocation, sending, masks, and delivery as an
 * upcall through an interrupt vector. Ports are small numbers; errors are
 * negative XEN_E* numbers.
 */
#ifndef GUEST_EVENT_H
#define GUEST_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/event_channel.h>

#define EVENT_PORTS EVTCHN_2L_NR_CHANNELS

/** Vector that the library uses for upcalls and IPIs of its own. */
#define EVENT_VECTOR 0xe0

/** A new port, or a negative errno. */
long event_unbound(unsigned int dom, unsigned int remote);
long event_interdomain(unsigned int remote, unsigned int remote_port);
long event_virq(unsigned int virq, unsigned int cpu);
long event_ipi(unsigned int cpu);

/** 0 or a negative errno. */
long event_send(unsigned int port);
long event_close(unsigned int port);
long event_unmask_op(unsigned int port);
long event_bind_cpu(unsigned int port, unsigned int cpu);
long event_status(unsigned int port, struct evtchn_status *status);

/** Yields until the port has this status; false after `patience` ns, or if
 * there is no such port. */
bool event_status_await(unsigned int port, uint32_t status, uint64_t patience);
/** Binds the first port below `limit` that the other domain holds open for this
 * one, and yields until there is one; a negative errno after `patience` ns. */
long event_find(unsigned int remote, unsigned int limit, uint64_t patience);

bool event_is_pending(unsigned int port);
bool event_is_masked(unsigned int port);
void event_mask(unsigned int port);

/** Clears the mask bit only: an event already pending stays unnoticed. */
void event_mask_clear(unsigned int port);
void event_clear(unsigned int port);

/** Sets vcpu_info as if no event had ever been seen. */
void event_cpu_reset(unsigned int cpu);

/** Polls for one port, up to an absolute system time in ns (0: for ever). */
long event_poll(unsigned int port, uint64_t deadline);

/**
 * Lets the calling domain receive upcalls through `vector` on all CPUs
 * (HVM_PARAM_CALLBACK_IRQ, type vector), or stops them (0).
 */
long event_callback_set(unsigned int vector);

/** Per-CPU upcall vector, delivered through the local APIC. */
long event_upcall_vector_set(unsigned int cpu, unsigned int vector);

/**
 * Takes what is pending on the calling CPU, as an upcall handler does: clears
 * upcall_pending, the selector, and each unmasked pending bit.
 *
 * @param seen  called for each port taken; may be NULL.
 * @return number of ports taken.
 */
unsigned int event_take(void (*seen)(unsigned int port));

#endif
