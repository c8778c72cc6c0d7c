/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libv4v's streams stand on, for two domains in one process: the rings are
 * real, sending and waiting are done here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xen/errno.h>

#include "libv4v_fixture.h"

#define PAGE 4096u
#define RINGS_MAX 8u

/* ---- Two domains --------------------------------------------------------- */

static struct v4v_ring *rings[RINGS_MAX];
unsigned int domain;
static uint64_t now; /* goes on by waiting */
unsigned int sent;
void (*on_wait)(void);
void (*on_drop)(void);
bool is_barred;

struct v4v_ring *ring_find(const struct v4v_addr *a)
{
    for (unsigned int i = 0; i < RINGS_MAX; i++) {
        if (rings[i] && rings[i]->id.addr.domain == a->domain &&
            rings[i]->id.addr.port == a->port) {
            return rings[i];
        }
    }
    return NULL;
}

long v4v_open(struct v4v_endpoint *e, uint32_t port, unsigned int partner,
              uint32_t pages)
{
    struct v4v_addr id = {.port = port, .domain = (uint16_t)domain};
    unsigned int i = 0;

    e->ring = NULL;
    if (pages == 0) {
        return -XEN_EINVAL;
    }
    if (ring_find(&id)) {
        return -XEN_EEXIST;
    }
    while (rings[i]) {
        assert_true(++i < RINGS_MAX);
    }
    rings[i] = calloc(pages, PAGE);
    assert_non_null(rings[i]);
    rings[i]->id.addr = id;
    rings[i]->id.partner = (uint16_t)partner;
    rings[i]->len = pages * PAGE - (uint32_t)sizeof(struct v4v_ring);
    e->ring = rings[i];
    return 0;
}

long v4v_close(struct v4v_endpoint *e)
{
    for (unsigned int i = 0; i < RINGS_MAX; i++) {
        if (rings[i] == e->ring) {
            rings[i] = NULL;
        }
    }
    free(e->ring);
    e->ring = NULL;
    return 0;
}

struct v4v_iov v4v_iov_of(const void *data, size_t size)
{
    return (struct v4v_iov){
        .iov_base = (uintptr_t)data,
        .iov_len = (uint32_t)size,
    };
}

uint32_t ring_used(const struct v4v_ring *r)
{
    return r->tx_ptr - r->rx_ptr + (r->tx_ptr < r->rx_ptr ? r->len : 0);
}

static void ring_put(struct v4v_ring *r, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        r->ring[r->tx_ptr] = ((const uint8_t *)data)[i];
        r->tx_ptr = (r->tx_ptr + 1) % r->len;
    }
}

long v4v_sendv(const struct v4v_send_addr *addr, const struct v4v_iov *iov,
               uint32_t count, uint32_t type)
{
    struct v4v_ring_message_header h = {
        .len = sizeof(h), .message_type = type, .source = addr->src};
    struct v4v_ring *to = ring_find(&addr->dst);
    uint32_t i;

    if (is_barred && addr->src.domain == THEM && addr->src.port != PORT) {
        return -XEN_ECONNREFUSED;
    }
    if (!to || (to->id.partner != V4V_DOMID_ANY &&
                to->id.partner != addr->src.domain)) {
        return -XEN_ECONNREFUSED;
    }
    for (i = 0; i < count; i++) {
        h.len += iov[i].iov_len;
    }
    if (V4V_ROUNDUP(h.len) + V4V_SLOT > to->len) {
        return -XEN_EMSGSIZE;
    }
    if (V4V_ROUNDUP(h.len) + V4V_SLOT > to->len - ring_used(to)) {
        return -XEN_EAGAIN;
    }
    ring_put(to, &h, sizeof(h));
    for (i = 0; i < count; i++) {
        ring_put(to, (const void *)(uintptr_t)iov[i].iov_base, iov[i].iov_len);
    }
    to->tx_ptr = V4V_ROUNDUP(to->tx_ptr) % to->len;
    sent++;
    return h.len - (long)sizeof(h);
}

uint64_t v4v_deadline_of(uint64_t ns)
{
    return ns == V4V_FOREVER ? V4V_FOREVER : now + ns;
}

bool v4v_is_late(uint64_t deadline)
{
    return ++now >= deadline;
}

void v4v_ring_copy(const struct v4v_ring *ring, uint32_t at, void *to,
                   size_t size)
{
    assert_true(at < ring->len && size < ring->len);
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)to)[i] = ring->ring[(at + i) % ring->len];
    }
}

uint32_t v4v_ring_advance(const struct v4v_ring *ring, uint32_t at, uint32_t by)
{
    return (at + by) % ring->len;
}

/* Others get one chance. */
static void wait_once(void)
{
    void (*run)(void) = on_wait;
    unsigned int who = domain;

    on_wait = NULL;
    if (run) {
        domain = who == US ? THEM : US;
        run();
        domain = who;
    }
    now += 1000;
}

