/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A picture of who ran when, as SVG: one lane for each process, dark where it
 * had the processor, with marks for the other events. However many slices
 * there are, the file has at most one bar for each lane and column.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events_export.h"

#define LANES_MAX 24u
#define COLUMNS 880u
#define LEFT 190u
#define TOP 72u
#define LANE_HEIGHT 22u
#define TICK_LANES 2u /* above the processes: accesses, and the rest */
#define MARKS_MAX 65536u
#define NOTES_MAX 64u
#define SLICES_MAX (4u << 20)
#define NAME_SIZE 28u

static const char *const colours[] = {
    "#61afef", "#98c379", "#e5c07b", "#c678dd",
    "#56b6c2", "#e06c75", "#d19a66", "#7cc3ff",
};

struct lane {
    char name[EVENTS_SAFE_SIZE];
    uint64_t loads;
    uint64_t busy;
};

struct saved_slice {
    uint64_t start, end;
    uint32_t lane;
};

struct note {
    uint64_t time;
    char text[64];
};

struct picture {
    struct event_export x;
    char *path;
    uint64_t first, last;
    uint64_t event_count;
    size_t lane_count, lane_room;
    struct lane *lane;
    size_t slice_count, slice_room;
    struct saved_slice *slice;
    size_t mark_count[TICK_LANES];
    uint64_t mark[TICK_LANES][MARKS_MAX]; /* times */
    size_t note_count;
    struct note note[NOTES_MAX];
};

/* ---- Collecting -----------------------------------------------------------
 */

static void saw_time(struct picture *p, uint64_t time)
{
    p->first = p->event_count == 0 || time < p->first ? time : p->first;
    p->last = p->event_count == 0 || time > p->last ? time : p->last;
    p->event_count++;
}

/* Lanes are names: a process that was started twice has one. */
static uint32_t lane_find(struct picture *p, const char *name)
{
    for (size_t i = 0; i < p->lane_count; i++) {
        if (strcmp(p->lane[i].name, name) == 0) {
            return (uint32_t)i;
        }
    }
    if (p->lane_count == 1024) {
        return 1023; /* the rest share one */
    }
    if (p->lane_count == p->lane_room) {
        p->lane_room = p->lane_room == 0 ? 16 : p->lane_room * 2;
        p->lane = xrealloc(p->lane, p->lane_room * sizeof(*p->lane));
    }
    memset(&p->lane[p->lane_count], 0, sizeof(*p->lane));
    snprintf(p->lane[p->lane_count].name, EVENTS_SAFE_SIZE, "%s", name);
    return (uint32_t)p->lane_count++;
}

static void on_slice(struct event_export *x, const struct event_slice *s)
{
    struct picture *p = container_of(x, struct picture, x);
    char name[EVENTS_SAFE_SIZE];
    uint32_t lane;

    if (p->slice_count == SLICES_MAX) {
        return;
    }
    if (p->slice_count == p->slice_room) {
        p->slice_room = p->slice_room == 0 ? 1024 : p->slice_room * 2;
        p->slice = xrealloc(p->slice, p->slice_room * sizeof(*p->slice));
    }
    event_names_show(x->names, s->domain, s->base, name);
    lane = lane_find(p, name);
    p->lane[lane].busy += s->end - s->start;
    p->slice[p->slice_count++] = (struct saved_slice){s->start, s->end, lane};
}

static void note_take(struct picture *p, const char *text, uint64_t time)
{
    char safe[EVENTS_SAFE_SIZE];

    if (p->note_count < NOTES_MAX) {
        struct note *n = &p->note[p->note_count++];

        event_text_safe(text, safe);
        n->time = time;
        snprintf(n->text, sizeof(n->text), "%.63s", safe);
    }
}

static void load_take(struct picture *p, const struct event_record *e)
{
    char name[EVENTS_SAFE_SIZE];
    uint32_t lane;

    event_names_show(p->x.names, (uint32_t)e->number[EN_DOMAIN],
                     e->number[EN_NEW], name);
    /* The table may move: the index first. */
    lane = lane_find(p, name);
    p->lane[lane].loads++;
}

static void on_record(struct event_export *x, const struct event_record *e,
                      uint64_t time)
{
    struct picture *p = container_of(x, struct picture, x);

    if (e->verb == EV_NOTE) {
        note_take(p, e->text[ET_TEXT], time);
    } else if (e->verb == EV_EVENT) {
        size_t lane = e->kind == EK_ACCESS ? 0 : 1;

        saw_time(p, time);
        if (e->kind == EK_CR3) {
            load_take(p, e);
        } else if (p->mark_count[lane] < MARKS_MAX) {
            p->mark[lane][p->mark_count[lane]++] = time;
        }
    }
}

