/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The operations of hypercall 39 and the domain's event port. Results are 0 or
 * positive, or negative errno: the numbers of the ABI are Linux's.
 */
#ifndef V4V_HYPER_H
#define V4V_HYPER_H

#include <linux/interrupt.h>
#include <linux/types.h>

#include "public/v4v.h"

/** Asks the hypervisor for V4V and binds its event to `handler`, which runs
 * as a hard interrupt. -ENODEV: there is no V4V here. */
int v4v_hyper_start(irq_handler_t handler);
void v4v_hyper_stop(void);

/** `pfn` has one entry for each page of ring memory. */
int v4v_hyper_register(struct v4v_ring *ring, const u64 *pfn, u32 count);
int v4v_hyper_unregister(struct v4v_ring *ring);

/** Sends one message from kernel memory. -EAGAIN: an event will come; -EBUSY:
 * no room either, but none will. */
long v4v_hyper_send(const struct v4v_addr *from, const struct v4v_addr *to,
                    const void *data, u32 size, u32 type);

/** Wakes whoever waits for room in this domain's rings. */
void v4v_hyper_notify(void);

/** Fills in flags and max_message_size about ring `to` and asks for an event
 * when `need` bytes fit, which replaces the request before. 0 or -errno. */
int v4v_hyper_ask(const struct v4v_addr *to, u32 need,
                  struct v4v_ring_data_ent *answer);

#endif
