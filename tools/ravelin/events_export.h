/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that other programs show: Chrome trace-event JSON (Perfetto), CTF 1.8
 * (babeltrace2, Trace Compass), and a picture. All that is a guest's text is
 * escaped before it gets there.
 */
#pragma once

#include "cli.h"
#include "events_names.h"
#include "events_timeline.h"

struct event_export {
    /* Any record but EV_NAME, in the order of the log; time never runs back
     * on a virtual CPU. */
    void (*on_record)(struct event_export *x, const struct event_record *e,
                      uint64_t time);
    void (*on_slice)(struct event_export *x, const struct event_slice *s);
    /* Completes the file and frees the export. 0 or a negative errno. */
    int (*finish)(struct event_export *x);
    const struct event_names *names;
};

/**
 * Starts a file; what it holds follows from the name: *.json, *.svg, or a
 * directory *.ctf.
 *
 * @return NULL with a message if that cannot be.
 */
struct event_export *event_export_open(const char *path,
                                       const struct event_names *names);

/* The three kinds; NULL and *r = a negative errno if it cannot be written. */
struct event_export *export_perfetto_open(const char *path, int *r);
struct event_export *export_ctf_open(const char *path, int *r);
struct event_export *export_picture_open(const char *path, int *r);

/** "access w gfn 0x1b2c gla 0xffff..." : one event in a line, no time. */
void event_describe(const struct event_record *e,
                    const struct event_names *names,
                    char out[2 * EVENTS_SAFE_SIZE]);

/** One record as an object, addresses as text in hex. */
json_t *event_json(const struct event_record *e,
                   const struct event_names *names);

/** "rw-" */
void event_access_show(uint32_t access, char out[4]);
