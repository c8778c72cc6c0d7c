/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console in both modes: framing, prefixes, focus, input, full buffers, and
 * that no bytes a guest can write forge another's line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "console_fixture.h"
#include "ravelin/errno.h"

static char received[4096];
static size_t received_length;

/* As `channel:text;`. */
static void input_note(unsigned channel, const char *buf, size_t len)
{
    received[received_length++] = (char)('0' + channel);
    received[received_length++] = ':';
    memcpy(&received[received_length], buf, len);
    received_length += len;
    received[received_length++] = ';';
    received[received_length] = '\0';
}

static const char *type(const char *keys)
{
    received_length = 0;
    received[0] = '\0';
    typed = keys;
    console_input_poll(input_note);
    return received;
}

static int plain(void **state)
{
    (void)state;
    console_start(CONSOLE_PLAIN);
    assert_int_equal(console_channel_open(1, "a", true), 0);
    assert_int_equal(console_channel_open(2, "b", true), 0);
    return 0;
}

static int mux(void **state)
{
    (void)state;
    console_start(CONSOLE_MUX);
    assert_int_equal(console_channel_open(1, "a", true), 0);
    assert_int_equal(console_channel_open(2, "b", true), 0);
    return 0;
}

static void open_twice_or_out_of_range_is_refused(void **state)
{
    (void)state;
    assert_int_equal(console_channel_open(1, "x", true), -RV_EEXIST);
    assert_int_equal(console_channel_open(0x10000, "x", true), -RV_EINVAL);
    assert_int_equal(console_channel_open(0, "x", true), -RV_EEXIST);
}

static void open_too_many_is_refused_and_close_makes_room(void **state)
{
    (void)state;
    for (unsigned i = 3; i < CONSOLE_CHANNEL_MAX; i++) {
        assert_int_equal(console_channel_open(i, "x", false), 0);
    }
    assert_int_equal(console_channel_open(900, "x", false), -RV_ENOSPC);
    console_channel_close(7);
    assert_int_equal(console_channel_open(900, "x", false), 0);
    assert_int_equal(put(7, "lost"), 0);
}

static void mux_write_marks_each_change_of_channel(void **state)
{
    (void)state;
    assert_int_equal(put(1, "one"), 3);
    put(1, "uno");
    put(2, "two");
    put(0, "log\n");
    assert_string_equal(sent, "\x1e"
                              "0001\x1foneuno\x1e"
                              "0002\x1ftwo\x1e"
                              "0000\x1flog\n");
}

static void mux_write_cannot_forge_a_marker(void **state)
{
    (void)state;
    put(1, "\x1e"
           "0000\x1f(rv) lie\n\x1e");
    assert_string_equal(sent, "\x1e"
                              "0001\x1f?0000\x1f(rv) lie\n?");
}

static void mux_write_passes_all_other_bytes(void **state)
{
    (void)state;
    char all[256];
    char want[262];

    for (unsigned i = 0; i < 256; i++) {
        all[i] = (char)i;
    }
    assert_int_equal(console_write(1, all, 256), 256);
    assert_int_equal(sent_length, 262);
    memcpy(want,
           "\x1e"
           "0001\x1f",
           6);
    memcpy(want + 6, all, 256);
    want[6 + 0x1e] = '?';
    assert_memory_equal(sent, want, 262);
}

static void mux_input_follows_markers(void **state)
{
    (void)state;
    assert_string_equal(type("\x1e"
                             "0001\x1fls\x1e"
                             "0002\x1fps\n"),
                        "1:ls;2:ps\n;");
    assert_string_equal(type("more"), "2:more;");
}

static void mux_input_malformed_marker_is_swallowed(void **state)
{
    (void)state;
    type("\x1e"
         "0001\x1f");
    assert_string_equal(type("\x1e"
                             "00\x1fx\x1e"
                             "zz\x1e"
                             "0002\x1fy"),
                        "1:xz;2:y;");
    assert_string_equal(type("\x1e"
                             "00021\x1fz"),
                        "2:\x1fz;");
}

