/* SPDX-License-Identifier: MIT */
/*
 * libv4v: messages between domains for small guests. An endpoint is one ring
 * with a port; datagrams go from endpoint to address. A stream is a connection
 * with a ring of its own at either end, opened by SYN and ACK, ended by RST, or
 * one way by FIN, checked by PING and PONG. Calls are for one vCPU at a time
 * per endpoint.
 *
 * Results are 0 or positive, or a negative XEN_E* number. `ns` says how long a
 * call may wait: 0 not at all (-XEN_EAGAIN), V4V_FOREVER without end; what ran
 * out of time returns -XEN_ETIMEDOUT.
 */
#ifndef GUEST_V4V_H
#define GUEST_V4V_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "public/v4v.h"

#define V4V_FOREVER (~0ull)
/* Ports that the library gives to streams; not for endpoints of one's own. */
#define V4V_STREAM_PORTS 0x40000000u

/* ---- The bare operations ---------------------------------------------- */

long v4v_op(unsigned int cmd, const void *arg1, const void *arg2, uint32_t arg3,
            uint32_t arg4);
long v4v_sendv(const struct v4v_send_addr *addr, const struct v4v_iov *iov,
               uint32_t count, uint32_t type);
/** Tells whoever waits that this domain's rings have room again. */
long v4v_notify(void);
/** The domain's event port; negative if there is no V4V. */
long v4v_event_port(void);
struct v4v_iov v4v_iov_of(const void *data, size_t size);

/* ---- Endpoints -------------------------------------------------------- */

struct v4v_endpoint {
    struct v4v_ring *ring; /* NULL: closed */
    uint32_t pages;
    uint64_t pfn[64]; /* rings have at most 64 pages here */
};

/**
 * Opens a ring of `pages` pages (1..64) at `port` for messages from `partner`
 * (V4V_DOMID_ANY: from all).
 */
long v4v_open(struct v4v_endpoint *e, uint32_t port, unsigned int partner,
              uint32_t pages);
long v4v_close(struct v4v_endpoint *e);
static inline struct v4v_addr v4v_address(const struct v4v_endpoint *e)
{
    return e->ring->id.addr;
}

/** Sends a datagram; waits for room. Returns `size`. */
long v4v_send(struct v4v_endpoint *e, const struct v4v_addr *to,
              const void *data, size_t size, uint64_t ns);
/**
 * Takes the next message out. Returns its size, of which at most `size` bytes
 * have been stored; `from` and `type` may be NULL.
 */
long v4v_receive(struct v4v_endpoint *e, struct v4v_addr *from, uint32_t *type,
                 void *data, size_t size, uint64_t ns);
/** Bytes in the ring that have not been taken out, headers included. */
uint32_t v4v_unread(const struct v4v_endpoint *e);
/** Waits for an event of the domain, at most until `deadline` (system time),
 * and not longer than 10 ms: whoever calls looks again. */
void v4v_event_wait(uint64_t deadline);

/* ---- Streams ---------------------------------------------------------- */

struct v4v_stream {
    struct v4v_endpoint end;
    struct v4v_addr peer;
    uint32_t conid;
    uint32_t taken;    /* bytes of the first message that were read */
    uint32_t features; /* V4V_STREAM_*, in use */
    bool is_closed;    /* the peer has sent RST */
    bool is_refused;   /* nobody takes what we send any more */
    bool is_shut;      /* we have sent FIN */
    bool has_ended;    /* the peer has sent FIN */
    uint32_t pongs;    /* answers to our PINGs */
};

/** Connects from a ring of `pages` pages to a listening endpoint.
 * -XEN_ECONNREFUSED: nobody listens, or, with is_closed set, it said no. */
long v4v_connect(struct v4v_stream *s, const struct v4v_addr *to,
                 uint32_t pages, uint64_t ns);
/** Takes the next SYN from a listening endpoint and accepts it, or refuses it
 * and returns why: there can be no ring for it, or -XEN_ECONNREFUSED: the
 * answer was, by the rules or because nobody waits for it any more. */
long v4v_accept(struct v4v_endpoint *listener, struct v4v_stream *s,
                uint32_t pages, uint64_t ns);
/** Sends all of it, as many messages as it takes. Returns `size`.
 * -XEN_ENOTCONN: the connection is gone, or shut down by us. */
long v4v_stream_send(struct v4v_stream *s, const void *data, size_t size,
                     uint64_t ns);
/**
 * Ends our side: the peer reads what there is, and then 0, and can still send.
 * Again: 0. -XEN_EOPNOTSUPP: the peer does not know FIN, and would not hear of
 * our end before we close. -XEN_EAGAIN, -XEN_ETIMEDOUT: nothing has changed.
 * -XEN_ENOTCONN: the connection is gone.
 */
long v4v_stream_shutdown(struct v4v_stream *s, uint64_t ns);
/** Returns 1..size bytes; 0: the peer has closed, or with has_ended set its
 * side. */
long v4v_stream_receive(struct v4v_stream *s, void *data, size_t size,
                        uint64_t ns);
/** Asks the peer for a sign of life; its PONG is taken by a receive. */
long v4v_stream_ping(struct v4v_stream *s);
/** Tells the peer and closes the ring. */
void v4v_stream_close(struct v4v_stream *s);

#endif