long v4v_send_waiting(const struct v4v_send_addr *addr,
                      const struct v4v_iov *iov, uint32_t count, uint32_t type,
                      uint64_t ns)
{
    long rc = v4v_sendv(addr, iov, count, type);

    if (rc == -XEN_EAGAIN && ns > 0) {
        wait_once();
        rc = v4v_sendv(addr, iov, count, type);
        rc = rc == -XEN_EAGAIN ? -XEN_ETIMEDOUT : rc;
    }
    return rc;
}

long v4v_message_await(struct v4v_endpoint *e,
                       struct v4v_ring_message_header *h, uint64_t ns)
{
    if (ring_used(e->ring) == 0 && ns > 0) {
        wait_once();
    }
    if (ring_used(e->ring) == 0) {
        return ns > 0 ? -XEN_ETIMEDOUT : -XEN_EAGAIN;
    }
    v4v_ring_copy(e->ring, e->ring->rx_ptr, h, sizeof(*h));
    return 0;
}

void v4v_message_drop(struct v4v_endpoint *e,
                      const struct v4v_ring_message_header *h)
{
    e->ring->rx_ptr =
        v4v_ring_advance(e->ring, e->ring->rx_ptr, V4V_ROUNDUP(h->len));
    if (on_drop) {
        on_drop();
    }
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
    payload = h.len - sizeof(h);
    *from = h.source;
    *type = h.message_type;
    v4v_ring_copy(e->ring,
                  v4v_ring_advance(e->ring, e->ring->rx_ptr, sizeof(h)), data,
                  payload < size ? payload : size);
    v4v_message_drop(e, &h);
    return (long)payload;
}

/* ---- Both sides ---------------------------------------------------------- */

struct v4v_endpoint listener;
struct v4v_stream here, there;
uint8_t buffer[8192];

struct v4v_addr listener_address(void)
{
    return (struct v4v_addr){.port = PORT, .domain = THEM};
}

void accept_there(void)
{
    assert_int_equal(v4v_accept(&listener, &there, 1, 0), 0);
}

int world_begin(void **state)
{
    (void)state;
    memset(&here, 0, sizeof(here));
    memset(&there, 0, sizeof(there));
    on_wait = NULL;
    on_drop = NULL;
    is_barred = false;
    domain = THEM;
    assert_int_equal(v4v_open(&listener, PORT, V4V_DOMID_ANY, 1), 0);
    domain = US;
    return 0;
}

/* Nothing is left but what tests have closed. */
int world_end(void **state)
{
    (void)state;
    on_drop = NULL;
    v4v_stream_close(&here);
    v4v_stream_close(&there);
    v4v_close(&listener);
    for (unsigned int i = 0; i < RINGS_MAX; i++) {
        assert_null(rings[i]);
    }
    return 0;
}

void connect_both(void)
{
    struct v4v_addr to = listener_address();

    on_wait = accept_there;
    assert_int_equal(v4v_connect(&here, &to, 1, 1000), 0);
    assert_int_equal(here.peer.port, there.end.ring->id.addr.port);
    assert_int_equal(there.peer.port, here.end.ring->id.addr.port);
}

/* A message to one end as if the other, or another port, had sent it. */
long inject(const struct v4v_stream *to, uint32_t port, uint32_t flags,
            uint32_t conid, const char *data)
{
    struct v4v_send_addr addr = {.src = to->peer, .dst = v4v_address(&to->end)};
    struct v4v_stream_header h = {.flags = flags, .conid = conid};
    struct v4v_iov iov[] = {v4v_iov_of(&h, sizeof(h)),
                            v4v_iov_of(data, strlen(data))};

    addr.src.port = port;
    return v4v_sendv(&addr, iov, 2, V4V_MESSAGE_STREAM);
}

void assert_reads(struct v4v_stream *s, const char *text)
{
    assert_int_equal(v4v_stream_receive(s, buffer, sizeof(buffer), 0),
                     strlen(text));
    assert_memory_equal(buffer, text, strlen(text));
}

void assert_sends(struct v4v_stream *s, const char *text)
{
    assert_int_equal(v4v_stream_send(s, text, strlen(text), 0), strlen(text));
}

void assert_end(struct v4v_stream *s)
{
    assert_int_equal(v4v_stream_receive(s, buffer, sizeof(buffer), 1000), 0);
    assert_int_equal(v4v_stream_receive(s, buffer, sizeof(buffer), 0), 0);
}

long syn_send(struct v4v_endpoint *from, const void *syn, size_t size)
{
    struct v4v_send_addr addr = {.src = v4v_address(from),
                                 .dst = listener_address()};
    struct v4v_iov iov = v4v_iov_of(syn, size);

    return v4v_sendv(&addr, &iov, 1, V4V_MESSAGE_STREAM);
}
