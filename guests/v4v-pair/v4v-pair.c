/* SPDX-License-Identifier: MIT */
/*
 * Messages between two domains: `role=server peer=<domid>` and `role=client
 * peer=<domid>`. Numbered datagrams of all sizes in both directions, then a
 * stream each way through a small ring, with PING, refusal and the end of one
 * side after the other. `count=` is the number of datagrams. Other roles:
 * `denied` (the rules of the manifest forbid this domain to send to its peer),
 * `barred` and `unanswered` (they forbid the way back of connections, but for
 * one listener's port), `mourner` (sends until its peer has died), `witness`
 * (long messages arrive whole or not at all, though their sender ends in the
 * middle of one), and for whoever changes rules meanwhile `talker` (a datagram
 * each millisecond, refused or not) and `listener`, which both never end.
 *
 * Environments: all.
 */

#include "guest.h"
#include "v4v.h"

const char test_title[] = "v4v-pair: messages between two domains";

#define PORT 10
#define LISTEN 11
#define REFUSING 12
#define PATIENCE (60000 * MS)
#define SIZE_MAX_DGRAM 9000
#define STREAM_BYTES (256 * 1024)
#define CHUNK 3000
#define FAREWELL 100

static struct v4v_endpoint end;
static uint8_t buffer[SIZE_MAX_DGRAM + 16];
static uint32_t count;

static uint8_t pattern(uint32_t seed, uint32_t i)
{
    return (uint8_t)(seed * 131 + i * 7 + (i >> 8) * 13);
}

static uint32_t size_of(uint32_t number)
{
    return number % 50 == 0 ? number % SIZE_MAX_DGRAM : number * 37 % 600;
}

static void fill(uint32_t seed, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        buffer[i] = pattern(seed, i);
    }
}

static bool is_pattern(uint32_t seed, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        if (buffer[i] != pattern(seed, i)) {
            return false;
        }
    }
    return true;
}

/* The peer may not have opened its ring yet. */
static long send_patiently(const struct v4v_addr *to, uint32_t n)
{
    uint64_t deadline = clock_ns() + PATIENCE;
    long rc;

    do {
        rc = v4v_send(&end, to, buffer, n, PATIENCE);
        if (rc != -XEN_ECONNREFUSED) {
            return rc;
        }
        clock_sleep(5 * MS);
    } while (clock_ns() < deadline);
    return rc;
}

static bool datagrams_send(const struct v4v_addr *to)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        fill(i, size_of(i));
        if (!CHECK_EQ(send_patiently(to, size_of(i)), size_of(i))) {
            return false;
        }
    }
    return true;
}

static bool datagrams_receive(unsigned int peer)
{
    struct v4v_addr from;
    uint32_t type, i;

    for (i = 0; i < count; i++) {
        long n =
            v4v_receive(&end, &from, &type, buffer, sizeof(buffer), PATIENCE);

        if (!CHECK_EQ(n, size_of(i)) || !CHECK_EQ(from.domain, peer) ||
            !CHECK_EQ(from.port, PORT) || !CHECK_EQ(type, V4V_MESSAGE_DGRAM) ||
            !CHECK(is_pattern(i, size_of(i)))) {
            return false;
        }
    }
    return CHECK_EQ(v4v_unread(&end), 0);
}

/* ---- Streams ------------------------------------------------------------- */

static bool stream_write(struct v4v_stream *s)
{
    uint32_t done;

    for (done = 0; done < STREAM_BYTES;) {
        uint32_t n = STREAM_BYTES - done < CHUNK ? STREAM_BYTES - done : CHUNK;

        fill(done / CHUNK, n);
        if (!CHECK_EQ(v4v_stream_send(s, buffer, n, PATIENCE), n)) {
            return false;
        }
        done += n;
    }
    return true;
}

static bool stream_read(struct v4v_stream *s)
{
    uint32_t done, part = 0;

    for (done = 0; done < STREAM_BYTES;) {
        uint32_t chunk = done / CHUNK, at = done % CHUNK;
        long n = v4v_stream_receive(s, buffer, CHUNK - at, PATIENCE);
        long i;

        if (!CHECK(n > 0)) {
            return false;
        }
        for (i = 0; i < n; i++) {
            if (buffer[i] != pattern(chunk, at + (uint32_t)i)) {
                return CHECK(false);
            }
        }
        done += (uint32_t)n;
        part++;
    }
    printf("stream: %u bytes in %u parts\n", done, part);
    return true;
}

