/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Widths come from the C library's table for UTF-8, whatever the user's locale
 * is: terminals go by the same Unicode data. Characters that only steer others
 * (direction, joining, variants) have none, because terminals disagree about
 * them, and a change of direction could reach out of its line.
 */
#include "width.h"

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#include "ravelin/compiler.h"

static const struct {
    wchar_t first, last;
} steering[] = {
    {0x061c, 0x061c},   {0x180b, 0x180f},   {0x200b, 0x200f},
    {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static wchar_t char_decode(const char *text, unsigned int len)
{
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    wchar_t c = (unsigned char)text[0] & mask[len];

    for (unsigned int i = 1; i < len; i++) {
        c = c << 6 | ((unsigned char)text[i] & 0x3f);
    }
    return c;
}

static bool is_steering(wchar_t c)
{
    for (size_t i = 0; i < ARRAY_SIZE(steering); i++) {
        if (c >= steering[i].first && c <= steering[i].last) {
            return true;
        }
    }
    return false;
}

static int width_look_up(wchar_t c)
{
    static locale_t utf8;
    locale_t users;
    int width;

    if (utf8 == NULL) {
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
    }
    if (utf8 == NULL) {
        return 1;
    }
    users = uselocale(utf8);
    width = wcwidth(c);
    uselocale(users);
    return width < 0 ? WIDTH_UNKNOWN : width;
}

int char_width(const char *text, unsigned int len)
{
    wchar_t c;

    if (len == 1) {
        return 1;
    }
    c = char_decode(text, len);
    return is_steering(c) ? WIDTH_STEERING : width_look_up(c);
}
