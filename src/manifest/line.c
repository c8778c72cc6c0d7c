/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Line building for messages and the access matrix. No formatting language on
 * purpose: the pieces come from an untrusted blob, and this way none of them
 * can ever be taken for a format.
 */
#include "line.h"

#include "ravelin/string.h"

static void add_char(struct line *l, char c)
{
    if (l->len + 1 < sizeof(l->text)) {
        l->text[l->len++] = c;
        l->text[l->len] = '\0';
    }
}

void line_clear(struct line *l)
{
    l->len = 0;
    l->text[0] = '\0';
}

void line_add(struct line *l, const char *text)
{
    for (; *text != '\0'; text++) {
        add_char(l, *text);
    }
}

void line_add_quoted(struct line *l, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        add_char(l, text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
    }
}

void line_add_number(struct line *l, uint64_t value)
{
    char digits[20];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (n > 0) {
        add_char(l, digits[--n]);
    }
}

void line_pad_to(struct line *l, size_t column)
{
    while (l->len < column && l->len + 1 < sizeof(l->text)) {
        add_char(l, ' ');
    }
}