/* Without pages there is no ring, so the SYN is answered with RST. */
static void syn_refuse(void)
{
    struct v4v_endpoint listener;
    struct v4v_stream s;

    if (CHECK_EQ(v4v_open(&listener, REFUSING, V4V_DOMID_ANY, 1), 0)) {
        CHECK_EQ(v4v_accept(&listener, &s, 0, PATIENCE), -XEN_EINVAL);
        CHECK_EQ(v4v_close(&listener), 0);
    }
}

/* The peer's PING comes before its FIN, which leaves our side open; it closes
 * when it has read the farewell. */
static void farewell_send(struct v4v_stream *s)
{
    uint64_t deadline = clock_ns() + PATIENCE;

    CHECK_EQ(v4v_stream_receive(s, buffer, 16, PATIENCE), 0);
    CHECK(s->has_ended && !s->is_closed);
    fill(1, FAREWELL);
    CHECK_EQ(v4v_stream_send(s, buffer, FAREWELL, PATIENCE), FAREWELL);
    CHECK_EQ(v4v_stream_shutdown(s, PATIENCE), 0);
    CHECK_EQ(v4v_stream_send(s, buffer, 16, 0), -XEN_ENOTCONN);
    while (!s->is_closed && clock_ns() < deadline) {
        CHECK_EQ(v4v_stream_receive(s, buffer, 16, PATIENCE), 0);
        clock_sleep(MS);
    }
    CHECK(s->is_closed);
}

/* What nobody should send after FIN: it once more, data, and FIN of a
 * connection that is not there. The peer must not mind. Its ring has room for
 * all of it, and for our end behind. */
static void after_fin_misuse(const struct v4v_stream *s)
{
    const struct v4v_stream_header wrong[] = {
        {.flags = V4V_SHF_FIN, .conid = s->conid},
        {.flags = 0, .conid = s->conid},
        {.flags = V4V_SHF_FIN, .conid = s->conid + 1},
    };
    struct v4v_send_addr addr = {.src = v4v_address(&s->end), .dst = s->peer};
    unsigned int i;

    for (i = 0; i < 60; i++) {
        struct v4v_iov iov[2] = {
            v4v_iov_of(&wrong[i % 3], sizeof(wrong[0])),
            v4v_iov_of(buffer, 16),
        };

        CHECK_EQ(v4v_sendv(&addr, iov, 2, V4V_MESSAGE_STREAM),
                 sizeof(wrong[0]) + 16);
    }
}

static void farewell_receive(struct v4v_stream *s)
{
    CHECK_EQ(v4v_stream_shutdown(s, PATIENCE), 0);
    CHECK_EQ(v4v_stream_send(s, buffer, 16, 0), -XEN_ENOTCONN);
    after_fin_misuse(s);
    CHECK_EQ(v4v_stream_receive(s, buffer, FAREWELL, PATIENCE), FAREWELL);
    CHECK(is_pattern(1, FAREWELL));
    CHECK_EQ(v4v_stream_receive(s, buffer, 1, PATIENCE), 0);
    CHECK(s->has_ended && !s->is_closed);
}

static void stream_server(void)
{
    struct v4v_endpoint listener;
    struct v4v_stream s;

    syn_refuse();
    if (!CHECK_EQ(v4v_open(&listener, LISTEN, V4V_DOMID_ANY, 1), 0) ||
        !CHECK_EQ(v4v_accept(&listener, &s, 2, PATIENCE), 0)) {
        return;
    }
    if (stream_read(&s)) {
        stream_write(&s);
    }
    farewell_send(&s);
    v4v_stream_close(&s);
    CHECK_EQ(v4v_close(&listener), 0);
}

static long connect_patiently(struct v4v_stream *s, const struct v4v_addr *to)
{
    uint64_t deadline = clock_ns() + PATIENCE;
    long rc;

    do {
        rc = v4v_connect(s, to, 1, PATIENCE);
        if (rc != -XEN_ECONNREFUSED) {
            return rc;
        }
        clock_sleep(5 * MS);
    } while (clock_ns() < deadline);
    return rc;
}

