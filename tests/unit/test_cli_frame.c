/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames in console text: whatever is around them, wherever the pieces are
 * cut, and what only looks like one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame.h"

/* Text as it came, frames as "[kind payload]". */
static char got[20000];
static size_t got_len;

static void got_add(const char *bytes, size_t len)
{
    assert_true(got_len + len < sizeof(got));
    memcpy(got + got_len, bytes, len);
    got_len += len;
    got[got_len] = '\0';
}

static void on_text(void *ctx, const char *bytes, size_t len)
{
    assert_ptr_equal(ctx, got);
    assert_true(len > 0);
    got_add(bytes, len);
}

static void on_frame(void *ctx, char kind, const char *payload, size_t len)
{
    const char head[] = {'[', kind, ' '};

    assert_ptr_equal(ctx, got);
    assert_int_equal(strlen(payload), len);
    got_add(head, sizeof(head));
    got_add(payload, len);
    got_add("]", 1);
}

static void feed(const char *bytes, size_t len, size_t piece)
{
    static struct frame_reader r;

    r = (struct frame_reader){
        .on_text = on_text, .on_frame = on_frame, .ctx = got};
    got_len = 0;
    got[0] = '\0';
    for (size_t at = 0; at < len; at += piece) {
        frame_feed(&r, bytes + at, piece < len - at ? piece : len - at);
    }
    frame_flush(&r);
}

static size_t frame_of(char *out, char kind, const char *payload)
{
    size_t n = frame_encode(kind, payload, strlen(payload), out);

    assert_true(n > 0 && n <= FRAME_ROOM(strlen(payload)));
    return n;
}

static void frame_crc_is_that_of_everybody(void **state)
{
    (void)state;
    assert_int_equal(frame_crc(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(frame_crc(frame_crc(0, "1234", 4), "56789", 5),
                     0xcbf43926);
}

static void frame_feed_any_cut_gives_the_same(void **state)
{
    char stream[200];
    size_t n = 0;

    (void)state;
    n += (size_t)sprintf(stream + n, "one\ntw");
    n += frame_of(stream + n, 'v', "rules 1");
    n += (size_t)sprintf(stream + n, "o\n");
    n += frame_of(stream + n, 'e', "");
    n += frame_of(stream + n, 'z', "~ !");
    n += (size_t)sprintf(stream + n, "three");
    for (size_t piece = 1; piece <= n; piece++) {
        feed(stream, n, piece);
        assert_string_equal(got, "one\ntw[v rules 1]o\n[e ][z ~ !]three");
    }
}

static void frame_feed_with_carriage_return_is_a_frame(void **state)
{
    char stream[64];
    size_t n = frame_of(stream, 'v', "x");

    (void)state;
    stream[n - 1] = '\r';
    stream[n] = '\n';
    feed(stream, n + 1, 1);
    assert_string_equal(got, "[v x]");
}

static void frame_feed_changed_byte_is_text(void **state)
{
    char stream[64];
    size_t n = frame_of(stream, 'v', "add 1 2 3");

    (void)state;
    for (size_t i = 0; i < n; i++) {
        for (unsigned int bit = 0; bit < 8; bit++) {
            stream[i] ^= (char)(1u << bit);
            feed(stream, n, 3);
            assert_int_equal(got_len, n);
            assert_memory_equal(got, stream, n);
            stream[i] ^= (char)(1u << bit);
        }
    }
}

static void frame_feed_text_inside_does_not_lose_the_next(void **state)
{
    char stream[100];
    size_t n = frame_of(stream, 'v', "first");

    (void)state;
    /* Another writer's line in the middle, then a good frame. */
    memcpy(stream + 4, "log\n", 4);
    n = 8 + frame_of(stream + 8, 'v', "second");
    feed(stream, n, 7);
    assert_string_equal(got + 8, "[v second]");
    /* Cut off by the start of the next one. */
    n = 4 + frame_of(stream + 4, 'v', "second");
    feed(stream, n, 7);
    assert_string_equal(got + 4, "[v second]");
}

static void frame_feed_endless_start_is_passed_on(void **state)
{
    static char stream[3 * FRAME_PAYLOAD_MAX];

    (void)state;
    memset(stream, 'a', sizeof(stream));
    stream[0] = FRAME_START;
    feed(stream, sizeof(stream), 1000);
    assert_int_equal(got_len, sizeof(stream));
    assert_memory_equal(got, stream, sizeof(stream));
}

static void frame_encode_longest_payload_is_read(void **state)
{
    static char payload[FRAME_PAYLOAD_MAX + 1];
    static char stream[FRAME_ROOM(FRAME_PAYLOAD_MAX)];
    size_t n;

    (void)state;
    memset(payload, 'p', sizeof(payload));
    assert_int_equal(frame_encode('v', payload, sizeof(payload), stream), 0);
    n = frame_encode('v', payload, FRAME_PAYLOAD_MAX, stream);
    assert_int_equal(n, FRAME_ROOM(FRAME_PAYLOAD_MAX) - 1);
    stream[n - 1] = '\r';
    stream[n] = '\n';
    feed(stream, n + 1, 5);
    assert_int_equal(got_len, FRAME_PAYLOAD_MAX + 4);
    assert_memory_equal(got, "[v p", 4);
}

static void frame_encode_bad_bytes_cannot_end_it(void **state)
{
    char stream[64];
    size_t n = frame_encode('v', "a\nb\x02\x1e\xff", 6, stream);

    (void)state;
    feed(stream, n, 64);
    assert_string_equal(got, "[v a?b???]");
    assert_int_equal(frame_encode('V', "x", 1, stream), 0);
    assert_int_equal(frame_encode('\n', "x", 1, stream), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_crc_is_that_of_everybody),
        cmocka_unit_test(frame_feed_any_cut_gives_the_same),
        cmocka_unit_test(frame_feed_with_carriage_return_is_a_frame),
        cmocka_unit_test(frame_feed_changed_byte_is_text),
        cmocka_unit_test(frame_feed_text_inside_does_not_lose_the_next),
        cmocka_unit_test(frame_feed_endless_start_is_passed_on),
        cmocka_unit_test(frame_encode_longest_payload_is_read),
        cmocka_unit_test(frame_encode_bad_bytes_cannot_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
