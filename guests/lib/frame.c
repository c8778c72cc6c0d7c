/* SPDX-License-Identifier: MIT */
/*
 * Writer and reader of frames in console text. The reader holds back at most
 * one frame's length and never believes a length: only the end of the line and
 * the sum decide.
 */
#include "frame.h"

#define SUM_DIGITS 8u
#define HELD_MIN (2u + SUM_DIGITS) /* start, kind and sum */

uint32_t frame_crc(uint32_t crc, const char *bytes, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)bytes[i];
        for (unsigned int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

static bool is_printable(char c)
{
    return c >= 0x20 && c <= 0x7e;
}

static bool is_kind(char c)
{
    return c >= 'a' && c <= 'z';
}

static void sum_write(uint32_t sum, char *out)
{
    for (unsigned int i = 0; i < SUM_DIGITS; i++) {
        out[i] = "0123456789abcdef"[sum >> (28 - 4 * i) & 0xf];
    }
}

size_t frame_encode(char kind, const char *payload, size_t len, char *out)
{
    size_t n = 0;

    if (len > FRAME_PAYLOAD_MAX || !is_kind(kind)) {
        return 0;
    }
    out[n++] = FRAME_START;
    out[n++] = kind;
    for (size_t i = 0; i < len; i++) {
        out[n++] = is_printable(payload[i]) ? payload[i] : '?';
    }
    sum_write(frame_crc(0, out + 1, n - 1), out + n);
    n += SUM_DIGITS;
    out[n++] = '\n';
    return n;
}

static void text_pass(const struct frame_reader *r, const char *bytes,
                      size_t len)
{
    if (len > 0 && r->on_text) {
        r->on_text(r->ctx, bytes, len);
    }
}

/* Is what is held back, its end of line left out, a frame? */
static bool held_is_frame(const struct frame_reader *r, size_t len)
{
    char sum[SUM_DIGITS];

    if (len < HELD_MIN || !is_kind(r->held[1])) {
        return false;
    }
    sum_write(frame_crc(0, r->held + 1, len - 1 - SUM_DIGITS), sum);
    for (unsigned int i = 0; i < SUM_DIGITS; i++) {
        if (sum[i] != r->held[len - SUM_DIGITS + i]) {
            return false;
        }
    }
    return true;
}

void frame_flush(struct frame_reader *r)
{
    size_t len = r->seen;

    r->seen = 0;
    text_pass(r, r->held, len);
}

/* The line has ended: a frame, or text after all. */
static void held_finish(struct frame_reader *r)
{
    size_t len = r->seen;

    if (r->held[len - 1] == '\r') {
        len--;
    }
    if (!held_is_frame(r, len)) {
        /* Room for this was kept back. */
        r->held[r->seen++] = '\n';
        frame_flush(r);
        return;
    }
    r->seen = 0;
    len -= SUM_DIGITS;
    r->held[len] = '\0';
    if (r->on_frame) {
        r->on_frame(r->ctx, r->held[1], r->held + 2, len - 2);
    }
}

/* @return true if the byte was taken, false if it is text. */
static bool held_add(struct frame_reader *r, char c)
{
    bool after_return = r->seen > 1 && r->held[r->seen - 1] == '\r';

    if (c == '\n') {
        held_finish(r);
        return true;
    }
    if (after_return || (!is_printable(c) && c != '\r') ||
        r->seen + 1 == sizeof(r->held)) {
        frame_flush(r);
        return false;
    }
    r->held[r->seen++] = c;
    return true;
}

void frame_feed(struct frame_reader *r, const char *bytes, size_t len)
{
    size_t from = 0;

    for (size_t i = 0; i < len; i++) {
        if (r->seen > 0 && held_add(r, bytes[i])) {
            from = i + 1;
            continue;
        }
        if (bytes[i] == FRAME_START) {
            text_pass(r, bytes + from, i - from);
            r->held[0] = FRAME_START;
            r->seen = 1;
            from = i + 1;
        }
    }
    text_pass(r, bytes + from, len - from);
}
