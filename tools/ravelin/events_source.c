/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of a log to lines to records. A console ends its lines with CR and LF
 * or LF alone.
 */
#include "events_source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void line_take(struct events_source *s)
{
    struct event_record record;
    size_t len = s->len;

    while (len > 0 && s->line[len - 1] == '\r') {
        len--;
    }
    switch (event_parse_line(s->line, s->is_long ? EVENTS_LINE_MAX + 1 : len,
                             &record)) {
    case EP_RECORD:
        s->counts.records++;
        s->on_record(s->ctx, &record);
        break;
    case EP_MALFORMED:
        s->counts.malformed++;
        break;
    case EP_UNKNOWN:
        s->counts.unknown++;
        break;
    case EP_OTHER:
        break;
    }
    s->len = 0;
    s->is_long = false;
}

void events_source_feed(struct events_source *s, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n') {
            line_take(s);
        } else if (s->len < sizeof(s->line)) {
            s->line[s->len++] = bytes[i];
        } else {
            s->is_long = true;
        }
    }
}

void events_source_finish(struct events_source *s)
{
    if (s->len > 0) {
        line_take(s);
    }
}

long events_source_read(struct events_source *s)
{
    char bytes[65536];
    ssize_t n;

    do {
        n = read(s->fd, bytes, sizeof(bytes));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    events_source_feed(s, bytes, (size_t)n);
    return n;
}
