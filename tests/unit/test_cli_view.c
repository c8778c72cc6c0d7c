/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands on the terminal: a small terminal takes what the view writes, and
 * every row of it that has anything begins with the name of a domain, whatever
 * guests print.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view.h"
#include "width.h"

#define ROWS 160u /* more than the longest line has */
#define COLUMNS_MAX 100u

/* A terminal: text row by row, "" in the right half of a wide character. */
struct screen {
    unsigned int columns, row, column;
    char cell[ROWS][COLUMNS_MAX][VLINE_CELL_BYTES + 1];
};

struct bench {
    struct view view;
    struct screen screen;
    char *bytes; /* what the view has written */
    size_t len;
    size_t shown; /* of it, on the screen */
    char line[VLINE_TEXT_SIZE];
    unsigned int lines;
};

static void screen_scroll(struct screen *s)
{
    if (++s->row == ROWS) {
        s->row--;
        memmove(s->cell[0], s->cell[1], sizeof(s->cell) - sizeof(s->cell[0]));
        memset(s->cell[ROWS - 1], 0, sizeof(s->cell[0]));
    }
}

static void screen_put(struct screen *s, const char *text, unsigned int len)
{
    int width = char_width(text, len);
    char *last;

    assert_in_range(width, 0, 2);
    if (width == 0) {
        last = s->cell[s->row][s->column - 1];
        last = *last == '\0' ? s->cell[s->row][s->column - 2] : last;
        assert_true(strlen(last) + len <= VLINE_CELL_BYTES);
        strncat(last, text, len);
        return;
    }
    /* The view cuts rows; the terminal never has to. */
    assert_true(s->column + (unsigned int)width <= s->columns);
    memset(s->cell[s->row][s->column], 0, VLINE_CELL_BYTES + 1);
    memcpy(s->cell[s->row][s->column], text, len);
    if (width == 2) {
        memset(s->cell[s->row][s->column + 1], 0, VLINE_CELL_BYTES + 1);
    }
    s->column += (unsigned int)width;
}

/* ESC [ N X, colours included. */
static const char *screen_command(struct screen *s, const char *p)
{
    char *end;
    unsigned int n;

    assert_int_equal(p[1], '[');
    n = (unsigned int)strtoul(p + 2, &end, 10);
    if (*end == 'A') {
        assert_true(n <= s->row);
        s->row -= n;
    } else if (*end == 'C') {
        s->column += n;
        assert_true(s->column < s->columns);
    } else if (*end == 'J') {
        assert_int_equal(s->column, 0);
        memset(s->cell[s->row], 0, (ROWS - s->row) * sizeof(s->cell[0]));
    } else {
        assert_int_equal(*end, 'm');
    }
    return end + 1;
}

static void screen_feed(struct screen *s, const char *p)
{
    while (*p != '\0') {
        unsigned char c = (unsigned char)*p;
        unsigned int len = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

        if (c == 0x1b) {
            p = screen_command(s, p);
            continue;
        }
        if (c == '\r') {
            s->column = 0;
        } else if (c == '\n') {
            screen_scroll(s);
        } else {
            screen_put(s, p, len);
        }
        p += len;
    }
}

static const char *screen_row(const struct screen *s, unsigned int row)
{
    static char text[COLUMNS_MAX * VLINE_CELL_BYTES + 1];

    text[0] = '\0';
    for (unsigned int i = 0; i < s->columns; i++) {
        strcat(text, s->cell[row][i]);
    }
    return text;
}

static void bench_show(struct bench *b)
{
    fflush(b->view.out);
    screen_feed(&b->screen, b->bytes + b->shown);
    b->shown = b->len;
}

static void on_line(void *ctx, unsigned int slot, const char *line)
{
    struct bench *b = ctx;

    (void)slot;
    snprintf(b->line, sizeof(b->line), "%s", line);
    b->lines++;
}

/* Two domains, "ab" with the keyboard and "c". */
static struct bench *bench_new(enum view_mode mode, unsigned int columns)
{
    struct bench *b = calloc(1, sizeof(*b));

    assert_non_null(b);
    b->screen.columns = columns;
    b->view.mode = mode;
    b->view.columns = columns;
    b->view.out = open_memstream(&b->bytes, &b->len);
    b->view.on_line = on_line;
    b->view.ctx = b;
    assert_non_null(b->view.out);
    assert_int_equal(view_add(&b->view, "ab"), 0);
    assert_int_equal(view_add(&b->view, "c"), 1);
    b->view.focus = 0;
    return b;
}

