/* SPDX-License-Identifier: MIT */
/*
 * libv4v, streams: a connection has a ring of its own at either end, in which
 * data waits until it is read. What does not come from the peer's address under
 * the connection's number is dropped, and so is data after the peer's FIN.
 *
 * Threat surface: everything the peer's domain writes.
 */

#include <xen/errno.h>

#include "util.h"
#include "v4v_private.h"

/* What this library knows, whatever others name. */
#define FEATURES V4V_STREAM_FIN
/* Messages that are not data, looked at without a time limit. */
#define CONTROL_MAX 256u

static uint32_t stream_last;

/* ---- Control ------------------------------------------------------------ */

static long control_send(const struct v4v_stream *s, const struct v4v_addr *to,
                         uint32_t flags, uint64_t ns)
{
    struct v4v_send_addr addr = {.src = v4v_address(&s->end), .dst = *to};
    struct v4v_stream_header h = {.flags = flags, .conid = s->conid};
    struct v4v_iov iov = v4v_iov_of(&h, sizeof(h));
    long rc = v4v_send_waiting(&addr, &iov, 1, V4V_MESSAGE_STREAM, ns);

    return rc < 0 ? rc : 0;
}

/* SYN and ACK. Without features it is what it was before there were any. */
static long opening_send(const struct v4v_stream *s, uint32_t flags,
                         uint32_t features, uint64_t ns)
{
    struct v4v_send_addr addr = {.src = v4v_address(&s->end), .dst = s->peer};
    struct v4v_stream_open o = {
        .header = {.flags = flags, .conid = s->conid},
        .features = features,
    };
    struct v4v_iov iov =
        v4v_iov_of(&o, features ? sizeof(o) : sizeof(o.header));
    long rc = v4v_send_waiting(&addr, &iov, 1, V4V_MESSAGE_STREAM, ns);

    return rc < 0 ? rc : 0;
}

/* The next header of a stream. Features are those that we know as well. */
static long opening_await(struct v4v_endpoint *e, struct v4v_addr *from,
                          struct v4v_stream_open *o, uint64_t ns)
{
    uint32_t type = 0;
    long n;

    do {
        n = v4v_receive(e, from, &type, o, sizeof(*o), ns);
        if (n < 0) {
            return n;
        }
    } while (n < (long)sizeof(o->header) || type != V4V_MESSAGE_STREAM);
    o->features = n < (long)sizeof(*o) ? 0 : o->features & FEATURES;
    return 0;
}

/* ---- Beginning ----------------------------------------------------------- */

/* A ring of its own for one connection. */
static long stream_open(struct v4v_stream *s, unsigned int partner,
                        uint32_t pages)
{
    long rc = -XEN_EEXIST;
    unsigned int i;

    memset(s, 0, sizeof(*s));
    for (i = 0; rc == -XEN_EEXIST && i < 1024; i++) {
        stream_last++;
        rc = v4v_open(&s->end, V4V_STREAM_PORTS | (stream_last & 0xffffff),
                      partner, pages);
    }
    return rc;
}

static long answer_await(struct v4v_stream *s, uint64_t ns)
{
    struct v4v_stream_open o;
    long rc;

    for (;;) {
        rc = opening_await(&s->end, &s->peer, &o, ns);
        if (rc) {
            return rc;
        }
        if (o.header.conid != s->conid) {
            continue;
        }
        if (o.header.flags & V4V_SHF_RST) {
            s->is_closed = true;
            return -XEN_ECONNREFUSED;
        }
        if (o.header.flags & V4V_SHF_ACK) {
            s->features = o.features;
            return 0;
        }
    }
}

long v4v_connect(struct v4v_stream *s, const struct v4v_addr *to,
                 uint32_t pages, uint64_t ns)
{
    long rc = stream_open(s, to->domain, pages);

    if (rc) {
        return rc;
    }
    s->conid = stream_last;
    s->peer = *to;
    rc = opening_send(s, V4V_SHF_SYN, FEATURES, ns);
    if (rc == 0) {
        rc = answer_await(s, ns);
    }
    if (rc) {
        v4v_close(&s->end);
    }
    return rc;
}

static void syn_refuse(struct v4v_endpoint *listener, const struct v4v_addr *to,
                       uint32_t conid)
{
    struct v4v_send_addr addr = {.src = v4v_address(listener), .dst = *to};
    struct v4v_stream_header h = {.flags = V4V_SHF_RST, .conid = conid};
    struct v4v_iov iov = v4v_iov_of(&h, sizeof(h));

    v4v_sendv(&addr, &iov, 1, V4V_MESSAGE_STREAM);
}

long v4v_accept(struct v4v_endpoint *listener, struct v4v_stream *s,
                uint32_t pages, uint64_t ns)
{
    struct v4v_stream_open o;
    struct v4v_addr from;
    long rc;

    do {
        rc = opening_await(listener, &from, &o, ns);
        if (rc) {
            return rc;
        }
    } while (!(o.header.flags & V4V_SHF_SYN));
    rc = stream_open(s, from.domain, pages);
    if (rc) {
        syn_refuse(listener, &from, o.header.conid);
        return rc;
    }
    s->peer = from;
    s->conid = o.header.conid;
    s->features = o.features;
    rc = opening_send(s, V4V_SHF_ACK, o.features, ns);
    if (rc) {
        /* The rules may let the listener's port say what the new one may not.
         */
        v4v_close(&s->end);
        syn_refuse(listener, &from, o.header.conid);
    }
    return rc;
}

/* ---- Sending ------------------------------------------------------------ */

static bool stream_takes(const struct v4v_stream *s)
{
    return !s->is_closed && !s->is_refused && !s->is_shut;
}

