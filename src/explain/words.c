/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words of a log. Every call reads forward from `pos` once; nothing is kept.
 */

#include "words.h"
#include "ravelin/string.h"

#define RULER_STARS 20u
#define STAMP_MAX 48u

static bool is_word_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Behind "[time stamp]" if one starts at `pos` on this line; else `pos`. */
static size_t stamp_skip(const char *text, size_t size, size_t pos)
{
    for (size_t i = pos; i < size && i - pos < STAMP_MAX; i++) {
        if (text[i] == '\n') {
            break;
        }
        if (text[i] == ']') {
            return i + 1;
        }
    }
    return pos;
}

static size_t prefix_skip(const char *text, size_t size, size_t pos)
{
    static const char *const tags[] = {"(XEN)", "(rv)"};

    while (pos < size && strchr("> \t|\r", text[pos]) && text[pos]) {
        pos++;
    }
    for (unsigned i = 0; i < 2; i++) {
        size_t n = strlen(tags[i]);

        if (size - pos >= n && memcmp(text + pos, tags[i], n) == 0) {
            pos += n;
            break;
        }
    }
    while (pos < size && text[pos] == ' ') {
        pos++;
    }
    return pos < size && text[pos] == '[' ? stamp_skip(text, size, pos) : pos;
}

/* Behind a run of '*'; *ruler tells whether it is a ruler. */
static size_t stars_skip(const char *text, size_t size, size_t pos, bool *ruler)
{
    size_t start = pos;

    while (pos < size && text[pos] == '*') {
        pos++;
    }
    *ruler = pos - start >= RULER_STARS;
    return pos;
}

static void word_take(const char *text, size_t size, size_t pos,
                      struct word *out)
{
    size_t n = 0;

    for (; pos < size && is_word_char(text[pos]); pos++) {
        if (n < WORD_MAX - 1) {
            out->text[n++] = lower(text[pos]);
        }
    }
    out->text[n] = '\0';
    out->end = pos;
}

bool word_next(const char *text, size_t size, size_t pos, struct word *out)
{
    bool ruler;

    while (pos < size) {
        if (pos == 0 || text[pos - 1] == '\n') {
            size_t behind = prefix_skip(text, size, pos);

            if (behind > pos) {
                pos = behind;
                continue;
            }
        }
        if (is_word_char(text[pos])) {
            word_take(text, size, pos, out);
            return true;
        }
        if (text[pos] == '*') {
            pos = stars_skip(text, size, pos, &ruler);
            if (ruler) {
                memcpy(out->text, "*", 2);
                out->end = pos;
                return true;
            }
        } else {
            pos++;
        }
    }
    return false;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

bool word_number(const struct word *w, unsigned base, uint64_t *out)
{
    const char *s = w->text;
    uint64_t v = 0;
    size_t n;

    if (base == 16 && s[0] == '0' && s[1] == 'x') {
        s += 2;
    }
    n = strlen(s);
    if (n == 0 || n > 16) {
        return false;
    }
    for (; *s; s++) {
        unsigned d = (unsigned)digit(*s);

        if (d >= base) {
            return false;
        }
        v = v * base + d;
    }
    *out = v;
    return true;
}
