/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text screen of a guest: takes a picture of text memory at each look,
 * finds the cursor on it, and has the difference written in the mode chosen.
 * Bytes go through a queue, as the console may take fewer than offered; while
 * the queue is full nothing is marked as written.
 *
 * Threat surface: text memory changes while it is read, so it is read once per
 * look; registers decide where, wrapped within the text memory.
 */
#include "screen_internal.h"

#include "ravelin/guest_copy.h"
#include "ravelin/string.h"

#define TEXT_CELL_MASK (LEGACY_VGA_TEXT_SIZE / 2 - 1)
#define BLANK_CELL 0x0720u
#define BUSY_NS 1000000000UL
#define GRAPHICS_NOTE "[graphics mode: the screen is not shown here]"

/* ---- Queue ---- */

size_t screen_room(const struct legacy_screen *s)
{
    return sizeof(s->out) - s->out_end;
}

void screen_put(struct legacy_screen *s, const char *bytes, size_t n)
{
    n = rv_min(n, screen_room(s));
    memcpy(&s->out[s->out_end], bytes, n);
    s->out_end += (uint32_t)n;
}

void screen_drain(struct legacy_screen *s)
{
    uint32_t pending = s->out_end - s->out_at;
    size_t taken = 0;

    if (pending > 0) {
        taken =
            s->host->console_write(s->host->ctx, &s->out[s->out_at], pending);
    }
    s->out_at += (uint32_t)rv_min(taken, (size_t)pending);
    memmove(s->out, &s->out[s->out_at], s->out_end - s->out_at);
    s->out_end -= s->out_at;
    s->out_at = 0;
}

/* ---- Picture ---- */

static void text_read(const struct legacy_screen *s, uint32_t cell,
                      uint16_t *to, uint32_t count)
{
    uint8_t *out = (uint8_t *)to;
    uint32_t left = count * 2;
    uint32_t at = (cell & TEXT_CELL_MASK) * 2;

    while (left > 0) {
        uint32_t in_page = at & ~PAGE_MASK;
        uint32_t n = rv_min(left, (uint32_t)PAGE_SIZE - in_page);

        guest_page_read(
            out, (const uint8_t *)s->page[at >> PAGE_SHIFT] + in_page, n);
        out += n;
        left -= n;
        at = (at + n) & (LEGACY_VGA_TEXT_SIZE - 1);
    }
}

static void row_blank(uint16_t *row)
{
    for (unsigned c = 0; c < LEGACY_SCREEN_COLUMNS_MAX; c++) {
        row[c] = BLANK_CELL;
    }
}

/* One look for all that is blank; without colours in lines. */
static uint16_t cell_normal(const struct legacy_screen *s, uint16_t cell)
{
    uint8_t code = (uint8_t)cell;

    if (code == 0 || code == 0xff) {
        code = ' ';
    }
    return s->mode == LEGACY_SCREEN_LINES ? (uint16_t)(0x0700u | code)
                                          : (uint16_t)((cell & 0xff00u) | code);
}

static void picture_take(struct legacy_screen *s)
{
    for (unsigned r = 0; r < s->text.rows; r++) {
        row_blank(s->fresh[r]);
        text_read(s, s->text.start + r * s->text.pitch, s->fresh[r],
                  s->text.columns);
        for (unsigned c = 0; c < s->text.columns; c++) {
            s->fresh[r][c] = cell_normal(s, s->fresh[r][c]);
        }
    }
}

static struct screen_cursor cursor_find(const struct legacy_vga_text *t)
{
    unsigned from_start =
        (unsigned)(t->cursor - t->start) & (unsigned)TEXT_CELL_MASK;
    struct screen_cursor cursor = {
        .row = (uint16_t)(from_start / t->pitch),
        .column = (uint16_t)(from_start % t->pitch),
    };

    if (cursor.row >= t->rows || cursor.column >= t->columns) {
        cursor = (struct screen_cursor){.row = t->rows, .column = 0};
    }
    return cursor;
}

/* ---- Looks ---- */

static void screen_forget(struct legacy_screen *s)
{
    memset(s->row, 0, sizeof(s->row));
    for (unsigned r = 0; r < LEGACY_SCREEN_ROWS_MAX; r++) {
        row_blank(s->cell[r]);
    }
    s->cursor_row = 0;
    s->cursor_column = 0;
    s->must_clear = true;
}

static void pending_write(struct legacy_screen *s)
{
    if (s->mode == LEGACY_SCREEN_LINES) {
        screen_lines_finish(s);
    } else {
        screen_ansi_finish(s);
    }
    screen_drain(s);
}

/* A BIOS passes through odd states while it sets a mode, so only what lasts is
 * worth a word. */
