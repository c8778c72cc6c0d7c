/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The multiplexed line and what may reach a terminal from it: markers cut
 * anywhere, forged markers, escape sequences of hostile guests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mux.h"
#include "vline.h"

/* What came out, as "<channel>bytes..." with equal channels joined. */
static char got[4096];
static int got_channel;

static void on_bytes(void *ctx, unsigned int channel, const char *bytes,
                     size_t len)
{
    size_t at = strlen(got);

    (void)ctx;
    assert_true(len > 0);
    if (got_channel != (int)channel) {
        at += (size_t)snprintf(got + at, sizeof(got) - at, "<%x>", channel);
        got_channel = (int)channel;
    }
    memcpy(got + at, bytes, len);
    got[at + len] = '\0';
}

static void read_in_pieces(const char *stream, size_t len, size_t piece)
{
    struct mux_reader m = {.on_bytes = on_bytes};

    got[0] = '\0';
    got_channel = -1;
    for (size_t at = 0; at < len; at += piece) {
        mux_feed(&m, stream + at, piece < len - at ? piece : len - at);
    }
}

static void mux_feed_any_cut_gives_the_same(void **state)
{
    static const char stream[] = "early\x1e"
                                 "0002\x1fone\x1e"
                                 "0000\x1flog\n\x1e"
                                 "0002\x1f"
                                 "two\x1e"
                                 "fffe\x1flast";

    (void)state;
    for (size_t piece = 1; piece < sizeof(stream); piece++) {
        read_in_pieces(stream, sizeof(stream) - 1, piece);
        assert_string_equal(got, "<0>early<2>one<0>log\n<2>two<fffe>last");
    }
}

static void mux_feed_broken_marker_is_text(void **state)
{
    static const char stream[] = "\x1e"
                                 "0002\x1f"
                                 "a\x1e"
                                 "00g3\x1f"
                                 "b\x1e"
                                 "0003x\x1e\x1e"
                                 "0004\x1fz";

    (void)state;
    for (size_t piece = 1; piece < sizeof(stream); piece++) {
        read_in_pieces(stream, sizeof(stream) - 1, piece);
        assert_string_equal(got, "<2>a\x1e"
                                 "00g3\x1f"
                                 "b\x1e"
                                 "0003x\x1e<4>z");
    }
}

static void mux_feed_capital_digits_are_no_marker(void **state)
{
    (void)state;
    read_in_pieces("\x1e"
                   "000A\x1fx",
                   7, 7);
    assert_string_equal(got, "<0>\x1e"
                             "000A\x1fx");
}

static void mux_encode_marks_changes_only(void **state)
{
    int current = -1;
    char out[64];
    size_t n;

    (void)state;
    n = mux_encode(&current, 0x1a2b, "ab", 2, out);
    assert_int_equal(n, 8);
    assert_memory_equal(out,
                        "\x1e"
                        "1a2b\x1f"
                        "ab",
                        8);
    n = mux_encode(&current, 0x1a2b, "c", 1, out);
    assert_int_equal(n, 1);
    n = mux_encode(&current, 2, "", 0, out);
    assert_int_equal(n, MUX_MARKER_SIZE);
}

static void mux_encode_pasted_marker_cannot_switch(void **state)
{
    static const char paste[] = "x\x1e"
                                "0001\x1fy";
    int current = 3;
    char out[64];
    size_t n = mux_encode(&current, 3, paste, sizeof(paste) - 1, out);

    (void)state;
    assert_int_equal(n, 6);
    assert_memory_equal(out, "x0001y", 6);
}

static struct vline line;

/* Feeds text; lines are joined with '|', the unfinished one in brackets. */
static const char *render(const char *text, size_t len)
{
    static char all[65536];
    static char part[VLINE_TEXT_SIZE];

    memset(&line, 0, sizeof(line));
    all[0] = '\0';
    for (size_t i = 0; i < len; i++) {
        if (vline_feed(&line, (unsigned char)text[i])) {
            vline_text(&line, part);
            vline_clear(&line);
            strcat(all, part);
            strcat(all, "|");
        }
    }
    vline_text(&line, part);
    strcat(all, "[");
    strcat(all, part);
    strcat(all, "]");
    return all;
}

