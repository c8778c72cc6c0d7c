/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams of libv4v: how they begin and how each side ends, with peers that
 * know FIN and with those that do not.
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

/* ---- The end of one side ------------------------------------------------- */

static void shutdown_lets_the_peer_read_to_the_end_and_answer(void **state)
{
    (void)state;
    connect_both();
    assert_sends(&here, "request");
    assert_int_equal(v4v_stream_shutdown(&here, 0), 0);
    assert_reads(&there, "request");
    assert_end(&there);
    assert_true(there.has_ended);
    assert_false(there.is_closed);
    assert_int_equal(v4v_stream_receive(&here, buffer, sizeof(buffer), 0),
                     -XEN_EAGAIN);
    assert_sends(&there, "answer");
    v4v_stream_close(&there);
    assert_reads(&here, "answer");
    assert_end(&here);
    assert_true(here.is_closed);
}

static void shutdown_of_both_sides_leaves_nothing_to_read(void **state)
{
    (void)state;
    connect_both();
    assert_int_equal(v4v_stream_shutdown(&there, 0), 0);
    assert_sends(&here, "late");
    assert_int_equal(v4v_stream_shutdown(&here, 0), 0);
    assert_end(&here);
    assert_reads(&there, "late");
    assert_end(&there);
    assert_false(here.is_closed || there.is_closed);
}

static void shutdown_again_says_it_once(void **state)
{
    unsigned int before;

    (void)state;
    connect_both();
    before = sent;
    assert_int_equal(v4v_stream_shutdown(&here, 0), 0);
    assert_int_equal(v4v_stream_shutdown(&here, 0), 0);
    assert_int_equal(sent, before + 1);
}

static void send_after_shutdown_is_enotconn(void **state)
{
    unsigned int before;

    (void)state;
    connect_both();
    assert_int_equal(v4v_stream_shutdown(&here, 0), 0);
    before = sent;
    assert_int_equal(v4v_stream_send(&here, "x", 1, 0), -XEN_ENOTCONN);
    assert_int_equal(sent, before);
}

static void shutdown_without_room_changes_nothing(void **state)
{
    (void)state;
    connect_both();
    while (v4v_stream_send(&here, buffer, 100, 0) == 100) {
    }
    while (v4v_stream_ping(&here) == 0) {
    }
    assert_int_equal(v4v_stream_shutdown(&here, 0), -XEN_EAGAIN);
    assert_int_equal(v4v_stream_shutdown(&here, 10), -XEN_ETIMEDOUT);
    assert_false(here.is_shut);
    while (v4v_stream_receive(&there, buffer, sizeof(buffer), 0) > 0) {
    }
    assert_int_equal(v4v_stream_shutdown(&here, 0), 0);
    assert_end(&there);
}

static void shutdown_after_the_end_is_enotconn(void **state)
{
    (void)state;
    connect_both();
    v4v_stream_close(&there);
    assert_int_equal(v4v_stream_shutdown(&here, 0), -XEN_ENOTCONN);
    assert_end(&here);
    assert_int_equal(v4v_stream_shutdown(&here, 0), -XEN_ENOTCONN);
}

/* Who closes early has said something all the same. */
static void receive_after_a_refused_send_gives_what_was_sent(void **state)
{
    (void)state;
    connect_both();
    assert_sends(&there, "enough");
    v4v_stream_close(&there);
    assert_int_equal(v4v_stream_send(&here, "more", 4, 0), -XEN_ENOTCONN);
    assert_reads(&here, "enough");
    assert_end(&here);
}

/* Without a word. */
static void receive_after_the_peer_has_vanished_is_the_end(void **state)
{
    (void)state;
    connect_both();
    assert_sends(&there, "half a");
    v4v_close(&there.end);
    assert_int_equal(v4v_stream_send(&here, "more", 4, 0), -XEN_ENOTCONN);
    assert_reads(&here, "half a");
    assert_end(&here);
    assert_false(here.is_closed);
}

/* ---- Answers that the rules deny ----------------------------------------- */

static void accept_denied(void)
{
    assert_int_equal(v4v_accept(&listener, &there, 1, 0), -XEN_ECONNREFUSED);
    assert_null(there.end.ring);
}

static void connect_whose_answer_is_denied_is_refused_by_the_listener(
    void **state)
{
    struct v4v_addr to = listener_address();

    (void)state;
    is_barred = true;
    on_wait = accept_denied;
    assert_int_equal(v4v_connect(&here, &to, 1, 1000), -XEN_ECONNREFUSED);
    assert_true(here.is_closed);
    assert_null(here.end.ring);
}