/* ---- Drawing --------------------------------------------------------------
 */

static void put_escaped(FILE *f, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        default:
            fputc(*text, f);
        }
    }
}

static void put_text(FILE *f, double x, double y, const char *style,
                     const char *text)
{
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
    put_escaped(f, text);
    fputs("</text>\n", f);
}

static double column(const struct picture *p, uint64_t time)
{
    double span = p->last > p->first ? (double)(p->last - p->first) : 1;

    return (double)(time - p->first) / span * COLUMNS;
}

/* Adds a slice to the share that its lane has of each column. */
static void share_add(const struct picture *p, double *share,
                      const struct saved_slice *s)
{
    double from = column(p, s->start < p->first ? p->first : s->start);
    double to = column(p, s->end > p->last ? p->last : s->end);

    for (unsigned int c = (unsigned int)from; c < COLUMNS && c < to; c++) {
        double low = from > c ? from : c;
        double high = to < c + 1 ? to : c + 1;

        share[c] += high > low ? high - low : 0;
    }
}

/* Bars of one lane: neighbours of about the same share are one. */
static void draw_bars(FILE *f, const double *share, unsigned int y,
                      const char *colour)
{
    for (unsigned int c = 0; c < COLUMNS;) {
        unsigned int level = (unsigned int)(share[c] * 10 + 0.99);
        unsigned int start = c;

        level = level > 10 ? 10 : level;
        while (c < COLUMNS) {
            unsigned int next = (unsigned int)(share[c] * 10 + 0.99);

            if ((next > 10 ? 10 : next) != level) {
                break;
            }
            c++;
        }
        if (level > 0) {
            fprintf(f,
                    "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" "
                    "fill=\"%s\" fill-opacity=\"%.2f\"/>\n",
                    LEFT + start, y + 3, c - start, LANE_HEIGHT - 6, colour,
                    0.25 + 0.075 * level);
        }
    }
}

static void draw_background(FILE *f, unsigned int y)
{
    fprintf(f,
            "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" "
            "fill=\"#2c313a\"/>\n",
            LEFT, y + 1, COLUMNS, LANE_HEIGHT - 2);
}

static void draw_lane(const struct picture *p, FILE *f, uint32_t lane,
                      unsigned int row, double *share)
{
    unsigned int y = TOP + (TICK_LANES + row) * LANE_HEIGHT;
    char text[64];

    memset(share, 0, COLUMNS * sizeof(*share));
    for (size_t i = 0; i < p->slice_count; i++) {
        if (p->slice[i].lane == lane) {
            share_add(p, share, &p->slice[i]);
        }
    }
    draw_background(f, y);
    draw_bars(f, share, y, colours[row % ARRAY_SIZE(colours)]);
    snprintf(text, sizeof(text), "%.*s", (int)NAME_SIZE - 4,
             p->lane[lane].name);
    put_text(f, 10, y + 15, "fill=\"#abb2bf\"", text);
    snprintf(text, sizeof(text), "%llu",
             (unsigned long long)p->lane[lane].loads);
    put_text(f, LEFT + COLUMNS + 8, y + 15, "fill=\"#7f848e\"", text);
}

/* At most one tick for each column. */
static void draw_ticks(const struct picture *p, FILE *f, size_t lane,
                       const char *name, const char *colour)
{
    unsigned int y = TOP + (unsigned int)lane * LANE_HEIGHT;
    bool has[COLUMNS + 1] = {false};
    char text[32];

    draw_background(f, y);
    put_text(f, 10, y + 15, "fill=\"#abb2bf\"", name);
    snprintf(text, sizeof(text), "%zu", p->mark_count[lane]);
    put_text(f, LEFT + COLUMNS + 8, y + 15, "fill=\"#7f848e\"", text);
    for (size_t i = 0; i < p->mark_count[lane]; i++) {
        has[(unsigned int)column(p, p->mark[lane][i])] = true;
    }
    for (unsigned int c = 0; c <= COLUMNS; c++) {
        if (has[c]) {
            fprintf(f,
                    "<rect x=\"%u\" y=\"%u\" width=\"1\" height=\"%u\" "
                    "fill=\"%s\"/>\n",
                    LEFT + c, y + 3, LANE_HEIGHT - 6, colour);
        }
    }
}

