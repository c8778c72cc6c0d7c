/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Line model. Colours and everything that would leave the line are ignored.
 */
#include "vline.h"

#include <string.h>

#include "ravelin/compiler.h"
#include "width.h"

void vline_clear(struct vline *v)
{
    v->len = 0;
    v->cursor = 0;
}

static unsigned int at_least_one(unsigned int n)
{
    return n == 0 ? 1 : n;
}

static void blank(struct vline_cell *c)
{
    c->text[0] = ' ';
    c->len = 1;
    c->width = 1;
}

/* Nothing is left of a wide character that was cut in front of cell @i. */
static void mend(struct vline *v, unsigned int i)
{
    bool is_right = i < v->len && v->cell[i].width == 0;
    bool was_left = i > 0 && v->cell[i - 1].width == 2;

    if (is_right && !was_left) {
        blank(&v->cell[i]);
    }
    if (was_left && !is_right) {
        blank(&v->cell[i - 1]);
    }
}

static void put_cells(struct vline *v, const char *text, unsigned int len,
                      unsigned int width)
{
    unsigned int at = rv_min(v->cursor, VLINE_CELLS - width);
    struct vline_cell *c = &v->cell[at];

    memcpy(c->text, text, len);
    c->len = (uint8_t)len;
    c->width = (uint8_t)width;
    if (width == 2) {
        c[1].len = 0;
        c[1].width = 0;
    }
    v->cursor = at + width;
    v->len = rv_max(v->len, v->cursor);
    mend(v, at);
    mend(v, v->cursor);
}

/* What has nothing to mark, or too many marks, is left out. */
static void put_mark(struct vline *v, const char *text, unsigned int len)
{
    struct vline_cell *c;

    if (v->cursor == 0) {
        return;
    }
    c = &v->cell[v->cursor - 1];
    if (c->width == 0) {
        c--;
    }
    if (c->len + len <= VLINE_CELL_BYTES) {
        memcpy(c->text + c->len, text, len);
        c->len = (uint8_t)(c->len + len);
    }
}

static void put_text(struct vline *v, const char *text, unsigned int len)
{
    int width = char_width(text, len);

    if (width > 0) {
        put_cells(v, text, len, (unsigned int)width);
    } else if (width == 0) {
        put_mark(v, text, len);
    } else if (width == WIDTH_UNKNOWN) {
        put_cells(v, "?", 1, 1);
    }
}

/* Moves right, over blanks where the line has nothing yet. */
static void move_to(struct vline *v, unsigned int column)
{
    if (column >= VLINE_CELLS) {
        column = VLINE_CELLS - 1;
    }
    while (v->len < column) {
        blank(&v->cell[v->len++]);
    }
    v->cursor = column;
}

static void delete_cells(struct vline *v, unsigned int n)
{
    unsigned int tail = v->len - v->cursor;

    n = n < tail ? n : tail;
    memmove(&v->cell[v->cursor], &v->cell[v->cursor + n],
            (tail - n) * sizeof(v->cell[0]));
    v->len -= n;
    mend(v, v->cursor);
}

static void insert_cells(struct vline *v, unsigned int n)
{
    unsigned int tail = v->len - v->cursor;

    if (n > VLINE_CELLS - 1 - v->len) {
        n = VLINE_CELLS - 1 - v->len;
    }
    memmove(&v->cell[v->cursor + n], &v->cell[v->cursor],
            tail * sizeof(v->cell[0]));
    for (unsigned int i = 0; i < n; i++) {
        blank(&v->cell[v->cursor + i]);
    }
    v->len += n;
    mend(v, v->cursor);
    mend(v, v->cursor + n);
}

static void erase(struct vline *v, unsigned int how)
{
    unsigned int cursor = v->cursor;

    if (how == 0) {
        v->len = v->cursor;
        mend(v, v->len);
    } else if (how == 2) {
        vline_clear(v);
        move_to(v, cursor);
    }
}

static void do_sequence(struct vline *v)
{
    unsigned int n = at_least_one(v->ansi.param);

    switch (v->ansi.final) {
    case 'C':
        move_to(v, v->cursor + n);
        break;
    case 'D':
        v->cursor = n < v->cursor ? v->cursor - n : 0;
        break;
    case 'G':
        move_to(v, n - 1);
        break;
    case 'J':
    case 'K':
        erase(v, v->ansi.param);
        break;
    case 'P':
        delete_cells(v, n);
        break;
    case '@':
        insert_cells(v, n);
        break;
    default:
        break;
    }
}

static bool do_control(struct vline *v)
{
    switch (v->ansi.final) {
    case '\n':
        return true;
    case '\r':
        v->cursor = 0;
        break;
    case '\b':
        v->cursor -= v->cursor > 0;
        break;
    case '\t':
        move_to(v, (v->cursor / 8 + 1) * 8);
        break;
    default:
        break;
    }
    return false;
}

bool vline_feed(struct vline *v, unsigned char c)
{
    switch (ansi_feed(&v->ansi, c)) {
    case ANSI_TEXT:
        put_text(v, v->ansi.text, v->ansi.text_len);
        /* A line without end is cut into pieces. */
        return v->cursor >= VLINE_CELLS - 1;
    case ANSI_CONTROL:
        return do_control(v);
    case ANSI_SEQUENCE:
        do_sequence(v);
        return false;
    default:
        return false;
    }
}

size_t vline_part(const struct vline *v, unsigned int from, unsigned int to,
                  char *out)
{
    size_t n = 0;

    for (unsigned int i = from; i < to; i++) {
        memcpy(out + n, v->cell[i].text, v->cell[i].len);
        n += v->cell[i].len;
    }
    out[n] = '\0';
    return n;
}

size_t vline_text(const struct vline *v, char *out)
{
    return vline_part(v, 0, v->len, out);
}

unsigned int vline_row_end(const struct vline *v, unsigned int from,
                           unsigned int columns)
{
    unsigned int end = rv_min(v->len, from + columns);

    return end < v->len && v->cell[end].width == 0 ? end - 1 : end;
}