/* ---- Peers that do not know it ------------------------------------------- */

static void old_answer(void)
{
    struct v4v_stream_open o;
    struct v4v_send_addr addr = {.src = {.port = PORT + 1, .domain = THEM}};
    struct v4v_stream_header ack = {.flags = V4V_SHF_ACK};
    struct v4v_iov iov = v4v_iov_of(&ack, sizeof(ack));
    uint32_t type;

    assert_int_equal(v4v_receive(&listener, &addr.dst, &type, &o, sizeof(o), 0),
                     sizeof(o));
    assert_int_equal(o.header.flags, V4V_SHF_SYN);
    assert_int_equal(o.features, V4V_STREAM_FIN);
    ack.conid = o.header.conid;
    v4v_sendv(&addr, &iov, 1, V4V_MESSAGE_STREAM);
}

static void connect_to_one_without_features_works_without(void **state)
{
    struct v4v_addr to = listener_address();

    (void)state;
    on_wait = old_answer;
    assert_int_equal(v4v_connect(&here, &to, 1, 1000), 0);
    assert_int_equal(here.features, 0);
    assert_int_equal(v4v_stream_shutdown(&here, 0), -XEN_EOPNOTSUPP);
    assert_int_equal(inject(&here, PORT + 1, V4V_SHF_FIN, here.conid, ""), 8);
    assert_int_equal(inject(&here, PORT + 1, 0, here.conid, "goes on"), 15);
    assert_reads(&here, "goes on");
}

/* What the answer to a SYN is, features and all. Returns its size. */
static long syn_answered(const void *syn, size_t size,
                         struct v4v_stream_open *answer)
{
    struct v4v_endpoint e;
    struct v4v_addr from;
    uint32_t type;
    long n;

    assert_int_equal(v4v_open(&e, 9, THEM, 1), 0);
    assert_int_equal(syn_send(&e, syn, size), size);
    domain = THEM;
    accept_there();
    domain = US;
    n = v4v_receive(&e, &from, &type, answer, sizeof(*answer), 0);
    assert_int_equal(answer->header.flags, V4V_SHF_ACK);
    assert_int_equal(answer->header.conid, CONID);
    v4v_close(&e);
    return n;
}

static void accept_of_one_without_features_is_as_ever(void **state)
{
    struct v4v_stream_header syn = {.flags = V4V_SHF_SYN, .conid = CONID};
    struct v4v_stream_open answer;

    (void)state;
    assert_int_equal(syn_answered(&syn, sizeof(syn), &answer), sizeof(syn));
    assert_int_equal(there.features, 0);
    assert_int_equal(v4v_stream_shutdown(&there, 0), -XEN_EOPNOTSUPP);
}

static void accept_takes_of_features_those_it_knows(void **state)
{
    struct v4v_stream_open answer,
        syn = {
            .header = {.flags = V4V_SHF_SYN, .conid = CONID},
            .features = ~0u,
        };

    (void)state;
    assert_int_equal(syn_answered(&syn, sizeof(syn), &answer), sizeof(syn));
    assert_int_equal(answer.features, V4V_STREAM_FIN);
    assert_int_equal(there.features, V4V_STREAM_FIN);
    v4v_stream_close(&there);
    /* Half a word is none. */
    assert_int_equal(syn_answered(&syn, sizeof(syn) - 1, &answer), 8);
    assert_int_equal(there.features, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(shutdown_lets_the_peer_read_to_the_end_and_answer),
        STREAM_TEST(shutdown_of_both_sides_leaves_nothing_to_read),
        STREAM_TEST(shutdown_again_says_it_once),
        STREAM_TEST(send_after_shutdown_is_enotconn),
        STREAM_TEST(shutdown_without_room_changes_nothing),
        STREAM_TEST(shutdown_after_the_end_is_enotconn),
        STREAM_TEST(receive_after_a_refused_send_gives_what_was_sent),
        STREAM_TEST(receive_after_the_peer_has_vanished_is_the_end),
        STREAM_TEST(connect_whose_answer_is_denied_is_refused_by_the_listener),
        STREAM_TEST(connect_to_one_without_features_works_without),
        STREAM_TEST(accept_of_one_without_features_is_as_ever),
        STREAM_TEST(accept_takes_of_features_those_it_knows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
