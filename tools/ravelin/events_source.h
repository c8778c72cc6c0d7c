/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where records come from: the log of a monitor domain, complete or still
 * growing. Lines may be cut anywhere between two reads; what is longer than a
 * record can be is dropped and counted.
 */
#pragma once

#include "events.h"

/* What a source has seen. */
struct events_counts {
    uint64_t records;
    uint64_t malformed;
    uint64_t unknown; /* of a verb of a later version */
};

typedef void (*events_fn)(void *ctx, const struct event_record *e);

struct events_source {
    int fd;
    bool is_long; /* inside a line that is too long */
    size_t len;
    char line[EVENTS_LINE_MAX + 1];
    struct events_counts counts;
    events_fn on_record;
    void *ctx;
};

/** Takes bytes of the log. */
void events_source_feed(struct events_source *s, const char *bytes, size_t len);

/** Takes a last line that has no end. */
void events_source_finish(struct events_source *s);

/**
 * Reads what there is now.
 * @return bytes read, 0 at the end of the file, a negative errno of the host.
 */
long events_source_read(struct events_source *s);
