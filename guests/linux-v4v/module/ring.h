/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A ring to receive in: memory of the kernel that no program maps. One reader
 * at a time (the endpoint's rx_lock).
 */
#ifndef V4V_RING_GUEST_H
#define V4V_RING_GUEST_H

#include <linux/types.h>
#include <linux/uio.h>

#include "public/v4v.h"

struct v4v_rx {
    struct v4v_ring *mem; /* NULL: none */
    bool is_shut;         /* nothing more arrives */
    u32 len;
    u32 pages;
    u32 rx;       /* ours; mem->rx_ptr only publishes it */
    u32 consumed; /* bytes freed since the last notify */
};

/** Registers a ring of at least `size` bytes. `id` has port and partner; its
 * domain is filled in. -EADDRINUSE, -ENOSPC, -ENOMEM, -EINVAL. */
int v4v_rx_open(struct v4v_rx *r, struct v4v_ring_id *id, u32 size);
/** Lets nobody send any more; what is in the ring can still be read. */
void v4v_rx_shut(struct v4v_rx *r);
void v4v_rx_close(struct v4v_rx *r);

/** Bytes in use; -EIO: the indices are not those of a ring. Any context. */
long v4v_rx_unread(const struct v4v_rx *r);
/** Header of the first message. -EAGAIN: there is none; -EIO. */
int v4v_rx_peek(const struct v4v_rx *r, struct v4v_ring_message_header *h);
/** Copies from `offset` in the first message's payload, to the kernel. The
 * caller has checked both against the header. */
void v4v_rx_copy(const struct v4v_rx *r, u32 offset, void *to, u32 size);
/** The same, to a program. Returns the bytes copied. */
size_t v4v_rx_copy_iter(const struct v4v_rx *r, u32 offset, u32 size,
                        struct iov_iter *to);
/** Takes the first message, whose header is `h`, out. */
void v4v_rx_drop(struct v4v_rx *r, const struct v4v_ring_message_header *h);
/** Tells waiting senders, if there is something to tell. */
void v4v_rx_notify(struct v4v_rx *r);

#endif