static void bench_free(struct bench *b)
{
    view_free(&b->view);
    fclose(b->view.out);
    free(b->bytes);
    free(b);
}

static void feed(struct bench *b, int slot, const char *text)
{
    view_feed(&b->view, slot, text, strlen(text));
    if (b->view.mode == VIEW_TERMINAL) {
        bench_show(b);
    }
}

static void assert_row(const struct bench *b, unsigned int row,
                       const char *text)
{
    assert_string_equal(screen_row(&b->screen, row), text);
}

static void view_feed_long_line_wraps_behind_its_prefix(void **state)
{
    struct bench *b = bench_new(VIEW_TERMINAL, 15);

    (void)state;
    feed(b, 1, "0123456789abcdefghijKLMNO\r\nshort\r\n");
    assert_row(b, 0, "c  | 0123456789");
    assert_row(b, 1, "c  | abcdefghij");
    assert_row(b, 2, "c  | KLMNO");
    assert_row(b, 3, "c  | short");
    assert_int_equal(b->lines, 2);
    feed(b, 0, "0123456789\r\n\r\n");
    assert_row(b, 4, "ab | 0123456789");
    assert_row(b, 5, "ab | ");
    assert_row(b, 6, "");
    bench_free(b);
}

static void view_feed_long_line_is_whole_for_others(void **state)
{
    struct bench *b = bench_new(VIEW_TERMINAL, 15);

    (void)state;
    feed(b, 1, "0123456789abcdefghijKLMNO\n");
    assert_string_equal(b->line, "0123456789abcdefghijKLMNO");
    bench_free(b);
    b = bench_new(VIEW_LINES, 15);
    feed(b, 1, "0123456789abcdefghijKLMNO\n");
    fflush(b->view.out);
    assert_string_equal(b->bytes, "c  | 0123456789abcdefghijKLMNO\n");
    bench_free(b);
}

static void view_feed_colours_take_no_columns(void **state)
{
    struct bench *b = bench_new(VIEW_TERMINAL, 15);

    (void)state;
    feed(b, 1, "\033[1;31m0123\033[0m456789\033]0;title\aab\033[38;5;7mc\n");
    assert_row(b, 0, "c  | 0123456789");
    assert_row(b, 1, "c  | abc");
    bench_free(b);
}

static void view_feed_wide_characters_are_not_cut(void **state)
{
    struct bench *b = bench_new(VIEW_TERMINAL, 15);

    (void)state;
    feed(b, 1, "012345678\xe6\xbc\xa2\xe5\xad\x97z\n");
    assert_row(b, 0, "c  | 012345678");
    assert_row(b, 1, "c  | \xe6\xbc\xa2\xe5\xad\x97z");
    feed(b, 1,
         "01234567\xf0\x9f\x98\x80"
         "89\n");
    assert_row(b, 2, "c  | 01234567\xf0\x9f\x98\x80");
    assert_row(b, 3, "c  | 89");
    bench_free(b);
}

static void view_feed_marks_stay_with_their_character(void **state)
{
    struct bench *b = bench_new(VIEW_TERMINAL, 15);

    (void)state;
    /* One for the tenth column, none for the space of the prefix. */
    feed(b, 1,
         "\xcc\x81"
         "012345678e\xcc\x81x\n");
    assert_row(b, 0, "c  | 012345678e\xcc\x81");
    assert_row(b, 1, "c  | x");
    feed(b, 1, "right\xe2\x80\xae to left\xe2\x80\xa8\n");
    assert_row(b, 2, "c  | right to l");
    assert_row(b, 3, "c  | eft");
    bench_free(b);
}

