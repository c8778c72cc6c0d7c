/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams of libv4v against peers that send FIN when they should not, and what
 * else they like.
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

static uint32_t random_state = 1;

static uint32_t random_next(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

static void receive_fin_twice_is_one_end(void **state)
{
    (void)state;
    connect_both();
    assert_int_equal(v4v_stream_shutdown(&here, 0), 0);
    assert_end(&there);
    assert_int_equal(
        inject(&there, there.peer.port, V4V_SHF_FIN, there.conid, ""), 8);
    assert_end(&there);
    assert_sends(&there, "still here");
    assert_reads(&here, "still here");
}

static void receive_data_after_fin_is_dropped(void **state)
{
    unsigned int i;

    (void)state;
    connect_both();
    assert_int_equal(v4v_stream_shutdown(&here, 0), 0);
    for (i = 0; i < 50; i++) {
        assert_int_equal(
            inject(&there, there.peer.port, 0, there.conid, "late"), 12);
    }
    assert_end(&there);
    assert_int_equal(ring_used(there.end.ring), 0);
    assert_int_equal(
        inject(&there, there.peer.port, V4V_SHF_RST, there.conid, ""), 8);
    assert_end(&there);
    assert_true(there.is_closed);
}

static void receive_fin_with_data_is_an_end_without(void **state)
{
    (void)state;
    connect_both();
    assert_sends(&here, "before");
    inject(&there, there.peer.port, V4V_SHF_FIN, there.conid, "within");
    assert_reads(&there, "before");
    assert_end(&there);
}

static void receive_fin_of_another_connection_is_nothing(void **state)
{
    (void)state;
    connect_both();
    inject(&there, there.peer.port, V4V_SHF_FIN, there.conid + 1, "");
    inject(&there, there.peer.port + 1, V4V_SHF_FIN, there.conid, "");
    assert_int_equal(v4v_stream_receive(&there, buffer, 1, 0), -XEN_EAGAIN);
    assert_false(there.has_ended);
    assert_sends(&here, "data");
    assert_reads(&there, "data");
}

static void accept_passes_over_a_fin(void **state)
{
    struct v4v_stream_header fin = {.flags = V4V_SHF_FIN, .conid = CONID};
    struct v4v_endpoint e;

    (void)state;
    assert_int_equal(v4v_open(&e, 9, THEM, 1), 0);
    assert_int_equal(syn_send(&e, &fin, sizeof(fin)), sizeof(fin));
    assert_int_equal(v4v_accept(&listener, &there, 1, 0), -XEN_EAGAIN);
    v4v_close(&e);
    connect_both();
}

static void fin_then_ack(void)
{
    struct v4v_addr from;
    struct v4v_stream_open o;
    struct v4v_stream pretended = {.conid = 0};
    uint32_t type;

    assert_int_equal(v4v_receive(&listener, &from, &type, &o, sizeof(o), 0),
                     sizeof(o));
    pretended.peer = listener_address();
    pretended.end.ring = ring_find(&from);
    inject(&pretended, PORT, V4V_SHF_FIN, o.header.conid, "");
    inject(&pretended, PORT, V4V_SHF_FIN | V4V_SHF_ACK, o.header.conid, "\1");
}

static void connect_takes_no_fin_for_an_answer(void **state)
{
    struct v4v_addr to = listener_address();

    (void)state;
    on_wait = fin_then_ack;
    assert_int_equal(v4v_connect(&here, &to, 1, 1000), 0);
    assert_int_equal(here.features, 0);
    assert_false(here.has_ended);
}

static uint32_t flood_flags;

static void flood(void)
{
    inject(&there, there.peer.port, flood_flags, there.conid, "");
}

static void receive_under_a_flood_of_fin_returns(void **state)
{
    unsigned int i;

    (void)state;
    connect_both();
    on_drop = flood;
    flood_flags = V4V_SHF_FIN;
    flood();
    for (i = 0; i < 100; i++) {
        assert_int_equal(v4v_stream_receive(&there, buffer, 1, V4V_FOREVER), 0);
    }
    assert_sends(&there, "x");
}

static void receive_under_a_flood_of_others_keeps_its_time(void **state)
{
    (void)state;
    connect_both();
    on_drop = flood;
    flood_flags = V4V_SHF_PONG;
    flood();
    assert_int_equal(v4v_stream_receive(&there, buffer, 1, 0), -XEN_EAGAIN);
    assert_int_equal(v4v_stream_receive(&there, buffer, 1, 5000),
                     -XEN_ETIMEDOUT);
}

/* Whatever comes, an end stays one, and the ring is emptied. */
static void receive_anything_keeps_an_end_an_end(void **state)
{
    unsigned int i;

    (void)state;
    connect_both();
    assert_int_equal(v4v_stream_shutdown(&here, 0), 0);
    assert_end(&there);
    for (i = 0; i < 20000; i++) {
        struct v4v_send_addr addr = {.src = there.peer,
                                     .dst = v4v_address(&there.end)};
        struct v4v_stream_header h = {
            .flags = random_next() & ~V4V_SHF_RST,
            .conid = random_next() % 4 ? there.conid : random_next(),
        };
        struct v4v_iov iov[] = {v4v_iov_of(&h, random_next() % 9),
                                v4v_iov_of(buffer, random_next() % 300)};

        v4v_sendv(&addr, iov, 2,
                  random_next() % 8 ? V4V_MESSAGE_STREAM : random_next());
        if (random_next() % 4 == 0) {
            assert_int_equal(v4v_stream_receive(&there, buffer, 100, 0), 0);
            assert_int_equal(ring_used(there.end.ring), 0);
        }
        if (i % 64 == 0) {
            while (v4v_stream_receive(&here, buffer, 100, 0) > 0) {
            }
        }
    }
    assert_false(there.is_closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(receive_fin_twice_is_one_end),
        STREAM_TEST(receive_data_after_fin_is_dropped),
        STREAM_TEST(receive_fin_with_data_is_an_end_without),
        STREAM_TEST(receive_fin_of_another_connection_is_nothing),
        STREAM_TEST(accept_passes_over_a_fin),
        STREAM_TEST(connect_takes_no_fin_for_an_answer),
        STREAM_TEST(receive_under_a_flood_of_fin_returns),
        STREAM_TEST(receive_under_a_flood_of_others_keeps_its_time),
        STREAM_TEST(receive_anything_keeps_an_end_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
