/* SPDX-License-Identifier: MIT */
/*
 * What the micro guest v4v-pair does, from Linux: numbered datagrams of all
 * sizes in both directions, then a stream each way, PING and the end of one
 * side after the other. It proves that both libraries mean the same by the same
 * bytes.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "v4v-test.h"
#include "v4v_io.h"

#define PORT 10
#define LISTEN 11
#define REFUSING 12
#define COUNT 500
#define SIZE_MAX_DGRAM 9000
#define STREAM_BYTES (256 * 1024)
#define CHUNK 3000
#define FAREWELL 100
#define PATIENCE_MS 60000

static uint8_t buffer[SIZE_MAX_DGRAM + 16];

static uint32_t size_of(uint32_t number)
{
    return number % 50 == 0 ? number % SIZE_MAX_DGRAM : number * 37 % 600;
}

/* The peer may not have opened its ring yet. */
static long send_patiently(int fd, const struct v4v_addr *to, uint32_t size)
{
    const struct timespec pause = {.tv_nsec = V4V_RETRY_MS * 1000000};
    double until = v4v_io_now() + PATIENCE_MS / 1e3;
    long rc;

    for (;;) {
        rc = v4v_io_send(fd, to, buffer, size);
        if (rc >= 0 || errno != ECONNREFUSED || v4v_io_now() > until) {
            return rc;
        }
        nanosleep(&pause, NULL);
    }
}

static bool datagrams_send(int fd, unsigned int peer)
{
    struct v4v_addr to = {.port = PORT, .domain = (uint16_t)peer};
    uint32_t i;

    for (i = 0; i < COUNT; i++) {
        pattern_fill(buffer, size_of(i), i);
        if (!CHECK_EQ(send_patiently(fd, &to, size_of(i)), size_of(i))) {
            return false;
        }
    }
    return true;
}

static bool datagrams_receive(int fd, unsigned int peer)
{
    struct v4v_addr from;
    uint32_t i;

    for (i = 0; i < COUNT; i++) {
        long n = v4v_io_receive(fd, &from, buffer, sizeof(buffer));

        if (!CHECK_EQ(n, size_of(i)) || !CHECK_EQ(from.domain, peer) ||
            !CHECK_EQ(from.port, PORT) ||
            !CHECK(pattern_is(buffer, size_of(i), i))) {
            return false;
        }
    }
    return true;
}

static bool stream_write(int fd)
{
    uint32_t done, n;

    for (done = 0; done < STREAM_BYTES; done += n) {
        n = STREAM_BYTES - done < CHUNK ? STREAM_BYTES - done : CHUNK;
        pattern_fill(buffer, n, done / CHUNK);
        if (!CHECK(v4v_io_write_all(fd, buffer, n))) {
            return false;
        }
    }
    return true;
}

static bool stream_read(int fd)
{
    uint32_t done, n;

    for (done = 0; done < STREAM_BYTES; done += n) {
        n = STREAM_BYTES - done < CHUNK ? STREAM_BYTES - done : CHUNK;
        if (!CHECK(v4v_io_read_all(fd, buffer, n)) ||
            !CHECK(pattern_is(buffer, n, done / CHUNK))) {
            return false;
        }
    }
    return true;
}

/* Who waits to be accepted when the listener closes is refused. */
static void syn_refuse(unsigned int peer)
{
    uint32_t port = REFUSING;
    int listener = v4v_io_listen(0, &port, peer, 0);

    CHECK(listener >= 0);
    CHECK(polls(listener, POLLIN, PATIENCE_MS));
    close(listener);
}

/* The peer closes when it has read the farewell. */
static void await_end(int fd)
{
    const struct timespec pause = {.tv_nsec = V4V_RETRY_MS * 1000000};
    double until = v4v_io_now() + PATIENCE_MS / 1e3;
    struct v4v_dev_status status = {.state = V4V_DEV_CONNECTED};

    while (status.state == V4V_DEV_CONNECTED && v4v_io_now() < until) {
        CHECK_EQ(read(fd, buffer, 16), 0);
        CHECK_EQ(v4v_io_status(fd, &status), 0);
        nanosleep(&pause, NULL);
    }
    CHECK_EQ(status.state, V4V_DEV_ENDED);
    CHECK_EQ(status.flags,
             V4V_DEV_KNOWS_FIN | V4V_DEV_HAS_SHUT | V4V_DEV_HAS_ENDED);
}