/* Redrawn in place, the cursor where the shell has put it. */
static void view_feed_unfinished_line_is_redrawn_over_its_rows(void **state)
{
    struct bench *b = bench_new(VIEW_TERMINAL, 15);

    (void)state;
    feed(b, 0, "$ 01234567");
    assert_row(b, 0, "ab | $ 01234567");
    feed(b, 0, "89abcdefg");
    assert_row(b, 0, "ab | $ 01234567");
    assert_row(b, 1, "ab | 89abcdefg");
    assert_int_equal(b->screen.column, 14);
    feed(b, 1, "other\n");
    assert_row(b, 0, "c  | other");
    assert_row(b, 1, "ab | $ 01234567");
    assert_row(b, 2, "ab | 89abcdefg");
    assert_row(b, 3, "");
    feed(b, 0, "\033[12D");
    assert_int_equal(b->screen.row, 1);
    assert_int_equal(b->screen.column, 12);
    feed(b, 0, "\033[K!");
    assert_row(b, 1, "ab | $ 01234!");
    assert_row(b, 2, "");
    bench_free(b);
}

static void view_resize_draws_the_unfinished_line_anew(void **state)
{
    struct bench *b = bench_new(VIEW_TERMINAL, 25);

    (void)state;
    feed(b, 0, "0123456789abcdefghijKLMNO");
    assert_row(b, 1, "ab | KLMNO");
    view_resize(&b->view, 15);
    b->screen.columns = 15;
    bench_show(b);
    assert_row(b, 0, "ab | 0123456789");
    assert_row(b, 1, "ab | abcdefghij");
    assert_row(b, 2, "ab | KLMNO");
    bench_free(b);
}

static void view_feed_narrow_terminal_cuts_names(void **state)
{
    struct bench *b = bench_new(VIEW_TERMINAL, 20);

    (void)state;
    assert_int_equal(view_add(&b->view, "a-very-long-name"), 2);
    feed(b, 2, "01234567890\n");
    assert_row(b, 0, "a-very-lo | 01234567");
    assert_row(b, 1, "a-very-lo | 890");
    bench_free(b);
    b = bench_new(VIEW_TERMINAL, 6);
    feed(b, 1, "012\xe6\xbc\xa2\n");
    assert_row(b, 0, "c | 01");
    assert_row(b, 1, "c | 2");
    assert_row(b, 2, "c | \xe6\xbc\xa2");
    bench_free(b);
}

/* The first columns of a row: nothing, or a name. */
static bool row_is_behind_a_name(const struct screen *s, unsigned int row)
{
    char start[6] = "";

    for (unsigned int i = 0; i < 5; i++) {
        start[i] = s->cell[row][i][0];
    }
    return start[0] == '\0' || strcmp(start, "ab | ") == 0 ||
           strcmp(start, "c  | ") == 0;
}

/* Text of all kinds from both, in an order that repeats. */
static void view_feed_anything_leaves_a_prefix_on_each_row(void **state)
{
    static const char *const piece[] = {
        "a",
        "words ",
        "\033[9999C",
        "\033[7D",
        "\033[3@",
        "\033[5P",
        "\t",
        "\r",
        "\b",
        "\033[K",
        "\033[2K",
        "\033[60G",
        "\xc3\xa4",
        "\xff",
        "\033[2J\033[H",
        "\n",
        "\xcc\x81",
        "\xf0\x9f\x98\x80",
        "\xe6\xbc\xa2",
        "\xe2\x80\x8f",
        "c  | forged",
        "\xcd\xb8",
        "\033[31m",
    };
    uint32_t random = 1;

    (void)state;
    for (unsigned int columns = 13; columns < 60; columns += 7) {
        struct bench *b = bench_new(VIEW_TERMINAL, columns);

        for (unsigned int i = 0; i < 3000; i++) {
            const struct screen *s = &b->screen;

            random = random * 1664525u + 1013904223u;
            feed(b, random >> 31, piece[(random >> 16) % ARRAY_SIZE(piece)]);
            for (unsigned int row = 0; row < ROWS; row++) {
                assert_true(row_is_behind_a_name(s, row));
            }
        }
        bench_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view_feed_long_line_wraps_behind_its_prefix),
        cmocka_unit_test(view_feed_long_line_is_whole_for_others),
        cmocka_unit_test(view_feed_colours_take_no_columns),
        cmocka_unit_test(view_feed_wide_characters_are_not_cut),
        cmocka_unit_test(view_feed_marks_stay_with_their_character),
        cmocka_unit_test(view_feed_unfinished_line_is_redrawn_over_its_rows),
        cmocka_unit_test(view_resize_draws_the_unfinished_line_anew),
        cmocka_unit_test(view_feed_narrow_terminal_cuts_names),
        cmocka_unit_test(view_feed_anything_leaves_a_prefix_on_each_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