static void no_text(struct legacy_screen *s, bool graphics, uint64_t now)
{
    if (!graphics || !s->has_text) {
        s->graphics_ns = 0;
        return;
    }
    if (s->graphics_ns == 0) {
        s->graphics_ns = now;
    } else if (now - s->graphics_ns >= BUSY_NS && !s->graphics_told) {
        s->graphics_told = true;
        pending_write(s);
        screen_forget(s);
        screen_lines_note(s, GRAPHICS_NOTE);
    }
}

static bool geometry_is(const struct legacy_screen *s,
                        const struct legacy_vga_text *t)
{
    return s->has_text && s->text.rows == t->rows &&
           s->text.columns == t->columns;
}

/* Whole rows by which the screen has gone on in memory; 0: it has not, or not
 * so. */
static uint16_t rows_moved(const struct legacy_vga_text *before,
                           const struct legacy_vga_text *now)
{
    unsigned cells =
        (unsigned)(now->start - before->start) & (unsigned)TEXT_CELL_MASK;

    if (now->pitch != before->pitch || cells % now->pitch != 0 ||
        cells / now->pitch >= now->rows) {
        return 0;
    }
    return (uint16_t)(cells / now->pitch);
}

static void text_set(struct legacy_screen *s, const struct legacy_vga_text *t)
{
    if (!geometry_is(s, t)) {
        if (s->has_text) {
            pending_write(s);
        }
        screen_forget(s);
        s->text = *t;
    }
    s->moved = rows_moved(&s->text, t);
    s->text = *t;
    s->has_text = true;
    s->graphics_ns = 0;
    s->graphics_told = false;
}

static bool picture_changed(const struct legacy_screen *s)
{
    return memcmp(s->cell, s->fresh,
                  (size_t)s->text.rows * sizeof(s->cell[0])) != 0;
}

/* What is shown, within our limits; false if it is no text. */
static bool text_get(const struct legacy_vga *vga, struct legacy_vga_text *t)
{
    legacy_vga_text_get(vga, t);
    t->rows = (uint8_t)rv_min(t->rows, LEGACY_SCREEN_ROWS_MAX);
    t->columns = (uint8_t)rv_min(t->columns, LEGACY_SCREEN_COLUMNS_MAX);
    return t->is_text && t->pitch != 0;
}

void legacy_screen_moved(struct legacy_screen *s, const struct legacy_vga *vga)
{
    struct legacy_vga_text t;

    s->change_ns = s->host->now_ns(s->host->ctx);
    if (s->mode == LEGACY_SCREEN_LINES && text_get(vga, &t) &&
        (!geometry_is(s, &t) || t.start != s->text.start ||
         cursor_find(&t).row != s->cursor_row || cursor_find(&t).column == 0)) {
        legacy_screen_look(s, vga);
    }
}

void legacy_screen_look(struct legacy_screen *s, const struct legacy_vga *vga)
{
    uint64_t now = s->host->now_ns(s->host->ctx);
    struct legacy_vga_text t;
    struct screen_cursor cursor;

    screen_drain(s);
    s->look_ns = now;
    if (!text_get(vga, &t)) {
        no_text(s, t.is_graphics, now);
        return;
    }
    text_set(s, &t);
    picture_take(s);
    if (picture_changed(s)) {
        s->change_ns = now;
    }
    cursor = cursor_find(&s->text);
    if (s->mode == LEGACY_SCREEN_LINES) {
        screen_lines_write(s, cursor, now);
    } else {
        screen_ansi_write(s, cursor, now);
    }
    s->cursor_row = cursor.row;
    s->cursor_column = cursor.column;
    screen_drain(s);
}

uint64_t legacy_screen_deadline(const struct legacy_screen *s)
{
    bool busy = s->out_end > 0 || s->look_ns < s->change_ns + BUSY_NS;

    return s->look_ns + (busy ? SCREEN_PERIOD_NS : SCREEN_PERIOD_IDLE_NS);
}

void legacy_screen_finish(struct legacy_screen *s, const struct legacy_vga *vga)
{
    if (s->has_text) {
        legacy_screen_look(s, vga);
        pending_write(s);
    }
    s->has_text = false;
    s->out_end = 0;
    screen_forget(s);
}

void legacy_screen_redraw(struct legacy_screen *s)
{
    s->must_clear = true;
}

void legacy_screen_init(struct legacy_screen *s, const struct legacy_host *host,
                        enum legacy_screen_mode mode,
                        const void *const page[LEGACY_VGA_TEXT_PAGES])
{
    memset(s, 0, sizeof(*s));
    s->host = host;
    s->mode = mode;
    memcpy(s->page, page, sizeof(s->page));
    screen_forget(s);
}
