/* SPDX-License-Identifier: MIT */
/*
 * Bench: what messages cost in instructions, hypervisor included, to a ring of
 * the same domain that is empty before each send and whose event is not
 * pending. Figures as in the guest `bench`: median of 300 after 20 warm-ups,
 * less an empty pair of readings; instructions under QEMU's icount only.
 *
 * What is named ..._piece is the longest stretch that an operation runs without
 * letting others run: it does as much as one piece may.
 *
 * `role=ping peer=` and `role=pong peer=` measure between two domains (pair.c).
 *
 * Environments: pvh64.
 */

#include "pair.h"
#include "sample.h"
#include "v4v.h"

const char test_title[] = "v4v-bench: instruction counts of messages";

#define PORT 77
#define RING_PAGES 64u
#define BUFFER_PAGES 32u
/* A piece of each operation: ravelin/v4v.h. */
#define PIECE_BYTES 131072u
#define PIECE_PAGES 256u
#define PIECE_ENTRIES 32u
#define BIG_PAGES 4097u
#define BIG_SAMPLES 30

static struct v4v_endpoint end, other;
static struct v4v_send_addr addr;
static struct v4v_iov iov[4];
static struct {
    struct v4v_ring_data head;
    struct v4v_ring_data_ent ent[256];
} data;
/* A large ring, all of whose pages are the same one. */
static struct v4v_ring *big;
static uint64_t big_pfn[BIG_PAGES];
static uint8_t *buffer;
static uint32_t port;

static uint32_t timed(unsigned int cmd, const void *a1, const void *a2,
                      uint32_t a3, uint32_t a4)
{
    uint64_t from = rdtsc();

    hypercall_raw(__HYPERVISOR_v4v_op, cmd, (unsigned long)a1,
                  (unsigned long)a2, a3, a4);
    return (uint32_t)(rdtsc() - from);
}

static void ring_empty(void)
{
    __atomic_store_n(&end.ring->rx_ptr, end.ring->tx_ptr, __ATOMIC_RELEASE);
    event_clear(port);
}

static uint32_t send(uint32_t size)
{
    iov[0] = v4v_iov_of(buffer, size);
    ring_empty();
    return timed(V4VOP_sendv, &addr, iov, 1, V4V_MESSAGE_DGRAM);
}

static uint32_t sample_empty(void)
{
    uint64_t from = rdtsc();

    return (uint32_t)(rdtsc() - from);
}
static uint32_t sample_send_16(void)
{
    return send(16);
}
static uint32_t sample_send_256(void)
{
    return send(256);
}
static uint32_t sample_send_4096(void)
{
    return send(4096);
}
static uint32_t sample_send_16384(void)
{
    return send(16384);
}
static uint32_t sample_send_65536(void)
{
    return send(65536);
}
static uint32_t sample_send_piece(void)
{
    return send(PIECE_BYTES);
}
static uint32_t sample_send_4x1024(void)
{
    unsigned int i;

    for (i = 0; i < 4; i++) {
        iov[i] = v4v_iov_of(buffer + i * PAGE_SIZE, 1024);
    }
    ring_empty();
    return timed(V4VOP_sendv, &addr, iov, 4, V4V_MESSAGE_DGRAM);
}
static uint32_t sample_refused(void)
{
    uint32_t took;

    addr.dst.port++;
    iov[0] = v4v_iov_of(buffer, 16);
    took = timed(V4VOP_sendv, &addr, iov, 1, V4V_MESSAGE_DGRAM);
    addr.dst.port--;
    return took;
}
static uint32_t notify(uint32_t entries)
{
    data.head.nent = entries;
    return timed(V4VOP_notify, &data, NULL, 0, 0);
}
static uint32_t sample_notify_1(void)
{
    return notify(1);
}
static uint32_t sample_notify_piece(void)
{
    return notify(PIECE_ENTRIES);
}
static uint32_t sample_notify_256(void)
{
    return notify(256);
}
static uint32_t sample_notify_null(void)
{
    return timed(V4VOP_notify, NULL, NULL, 0, 0);
}
static uint32_t sample_register_64(void)
{
    uint32_t took =
        timed(V4VOP_register_ring, other.ring, other.pfn, RING_PAGES, 0);

    v4v_op(V4VOP_unregister_ring, other.ring, NULL, 0, 0);
    return took;
}
static uint32_t sample_unregister_64(void)
{
    v4v_op(V4VOP_register_ring, other.ring, other.pfn, RING_PAGES, 0);
    return timed(V4VOP_unregister_ring, other.ring, NULL, 0, 0);
}

