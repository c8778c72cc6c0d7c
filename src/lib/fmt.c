/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded text formatting. Format strings are ours; the arguments may be
 * anything a guest chose, so %s stops at its precision, which callers use for
 * text that may lack a terminator.
 */
#include "ravelin/fmt.h"

#include "ravelin/string.h"
#include "ravelin/types.h"

struct out {
    char *buf;
    size_t size;
    size_t length; /* of the whole text, stored or not */
};

enum length_modifier { LEN_CHAR, LEN_SHORT, LEN_INT, LEN_LONG };

struct spec {
    bool left;
    bool zero;
    bool plus;
    bool space;
    bool alt;
    int width;
    int precision; /* -1: none given */
    enum length_modifier length;
};

/* 64 bits in octal take 22 digits. */
#define DIGITS_MAX 24
/* Widths given as arguments are clamped to this. */
#define WIDTH_MAX 9999

static void out_char(struct out *o, char c)
{
    if (o->length < o->size) {
        o->buf[o->length] = c;
    }
    o->length++;
}

static void out_text(struct out *o, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out_char(o, s[i]);
    }
}

static void out_fill(struct out *o, char c, int count)
{
    for (int i = 0; i < count; i++) {
        out_char(o, c);
    }
}

static const char *parse_flags(const char *p, struct spec *spec)
{
    for (;; p++) {
        if (*p == '-') {
            spec->left = true;
        } else if (*p == '0') {
            spec->zero = true;
        } else if (*p == '+') {
            spec->plus = true;
        } else if (*p == ' ') {
            spec->space = true;
        } else if (*p == '#') {
            spec->alt = true;
        } else {
            return p;
        }
    }
}

/* A number of at most four digits; more are skipped. */
static const char *parse_number(const char *p, int *out)
{
    int n = 0;

    for (; *p >= '0' && *p <= '9'; p++) {
        if (n <= WIDTH_MAX / 10) {
            n = n * 10 + (*p - '0');
        }
    }
    *out = n;
    return p;
}

static const char *parse_length(const char *p, struct spec *spec)
{
    spec->length = LEN_INT;
    if (*p == 'h') {
        spec->length = p[1] == 'h' ? LEN_CHAR : LEN_SHORT;
        return p + (p[1] == 'h' ? 2 : 1);
    }
    if (*p == 'l' || *p == 'z' || *p == 'j' || *p == 't') {
        spec->length = LEN_LONG;
        return p + (p[0] == 'l' && p[1] == 'l' ? 2 : 1);
    }
    return p;
}

static void emit_number(struct out *o, const struct spec *spec, uint64_t value,
                        unsigned base, bool upper, const char *prefix)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[DIGITS_MAX];
    int count = 0;
    int prefix_len = (int)strlen(prefix);
    int zeros;
    int pad;

    for (; value != 0; value /= base) {
        text[DIGITS_MAX - ++count] = digits[value % base];
    }
    zeros = (spec->precision < 0 ? 1 : spec->precision) - count;
    if (zeros < 0) {
        zeros = 0;
    }
    pad = spec->width - prefix_len - zeros - count;
    if (spec->zero && !spec->left && spec->precision < 0 && pad > 0) {
        zeros += pad;
        pad = 0;
    }
    if (!spec->left) {
        out_fill(o, ' ', pad);
    }
    out_text(o, prefix, (size_t)prefix_len);
    out_fill(o, '0', zeros);
    out_text(o, &text[DIGITS_MAX - count], (size_t)count);
    if (spec->left) {
        out_fill(o, ' ', pad);
    }
}

/* Bits that the caller did not pass, to be cut off. */
static unsigned excess_bits(const struct spec *spec)
{
    static const uint8_t excess[] = {
        [LEN_CHAR] = 56,
        [LEN_SHORT] = 48,
        [LEN_INT] = 32,
        [LEN_LONG] = 0,
    };

    return excess[spec->length];
}

static void emit_signed(struct out *o, const struct spec *spec, int64_t value)
{
    const char *prefix = spec->plus ? "+" : spec->space ? " " : "";
    unsigned excess = excess_bits(spec);
    uint64_t magnitude;

    value = (int64_t)((uint64_t)value << excess) >> excess;
    magnitude = (uint64_t)value;
    if (value < 0) {
        prefix = "-";
        magnitude = -magnitude;
    }
    emit_number(o, spec, magnitude, 10, false, prefix);
}

