/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The string functions that ISO C lacks: copies that always terminate and a
 * number parser that notices overflow. Input may be anything.
 */
#include "ravelin/string.h"

bool string_copy(char *to, size_t size, const char *from)
{
    return string_copy_bounded(to, size, from, SIZE_MAX);
}

bool string_copy_bounded(char *to, size_t size, const char *from, size_t length)
{
    size_t n = strnlen(from, length);
    bool fits = n < size;

    if (!fits) {
        n = size - 1;
    }
    memcpy(to, from, n);
    to[n] = '\0';
    return fits;
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned)(c - 'a') + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return (unsigned)(c - 'A') + 10;
    }
    return UINT32_MAX;
}

const char *string_to_u64(const char *s, uint64_t *out)
{
    unsigned base = 10;
    uint64_t value = 0;
    const char *start;

    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    for (start = s; digit_value(*s) < base; s++) {
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit_value(*s), &value)) {
            return NULL;
        }
    }
    if (s == start) {
        return NULL;
    }
    *out = value;
    return s;
}