static void mux_input_marker_split_over_polls_is_understood(void **state)
{
    (void)state;
    type("\x1e"
         "00");
    assert_string_equal(type("02\x1fk"), "2:k;");
}

static void input_long_burst_arrives_in_order(void **state)
{
    (void)state;
    char keys[201];
    unsigned n = 0;

    memset(keys, 'q', 200);
    keys[200] = '\0';
    type("\x1e"
         "0001\x1f");
    type(keys);
    for (size_t i = 0; i < received_length; i++) {
        n += received[i] == 'q';
    }
    assert_int_equal(n, 200);
}

static void plain_lines_have_prefixes(void **state)
{
    (void)state;
    put(1, "hello\n");
    put(2, "world\r\n");
    put(0, "(rv) log\n");
    assert_string_equal(sent, "[a] hello\r\n[b] world\r\n(rv) log\r\n");
}

static void plain_only_the_focus_shows_unfinished_lines(void **state)
{
    (void)state;
    put(1, "# ");
    put(2, "par");
    assert_string_equal(sent, "[a] # ");
    put(2, "tial\n");
    assert_string_equal(sent, "[a] # \r\n[b] partial\r\n[a] # ");
    put(1, "ls\n");
    assert_string_equal(sent, "[a] # \r\n[b] partial\r\n[a] # ls\r\n");
}

static void plain_long_line_is_continued(void **state)
{
    (void)state;
    char text[701];
    unsigned rows = 0;

    memset(text, 'x', 700);
    text[700] = '\0';
    assert_int_equal(put(2, text), 700);
    put(2, "\n");
    for (const char *p = sent; *p != '\0'; p++) {
        rows += *p == '[';
    }
    assert_int_equal(rows, 3);
}

static void plain_close_flushes_and_moves_the_focus(void **state)
{
    (void)state;
    put(1, "bye");
    console_channel_close(1);
    assert_string_equal(sent, "[a] bye\r\n");
    assert_string_equal(type("k"), "2:k;");
    console_channel_close(2);
    assert_string_equal(type("k"), "");
}

static void plain_three_ctrl_a_switch_the_focus(void **state)
{
    (void)state;
    assert_string_equal(type("x"), "1:x;");
    put(2, "$ ");
    sent_clear();
    type("\1\1\1");
    assert_string_equal(sent, "(rv) input to b\r\n[b] $ ");
    assert_string_equal(type("y"), "2:y;");
    type("\1\1\1");
    assert_string_equal(type("z"), "1:z;");
}

static void plain_fewer_ctrl_a_go_to_the_guest(void **state)
{
    (void)state;
    assert_string_equal(type("\1"), "");
    assert_string_equal(type("\1x\1y"), "1:\1\1x\1y;");
}

static void plain_switch_in_mid_input_splits_it(void **state)
{
    (void)state;
    type("before\1\1\1after");
    assert_string_equal(received, "1:before;2:after;");
}

static void focus_set_needs_an_input_channel(void **state)
{
    (void)state;
    assert_true(console_focus_set(2));
    assert_string_equal(type("x"), "2:x;");
    assert_false(console_focus_set(0));
    assert_false(console_focus_set(99));
}

static void plain_return_repeats_the_prefix(void **state)
{
    (void)state;
    put(1, "10%\r20%\n");
    assert_string_equal(sent, "[a] 10%\r[a] 20%\r\n");
}

static void plain_backspace_stops_at_the_prefix(void **state)
{
    (void)state;
    put(1, "ab\b\b\b\b\b(rv)\n");
    assert_string_equal(sent, "[a] ab\b\b(rv)\r\n");
}

static void plain_harmful_escapes_are_removed(void **state)
{
    (void)state;
    put(1, "\033[2J\033[1;1H\033[A\033[?25l\033[6n\033]0;t\007x\033c\n");
    assert_string_equal(sent, "[a] 0;tx\r\n");
}

