/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Line model. Colours and everything that would leave the line are ignored.
 */
#include "vline.h"

#include <string.h>

void vline_clear(struct vline *v)
{
    v->len = 0;
    v->cursor = 0;
}

static unsigned int at_least_one(unsigned int n)
{
    return n == 0 ? 1 : n;
}

static void put_cell(struct vline *v, const char *text, unsigned int len)
{
    struct vline_cell *c = &v->cell[v->cursor];

    memcpy(c->text, text, len);
    c->len = (uint8_t)len;
    v->cursor++;
    if (v->cursor > v->len) {
        v->len = v->cursor;
    }
}

/* Moves right, over blanks where the line has nothing yet. */
static void move_to(struct vline *v, unsigned int column)
{
    if (column >= VLINE_CELLS) {
        column = VLINE_CELLS - 1;
    }
    while (v->len < column) {
        v->cell[v->len].text[0] = ' ';
        v->cell[v->len].len = 1;
        v->len++;
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
        v->cell[v->cursor + i].text[0] = ' ';
        v->cell[v->cursor + i].len = 1;
    }
    v->len += n;
}

static void erase(struct vline *v, unsigned int how)
{
    unsigned int cursor = v->cursor;

    if (how == 0) {
        v->len = v->cursor;
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
        put_cell(v, v->ansi.text, v->ansi.text_len);
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

size_t vline_text(const struct vline *v, char *out)
{
    size_t n = 0;

    for (unsigned int i = 0; i < v->len; i++) {
        memcpy(out + n, v->cell[i].text, v->cell[i].len);
        n += v->cell[i].len;
    }
    out[n] = '\0';
    return n;
}
