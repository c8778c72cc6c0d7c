/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * /dev/v4v: V4V for programs of a Linux guest. Every open file is one endpoint
 * with a ring of its own. It begins as nothing and becomes, by one ioctl, a
 * datagram endpoint (BIND), a listener (LISTEN) or a stream (CONNECT; ACCEPT on
 * a listener makes a new file that is one).
 *
 * Streams are read and written; datagrams go by SEND and RECEIVE (read takes
 * one without its sender). O_NONBLOCK and poll work as with sockets. A stream
 * ends with read returning 0; if the other domain has vanished without a word,
 * with -ECONNRESET. SHUTDOWN ends one direction of it. Addresses are domain ids
 * and 32-bit ports.
 */
#ifndef V4V_DEV_H
#define V4V_DEV_H

#include <stdint.h>

#include <linux/ioctl.h>

#include "public/v4v.h"

#define V4V_DEVICE "/dev/v4v"

/* Sizes of rings, in bytes: what is asked for is rounded up to pages. */
#define V4V_DEV_RING_DEFAULT 0u /* 64 KiB; streams: 1 MiB */
#define V4V_DEV_RING_MAX V4V_RING_LEN_MAX

/* Ports that are given to streams; not for endpoints of one's own. */
#define V4V_DEV_STREAM_PORTS 0x40000000u

struct v4v_dev_bind {
    uint32_t port;      /* in: 0: one is chosen; out: the port */
    uint32_t ring_size; /* LISTEN: of each connection */
    uint16_t partner;   /* V4V_DOMID_ANY: everybody may send */
    uint16_t pad;       /* 0 */
};

struct v4v_dev_connect {
    struct v4v_addr to;
    uint32_t ring_size;
    uint32_t timeout_ms; /* 0: 20 seconds */
};

struct v4v_dev_accept {
    struct v4v_addr peer; /* out */
    uint32_t flags;       /* O_CLOEXEC, O_NONBLOCK of the new file */
    uint32_t pad;         /* 0 */
};

struct v4v_dev_message {
    struct v4v_addr addr; /* SEND: to; RECEIVE, out: from */
    uint32_t type;        /* V4V_MESSAGE_DGRAM or any other */
    uint32_t size;        /* RECEIVE: at most so much is stored */
    uint64_t data;        /* a pointer */
};

enum v4v_dev_state {
    V4V_DEV_NEW,
    V4V_DEV_DATAGRAM,
    V4V_DEV_LISTENER,
    V4V_DEV_CONNECTING,
    V4V_DEV_CONNECTED,
    V4V_DEV_ENDED, /* the peer has closed, or is gone */
};

/* Flags of a stream's status. */
#define V4V_DEV_KNOWS_FIN (1u << 0) /* the peer understands SHUTDOWN */
#define V4V_DEV_HAS_SHUT (1u << 1)  /* we have done that */
#define V4V_DEV_HAS_ENDED (1u << 2) /* the peer has */

struct v4v_dev_status {
    uint32_t state;
    uint32_t error;        /* of a connection, as errno; 0: none */
    struct v4v_addr local; /* zero before there is a ring */
    struct v4v_addr peer;
    uint32_t unread; /* bytes of the ring in use, headers included */
    uint32_t piece;  /* payload of the largest message of the stream */
    uint32_t pongs;  /* answers to PING */
    uint32_t flags;  /* V4V_DEV_KNOWS_FIN ... */
};

/*
 * Errors beside those of any device: -EADDRINUSE (port taken), -ENOSPC (the
 * domain's quota of rings), -ECONNREFUSED (no such ring, or the rules deny it),
 * -EMSGSIZE, -EISCONN and -EINVAL (is something else already), -ETIMEDOUT,
 * -EPIPE (written to after the peer closed or we shut down).
 */
#define V4V_IOC_BIND _IOWR('4', 1, struct v4v_dev_bind)
#define V4V_IOC_LISTEN _IOWR('4', 2, struct v4v_dev_bind)
/* Non-blocking: -EINPROGRESS; again: -EALREADY, 0 or what became of it. */
#define V4V_IOC_CONNECT _IOW('4', 3, struct v4v_dev_connect)
/* Returns a file descriptor. */
#define V4V_IOC_ACCEPT _IOWR('4', 4, struct v4v_dev_accept)
#define V4V_IOC_SEND _IOW('4', 5, struct v4v_dev_message)
/* Returns the size of the message, which may be more than was stored. */
#define V4V_IOC_RECEIVE _IOWR('4', 6, struct v4v_dev_message)
#define V4V_IOC_STATUS _IOR('4', 7, struct v4v_dev_status)
/* Asks the stream's peer for a sign of life: `pongs` counts them. */
#define V4V_IOC_PING _IO('4', 8)
/*
 * Ends the stream in our direction, like shutdown(2) of a socket's writing: the
 * peer reads what there is and then 0, and can still write. It waits for room
 * as write does. -EOPNOTSUPP: the peer does not know that, and hears of an end
 * only when the file is closed.
 */
#define V4V_IOC_SHUTDOWN _IO('4', 9)

#endif