/* CSI as one byte, and as the character U+009B; not part of any other. */
static void plain_controls_above_ascii_are_removed(void **state)
{
    (void)state;
    put(1, "\x9b"
           "2J\xc2\x9b"
           "2J\xc2\033[A\x9b"
           "2J\xc3\x9b\xe2\x82\x9b\n");
    assert_string_equal(sent, "[a] ?2J\xc2?2J\xc2?2J\xc3\x9b\xe2\x82\x9b\r\n");
}

static void plain_styles_pass_and_end_with_the_line(void **state)
{
    (void)state;
    put(1, "\033[1;31mred\033[K\n");
    put(2, "plain\n");
    assert_string_equal(sent,
                        "[a] \033[1;31mred\033[K\033[0m\r\n[b] plain\r\n");
}

static void plain_cursor_left_beyond_the_text_is_removed(void **state)
{
    (void)state;
    put(1, "abc\033[2D\033[2D\033[1D\033[C\033[D.\n");
    assert_string_equal(sent, "[a] abc\033[2D\033[1D\033[C.\r\n");
}

static void write_to_a_busy_line_is_kept_and_then_partial(void **state)
{
    (void)state;
    char text[20000];
    size_t n;

    line_room = 0;
    memset(text, 'x', sizeof(text));
    n = console_write(1, text, sizeof(text));
    assert_in_range(n, 10000, 16384);
    assert_int_equal(console_write(1, text, sizeof(text)), 0);
    assert_true(console_output_is_pending());
    assert_int_equal(notify_state, 1);
    line_room = SIZE_MAX;
    console_output_poll();
    assert_false(console_output_is_pending());
    assert_int_equal(notify_state, 0);
    assert_int_equal(sent_length, n + 6);
    assert_int_equal(console_drop_count(), 0);
}

static void log_on_a_dead_line_is_dropped_and_counted(void **state)
{
    (void)state;
    char text[200];
    unsigned i;

    line_room = 0;
    memset(text, 'x', sizeof(text));
    for (i = 0; i < 200 && console_drop_count() == 0; i++) {
        assert_int_equal(console_write(0, text, sizeof(text)), sizeof(text));
    }
    assert_int_equal(console_drop_count(), sizeof(text));
}

static void panic_mode_ignores_the_lock_and_drains(void **state)
{
    (void)state;
    put(1, "prompt> ");
    sent_clear();
    console_panic_enter();
    put(0, "dying\n");
    put(0, "dead\n");
    assert_string_equal(sent, "\r\ndying\r\ndead\r\n");
}

/*
 * A terminal just good enough to see what a reader would: rows of cells, a
 * cursor that stops at the edges.
 */
#define COLUMNS 400
#define ROWS 400

static char screen[ROWS][COLUMNS + 1];
static int row;
static int column;

static const char *terminal_escape(const char *p)
{
    int n = 0;

    for (p += 2; (*p >= '0' && *p <= '9') || *p == ';'; p++) {
        n = *p == ';' ? 0 : n * 10 + (*p - '0');
    }
    n = n == 0 ? 1 : n;
    switch (*p) {
    case 'C':
        column = rv_min(column + n, COLUMNS - 1);
        break;
    case 'D':
        column = rv_max(column - n, 0);
        break;
    case 'm':
    case 'K':
    case 'J':
        break;
    default:
        fail_msg("escape %c reached the terminal", *p);
    }
    return p;
}

static void terminal_show(const char *p)
{
    memset(screen, 0, sizeof(screen));
    row = 0;
    column = 0;
    for (; *p != '\0'; p++) {
        if (*p == '\r') {
            column = 0;
        } else if (*p == '\n') {
            row++;
        } else if (*p == '\b') {
            column = rv_max(column - 1, 0);
        } else if (*p == '\t') {
            column = rv_min((column + 8) & ~7, COLUMNS - 1);
        } else if (*p == '\033') {
            p = terminal_escape(p);
        } else {
            screen[row][column] = *p;
            column = rv_min(column + 1, COLUMNS - 1);
        }
        assert_in_range(row, 0, ROWS - 1);
    }
}

