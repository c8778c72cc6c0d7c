/* SPDX-License-Identifier: MIT */
/*
 * libv4v, datagrams: rings, sending, receiving, waiting. What arrives is not
 * trusted either: a ring that does not hold what tx_ptr promises is -XEN_EIO.
 */

#include "v4v.h"
#include "guest.h"

#define HEADER sizeof(struct v4v_ring_message_header)
#define POLL_MAX (10 * MS)
#define PAGES_MAX 64u

static uint32_t event_port;

long v4v_op(unsigned int cmd, const void *arg1, const void *arg2, uint32_t arg3,
            uint32_t arg4)
{
    return hypercall(__HYPERVISOR_v4v_op, cmd, (unsigned long)arg1,
                     (unsigned long)arg2, arg3, arg4);
}

long v4v_sendv(const struct v4v_send_addr *addr, const struct v4v_iov *iov,
               uint32_t count, uint32_t type)
{
    return v4v_op(V4VOP_sendv, addr, iov, count, type);
}

long v4v_notify(void)
{
    return v4v_op(V4VOP_notify, NULL, NULL, 0, 0);
}

long v4v_event_port(void)
{
    struct v4v_info info;
    long rc = event_port ? 0 : v4v_op(V4VOP_info, &info, NULL, 0, 0);

    if (rc) {
        return rc;
    }
    if (!event_port) {
        event_port = info.evtchn;
    }
    return (long)event_port;
}

struct v4v_iov v4v_iov_of(const void *data, size_t size)
{
    return (struct v4v_iov){
        .iov_base = (uintptr_t)data,
        .iov_len = (uint32_t)size,
    };
}

void v4v_event_wait(uint64_t deadline)
{
    uint64_t soon = clock_ns() + POLL_MAX;

    event_poll(event_port, deadline < soon ? deadline : soon);
    event_clear(event_port);
}

/* ---- Rings -------------------------------------------------------------- */

static long ring_register(struct v4v_endpoint *e)
{
    return v4v_op(V4VOP_register_ring, e->ring, e->pfn, e->pages, 0);
}

long v4v_open(struct v4v_endpoint *e, uint32_t port, unsigned int partner,
              uint32_t pages)
{
    long rc = v4v_event_port();
    uint32_t i;

    e->ring = NULL;
    if (rc < 0) {
        return rc;
    }
    if (pages == 0 || pages > PAGES_MAX) {
        return -XEN_EINVAL;
    }
    e->ring = pages_alloc(pages, 1);
    if (!e->ring) {
        return -XEN_ENOMEM;
    }
    e->pages = pages;
    e->ring->magic = V4V_RING_MAGIC;
    e->ring->id.addr.port = port;
    e->ring->id.partner = (uint16_t)partner;
    e->ring->len = (uint32_t)(pages * PAGE_SIZE - sizeof(struct v4v_ring));
    for (i = 0; i < pages; i++) {
        e->pfn[i] = PFN(e->ring) + i;
    }
    rc = ring_register(e);
    if (rc) {
        pages_free(e->ring, pages);
        e->ring = NULL;
    }
    return rc;
}

long v4v_close(struct v4v_endpoint *e)
{
    long rc;

    if (!e->ring) {
        return -XEN_ENOENT;
    }
    rc = v4v_op(V4VOP_unregister_ring, e->ring, NULL, 0, 0);
    pages_free(e->ring, e->pages);
    e->ring = NULL;
    return rc;
}

uint32_t v4v_unread(const struct v4v_endpoint *e)
{
    uint32_t tx = __atomic_load_n(&e->ring->tx_ptr, __ATOMIC_ACQUIRE);
    uint32_t rx = e->ring->rx_ptr;

    return tx - rx + (tx < rx ? e->ring->len : 0);
}

/* Copies out of the ring, across its end. */
static void ring_copy(const struct v4v_ring *ring, uint32_t at, void *to,
                      size_t size)
{
    size_t first = ring->len - at < size ? ring->len - at : size;

    memcpy(to, ring->ring + at, first);
    memcpy((uint8_t *)to + first, ring->ring, size - first);
}

