/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rendering. In terminal mode the last rows of the screen belong to the
 * unfinished line: it is erased before anything else is written and drawn
 * again after it. Guests cannot write outside their line, and lines are cut
 * into rows here, so they can neither forge another's prefix nor send the
 * terminal commands (except in solo mode, which the user asks for).
 */
#include "view.h"

#include <stdlib.h>
#include <string.h>

/* What a row has at least for a guest's text, however long the name is. */
#define TEXT_MIN 8u
/* " | " */
#define BAR 3u

static const char *const colours[] = {
    "\033[37m", "\033[36m", "\033[32m", "\033[33m",
    "\033[35m", "\033[34m", "\033[91m", "\033[92m",
};

int view_add(struct view *v, const char *name)
{
    struct view_channel *c;

    if (v->count == VIEW_CHANNELS_MAX) {
        return -1;
    }
    c = xalloc(sizeof(*c));
    c->name = xstrdup(name);
    v->channel[v->count] = c;
    v->name_width = rv_max(v->name_width, strlen(name));
    return (int)v->count++;
}

static const char *colour_of(size_t slot)
{
    return colours[slot % ARRAY_SIZE(colours)];
}

/* Names are cut on a terminal that is too narrow for them. */
static unsigned int name_columns(const struct view *v)
{
    unsigned int columns = v->columns > 0 ? v->columns : 80;
    unsigned int most = columns > BAR + TEXT_MIN ? columns - BAR - TEXT_MIN : 1;

    return rv_min((unsigned int)v->name_width, most);
}

static unsigned int text_columns(const struct view *v)
{
    unsigned int columns = v->columns > 0 ? v->columns : 80;
    unsigned int prefix = name_columns(v) + BAR;

    return columns > prefix + 2 ? columns - prefix : 2;
}

static void put_prefix(struct view *v, int slot)
{
    const char *name = v->channel[slot]->name;
    int width = (int)v->name_width;

    if (v->mode == VIEW_TERMINAL) {
        width = (int)name_columns(v);
        fprintf(v->out, "%s%-*.*s |\033[0m ", colour_of((size_t)slot), width,
                width, name);
    } else {
        fprintf(v->out, "%-*s | ", width, name);
    }
}

/* Where the cursor belongs, from the first row's first column. */
struct place {
    unsigned int row, column;
};

/* A line as rows of the terminal. @return their number, at least 1. */
static unsigned int put_rows(struct view *v, int slot, struct place *cursor)
{
    static char text[VLINE_TEXT_SIZE];
    const struct vline *l = &v->channel[slot]->line;
    unsigned int start = 0, end, rows = 0;

    do {
        end = vline_row_end(l, start, text_columns(v));
        vline_part(l, start, end, text);
        fputs(rows > 0 ? "\r\n" : "", v->out);
        put_prefix(v, slot);
        fputs(text, v->out);
        if (l->cursor >= start) {
            cursor->row = rows;
            cursor->column = name_columns(v) + BAR + l->cursor - start;
        }
        rows++;
        start = end;
    } while (start < l->len);
    return rows;
}

static void erase_unfinished(struct view *v)
{
    if (v->drawn_rows == 0) {
        return;
    }
    fputc('\r', v->out);
    if (v->drawn_rows > 1) {
        fprintf(v->out, "\033[%uA", v->drawn_rows - 1);
    }
    fputs("\033[J", v->out);
    v->drawn_rows = 0;
}

/* Draws the unfinished line of the focus, the cursor where it belongs: behind
 * the last character that is on the last row, even if that is full. */
static void draw_unfinished(struct view *v)
{
    const struct vline *l;
    struct place cursor;
    unsigned int rows;

    if (v->mode != VIEW_TERMINAL || v->focus < 0 || v->solo) {
        return;
    }
    l = &v->channel[v->focus]->line;
    if (l->len == 0) {
        return;
    }
    rows = put_rows(v, v->focus, &cursor);
    v->drawn_rows = cursor.row + 1;
    if (l->cursor == l->len) {
        return;
    }
    if (v->drawn_rows < rows) {
        fprintf(v->out, "\033[%uA", rows - v->drawn_rows);
    }
    fprintf(v->out, "\r\033[%uC", cursor.column);
}

