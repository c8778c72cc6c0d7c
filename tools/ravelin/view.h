/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a person sees of a machine: lines of all channels, each with the name
 * of its domain in its own colour, and below them the unfinished line of the
 * domain that has the keyboard. On a terminal every row begins with the name,
 * also where a line goes on because the row is full.
 */
#pragma once

#include "cli.h"
#include "vline.h"

#define VIEW_CHANNELS_MAX 64u

enum view_mode {
    VIEW_TERMINAL, /* colours, unfinished lines, redrawing */
    VIEW_LINES,    /* complete lines only */
    VIEW_JSON,     /* one JSON object per line */
    VIEW_QUIET,    /* nothing but notes */
};

/** Called for each complete line of a channel, whatever the mode. */
typedef void (*view_line_fn)(void *ctx, unsigned int slot, const char *line);

struct view_channel {
    char *name;
    struct vline line;
};

struct view {
    enum view_mode mode;
    FILE *out;
    int focus;               /* slot with the keyboard, or -1 */
    bool solo;               /* the focus has the whole terminal, raw */
    unsigned int drawn_rows; /* terminal rows of the unfinished line */
    unsigned int columns;    /* width of the terminal */
    size_t name_width;
    size_t count;
    struct view_channel *channel[VIEW_CHANNELS_MAX];
    view_line_fn on_line;
    void *ctx;
    double (*clock)(void *ctx); /* seconds, for JSON */
};

/** Adds a channel. @return its slot, or -1 if there are too many. */
int view_add(struct view *v, const char *name);

/** Shows output of a channel. */
void view_feed(struct view *v, int slot, const char *bytes, size_t len);

/** Shows a line of our own; in JSON mode nothing. */
void view_note(struct view *v, const char *fmt, ...) rv_printf(2, 3);

/** Shows an event: as JSON, else nothing. Takes @event over. */
void view_event(struct view *v, const char *name, json_t *event);

/** The terminal is so wide now. */
void view_resize(struct view *v, unsigned int columns);

/** Gives the keyboard to another channel. */
void view_focus(struct view *v, int slot);

/** Solo mode: the focus writes to the terminal unchanged; others only log. */
void view_solo(struct view *v, bool on);

/** Shows what is left of unfinished lines. */
void view_end(struct view *v);
void view_free(struct view *v);
