/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of guests' text: nothing that a guest writes leaves its line, on the
 * screen or in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vline.h"

/* Feeds text as the view does; returns how many lines came to an end. */
static unsigned int feed(struct vline *v, const char *text, size_t len)
{
    unsigned int lines = 0;

    for (size_t i = 0; i < len; i++) {
        if (vline_feed(v, (unsigned char)text[i])) {
            vline_clear(v);
            lines++;
        }
        assert_true(v->len < VLINE_CELLS && v->cursor <= v->len);
    }
    return lines;
}

static struct vline *line_new(void)
{
    struct vline *v = calloc(1, sizeof(*v));

    assert_non_null(v);
    return v;
}

static void vline_feed_without_end_is_cut(void **state)
{
    struct vline *v = line_new();

    (void)state;
    for (unsigned int i = 0; i < 2 * (VLINE_CELLS - 1); i++) {
        assert_int_equal(feed(v, "x", 1),
                         i % (VLINE_CELLS - 1) == VLINE_CELLS - 2);
    }
    free(v);
}

static void vline_feed_at_the_last_cell_is_cut(void **state)
{
    static const char *const far[] = {"\033[9999C", "\033[9999G", "\033[1023C",
                                      "\033[1022Cx"};

    (void)state;
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        struct vline *v = line_new();

        feed(v, far[i], strlen(far[i]));
        for (unsigned int n = 0; n < 3 * VLINE_CELLS; n++) {
            feed(v, "y", 1);
        }
        free(v);
    }
}

/* Every sequence of what a line understands, in an order that repeats. */
static void vline_feed_any_text_stays_in_the_line(void **state)
{
    static const char *const piece[] = {
        "a",          "\033[9999C", "\033[3D", "\033[9999@", "\033[5P",
        "\t",         "\r",         "\b",      "\033[K",     "\033[2K",
        "\033[1000G", "\xc3\xa4",   "\xff",    "\033]x\a",   "\n",
    };
    struct vline *v = line_new();
    uint32_t random = 1;

    (void)state;
    for (unsigned int i = 0; i < 200000; i++) {
        const char *p;

        random = random * 1664525u + 1013904223u;
        p = piece[(random >> 16) % (sizeof(piece) / sizeof(piece[0]))];
        feed(v, p, strlen(p));
    }
    free(v);
}

static void assert_text(struct vline *v, const char *bytes, const char *text)
{
    static char is[VLINE_TEXT_SIZE];

    vline_clear(v);
    feed(v, bytes, strlen(bytes));
    vline_text(v, is);
    assert_string_equal(is, text);
}

#define WIDE "\xe6\xbc\xa2"

static void vline_feed_into_half_a_wide_character_blanks_the_other(void **state)
{
    struct vline *v = line_new();

    (void)state;
    assert_text(v, WIDE "\rx", "x ");
    assert_text(v, WIDE "\bx", " x");
    assert_text(v, "a" WIDE "b\r" WIDE, WIDE " b");
    assert_text(v, WIDE WIDE "\b\b\b" WIDE, " " WIDE " ");
    assert_text(v, WIDE "\b\033[K", " ");
    assert_text(v, WIDE "x\r\033[P", " x");
    assert_text(v, WIDE "x\033[G\033[C\033[2@", "    x");
    free(v);
}

static void vline_feed_wide_character_counts_two_columns(void **state)
{
    struct vline *v = line_new();

    (void)state;
    assert_text(v, "a" WIDE "b", "a" WIDE "b");
    assert_int_equal(v->len, 4);
    /* As a shell takes it back. */
    assert_text(v, "a" WIDE "\b\b  \b\b", "a  ");
    assert_int_equal(v->cursor, 1);
    free(v);
}

static void vline_feed_marks_join_what_they_mark(void **state)
{
    struct vline *v = line_new();

    (void)state;
    assert_text(v, "e\xcc\x81x", "e\xcc\x81x");
    assert_int_equal(v->len, 2);
    assert_text(v, "\xcc\x81x", "x");
    assert_text(v, WIDE "\xcc\x81x", WIDE "\xcc\x81x");
    /* As many as fit. */
    assert_text(v, "e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86x",
                "e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85x");
    free(v);
}

static void vline_feed_steering_characters_are_left_out(void **state)
{
    struct vline *v = line_new();

    (void)state;
    assert_text(v,
                "a\xe2\x80\xae\xe2\x81\xa6\xef\xb8\x8f"
                "b",
                "ab");
    /* Not assigned: of unknown width. */
    assert_text(v,
                "a\xcd\xb8"
                "b",
                "a?b");
    free(v);
}

static void vline_row_end_keeps_wide_characters_whole(void **state)
{
    struct vline *v = line_new();

    (void)state;
    assert_text(v, "abc" WIDE "d", "abc" WIDE "d");
    assert_int_equal(vline_row_end(v, 0, 3), 3);
    assert_int_equal(vline_row_end(v, 0, 4), 3);
    assert_int_equal(vline_row_end(v, 0, 5), 5);
    assert_int_equal(vline_row_end(v, 3, 2), 5);
    assert_int_equal(vline_row_end(v, 0, 80), 6);
    assert_int_equal(vline_row_end(v, 6, 80), 6);
    free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vline_feed_without_end_is_cut),
        cmocka_unit_test(vline_feed_at_the_last_cell_is_cut),
        cmocka_unit_test(vline_feed_any_text_stays_in_the_line),
        cmocka_unit_test(
            vline_feed_into_half_a_wide_character_blanks_the_other),
        cmocka_unit_test(vline_feed_wide_character_counts_two_columns),
        cmocka_unit_test(vline_feed_marks_join_what_they_mark),
        cmocka_unit_test(vline_feed_steering_characters_are_left_out),
        cmocka_unit_test(vline_row_end_keeps_wide_characters_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