static uint32_t ring_advance(const struct v4v_ring *ring, uint32_t at,
                             uint32_t by)
{
    at += by;
    return at >= ring->len ? at - ring->len : at;
}

/* The first message. 0: *h is its header; -XEN_EAGAIN, -XEN_EIO. */
static long message_peek(const struct v4v_endpoint *e,
                         struct v4v_ring_message_header *h)
{
    uint32_t unread = v4v_unread(e);

    if (unread == 0) {
        return -XEN_EAGAIN;
    }
    ring_copy(e->ring, e->ring->rx_ptr, h, HEADER);
    if (h->len < HEADER || h->len > unread) {
        return -XEN_EIO;
    }
    return 0;
}

static void message_drop(struct v4v_endpoint *e,
                         const struct v4v_ring_message_header *h)
{
    uint32_t rx = ring_advance(e->ring, e->ring->rx_ptr, V4V_ROUNDUP(h->len));

    __atomic_store_n(&e->ring->rx_ptr, rx, __ATOMIC_RELEASE);
    v4v_notify();
}

static uint64_t deadline_of(uint64_t ns)
{
    return ns == V4V_FOREVER ? V4V_FOREVER : clock_ns() + ns;
}

/* After -XEN_EAGAIN: another try, or what to return. */
static long wait_or_end(uint64_t ns, uint64_t deadline)
{
    if (ns == 0) {
        return -XEN_EAGAIN;
    }
    if (clock_ns() >= deadline) {
        return -XEN_ETIMEDOUT;
    }
    v4v_event_wait(deadline);
    return 0;
}

/* ---- Datagrams ----------------------------------------------------------- */

static long send_waiting(const struct v4v_send_addr *addr,
                         const struct v4v_iov *iov, uint32_t count,
                         uint32_t type, uint64_t ns)
{
    uint64_t deadline = deadline_of(ns);
    long rc, over;

    do {
        rc = v4v_sendv(addr, iov, count, type);
        if (rc != -XEN_EAGAIN && rc != -XEN_EBUSY) {
            return rc;
        }
        over = wait_or_end(ns, deadline);
    } while (!over);
    return over;
}

long v4v_send(struct v4v_endpoint *e, const struct v4v_addr *to,
              const void *data, size_t size, uint64_t ns)
{
    struct v4v_send_addr addr = {.src = v4v_address(e), .dst = *to};
    struct v4v_iov iov = v4v_iov_of(data, size);

    return send_waiting(&addr, &iov, 1, V4V_MESSAGE_DGRAM, ns);
}

static long message_await(struct v4v_endpoint *e,
                          struct v4v_ring_message_header *h, uint64_t ns)
{
    uint64_t deadline = deadline_of(ns);
    long rc, over;

    do {
        rc = message_peek(e, h);
        if (rc != -XEN_EAGAIN) {
            return rc;
        }
        over = wait_or_end(ns, deadline);
    } while (!over);
    return over;
}

long v4v_receive(struct v4v_endpoint *e, struct v4v_addr *from, uint32_t *type,
                 void *data, size_t size, uint64_t ns)
{
    struct v4v_ring_message_header h;
    long rc = message_await(e, &h, ns);
    size_t payload;

    if (rc) {
        return rc;
    }
    payload = h.len - HEADER;
    if (from) {
        *from = h.source;
    }
    if (type) {
        *type = h.message_type;
    }
    ring_copy(e->ring, ring_advance(e->ring, e->ring->rx_ptr, HEADER), data,
              payload < size ? payload : size);
    message_drop(e, &h);
    return (long)payload;
}

/* ---- Streams ------------------------------------------------------------- */

static uint32_t stream_last;

