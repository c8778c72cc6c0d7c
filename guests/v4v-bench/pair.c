/* SPDX-License-Identifier: MIT */
/*
 * Two domains: a round trip, what one send costs its sender, and a stream of
 * messages through a ring of 64 pages. Time stamps are the machine's, so under
 * icount a figure counts what all its processors execute meanwhile, waiting
 * included.
 */
#include "pair.h"

#include "v4v.h"

#define PORT 20
#define PAGES 64u
#define PATIENCE (60000 * MS)
#define WARM_UPS 50u
/* Of a stream, for each round. */
#define ROUND_BYTES 8192u
#define SIZE_MAX_MESSAGE 16384u

/* The first word of a message. */
enum { ECHO, SINK, LAST, END };

static struct v4v_endpoint end;
static struct v4v_addr to;
static uint32_t *buffer;
static uint32_t rounds;

static bool open(unsigned int peer)
{
    buffer = pages_alloc(SIZE_MAX_MESSAGE / PAGE_SIZE, 1);
    to = (struct v4v_addr){.port = PORT, .domain = (uint16_t)peer};
    return CHECK(buffer) && CHECK_EQ(v4v_open(&end, PORT, peer, PAGES), 0);
}

static bool put(uint32_t what, uint32_t size)
{
    buffer[0] = what;
    return v4v_send(&end, &to, buffer, size, PATIENCE) == (long)size;
}

static bool get(void)
{
    return v4v_receive(&end, NULL, NULL, buffer, SIZE_MAX_MESSAGE, PATIENCE) >=
           4;
}

void pair_pong(unsigned int peer)
{
    if (!open(peer)) {
        return;
    }
    while (CHECK(get()) && buffer[0] != END) {
        if (buffer[0] != SINK && !CHECK(put(ECHO, 64))) {
            break;
        }
    }
    CHECK_EQ(v4v_close(&end), 0);
}

/* The peer may not be there yet. */
static bool meet(void)
{
    uint64_t deadline = clock_ns() + PATIENCE;

    while (!put(ECHO, 64)) {
        if (clock_ns() > deadline) {
            return CHECK(false);
        }
        clock_sleep(5 * MS);
    }
    return CHECK(get());
}

static void figure(const char *name, uint64_t total, uint32_t n)
{
    printf("BENCH v4v_pair_%s %llu insn\n", name,
           (unsigned long long)u64_divide(total, n, NULL));
}

/* There and back. */
static void round_trips(void)
{
    uint64_t from = 0;
    unsigned int i;

    for (i = 0; i < WARM_UPS + rounds; i++) {
        if (i == WARM_UPS) {
            from = rdtsc();
        }
        if (!CHECK(put(ECHO, 64)) || !CHECK(get())) {
            return;
        }
    }
    figure("round_trip", rdtsc() - from, rounds);
}

/* A send while the receiver sleeps: it is woken each time. */
static void sends(const char *name, uint32_t size)
{
    uint64_t total = 0;
    unsigned int i;

    for (i = 0; i < WARM_UPS + rounds; i++) {
        uint64_t from;

        if (!CHECK(put(ECHO, 64)) || !CHECK(get())) {
            return;
        }
        clock_sleep(MS / 10);
        from = rdtsc();
        if (!CHECK(put(SINK, size))) {
            return;
        }
        total += i < WARM_UPS ? 0 : rdtsc() - from;
    }
    figure(name, total, rounds);
}

/* Instructions for each KiB that arrives. */
static void stream(const char *name, uint32_t size)
{
    uint32_t bytes = rounds * ROUND_BYTES, done;
    uint64_t from = rdtsc();

    for (done = size; done < bytes; done += size) {
        if (!CHECK(put(SINK, size))) {
            return;
        }
    }
    if (CHECK(put(LAST, size)) && CHECK(get())) {
        figure(name, rdtsc() - from, done / 1024);
    }
}

void pair_ping(unsigned int peer)
{
    rounds = (uint32_t)cmdline_number("rounds", 500);
    if (!open(peer) || !meet()) {
        return;
    }
    round_trips();
    sends("send_64", 64);
    sends("send_4096", 4096);
    stream("kib_of_256", 256);
    stream("kib_of_4096", 4096);
    stream("kib_of_16384", 16384);
    CHECK(put(END, 64));
    CHECK_EQ(v4v_close(&end), 0);
}
