/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small recogniser for ECMA-48 control functions. Strings (OSC, DCS and the
 * like) are swallowed whole; invalid UTF-8 and C1 controls become '?'.
 * Ref: ECMA-48, 5.3 "Elements of the C1 set", 5.4 "Control sequences".
 */
#include "ansi.h"

enum { NORMAL, ESCAPE, ESCAPE_MORE, SEQUENCE, STRING, STRING_ESCAPE };

#define PARAM_MAX 9999u

static enum ansi_kind text_of(struct ansi *a, char c)
{
    a->text[0] = c;
    a->text_len = 1;
    a->missing = 0;
    return ANSI_TEXT;
}

/* Shortest forms only, no surrogates, nothing below U+00A0. */
static bool is_plain_utf8(const struct ansi *a)
{
    unsigned char first = (unsigned char)a->text[0];
    unsigned char second = (unsigned char)a->text[1];

    switch (a->text_len) {
    case 2:
        return first > 0xc2 || second >= 0xa0;
    case 3:
        return (first != 0xe0 || second >= 0xa0) &&
               (first != 0xed || second < 0xa0);
    default:
        return (first != 0xf0 || second >= 0x90) &&
               (first != 0xf4 || second < 0x90) && first <= 0xf4;
    }
}

static enum ansi_kind feed_utf8(struct ansi *a, unsigned char c)
{
    if (a->missing == 0) {
        if (c < 0xc2 || c > 0xf4) {
            return text_of(a, '?');
        }
        a->missing = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        a->text[0] = (char)c;
        a->text_len = 1;
        return ANSI_NOTHING;
    }
    a->text[a->text_len++] = (char)c;
    if (--a->missing > 0) {
        return ANSI_NOTHING;
    }
    return is_plain_utf8(a) ? ANSI_TEXT : text_of(a, '?');
}

static enum ansi_kind feed_normal(struct ansi *a, unsigned char c)
{
    bool is_more = (c & 0xc0) == 0x80;

    if (a->missing > 0 && !is_more) {
        a->missing = 0; /* the unfinished character is dropped */
    }
    if (c >= 0x80) {
        return feed_utf8(a, c);
    }
    if (c == 0x1b) {
        a->state = ESCAPE;
        return ANSI_NOTHING;
    }
    if (c < ' ' || c == 0x7f) {
        a->final = (char)c;
        return ANSI_CONTROL;
    }
    return text_of(a, (char)c);
}

static enum ansi_kind feed_escape(struct ansi *a, unsigned char c)
{
    if (c == '[') {
        a->state = SEQUENCE;
        a->param = 0;
        a->final = 0;
    } else if (c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X') {
        a->state = STRING;
    } else if (c >= ' ' && c <= '/') {
        a->state = ESCAPE_MORE;
    } else {
        a->state = NORMAL;
    }
    return ANSI_NOTHING;
}

static enum ansi_kind feed_sequence(struct ansi *a, unsigned char c)
{
    if (c >= '0' && c <= '9' && a->final == 0) {
        a->param = a->param * 10 + (unsigned int)(c - '0');
        if (a->param > PARAM_MAX) {
            a->param = PARAM_MAX;
        }
        return ANSI_NOTHING;
    }
    if (c >= ' ' && c <= '?') {
        a->final = 1; /* only the first parameter counts */
        return ANSI_NOTHING;
    }
    a->state = NORMAL;
    if (c < 0x40 || c > 0x7e) {
        return ANSI_NOTHING;
    }
    a->final = (char)c;
    return ANSI_SEQUENCE;
}

enum ansi_kind ansi_feed(struct ansi *a, unsigned char c)
{
    switch (a->state) {
    case NORMAL:
        return feed_normal(a, c);
    case ESCAPE:
        return feed_escape(a, c);
    case ESCAPE_MORE:
        a->state = c >= ' ' && c <= '/' ? ESCAPE_MORE : NORMAL;
        return ANSI_NOTHING;
    case SEQUENCE:
        return feed_sequence(a, c);
    case STRING:
        a->state = c == 0x1b ? STRING_ESCAPE : c == '\a' ? NORMAL : STRING;
        return ANSI_NOTHING;
    default:
        a->state = c == '\\' ? NORMAL : STRING;
        return ANSI_NOTHING;
    }
}
