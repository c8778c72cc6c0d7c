/* SPDX-License-Identifier: MIT */
/*
 * Programs that misuse the device, and neighbours that misuse a stream: an
 * endpoint of the same domain may send anything to a stream's ring, as every
 * program in the peer's domain may.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "v4v-test.h"
#include "v4v_io.h"

#define PORT 500
#define ENDS_MAX 512

static uint8_t block[100000], got[100000];
/* volatile: the compiler shall not see that it leads nowhere. */
static void *volatile nowhere = (void *)8;

static void states_allow_what_they_allow(void)
{
    uint32_t port = PORT;
    struct v4v_dev_connect to = {
        .to = {.port = PORT, .domain = (uint16_t)own_domain()}};
    struct v4v_dev_message m = {.addr = to.to, .data = (uintptr_t)block};
    struct v4v_dev_bind bind = {.port = PORT + 1, .partner = V4V_DOMID_ANY};
    struct v4v_dev_accept accept = {.flags = 0};
    int fresh = v4v_io_open(O_NONBLOCK);
    int datagram = v4v_io_bind(O_NONBLOCK, &port, V4V_DOMID_ANY);

    CHECK_ERRNO(read(fresh, got, 1), ENOTCONN);
    CHECK_ERRNO(write(fresh, got, 1), ENOTCONN);
    CHECK_ERRNO(ioctl(fresh, V4V_IOC_ACCEPT, &accept), EINVAL);
    CHECK_ERRNO(ioctl(fresh, V4V_IOC_SEND, &m), EINVAL);
    CHECK_ERRNO(ioctl(fresh, V4V_IOC_RECEIVE, &m), EINVAL);
    CHECK_ERRNO(ioctl(fresh, V4V_IOC_PING), ENOTCONN);
    CHECK_ERRNO(ioctl(fresh, V4V_IOC_SHUTDOWN), ENOTCONN);
    CHECK_ERRNO(ioctl(datagram, V4V_IOC_SHUTDOWN), ENOTCONN);
    CHECK_ERRNO(ioctl(fresh, 0x12345), ENOTTY);
    CHECK(polls(fresh, POLLHUP, 0));
    CHECK_ERRNO(write(datagram, got, 1), EDESTADDRREQ);
    CHECK_ERRNO(ioctl(datagram, V4V_IOC_BIND, &bind), EINVAL);
    CHECK_ERRNO(ioctl(datagram, V4V_IOC_LISTEN, &bind), EINVAL);
    CHECK_ERRNO(ioctl(datagram, V4V_IOC_CONNECT, &to), EINVAL);
    CHECK_ERRNO(ioctl(datagram, V4V_IOC_ACCEPT, &accept), EINVAL);
    close(fresh);
    close(datagram);
}

static void arguments_are_checked(void)
{
    struct v4v_dev_bind padded = {.port = PORT, .pad = 1};
    struct v4v_dev_bind huge = {.port = PORT, .ring_size = 0xffffffff};
    struct v4v_dev_bind nobody = {.port = PORT, .partner = 0x7ff0};
    struct v4v_dev_connect to = {.to = {.port = 0, .domain = 1}};
    struct v4v_dev_accept flags = {.flags = O_APPEND};
    uint32_t port = PORT;
    int listener = v4v_io_listen(O_NONBLOCK, &port, V4V_DOMID_ANY, 0);
    int fd = v4v_io_open(0);
    unsigned long cmd[] = {V4V_IOC_BIND, V4V_IOC_LISTEN,  V4V_IOC_CONNECT,
                           V4V_IOC_SEND, V4V_IOC_RECEIVE, V4V_IOC_STATUS};
    unsigned int i;

    CHECK_ERRNO(ioctl(fd, V4V_IOC_BIND, &padded), EINVAL);
    CHECK_ERRNO(ioctl(fd, V4V_IOC_BIND, &huge), EINVAL);
    CHECK_ERRNO(ioctl(fd, V4V_IOC_LISTEN, &huge), EINVAL);
    CHECK_ERRNO(ioctl(fd, V4V_IOC_BIND, &nobody), EINVAL);
    CHECK_ERRNO(ioctl(fd, V4V_IOC_CONNECT, &to), EINVAL);
    CHECK_ERRNO(ioctl(listener, V4V_IOC_ACCEPT, &flags), EINVAL);
    CHECK_ERRNO(ioctl(listener, V4V_IOC_ACCEPT, nowhere), EFAULT);
    for (i = 0; i < sizeof(cmd) / sizeof(cmd[0]); i++) {
        CHECK_ERRNO(ioctl(fd, cmd[i], nowhere), EFAULT);
    }
    close(fd);
    close(listener);
}

/* What could not be stored is not lost. */
static void bad_buffers_lose_nothing(void)
{
    struct pair p = pair_make(65536, O_NONBLOCK);
    struct v4v_dev_message m = {.size = 100, .data = 8};
    uint32_t port = PORT;
    int fd = v4v_io_bind(O_NONBLOCK, &port, V4V_DOMID_ANY);

    m.addr = (struct v4v_addr){.port = PORT, .domain = (uint16_t)own_domain()};
    CHECK_ERRNO(ioctl(fd, V4V_IOC_SEND, &m), EFAULT);
    CHECK_EQ(v4v_io_send(fd, &m.addr, "hello", 5), 5);
    CHECK_ERRNO(ioctl(fd, V4V_IOC_RECEIVE, &m), EFAULT);
    CHECK_EQ(v4v_io_receive(fd, NULL, got, 100), 5);
    CHECK_ERRNO(write(p.here, nowhere, 100), EFAULT);
    CHECK_EQ(write(p.here, "hello", 5), 5);
    CHECK_ERRNO(read(p.there, nowhere, 100), EFAULT);
    CHECK_EQ(read(p.there, got, 100), 5);
    CHECK(!memcmp(got, "hello", 5));
    close(fd);
    pair_close(&p);
}