static long control_send(const struct v4v_stream *s, const struct v4v_addr *to,
                         uint32_t flags, uint64_t ns)
{
    struct v4v_send_addr addr = {.src = v4v_address(&s->end), .dst = *to};
    struct v4v_stream_header h = {.flags = flags, .conid = s->conid};
    struct v4v_iov iov = v4v_iov_of(&h, sizeof(h));
    long rc = send_waiting(&addr, &iov, 1, V4V_MESSAGE_STREAM, ns);

    return rc < 0 ? rc : 0;
}

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
    struct v4v_stream_header h;
    uint32_t type = 0;

    for (;;) {
        long n = v4v_receive(&s->end, &s->peer, &type, &h, sizeof(h), ns);

        if (n < 0) {
            return n;
        }
        if (n < (long)sizeof(h) || type != V4V_MESSAGE_STREAM ||
            h.conid != s->conid) {
            continue;
        }
        if (h.flags & V4V_SHF_RST) {
            s->is_closed = true;
            return -XEN_ECONNREFUSED;
        }
        if (h.flags & V4V_SHF_ACK) {
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
    rc = control_send(s, to, V4V_SHF_SYN, ns);
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
    struct v4v_stream_header h;
    struct v4v_addr from;
    uint32_t type = 0;
    long rc;

    do {
        rc = v4v_receive(listener, &from, &type, &h, sizeof(h), ns);
        if (rc < 0) {
            return rc;
        }
    } while (rc < (long)sizeof(h) || type != V4V_MESSAGE_STREAM ||
             !(h.flags & V4V_SHF_SYN));
    rc = stream_open(s, from.domain, pages);
    if (rc) {
        syn_refuse(listener, &from, h.conid);
        return rc;
    }
    s->peer = from;
    s->conid = h.conid;
    rc = control_send(s, &from, V4V_SHF_ACK, ns);
    if (rc) {
        v4v_close(&s->end);
    }
    return rc;
}

long v4v_stream_send(struct v4v_stream *s, const void *data, size_t size,
                     uint64_t ns)
{
    struct v4v_send_addr addr = {.src = v4v_address(&s->end), .dst = s->peer};
    struct v4v_stream_header h = {.conid = s->conid};
    size_t piece = 2048, done = 0;

    while (done < size && !s->is_closed) {
        size_t n = size - done < piece ? size - done : piece;
        struct v4v_iov iov[2] = {
            v4v_iov_of(&h, sizeof(h)),
            v4v_iov_of((const uint8_t *)data + done, n),
        };
        long rc = send_waiting(&addr, iov, 2, V4V_MESSAGE_STREAM, ns);

        if (rc == -XEN_EMSGSIZE && piece > 16) {
            piece /= 2;
        } else if (rc == -XEN_ECONNREFUSED) {
            s->is_closed = true;
        } else if (rc < 0) {
            return done ? (long)done : rc;
        } else {
            done += n;
        }
    }
    return done == size ? (long)done : -XEN_ENOTCONN;
}

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
    if (h->flags & V4V_SHF_PING) {
        control_send(s, &s->peer, V4V_SHF_PONG, 0);
    }
    if (h->flags & V4V_SHF_PONG) {
        s->pongs++;
    }
    return h->flags != 0;
}

long v4v_stream_receive(struct v4v_stream *s, void *data, size_t size,
                        uint64_t ns)
{
    struct v4v_ring_message_header m;
    struct v4v_ring *ring = s->end.ring;
    struct v4v_stream_header h;
    uint32_t left, at;

    for (;;) {
        long rc = s->is_closed ? 0 : message_await(&s->end, &m, ns);

        if (rc || s->is_closed) {
            return rc;
        }
        at = ring_advance(ring, ring->rx_ptr, HEADER);
        if (m.len < HEADER + sizeof(h) ||
            m.message_type != V4V_MESSAGE_STREAM) {
            message_drop(&s->end, &m);
            continue;
        }
        ring_copy(ring, at, &h, sizeof(h));
        left = m.len - HEADER - sizeof(h) - s->taken;
        if (!stream_control(s, &m.source, &h) && left != 0) {
            break;
        }
        s->taken = 0;
        message_drop(&s->end, &m);
    }
    size = left < size ? left : size;
    ring_copy(ring, ring_advance(ring, at, sizeof(h) + s->taken), data, size);
    s->taken += (uint32_t)size;
    if (size == left) {
        s->taken = 0;
        message_drop(&s->end, &m);
    }
    return (long)size;
}

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
