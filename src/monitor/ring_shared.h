/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The standard shared ring in one page, as both formats of Xen's ABI use it:
 * indices, then slots that hold a request and later its response.
 */
#pragma once

#include "monitor_internal.h"

#define SHARED_RING_HEADER 64u

/** Clears nothing: the page is empty. */
void shared_ring_init(struct monitor *m);
/** Slots whose response has been taken; takes responses if there is none. */
int shared_ring_room(struct monitor *m);
/** Fills the next slot from `bytes` and publishes it. Is the listener told? */
bool shared_ring_put(struct monitor *m, const void *bytes, bool pauses);
/** Hands each response that is there to fn(), one copy each. 0; -EINVAL. */
int rv_must_check shared_ring_take(struct monitor *m,
                                   void (*fn)(struct monitor *m,
                                              const void *slot));
void shared_ring_tell(struct monitor *m, uint32_t state);