/* Half of the buffer is there: half of the data goes, the rest stays. */
static void half_a_buffer_takes_half(void)
{
    struct pair p = pair_make(65536, O_NONBLOCK);
    uint8_t *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(map != MAP_FAILED);
    CHECK_EQ(munmap(map + 4096, 4096), 0);
    pattern_fill(block, 6000, 3);
    CHECK_EQ(write(p.here, block, 6000), 6000);
    CHECK_EQ(read(p.there, map, 6000), 4096);
    CHECK(pattern_is(map, 4096, 3));
    CHECK_EQ(read(p.there, got, 6000), 6000 - 4096);
    CHECK(!memcmp(got, block + 4096, 6000 - 4096));
    pattern_fill(map, 4096, 4);
    CHECK_EQ(write(p.here, map, 6000), 4096);
    CHECK_EQ(read(p.there, got, 6000), 4096);
    CHECK(pattern_is(got, 4096, 4));
    pair_close(&p);
}

static void quotas_hold_and_come_back(void)
{
    static int fd[ENDS_MAX];
    unsigned int count = 0, first = 0, round, i;

    for (round = 0; round < 2; round++) {
        for (count = 0; count < ENDS_MAX; count++) {
            uint32_t port = 0;

            fd[count] = v4v_io_bind(0, &port, V4V_DOMID_ANY);
            if (fd[count] < 0) {
                break;
            }
        }
        CHECK_EQ(errno, ENOSPC);
        CHECK(count > 8 && count < ENDS_MAX);
        CHECK(round == 0 || count == first);
        first = count;
        for (i = 0; i < count; i++) {
            close(fd[i]);
        }
    }
}

static void junk_send(int fd, const struct v4v_addr *to, uint32_t type,
                      uint32_t flags, uint32_t conid, uint32_t size)
{
    struct v4v_stream_header h = {.flags = flags, .conid = conid};
    struct v4v_dev_message m = {
        .addr = *to,
        .type = type,
        .size = size,
        .data = (uintptr_t)block,
    };

    memcpy(block, &h, sizeof(h));
    CHECK_EQ(ioctl(fd, V4V_IOC_SEND, &m), size);
}

/* Endings, answers and data from another port or under another number, too
 * short, of another kind. */
static void strangers_do_not_disturb(void)
{
    struct pair p = pair_make(262144, O_NONBLOCK);
    struct v4v_dev_status status;
    uint32_t port = PORT, i;
    int fd = v4v_io_bind(0, &port, V4V_DOMID_ANY);

    CHECK_EQ(v4v_io_status(p.there, &status), 0);
    CHECK_EQ(write(p.here, "one", 3), 3);
    for (i = 0; i < 2000; i++) {
        uint32_t flags = i % 3 == 0 ? V4V_SHF_RST : (uint32_t)random();

        junk_send(fd, &status.local, V4V_MESSAGE_STREAM, flags,
                  (uint32_t)random(), (uint32_t)random() % 64);
        junk_send(fd, &status.local, (uint32_t)random(), flags, 0, 16);
        if (i % 500 == 0) {
            CHECK_EQ(write(p.here, "two", 3), 3);
            CHECK(read(p.there, got, sizeof(got)) > 0);
        }
        read(p.there, got, sizeof(got));
    }
    CHECK_EQ(write(p.here, "three", 5), 5);
    CHECK(polls(p.there, POLLIN, 1000));
    CHECK_EQ(read(p.there, got, sizeof(got)), 5);
    CHECK(!memcmp(got, "three", 5));
    CHECK(!polls(p.there, POLLIN, 0));
    close(fd);
    pair_close(&p);
}

static void listeners_take_only_requests(void)
{
    uint32_t port = PORT, i;
    int listener = v4v_io_listen(O_NONBLOCK, &port, V4V_DOMID_ANY, 4096);
    uint32_t from = 0;
    int fd = v4v_io_bind(0, &from, V4V_DOMID_ANY);
    struct v4v_addr to = {.port = PORT, .domain = (uint16_t)own_domain()};
    int rc;

    for (i = 0; i < 500; i++) {
        junk_send(fd, &to, (uint32_t)random(), V4V_SHF_SYN, 1, 8);
        junk_send(fd, &to, V4V_MESSAGE_STREAM, V4V_SHF_RST, 1, i % 64);
    }
    do {
        rc = v4v_io_accept(listener, 0, NULL);
    } while (rc < 0 && errno == EAGAIN && polls(listener, POLLIN, 0));
    CHECK_ERRNO(rc, EAGAIN);
    /* A request from who will not go on is a connection like any other. */
    junk_send(fd, &to, V4V_MESSAGE_STREAM, V4V_SHF_SYN, 7, 8);
    rc = v4v_io_accept(listener, O_NONBLOCK, NULL);
    CHECK(rc >= 0);
    CHECK_ERRNO(read(rc, got, 1), EAGAIN);
    close(rc);
    close(fd);
    close(listener);
}

const struct test_case abuse_cases[] = {
    {"states_allow_what_they_allow", states_allow_what_they_allow},
    {"arguments_are_checked", arguments_are_checked},
    {"bad_buffers_lose_nothing", bad_buffers_lose_nothing},
    {"half_a_buffer_takes_half", half_a_buffer_takes_half},
    {"quotas_hold_and_come_back", quotas_hold_and_come_back},
    {"strangers_do_not_disturb", strangers_do_not_disturb},
    {"listeners_take_only_requests", listeners_take_only_requests},
    {NULL, NULL},
};