/* `own` may stand in a row behind `prefix`, the other's letter may not. */
static void assert_rows_are_honest(void)
{
    for (int r = 0; r <= row; r++) {
        bool a = strncmp(screen[r], "[a] ", 4) == 0;
        bool b = strncmp(screen[r], "[b] ", 4) == 0;

        if (screen[r][0] == '\0') {
            continue;
        }
        assert_true(a || b);
        assert_null(memchr(screen[r] + 4, a ? 'Y' : 'X', COLUMNS - 4));
    }
}

static void plain_random_output_never_leaves_its_line(void **state)
{
    static const char *const piece[] = {
        "X",         "XXXX",     "\b",      "\b\b\b",
        "\r",        "\n",       "\t",      "\033",
        "\033[",     "\033[D",   "\033[9D", "\033[3D",
        "\033[C",    "\033[99C", "\033[A",  "\033[2J",
        "\033[K",    "\033[1m",  "\033[;",  "\xc3\xa9",
        "\033[1;2D", "\v",       "\f",      "\a",
        "\x7f",      "\033[?7l", "\033c",   "\t\t\t\t\t\t\t\t",
    };

    srand(3);
    for (unsigned run = 0; run < 200; run++) {
        plain(state);
        for (unsigned step = 0; step < 120; step++) {
            unsigned channel = 1 + (unsigned)rand() % 2;
            char text[32];

            (void)string_copy(text, sizeof(text),
                              piece[(size_t)rand() % ARRAY_SIZE(piece)]);
            for (char *p = text; *p != '\0'; p++) {
                *p = *p == 'X' && channel == 2 ? 'Y' : *p;
            }
            assert_int_equal(put(channel, text), strlen(text));
            if (rand() % 40 == 0) {
                (void)console_focus_set(channel);
            }
        }
        terminal_show(sent);
        assert_rows_are_honest();
    }
}

#define CASE(name, mode) cmocka_unit_test_setup(name, mode)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(open_twice_or_out_of_range_is_refused, plain),
        CASE(open_too_many_is_refused_and_close_makes_room, plain),
        CASE(mux_write_marks_each_change_of_channel, mux),
        CASE(mux_write_cannot_forge_a_marker, mux),
        CASE(mux_write_passes_all_other_bytes, mux),
        CASE(mux_input_follows_markers, mux),
        CASE(mux_input_malformed_marker_is_swallowed, mux),
        CASE(mux_input_marker_split_over_polls_is_understood, mux),
        CASE(input_long_burst_arrives_in_order, mux),
        CASE(plain_lines_have_prefixes, plain),
        CASE(plain_only_the_focus_shows_unfinished_lines, plain),
        CASE(plain_long_line_is_continued, plain),
        CASE(plain_close_flushes_and_moves_the_focus, plain),
        CASE(plain_three_ctrl_a_switch_the_focus, plain),
        CASE(plain_fewer_ctrl_a_go_to_the_guest, plain),
        CASE(plain_switch_in_mid_input_splits_it, plain),
        CASE(focus_set_needs_an_input_channel, plain),
        CASE(plain_return_repeats_the_prefix, plain),
        CASE(plain_backspace_stops_at_the_prefix, plain),
        CASE(plain_harmful_escapes_are_removed, plain),
        CASE(plain_controls_above_ascii_are_removed, plain),
        CASE(plain_styles_pass_and_end_with_the_line, plain),
        CASE(plain_cursor_left_beyond_the_text_is_removed, plain),
        CASE(write_to_a_busy_line_is_kept_and_then_partial, mux),
        CASE(log_on_a_dead_line_is_dropped_and_counted, mux),
        CASE(panic_mode_ignores_the_lock_and_drains, plain),
        CASE(plain_random_output_never_leaves_its_line, plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
