/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISO C string functions for the freestanding image (a hosted build uses its
 * libc; the unit test compiles this file under other names). The block
 * operations memcpy, memmove and memset are the processor's business and live
 * in the arch directory. Nothing here trusts more than its arguments say.
 */
#include "ravelin/string.h"

/* The search functions of ISO C return what they were given without const. */
static void *without_const(const void *p)
{
    union {
        const void *in;
        void *out;
    } u = {.in = p};

    return u.out;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (size_t i = 0; i < size; i++) {
        if (x[i] != y[i]) {
            return x[i] - y[i];
        }
    }
    return 0;
}

void *memchr(const void *s, int byte, size_t size)
{
    const unsigned char *p = s;

    for (size_t i = 0; i < size; i++) {
        if (p[i] == (unsigned char)byte) {
            return without_const(&p[i]);
        }
    }
    return NULL;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n] != '\0') {
        n++;
    }
    return n;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0') {
        n++;
    }
    return n;
}

int strncmp(const char *a, const char *b, size_t max)
{
    for (size_t i = 0; i < max; i++) {
        unsigned char x = (unsigned char)a[i];
        unsigned char y = (unsigned char)b[i];

        if (x != y) {
            return x - y;
        }
        if (x == '\0') {
            break;
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c) {
            return without_const(s);
        }
        if (*s == '\0') {
            return NULL;
        }
    }
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;

    for (;; s++) {
        if (*s == (char)c) {
            last = s;
        }
        if (*s == '\0') {
            return without_const(last);
        }
    }
}