static const struct {
    const char *in;
    const char *out;
} lines[] = {
    {"one\r\ntwo", "one|[two]"},
    {"abc\rx", "[xbc]"},
    {"abc\b\bX", "[aXc]"},
    {"abc\b \b", "[ab ]"},
    {"a\tb", "[a       b]"},
    {"\033[1;31mred\033[0m", "[red]"},
    {"\033[2J\033[1;1Hforged", "[forged]"},
    {"abc\033[2DX", "[aXc]"},
    {"abc\033[3CX", "[abc   X]"},
    {"abcdef\033[4G\033[K", "[abc]"},
    {"abcdef\r\033[J", "[]"},
    {"abcdef\r\033[2P", "[cdef]"},
    {"abc\r\033[2@", "[  abc]"},
    {"abc\033[2Kx", "[   x]"},
    {"\033]0;title\007text", "[text]"},
    {"\033]0;title\033\\text", "[text]"},
    {"\033Pq~~\033\\text", "[text]"},
    {"\033(Btext", "[text]"},
    {"\033ctext", "[text]"},
    {"\033[?25ltext", "[text]"},
    {"a\007b\001c\177d", "[abcd]"},
    {"gr\xc3\xbc\xc3\x9f", "[gr\xc3\xbc\xc3\x9f]"},
    {"\xe2\x82\xac\xf0\x9f\x98\x80", "[\xe2\x82\xac\xf0\x9f\x98\x80]"},
    {"\x9b"
     "31mx",
     "[?31mx]"},
    {"\xc2\x9b"
     "31mx",
     "[?31mx]"},
    {"\xc0\xaf", "[??]"},
    {"\xed\xa0\x80", "[?]"},
    {"\xf5\x80", "[??]"},
    {"\xe2\x82x", "[x]"},
};

static void vline_feed_stays_in_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_string_equal(render(lines[i].in, strlen(lines[i].in)),
                            lines[i].out);
    }
}

static void vline_feed_endless_line_is_cut(void **state)
{
    static char text[3000];
    const char *all;

    (void)state;
    memset(text, 'x', sizeof(text));
    all = render(text, sizeof(text));
    assert_int_equal(strchr(all, '|') - all, VLINE_CELLS - 1);
}

static void vline_feed_any_bytes_keep_it_printable(void **state)
{
    static char text[VLINE_TEXT_SIZE];
    uint32_t x = 1;

    (void)state;
    memset(&line, 0, sizeof(line));
    for (int i = 0; i < 300000; i++) {
        static const char often[] = "\033[;0123456789CDGJKP@m\r\b\t\n\xe2\x82";
        unsigned char c;

        x = x * 1664525u + 1013904223u;
        c = (x >> 31) != 0 ? (unsigned char)(x >> 16)
                           : (unsigned char)often[(x >> 8) % sizeof(often)];
        if (vline_feed(&line, c)) {
            vline_clear(&line);
        }
        assert_true(line.cursor <= line.len && line.len < VLINE_CELLS);
        if (i % 64 == 0) {
            size_t n = vline_text(&line, text);

            for (size_t k = 0; k < n; k++) {
                assert_true((unsigned char)text[k] >= ' ' && text[k] != 0x7f);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mux_feed_any_cut_gives_the_same),
        cmocka_unit_test(mux_feed_broken_marker_is_text),
        cmocka_unit_test(mux_feed_capital_digits_are_no_marker),
        cmocka_unit_test(mux_encode_marks_changes_only),
        cmocka_unit_test(mux_encode_pasted_marker_cannot_switch),
        cmocka_unit_test(vline_feed_stays_in_its_line),
        cmocka_unit_test(vline_feed_endless_line_is_cut),
        cmocka_unit_test(vline_feed_any_bytes_keep_it_printable),
    };

    return cmocka_run_group_tests_name("cli_mux", tests, NULL, NULL);
}