/* Refused by the hypervisor until the peer listens, then by the peer. */
static void syn_refused(unsigned int peer)
{
    struct v4v_addr to = {.port = REFUSING, .domain = (uint16_t)peer};
    uint64_t deadline = clock_ns() + PATIENCE;
    struct v4v_stream s;

    do {
        CHECK_EQ(v4v_connect(&s, &to, 1, PATIENCE), -XEN_ECONNREFUSED);
        clock_sleep(MS);
    } while (!s.is_closed && clock_ns() < deadline);
    CHECK(s.is_closed);
    CHECK_EQ(v4v_stream_receive(&s, buffer, 1, 0), 0);
}

static void stream_client(unsigned int peer)
{
    struct v4v_addr to = {.port = LISTEN, .domain = (uint16_t)peer};
    struct v4v_addr nobody = {.port = 4711, .domain = (uint16_t)peer};
    struct v4v_stream s;
    uint64_t deadline = clock_ns() + PATIENCE;

    CHECK_EQ(v4v_connect(&s, &nobody, 1, PATIENCE), -XEN_ECONNREFUSED);
    CHECK(!s.is_closed);
    syn_refused(peer);
    if (!CHECK_EQ(connect_patiently(&s, &to), 0)) {
        return;
    }
    if (stream_write(&s)) {
        stream_read(&s);
    }
    CHECK_EQ(v4v_stream_receive(&s, buffer, 1, 0), -XEN_EAGAIN);
    CHECK_EQ(v4v_stream_ping(&s), 0);
    while (s.pongs == 0 && clock_ns() < deadline) {
        v4v_stream_receive(&s, buffer, 1, 20 * MS);
    }
    CHECK_EQ(s.pongs, 1);
    farewell_receive(&s);
    v4v_stream_close(&s);
}

/* ---- Roles --------------------------------------------------------------- */

static void server(unsigned int peer)
{
    struct v4v_addr to = {.port = PORT, .domain = (uint16_t)peer};

    if (datagrams_receive(peer) && datagrams_send(&to)) {
        stream_server();
    }
}

static void client(unsigned int peer)
{
    struct v4v_addr to = {.port = PORT, .domain = (uint16_t)peer};

    if (datagrams_send(&to) && datagrams_receive(peer)) {
        stream_client(peer);
    }
}

static uint16_t ask(unsigned int peer, uint32_t port)
{
    struct {
        struct v4v_ring_data head;
        struct v4v_ring_data_ent ent;
    } data = {
        .head = {.magic = V4V_RING_DATA_MAGIC, .nent = 1},
        .ent = {.ring = {.port = port, .domain = (uint16_t)peer}},
    };

    CHECK_EQ(v4v_op(V4VOP_notify, &data, NULL, 0, 0), 0);
    return data.ent.flags;
}

/* Refused, and told nothing, however often it asks. */
static void denied(unsigned int peer)
{
    struct v4v_addr to = {.port = PORT, .domain = (uint16_t)peer};
    uint64_t end_ns = clock_ns() + 500 * MS;
    unsigned int tries = 0;

    while (clock_ns() < end_ns) {
        CHECK_EQ(v4v_send(&end, &to, buffer, 16, 0), -XEN_ECONNREFUSED);
        CHECK_EQ(ask(peer, PORT), 0);
        tries++;
    }
    printf("%u tries denied\n", tries);
}

/* Two are asked for a connection; only the port of the one may say no. */
static void barred(unsigned int peer)
{
    static const uint32_t ports[] = {LISTEN, REFUSING};
    struct v4v_endpoint listener[2];
    struct v4v_stream s;
    unsigned int i;

    (void)peer;
    for (i = 0; i < 2; i++) {
        CHECK_EQ(v4v_open(&listener[i], ports[i], V4V_DOMID_ANY, 1), 0);
    }
    for (i = 0; i < 2; i++) {
        CHECK_EQ(v4v_accept(&listener[i], &s, 1, PATIENCE), -XEN_ECONNREFUSED);
        CHECK_EQ(v4v_close(&listener[i]), 0);
    }
}

/* Refused by the hypervisor until the peer listens; then the peer's no comes at
 * once, and what it may not say never. */