static void show_json_line(struct view *v, int slot, const char *text)
{
    json_t *event =
        json_pack("{s:s, s:s}", "domain", v->channel[slot]->name, "text", text);

    view_event(v, "line", event);
}

/* A line is complete. The unfinished one has been erased before. */
static void finish_line(struct view *v, int slot)
{
    static char text[VLINE_TEXT_SIZE];
    struct vline *l = &v->channel[slot]->line;
    struct place cursor;

    vline_text(l, text);
    if (v->mode == VIEW_JSON) {
        show_json_line(v, slot, text);
    } else if (v->mode == VIEW_TERMINAL && !v->solo) {
        put_rows(v, slot, &cursor);
        fputs("\r\n", v->out);
    } else if (v->mode == VIEW_LINES && !v->solo) {
        put_prefix(v, slot);
        fprintf(v->out, "%s\n", text);
    }
    vline_clear(l);
    if (v->on_line != NULL) {
        v->on_line(v->ctx, (unsigned int)slot, text);
    }
}

void view_feed(struct view *v, int slot, const char *bytes, size_t len)
{
    if (v->solo && slot == v->focus) {
        fwrite(bytes, 1, len, v->out);
    }
    erase_unfinished(v);
    for (size_t i = 0; i < len; i++) {
        if (vline_feed(&v->channel[slot]->line, (unsigned char)bytes[i])) {
            finish_line(v, slot);
        }
    }
    draw_unfinished(v);
    fflush(v->out);
}

void view_note(struct view *v, const char *fmt, ...)
{
    FILE *out = v->mode == VIEW_QUIET ? stderr : v->out;
    bool is_terminal = v->mode == VIEW_TERMINAL;
    va_list args;

    if (v->mode == VIEW_JSON) {
        return;
    }
    erase_unfinished(v);
    fputs(is_terminal ? "\033[1m--\033[0m " : "-- ", out);
    va_start(args, fmt);
    vfprintf(out, fmt, args);
    va_end(args);
    fputs(is_terminal ? "\r\n" : "\n", out);
    draw_unfinished(v);
    fflush(out);
}

void view_event(struct view *v, const char *name, json_t *event)
{
    if (v->mode == VIEW_JSON && event != NULL) {
        json_object_set_new(event, "event", json_string(name));
        json_object_set_new(event, "seconds", json_real(v->clock(v->ctx)));
        json_dumpf(event, v->out, JSON_COMPACT | JSON_REAL_PRECISION(6));
        fputc('\n', v->out);
        fflush(v->out);
    }
    json_decref(event);
}

void view_resize(struct view *v, unsigned int columns)
{
    erase_unfinished(v);
    v->columns = columns;
    draw_unfinished(v);
    fflush(v->out);
}

void view_focus(struct view *v, int slot)
{
    erase_unfinished(v);
    v->focus = slot;
    draw_unfinished(v);
    fflush(v->out);
}

void view_solo(struct view *v, bool on)
{
    erase_unfinished(v);
    if (v->solo && !on) {
        /* Soft reset: whatever the guest did to the terminal is undone. */
        fputs("\033[!p\033[0m\r\n", v->out);
    }
    v->solo = on;
    draw_unfinished(v);
    fflush(v->out);
}

void view_end(struct view *v)
{
    view_solo(v, false);
    erase_unfinished(v);
    for (size_t i = 0; i < v->count; i++) {
        if (v->channel[i]->line.len > 0) {
            finish_line(v, (int)i);
        }
    }
    fflush(v->out);
}

void view_free(struct view *v)
{
    for (size_t i = 0; i < v->count; i++) {
        free(v->channel[i]->name);
        free(v->channel[i]);
    }
    v->count = 0;
}