static void emit_unsigned(struct out *o, const struct spec *spec,
                          uint64_t value, char conversion)
{
    unsigned base = conversion == 'u' ? 10 : conversion == 'o' ? 8 : 16;
    unsigned excess = excess_bits(spec);
    const char *prefix = "";

    value = value << excess >> excess;
    if (spec->alt && value != 0 && base == 16) {
        prefix = conversion == 'X' ? "0X" : "0x";
    } else if (spec->alt && base == 8) {
        prefix = "0";
    }
    emit_number(o, spec, value, base, conversion == 'X', prefix);
}

static void emit_string(struct out *o, const struct spec *spec, const char *s)
{
    size_t len;
    int pad;

    if (s == NULL) {
        s = "(null)";
    }
    len = spec->precision < 0 ? strlen(s) : strnlen(s, (size_t)spec->precision);
    pad = len < (size_t)spec->width ? spec->width - (int)len : 0;
    if (!spec->left) {
        out_fill(o, ' ', pad);
    }
    out_text(o, s, len);
    if (spec->left) {
        out_fill(o, ' ', pad);
    }
}

/*
 * va_list may be an array type, so a wrapper struct is what can be passed on
 * by address portably.
 */
struct arguments {
    va_list list;
};

static const char *parse_spec(const char *p, struct spec *spec,
                              struct arguments *args)
{
    *spec = (struct spec){.precision = -1};
    p = parse_flags(p, spec);
    if (*p == '*') {
        spec->width = va_arg(args->list, int);
        if (spec->width < 0) {
            spec->left = true;
            spec->width = -rv_max(spec->width, -WIDTH_MAX);
        }
        p++;
    } else {
        p = parse_number(p, &spec->width);
    }
    if (*p == '.') {
        p++;
        if (*p == '*') {
            spec->precision = va_arg(args->list, int);
            p++;
        } else {
            p = parse_number(p, &spec->precision);
        }
    }
    return parse_length(p, spec);
}

/* False if the conversion is unknown. */
static bool emit_conversion(struct out *o, struct spec *spec, char conversion,
                            struct arguments *args)
{
    bool is_long = spec->length == LEN_LONG;
    char c;

    switch (conversion) {
    case 'd':
    case 'i':
        emit_signed(o, spec,
                    is_long ? va_arg(args->list, int64_t)
                            : va_arg(args->list, int));
        return true;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        emit_unsigned(o, spec,
                      is_long ? va_arg(args->list, uint64_t)
                              : va_arg(args->list, unsigned),
                      conversion);
        return true;
    case 'p':
        emit_number(o, spec, (uintptr_t)va_arg(args->list, void *), 16, false,
                    "0x");
        return true;
    case 's':
        emit_string(o, spec, va_arg(args->list, const char *));
        return true;
    case 'c':
        c = (char)va_arg(args->list, int);
        out_fill(o, ' ', spec->left ? 0 : spec->width - 1);
        out_char(o, c);
        out_fill(o, ' ', spec->left ? spec->width - 1 : 0);
        return true;
    case '%':
        out_char(o, '%');
        return true;
    default:
        return false;
    }
}

int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out o = {.buf = buf, .size = size};
    struct arguments copy;

    va_copy(copy.list, args);
    for (const char *p = fmt; *p != '\0'; p++) {
        const char *start = p;
        struct spec spec;

        if (*p != '%') {
            out_char(&o, *p);
            continue;
        }
        p = parse_spec(p + 1, &spec, &copy);
        if (*p == '\0' || !emit_conversion(&o, &spec, *p, &copy)) {
            p -= *p == '\0';
            out_text(&o, start, (size_t)(p - start) + 1);
        }
    }
    va_end(copy.list);
    if (size > 0) {
        buf[o.length < size ? o.length : size - 1] = '\0';
    }
    return (int)o.length;
}

int fmt_snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = fmt_vsnprintf(buf, size, fmt, args);
    va_end(args);
    return n;
}