long v4v_stream_send(struct v4v_stream *s, const void *data, size_t size,
                     uint64_t ns)
{
    struct v4v_send_addr addr = {.src = v4v_address(&s->end), .dst = s->peer};
    struct v4v_stream_header h = {.conid = s->conid};
    size_t piece = 2048, done = 0;

    while (done < size && stream_takes(s)) {
        size_t n = size - done < piece ? size - done : piece;
        struct v4v_iov iov[2] = {
            v4v_iov_of(&h, sizeof(h)),
            v4v_iov_of((const uint8_t *)data + done, n),
        };
        long rc = v4v_send_waiting(&addr, iov, 2, V4V_MESSAGE_STREAM, ns);

        if (rc == -XEN_EMSGSIZE && piece > 16) {
            piece /= 2;
        } else if (rc == -XEN_ECONNREFUSED) {
            s->is_refused = true;
        } else if (rc < 0) {
            return done ? (long)done : rc;
        } else {
            done += n;
        }
    }
    return done == size ? (long)done : -XEN_ENOTCONN;
}

long v4v_stream_shutdown(struct v4v_stream *s, uint64_t ns)
{
    long rc;

    if (!(s->features & V4V_STREAM_FIN)) {
        return -XEN_EOPNOTSUPP;
    }
    if (s->is_shut) {
        return 0;
    }
    if (!stream_takes(s)) {
        return -XEN_ENOTCONN;
    }
    rc = control_send(s, &s->peer, V4V_SHF_FIN, ns);
    if (rc == -XEN_ECONNREFUSED) {
        s->is_refused = true;
        return -XEN_ENOTCONN;
    }
    s->is_shut = rc == 0;
    return rc;
}

/* ---- Receiving ---------------------------------------------------------- */

/* What is not data. True: the first message has been dealt with. */
static bool stream_control(struct v4v_stream *s, const struct v4v_addr *from,
                           const struct v4v_stream_header *h)
{
    if (from->domain != s->peer.domain || from->port != s->peer.port ||
        h->conid != s->conid) {
        return true;
    }
    if (h->flags & V4V_SHF_RST) {
        s->is_closed = true;
    }
    if (h->flags & V4V_SHF_FIN && s->features & V4V_STREAM_FIN) {
        s->has_ended = true;
    }
    if (h->flags & V4V_SHF_PING) {
        control_send(s, &s->peer, V4V_SHF_PONG, 0);
    }
    if (h->flags & V4V_SHF_PONG) {
        s->pongs++;
    }
    return h->flags != 0 || s->has_ended;
}

/* Bytes of the first message, whose header is `m`, that have not been read; 0:
 * it is not data, and has been dealt with. */
static uint32_t stream_take(struct v4v_stream *s,
                            const struct v4v_ring_message_header *m)
{
    const struct v4v_ring *ring = s->end.ring;
    struct v4v_stream_header h;
    uint32_t left;

    if (m->len < V4V_HEADER + sizeof(h) ||
        m->message_type != V4V_MESSAGE_STREAM) {
        return 0;
    }
    v4v_ring_copy(ring, v4v_ring_advance(ring, ring->rx_ptr, V4V_HEADER), &h,
                  sizeof(h));
    left = m->len - (uint32_t)(V4V_HEADER + sizeof(h)) - s->taken;
    return stream_control(s, &m->source, &h) ? 0 : left;
}

/* The next data: *m is its header. Returns its bytes; 0: no more will come. A
 * peer that sends only what is not data holds up nobody for longer than he
 * wants to wait. */
static long stream_await(struct v4v_stream *s,
                         struct v4v_ring_message_header *m, uint64_t ns)
{
    uint64_t deadline = v4v_deadline_of(ns);
    unsigned int i = 0;

    while (!s->is_closed) {
        bool is_over = s->has_ended || s->is_refused;
        long rc = v4v_message_await(&s->end, m, is_over ? 0 : ns);

        if (rc == -XEN_EAGAIN && is_over) {
            return 0;
        }
        if (rc == 0) {
            rc = stream_take(s, m);
        }
        if (rc != 0) {
            return rc;
        }
        s->taken = 0;
        v4v_message_drop(&s->end, m);
        if (++i < CONTROL_MAX) {
            continue;
        }
        if (s->has_ended) {
            return 0;
        }
        if (ns == 0 || v4v_is_late(deadline)) {
            return ns == 0 ? -XEN_EAGAIN : -XEN_ETIMEDOUT;
        }
    }
    return 0;
}

long v4v_stream_receive(struct v4v_stream *s, void *data, size_t size,
                        uint64_t ns)
{
    const struct v4v_ring *ring = s->end.ring;
    struct v4v_ring_message_header m;
    long left = stream_await(s, &m, ns);

    if (left <= 0) {
        return left;
    }
    size = (size_t)left < size ? (size_t)left : size;
    v4v_ring_copy(
        ring,
        v4v_ring_advance(
            ring, ring->rx_ptr,
            (uint32_t)(V4V_HEADER + sizeof(struct v4v_stream_header)) +
                s->taken),
        data, size);
    s->taken += (uint32_t)size;
    if (size == (size_t)left) {
        s->taken = 0;
        v4v_message_drop(&s->end, &m);
    }
    return (long)size;
}

/* ---- The rest ------------------------------------------------------------ */

long v4v_stream_ping(struct v4v_stream *s)
{
    return control_send(s, &s->peer, V4V_SHF_PING, 0);
}

void v4v_stream_close(struct v4v_stream *s)
{
    if (s->end.ring) {
        control_send(s, &s->peer, V4V_SHF_RST, 0);
        v4v_close(&s->end);
    }
}