static void stream_server(unsigned int peer)
{
    uint32_t port = LISTEN;
    int listener, fd;

    syn_refuse(peer);
    listener = v4v_io_listen(0, &port, peer, 0);
    fd = v4v_io_accept(listener, 0, NULL);
    if (!CHECK(listener >= 0) || !CHECK(fd >= 0)) {
        return;
    }
    if (stream_read(fd)) {
        stream_write(fd);
    }
    /* The peer's PING comes before its FIN, which leaves our side open. */
    CHECK_EQ(read(fd, buffer, 16), 0);
    pattern_fill(buffer, FAREWELL, 1);
    CHECK_EQ(write(fd, buffer, FAREWELL), FAREWELL);
    CHECK_EQ(v4v_io_shutdown(fd), 0);
    await_end(fd);
    CHECK_ERRNO(write(fd, buffer, 16), EPIPE);
    close(fd);
    close(listener);
}

/* Refused by the hypervisor until the peer listens, which a call that does not
 * wait tells at once; then by the peer. */
static void syn_refused(unsigned int peer)
{
    const struct timespec pause = {.tv_nsec = V4V_RETRY_MS * 1000000};
    struct v4v_dev_connect req = {
        .to = {.port = REFUSING, .domain = (uint16_t)peer},
    };
    double until = v4v_io_now() + PATIENCE_MS / 1e3;
    bool is_waiting = false;
    int fd;

    while (!is_waiting && v4v_io_now() < until) {
        fd = v4v_io_open(O_NONBLOCK);
        CHECK(ioctl(fd, V4V_IOC_CONNECT, &req) == -1);
        is_waiting = errno == EINPROGRESS;
        CHECK(is_waiting || errno == ECONNREFUSED);
        if (is_waiting) {
            CHECK(polls(fd, POLLERR, PATIENCE_MS));
            CHECK_ERRNO(ioctl(fd, V4V_IOC_CONNECT, &req), ECONNREFUSED);
        }
        close(fd);
        nanosleep(&pause, NULL);
    }
    CHECK(is_waiting);
}

static void stream_client(unsigned int peer)
{
    struct v4v_addr to = {.port = LISTEN, .domain = (uint16_t)peer};
    struct v4v_addr nobody = {.port = 4711, .domain = (uint16_t)peer};
    struct v4v_dev_status status = {.pongs = 0};
    double until = v4v_io_now() + PATIENCE_MS / 1e3;
    int fd;

    CHECK_ERRNO(v4v_io_connect(&nobody, 0, 0), ECONNREFUSED);
    syn_refused(peer);
    fd = v4v_io_connect(&to, 0, PATIENCE_MS);
    if (!CHECK(fd >= 0)) {
        return;
    }
    if (stream_write(fd)) {
        stream_read(fd);
    }
    CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    CHECK_ERRNO(read(fd, buffer, 1), EAGAIN);
    CHECK_EQ(ioctl(fd, V4V_IOC_PING), 0);
    while (status.pongs == 0 && v4v_io_now() < until) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        poll(&p, 1, 20);
        CHECK_EQ(v4v_io_status(fd, &status), 0);
    }
    CHECK_EQ(status.pongs, 1);
    CHECK_EQ(v4v_io_shutdown(fd), 0);
    CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
    CHECK(v4v_io_read_all(fd, buffer, FAREWELL));
    CHECK(pattern_is(buffer, FAREWELL, 1));
    CHECK_EQ(read(fd, buffer, 1), 0);
    close(fd);
}

void pair_server(unsigned int peer)
{
    uint32_t port = PORT;
    int fd = v4v_io_bind(0, &port, peer);

    if (CHECK(fd >= 0) && datagrams_receive(fd, peer) &&
        datagrams_send(fd, peer)) {
        stream_server(peer);
    }
    close(fd);
}

void pair_client(unsigned int peer)
{
    uint32_t port = PORT;
    int fd = v4v_io_bind(0, &port, peer);

    if (CHECK(fd >= 0) && datagrams_send(fd, peer) &&
        datagrams_receive(fd, peer)) {
        stream_client(peer);
    }
    close(fd);
}

/* The rules deny our answers, but for one listener's no. Whoever asks is not
 * accepted. */
void pair_barred(unsigned int peer)
{
    uint32_t ports[] = {LISTEN, REFUSING};
    int listener[2];
    int i;

    for (i = 1; i >= 0; i--) {
        listener[i] = v4v_io_listen(O_NONBLOCK, &ports[i], peer, 0);
        CHECK(listener[i] >= 0);
    }
    for (i = 0; i < 2; i++) {
        CHECK(polls(listener[i], POLLIN, PATIENCE_MS));
        CHECK_ERRNO(v4v_io_accept(listener[i], 0, NULL), EAGAIN);
        close(listener[i]);
    }
}
