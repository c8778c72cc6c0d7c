/* SPDX-License-Identifier: MIT */
/*
 * Bench: what messages cost in instructions, hypervisor included, to a ring of
 * the same domain that is empty before each send and whose event is not
 * pending. Figures as in the guest `bench`: median of 300 after 20 warm-ups,
 * less an empty pair of readings; instructions under QEMU's icount only.
 *
 * Environments: pvh64.
 */

#include "guest.h"
#include "v4v.h"

const char test_title[] = "v4v-bench: instruction counts of messages";

#define WARM_UPS 20
#define SAMPLES 300
#define PORT 77
#define RING_PAGES 64u
#define BUFFER_PAGES 16u

static struct v4v_endpoint end, other;
static struct v4v_send_addr addr;
static struct v4v_iov iov[4];
static uint64_t data_room[16];
static struct v4v_ring_data *const data = (void *)data_room;
static uint8_t *buffer;
static uint32_t port;
static uint32_t samples[SAMPLES];

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
static uint32_t sample_notify_1(void)
{
    return timed(V4VOP_notify, data, NULL, 0, 0);
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

static const struct {
    const char *name;
    uint32_t (*sample)(void);
} table[] = {
    {"v4v_send_16", sample_send_16},
    {"v4v_send_256", sample_send_256},
    {"v4v_send_4096", sample_send_4096},
    {"v4v_send_16384", sample_send_16384},
    {"v4v_send_65536", sample_send_65536},
    {"v4v_send_4x1024", sample_send_4x1024},
    {"v4v_send_refused", sample_refused},
    {"v4v_notify_1", sample_notify_1},
    {"v4v_notify_null", sample_notify_null},
    {"v4v_register_64", sample_register_64},
    {"v4v_unregister_64", sample_unregister_64},
};

static uint32_t median(uint32_t (*sample)(void))
{
    unsigned int i, j;

    for (i = 0; i < WARM_UPS; i++) {
        sample();
    }
    for (i = 0; i < SAMPLES; i++) {
        uint32_t x = sample();

        for (j = i; j && samples[j - 1] > x; j--) {
            samples[j] = samples[j - 1];
        }
        samples[j] = x;
    }
    return samples[SAMPLES / 2];
}

static bool prepare(void)
{
    long p = v4v_event_port();

    if (!CHECK(p > 0)) {
        return false;
    }
    port = (uint32_t)p;
    buffer = pages_alloc(BUFFER_PAGES, 1);
    if (!CHECK(buffer) ||
        !CHECK_EQ(v4v_open(&end, PORT, V4V_DOMID_ANY, RING_PAGES), 0) ||
        !CHECK_EQ(v4v_open(&other, PORT + 2, V4V_DOMID_ANY, RING_PAGES), 0) ||
        !CHECK_EQ(v4v_op(V4VOP_unregister_ring, other.ring, NULL, 0, 0), 0)) {
        return false;
    }
    addr.src = addr.dst = v4v_address(&end);
    data->magic = V4V_RING_DATA_MAGIC;
    data->nent = 1;
    data->data[0].ring = addr.dst;
    data->data[0].space_required = 1024;
    return true;
}

void test_main(void)
{
    uint32_t empty;
    unsigned int i;

    if (!prepare()) {
        return;
    }
    empty = median(sample_empty);
    for (i = 0; i < ARRAY_SIZE(table); i++) {
        uint32_t v = median(table[i].sample) - empty;

        printf("BENCH %s %u insn\n", table[i].name, v);
        printf("INFO %s min %u p90 %u max %u\n", table[i].name,
               samples[0] - empty, samples[SAMPLES * 9 / 10] - empty,
               samples[SAMPLES - 1] - empty);
    }
    CHECK_EQ(v4v_sendv(&addr, iov, 1, V4V_MESSAGE_DGRAM), iov[0].iov_len);
    CHECK_EQ(v4v_close(&end), 0);
}
