/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader and writer of the multiplexed line. Markers may be cut anywhere by
 * the pipe they come through.
 */
#include "mux.h"

#include <stdbool.h>
#include <string.h>

#define MARKER_START 0x1e
#define MARKER_END 0x1f

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void pass(struct mux_reader *m, const char *bytes, size_t len)
{
    if (len > 0) {
        m->on_bytes(m->ctx, m->channel, bytes, len);
    }
}

/* Is @c possible at the place where the marker stands? */
static bool fits_marker(const struct mux_reader *m, char c)
{
    if (m->seen == MUX_MARKER_SIZE - 1) {
        return c == MARKER_END;
    }
    return hex_digit(c) >= 0;
}

static void finish_marker(struct mux_reader *m)
{
    unsigned int channel = 0;

    for (unsigned int i = 1; i < MUX_MARKER_SIZE - 1; i++) {
        channel = channel << 4 | (unsigned int)hex_digit(m->marker[i]);
    }
    m->channel = channel;
    m->seen = 0;
}

/* @return true if the byte was taken as part of a marker. */
static bool feed_marker(struct mux_reader *m, char c)
{
    if (!fits_marker(m, c)) {
        unsigned int seen = m->seen;

        m->seen = 0;
        pass(m, m->marker, seen);
        return false;
    }
    m->marker[m->seen++] = c;
    if (m->seen == MUX_MARKER_SIZE) {
        finish_marker(m);
    }
    return true;
}

void mux_feed(struct mux_reader *m, const char *bytes, size_t len)
{
    size_t from = 0;

    for (size_t i = 0; i < len; i++) {
        if (m->seen > 0 && feed_marker(m, bytes[i])) {
            from = i + 1;
            continue;
        }
        if (bytes[i] == MARKER_START) {
            pass(m, bytes + from, i - from);
            m->marker[0] = bytes[i];
            m->seen = 1;
            from = i + 1;
        }
    }
    pass(m, bytes + from, len - from);
}

size_t mux_encode(int *current, unsigned int channel, const char *bytes,
                  size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;

    if (*current != (int)channel) {
        out[n++] = MARKER_START;
        for (int shift = 12; shift >= 0; shift -= 4) {
            out[n++] = digits[channel >> shift & 0xf];
        }
        out[n++] = MARKER_END;
        *current = (int)channel;
    }
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != MARKER_START && bytes[i] != MARKER_END) {
            out[n++] = bytes[i];
        }
    }
    return n;
}