static void unanswered(unsigned int peer)
{
    struct v4v_addr to = {.port = LISTEN, .domain = (uint16_t)peer};
    uint64_t deadline = clock_ns() + PATIENCE;
    struct v4v_stream s;

    do {
        CHECK_EQ(v4v_connect(&s, &to, 1, PATIENCE), -XEN_ECONNREFUSED);
        clock_sleep(MS);
    } while (!s.is_closed && clock_ns() < deadline);
    CHECK(s.is_closed && clock_ns() < deadline);
    to.port = REFUSING;
    CHECK_EQ(v4v_connect(&s, &to, 1, 300 * MS), -XEN_ETIMEDOUT);
}

static void mourner(unsigned int peer)
{
    struct v4v_addr to = {.port = PORT, .domain = (uint16_t)peer};
    uint64_t deadline = clock_ns() + PATIENCE;
    long rc = send_patiently(&to, 16);
    unsigned int sent = 0;

    while (rc == 16 && clock_ns() < deadline) {
        sent++;
        rc = v4v_send(&end, &to, buffer, 5000, PATIENCE);
        rc = rc == 5000 ? 16 : rc;
    }
    CHECK(sent > 0);
    CHECK_EQ(rc, -XEN_ECONNREFUSED);
    printf("%u messages before the end\n", sent);
}

/* Each message has one value all over. The sender ends, some time. */
static void witness(unsigned int peer)
{
    static uint8_t data[200 * 1024];
    struct v4v_endpoint e;
    unsigned int whole = 0;
    long n;

    if (!CHECK_EQ(v4v_close(&end), 0) ||
        !CHECK_EQ(v4v_open(&e, PORT, peer, 64), 0)) {
        return;
    }
    do {
        n = v4v_receive(&e, NULL, NULL, data, sizeof(data),
                        whole ? 1000 * MS : PATIENCE);
        if (n >= 0) {
            whole++;
            CHECK_EQ(n, sizeof(data));
            CHECK_EQ(memcmp(data, data + 1, sizeof(data) - 1), 0);
        }
    } while (n >= 0);
    CHECK_EQ(n, -XEN_ETIMEDOUT);
    CHECK(whole > 0);
    CHECK_EQ(v4v_unread(&e), 0);
    printf("%u whole messages\n", whole);
    CHECK_EQ(v4v_close(&e), 0);
    CHECK_EQ(v4v_open(&end, PORT, peer, 8), 0);
}

/* Says when the answer changes. */
static void talker(unsigned int peer)
{
    struct v4v_addr to = {.port = PORT, .domain = (uint16_t)peer};
    long last = 1, rc;

    for (;;) {
        rc = v4v_send(&end, &to, buffer, 64, 0);
        if (rc != -XEN_EAGAIN && rc != last) {
            printf("talker: %s\n", rc == 64 ? "heard" : "refused");
            last = rc;
        }
        clock_sleep(MS);
    }
}

static void listener(unsigned int peer)
{
    struct v4v_addr from;
    uint32_t type;

    (void)peer;
    for (;;) {
        v4v_receive(&end, &from, &type, buffer, sizeof(buffer), V4V_FOREVER);
    }
}

static const struct {
    const char *name;
    void (*run)(unsigned int peer);
} roles[] = {
    {"server", server},   {"client", client},         {"denied", denied},
    {"barred", barred},   {"unanswered", unanswered}, {"mourner", mourner},
    {"witness", witness}, {"talker", talker},         {"listener", listener},
};

void test_main(void)
{
    unsigned int peer = (unsigned int)cmdline_number("peer", 0xffff);
    const char *role = cmdline_value("role");
    unsigned int i;

    count = (uint32_t)cmdline_number("count", 500);
    if (!role || peer == 0xffff) {
        report_skip("needs role= and peer= on the command line");
        return;
    }
    if (!CHECK_EQ(v4v_open(&end, PORT, peer, 8), 0)) {
        return;
    }
    for (i = 0; i < ARRAY_SIZE(roles); i++) {
        if (!strncmp(role, roles[i].name, strlen(roles[i].name))) {
            roles[i].run(peer);
        }
    }
    CHECK_EQ(v4v_close(&end), 0);
}
