/* SPDX-License-Identifier: MIT */
/*
 * Datagram endpoints of one domain among themselves.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "v4v-test.h"
#include "v4v_io.h"

#define PORT 300

static uint8_t block[70000], got[70000];

static struct v4v_addr own(uint32_t port)
{
    return (struct v4v_addr){.port = port, .domain = (uint16_t)own_domain()};
}

static int bind_to(uint32_t port, unsigned int partner, int flags)
{
    return v4v_io_bind(flags, &port, partner);
}

static void ports_are_exclusive(void)
{
    int a = bind_to(PORT, V4V_DOMID_ANY, 0);
    int b = bind_to(PORT, own_domain(), 0);
    uint32_t chosen = 0;
    int c = v4v_io_bind(0, &chosen, V4V_DOMID_ANY);

    CHECK(a >= 0);
    CHECK_ERRNO(bind_to(PORT, V4V_DOMID_ANY, 0), EADDRINUSE);
    CHECK(b >= 0);
    CHECK(c >= 0 && chosen != 0);
    close(a);
    a = bind_to(PORT, V4V_DOMID_ANY, 0);
    CHECK(a >= 0);
    close(a);
    close(b);
    close(c);
}

static void sizes_arrive_as_they_were(void)
{
    static const uint32_t size[] = {0,    1,    15,   16,    17,   255,
                                    4000, 4096, 4097, 60000, 65000};
    int a = bind_to(PORT, V4V_DOMID_ANY, 0);
    int b = bind_to(PORT + 1, V4V_DOMID_ANY, 0);
    struct v4v_addr to = own(PORT), from;
    unsigned int i;

    for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        pattern_fill(block, size[i], i);
        CHECK_EQ(v4v_io_send(b, &to, block, size[i]), size[i]);
        CHECK(polls(a, POLLIN, 1000));
        CHECK_EQ(v4v_io_receive(a, &from, got, sizeof(got)), size[i]);
        CHECK(pattern_is(got, size[i], i));
        CHECK_EQ(from.domain, own_domain());
        CHECK_EQ(from.port, PORT + 1);
    }
    close(a);
    close(b);
}

static void short_buffers_get_the_beginning(void)
{
    int a = bind_to(PORT, V4V_DOMID_ANY, O_NONBLOCK);
    struct v4v_addr to = own(PORT);

    pattern_fill(block, 1000, 1);
    CHECK_EQ(v4v_io_send(a, &to, block, 1000), 1000);
    CHECK_EQ(v4v_io_send(a, &to, block, 10), 10);
    memset(got, 0xee, sizeof(got));
    CHECK_EQ(v4v_io_receive(a, NULL, got, 100), 1000);
    CHECK(pattern_is(got, 100, 1) && got[100] == 0xee);
    CHECK_EQ(read(a, got, 4), 4);
    CHECK_ERRNO(v4v_io_receive(a, NULL, got, 100), EAGAIN);
    CHECK_ERRNO(read(a, got, 4), EAGAIN);
    close(a);
}

static void full_rings_hold_senders_up(void)
{
    int a = bind_to(PORT, V4V_DOMID_ANY, O_NONBLOCK);
    int b = bind_to(PORT + 1, V4V_DOMID_ANY, O_NONBLOCK);
    struct v4v_addr to = own(PORT);
    unsigned int sent = 0, i;

    CHECK(polls(b, POLLOUT, 0));
    do {
        pattern_fill(block, 1000, sent);
    } while (v4v_io_send(b, &to, block, 1000) == 1000 && ++sent < 1000);
    CHECK_EQ(errno, EAGAIN);
    CHECK(sent > 50 && sent < 100);
    CHECK(polls(b, 0, 150));
    for (i = 0; i < sent; i++) {
        CHECK_EQ(v4v_io_receive(a, NULL, got, sizeof(got)), 1000);
        CHECK(pattern_is(got, 1000, i));
        if (i == 0) {
            CHECK(polls(b, POLLOUT, 2000));
        }
    }
    CHECK_EQ(v4v_io_send(b, &to, block, 1000), 1000);
    close(a);
    close(b);
}

/* A request for little room replaces one for much; both must be woken. */
static void two_senders_wait_for_one_ring(void)
{
    int a = bind_to(PORT, V4V_DOMID_ANY, O_NONBLOCK);
    int big = bind_to(PORT + 1, V4V_DOMID_ANY, O_NONBLOCK);
    int small = bind_to(PORT + 2, V4V_DOMID_ANY, O_NONBLOCK);
    struct v4v_addr to = own(PORT);

    while (v4v_io_send(big, &to, block, 30) == 30) {
    }
    CHECK_ERRNO(v4v_io_send(big, &to, block, 30000), EAGAIN);
    CHECK_ERRNO(v4v_io_send(small, &to, block, 30), EAGAIN);
    CHECK_EQ(v4v_io_receive(a, NULL, got, sizeof(got)), 30);
    CHECK(polls(small, POLLOUT, 2000));
    CHECK_EQ(v4v_io_send(small, &to, block, 30), 30);
    CHECK(!polls(big, POLLOUT, 150));
    while (v4v_io_receive(a, NULL, got, sizeof(got)) > 0) {
    }
    CHECK(polls(big, POLLOUT, 2000));
    CHECK_EQ(v4v_io_send(big, &to, block, 30000), 30000);
    close(a);
    close(big);
    close(small);
}

static void nobody_and_too_much_are_told(void)
{
    int a = bind_to(PORT, V4V_DOMID_ANY, 0);
    struct v4v_addr nobody = own(PORT + 7), to = own(PORT);
    struct v4v_addr nowhere = {.port = 1, .domain = 0x7fe0};

    CHECK_ERRNO(v4v_io_send(a, &nobody, block, 1), ECONNREFUSED);
    CHECK_ERRNO(v4v_io_send(a, &nowhere, block, 1), ECONNREFUSED);
    CHECK_ERRNO(v4v_io_send(a, &to, block, sizeof(block)), EMSGSIZE);
    CHECK_ERRNO(v4v_io_send(a, &to, block, 1u << 31), EMSGSIZE);
    close(a);
}

const struct test_case datagram_cases[] = {
    {"ports_are_exclusive", ports_are_exclusive},
    {"sizes_arrive_as_they_were", sizes_arrive_as_they_were},
    {"short_buffers_get_the_beginning", short_buffers_get_the_beginning},
    {"full_rings_hold_senders_up", full_rings_hold_senders_up},
    {"two_senders_wait_for_one_ring", two_senders_wait_for_one_ring},
    {"nobody_and_too_much_are_told", nobody_and_too_much_are_told},
    {NULL, NULL},
};
