/* SPDX-License-Identifier: MIT */
/*
 * libv4v, datagrams: rings, sending, receiving, waiting. What arrives is not
 * trusted either: a ring that does not hold what tx_ptr promises is -XEN_EIO.
 */

#include "guest.h"
#include "v4v_private.h"

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

void v4v_ring_copy(const struct v4v_ring *ring, uint32_t at, void *to,
                   size_t size)
{
    size_t first = ring->len - at < size ? ring->len - at : size;

    memcpy(to, ring->ring + at, first);
    memcpy((uint8_t *)to + first, ring->ring, size - first);
}

uint32_t v4v_ring_advance(const struct v4v_ring *ring, uint32_t at, uint32_t by)
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
    v4v_ring_copy(e->ring, e->ring->rx_ptr, h, V4V_HEADER);
    if (h->len < V4V_HEADER || h->len > unread) {
        return -XEN_EIO;
    }
    return 0;
}

void v4v_message_drop(struct v4v_endpoint *e,
                      const struct v4v_ring_message_header *h)
{
    uint32_t rx =
        v4v_ring_advance(e->ring, e->ring->rx_ptr, V4V_ROUNDUP(h->len));

    __atomic_store_n(&e->ring->rx_ptr, rx, __ATOMIC_RELEASE);
    v4v_notify();
}

uint64_t v4v_deadline_of(uint64_t ns)
{
    return ns == V4V_FOREVER ? V4V_FOREVER : clock_ns() + ns;
}

bool v4v_is_late(uint64_t deadline)
{
    return clock_ns() >= deadline;
}

/* After -XEN_EAGAIN: another try, or what to return. */
static long wait_or_end(uint64_t ns, uint64_t deadline)
{
    if (ns == 0) {
        return -XEN_EAGAIN;
    }
    if (v4v_is_late(deadline)) {
        return -XEN_ETIMEDOUT;
    }
    v4v_event_wait(deadline);
    return 0;
}

/* ---- Datagrams ----------------------------------------------------------- */

long v4v_send_waiting(const struct v4v_send_addr *addr,
                      const struct v4v_iov *iov, uint32_t count, uint32_t type,
                      uint64_t ns)
{
    uint64_t deadline = v4v_deadline_of(ns);
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

    return v4v_send_waiting(&addr, &iov, 1, V4V_MESSAGE_DGRAM, ns);
}

long v4v_message_await(struct v4v_endpoint *e,
                       struct v4v_ring_message_header *h, uint64_t ns)
{
    uint64_t deadline = v4v_deadline_of(ns);
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
    long rc = v4v_message_await(e, &h, ns);
    size_t payload;

    if (rc) {
        return rc;
    }
    payload = h.len - V4V_HEADER;
    if (from) {
        *from = h.source;
    }
    if (type) {
        *type = h.message_type;
    }
    v4v_ring_copy(e->ring,
                  v4v_ring_advance(e->ring, e->ring->rx_ptr, V4V_HEADER), data,
                  payload < size ? payload : size);
    v4v_message_drop(e, &h);
    return (long)payload;
}
