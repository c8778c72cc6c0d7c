/* SPDX-License-Identifier: MIT */
/*
 * printf of the test guests. Output is written whole, one hypercall for each
 * call, under a lock, so that lines of several CPUs do not mix.
 */

#include "guest.h"

struct out {
    char *buf;
    size_t size, used;
};

struct spec {
    bool zero, wide;
    unsigned int width;
    bool native; /* l, z, p: the size of a pointer */
};

static uint32_t print_lock;

static void out_char(struct out *o, char c)
{
    if (o->used + 1 < o->size) {
        o->buf[o->used++] = c;
    }
}

static void out_number(struct out *o, uint64_t v, unsigned int base,
                       const struct spec *s, bool minus)
{
    char digits[24];
    unsigned int n = 0, pad;

    do {
        unsigned int d;

        v = u64_divide(v, base, &d);
        digits[n++] = "0123456789abcdef"[d];
    } while (v);
    pad = s->width > n + minus ? s->width - n - minus : 0;
    while (pad && !s->zero) {
        out_char(o, ' ');
        pad--;
    }
    if (minus) {
        out_char(o, '-');
    }
    while (pad--) {
        out_char(o, '0');
    }
    while (n) {
        out_char(o, digits[--n]);
    }
}

static void out_string(struct out *o, const char *text)
{
    while (*text) {
        out_char(o, *text++);
    }
}

static const char *spec_parse(struct spec *s, const char *p)
{
    if (*p == '0') {
        s->zero = true;
        p++;
    }
    while (*p >= '0' && *p <= '9') {
        s->width = s->width * 10 + (unsigned int)(*p++ - '0');
    }
    while (*p == 'l' || *p == 'z') {
        s->wide = s->native && *p == 'l';
        s->native = true;
        p++;
    }
    return p;
}

static uint64_t arg_unsigned(const struct spec *s, va_list *args)
{
    if (s->wide) {
        return va_arg(*args, unsigned long long);
    }
    return s->native ? va_arg(*args, unsigned long)
                     : va_arg(*args, unsigned int);
}

static int64_t arg_signed(const struct spec *s, va_list *args)
{
    if (s->wide) {
        return va_arg(*args, long long);
    }
    return s->native ? va_arg(*args, long) : va_arg(*args, int);
}

static void out_spec(struct out *o, char kind, struct spec *s, va_list *args)
{
    int64_t v;

    switch (kind) {
    case 'c':
        out_char(o, (char)va_arg(*args, int));
        break;
    case 's':
        out_string(o, va_arg(*args, const char *));
        break;
    case 'd':
    case 'i':
        v = arg_signed(s, args);
        out_number(o, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, s, v < 0);
        break;
    case 'u':
        out_number(o, arg_unsigned(s, args), 10, s, false);
        break;
    case 'p':
        s->native = true;
        out_string(o, "0x");
        out_number(o, arg_unsigned(s, args), 16, s, false);
        break;
    case 'x':
        out_number(o, arg_unsigned(s, args), 16, s, false);
        break;
    default:
        out_char(o, kind);
        break;
    }
}

size_t format_va(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out o = {buf, size, 0};
    va_list copy;

    va_copy(copy, args);
    while (*fmt) {
        struct spec s = {0};

        if (*fmt != '%') {
            out_char(&o, *fmt++);
            continue;
        }
        fmt = spec_parse(&s, fmt + 1);
        if (!*fmt) {
            break;
        }
        out_spec(&o, *fmt++, &s, &copy);
    }
    va_end(copy);
    buf[o.used] = '\0';
    return o.used;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    size_t n;

    va_start(args, fmt);
    n = format_va(buf, size, fmt, args);
    va_end(args);
    return n;
}

void printf(const char *fmt, ...)
{
    char line[256];
    va_list args;
    size_t n;

    va_start(args, fmt);
    n = format_va(line, sizeof(line), fmt, args);
    va_end(args);
    spin_lock(&print_lock);
    console_write(line, n);
    spin_unlock(&print_lock);
}