static void draw_notes(const struct picture *p, FILE *f, unsigned int bottom)
{
    double free_from[2] = {0, 0};

    for (size_t i = 0; i < p->note_count; i++) {
        const struct note *n = &p->note[i];
        double x;
        size_t row;

        if (n->time < p->first || n->time > p->last) {
            continue;
        }
        x = LEFT + column(p, n->time);
        fprintf(f,
                "<line x1=\"%.1f\" y1=\"%u\" x2=\"%.1f\" y2=\"%u\" "
                "stroke=\"#ffffff\" stroke-opacity=\"0.7\"/>\n",
                x, TOP - 4, x, bottom);
        row = x >= free_from[0] ? 0 : 1;
        if (x >= free_from[row]) {
            put_text(f, x, row == 0 ? TOP - 8 : TOP - 21,
                     "fill=\"#ffffff\" font-size=\"11\"", n->text);
            free_from[row] = x + 7.0 * (double)strlen(n->text) + 6;
        }
    }
}

static void draw_axis(const struct picture *p, FILE *f, unsigned int bottom)
{
    double span = (double)(p->last - p->first);
    char text[64];

    for (unsigned int i = 0; i <= 8; i++) {
        double at = span * i / 8;

        if (span >= 2e9) {
            snprintf(text, sizeof(text), "%.2f s", at / 1e9);
        } else if (span >= 2e6) {
            snprintf(text, sizeof(text), "%.1f ms", at / 1e6);
        } else {
            snprintf(text, sizeof(text), "%.0f us", at / 1e3);
        }
        put_text(f, LEFT + COLUMNS * i / 8.0, bottom + 18,
                 "fill=\"#7f848e\" text-anchor=\"middle\"", text);
    }
}

static void draw_legend(const struct picture *p, FILE *f)
{
    char text[160];

    snprintf(text, sizeof(text),
             "%llu events; a lane is an address space (CR3) while it is "
             "loaded; right: how often",
             (unsigned long long)p->event_count);
    put_text(f, 10, 21, "fill=\"#abb2bf\"", text);
}

static int by_busy(const void *a, const void *b, void *ctx)
{
    const struct picture *p = ctx;
    uint64_t x = p->lane[*(const uint32_t *)a].busy;
    uint64_t y = p->lane[*(const uint32_t *)b].busy;

    return x < y ? 1 : x > y ? -1 : 0;
}

static void draw(struct picture *p, FILE *f)
{
    uint32_t *order = xalloc(p->lane_count * sizeof(*order));
    double *share = xalloc(COLUMNS * sizeof(*share));
    unsigned int rows = 0, bottom;

    for (size_t i = 0; i < p->lane_count; i++) {
        order[i] = (uint32_t)i;
        rows += p->lane[i].busy > 0 && rows < LANES_MAX;
    }
    bottom = TOP + (TICK_LANES + rows) * LANE_HEIGHT;
    qsort_r(order, p->lane_count, sizeof(*order), by_busy, p);
    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" "
            "height=\"%u\" font-family=\"DejaVu Sans Mono, monospace\" "
            "font-size=\"12\">\n"
            "<rect width=\"100%%\" height=\"100%%\" rx=\"8\" "
            "fill=\"#282c34\"/>\n",
            LEFT + COLUMNS + 80, bottom + 34);
    draw_legend(p, f);
    draw_ticks(p, f, 0, "watched pages", "#ff4d5e");
    draw_ticks(p, f, 1, "INT3, CR0, CR4", "#e5c07b");
    for (unsigned int row = 0; row < rows; row++) {
        draw_lane(p, f, order[row], row, share);
    }
    draw_notes(p, f, bottom);
    draw_axis(p, f, bottom);
    fputs("</svg>\n", f);
    free(order);
    free(share);
}

static int finish(struct event_export *x)
{
    struct picture *p = container_of(x, struct picture, x);
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int r = f == NULL ? -errno : 0;

    if (r == 0) {
        draw(p, f);
        r = fclose(f) == 0 ? file_write(p->path, text, len) : -errno;
    }
    free(text);
    free(p->path);
    free(p->lane);
    free(p->slice);
    free(p);
    return r;
}

struct event_export *export_picture_open(const char *path, int *r)
{
    struct picture *p = xalloc(sizeof(*p));

    (void)r; /* the file is written at the end */
    p->path = xstrdup(path);
    p->x = (struct event_export){on_record, on_slice, finish, NULL};
    return &p->x;
}