static void big_size(uint32_t pages)
{
    big->len = (uint32_t)(pages * PAGE_SIZE - sizeof(*big));
    if (big->len > V4V_RING_LEN_MAX) {
        big->len = V4V_RING_LEN_MAX;
    }
}

static uint32_t big_register(uint32_t pages)
{
    uint32_t took;

    big_size(pages);
    took = timed(V4VOP_register_ring, big, big_pfn, pages, 0);
    v4v_op(V4VOP_unregister_ring, big, NULL, 0, 0);
    return took;
}
static uint32_t big_unregister(uint32_t pages)
{
    big_size(pages);
    v4v_op(V4VOP_register_ring, big, big_pfn, pages, 0);
    return timed(V4VOP_unregister_ring, big, NULL, 0, 0);
}
static uint32_t sample_register_piece(void)
{
    return big_register(PIECE_PAGES);
}
static uint32_t sample_unregister_piece(void)
{
    return big_unregister(PIECE_PAGES);
}
static uint32_t sample_register_16m(void)
{
    return big_register(BIG_PAGES);
}
static uint32_t sample_unregister_16m(void)
{
    return big_unregister(BIG_PAGES);
}

static const struct {
    const char *name;
    uint32_t (*sample)(void);
    unsigned int count; /* 0: as many as usual */
} table[] = {
    {"v4v_send_16", sample_send_16, 0},
    {"v4v_send_256", sample_send_256, 0},
    {"v4v_send_4096", sample_send_4096, 0},
    {"v4v_send_16384", sample_send_16384, 0},
    {"v4v_send_65536", sample_send_65536, 0},
    {"v4v_send_piece", sample_send_piece, 0},
    {"v4v_send_4x1024", sample_send_4x1024, 0},
    {"v4v_send_refused", sample_refused, 0},
    {"v4v_notify_1", sample_notify_1, 0},
    {"v4v_notify_null", sample_notify_null, 0},
    {"v4v_notify_piece", sample_notify_piece, 0},
    {"v4v_notify_256", sample_notify_256, 0},
    {"v4v_register_64", sample_register_64, 0},
    {"v4v_unregister_64", sample_unregister_64, 0},
    {"v4v_register_piece", sample_register_piece, 0},
    {"v4v_unregister_piece", sample_unregister_piece, 0},
    {"v4v_register_16m", sample_register_16m, BIG_SAMPLES},
    {"v4v_unregister_16m", sample_unregister_16m, BIG_SAMPLES},
};

static bool prepare(void)
{
    long p = v4v_event_port();
    unsigned int i;

    if (!CHECK(p > 0)) {
        return false;
    }
    port = (uint32_t)p;
    buffer = pages_alloc(BUFFER_PAGES, 1);
    big = pages_alloc(1, 1);
    if (!CHECK(buffer) || !CHECK(big) ||
        !CHECK_EQ(v4v_open(&end, PORT, V4V_DOMID_ANY, RING_PAGES), 0) ||
        !CHECK_EQ(v4v_open(&other, PORT + 2, V4V_DOMID_ANY, RING_PAGES), 0) ||
        !CHECK_EQ(v4v_op(V4VOP_unregister_ring, other.ring, NULL, 0, 0), 0)) {
        return false;
    }
    addr.src = addr.dst = v4v_address(&end);
    data.head.magic = V4V_RING_DATA_MAGIC;
    for (i = 0; i < ARRAY_SIZE(data.ent); i++) {
        data.ent[i].ring = addr.dst;
        data.ent[i].space_required = 1024;
    }
    big->magic = V4V_RING_MAGIC;
    big->id.addr.port = PORT + 3;
    big->id.partner = V4V_DOMID_ANY;
    for (i = 0; i < BIG_PAGES; i++) {
        big_pfn[i] = (uintptr_t)big >> 12;
    }
    return true;
}

static void alone(void)
{
    uint32_t empty;
    unsigned int i;

    if (!prepare()) {
        return;
    }
    empty = sample_median(sample_empty, SAMPLES);
    for (i = 0; i < ARRAY_SIZE(table); i++) {
        sample_report(table[i].name, table[i].sample,
                      table[i].count ? table[i].count : SAMPLES, empty);
    }
    CHECK_EQ(v4v_sendv(&addr, iov, 1, V4V_MESSAGE_DGRAM), iov[0].iov_len);
    CHECK_EQ(v4v_close(&end), 0);
}

void test_main(void)
{
    unsigned int peer = (unsigned int)cmdline_number("peer", 0xffff);
    const char *role = cmdline_value("role");

    if (!role) {
        alone();
    } else if (!strncmp(role, "ping", 4)) {
        pair_ping(peer);
    } else {
        pair_pong(peer);
    }
}
