/* SPDX-License-Identifier: MIT */
/*
 * Between the parts of libv4v: datagrams and rings (v4v.c) and what streams
 * (v4v_stream.c) need of them. Lengths in messages are checked against the
 * ring before a stream sees them; what is inside them is not.
 */
#ifndef GUEST_V4V_PRIVATE_H
#define GUEST_V4V_PRIVATE_H

#include "v4v.h"

#define V4V_HEADER sizeof(struct v4v_ring_message_header)

/** System time after which a wait of `ns` is over. */
uint64_t v4v_deadline_of(uint64_t ns);
bool v4v_is_late(uint64_t deadline);

/** Copies out of the ring, across its end. */
void v4v_ring_copy(const struct v4v_ring *ring, uint32_t at, void *to,
                   size_t size);
uint32_t v4v_ring_advance(const struct v4v_ring *ring, uint32_t at,
                          uint32_t by);

/** Sends, or waits for room. What the hypervisor returns, or -XEN_EAGAIN,
 * -XEN_ETIMEDOUT. */
long v4v_send_waiting(const struct v4v_send_addr *addr,
                      const struct v4v_iov *iov, uint32_t count, uint32_t type,
                      uint64_t ns);
/** The first message. 0: *h is its header; or -XEN_EAGAIN, -XEN_ETIMEDOUT,
 * -XEN_EIO. */
long v4v_message_await(struct v4v_endpoint *e,
                       struct v4v_ring_message_header *h, uint64_t ns);
/** Takes the message, whose header is `h`, out. */
void v4v_message_drop(struct v4v_endpoint *e,
                      const struct v4v_ring_message_header *h);

#endif
