/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text screen as lines of a log. Each row remembers whether its text has
 * been written; scrolling moves that along with the rows, so nothing is written
 * twice because it moved, and nothing is lost because it moved away.
 *
 * Threat surface: the guest decides how often rows change. Repeated rewriting
 * of a row costs it ever longer pauses, and the console's own pace limits all.
 */
#include "screen_internal.h"

#include "ravelin/string.h"

#define COLUMNS LEGACY_SCREEN_COLUMNS_MAX
#define NO_ROW LEGACY_SCREEN_ROWS_MAX
/* More than this is not erased character by character. */
#define ERASE_MAX 8u
/* A whole row with line ends before and behind. */
#define LINE_BYTES_MAX (COLUMNS * SCREEN_UTF8_MAX + 4)

/* ---- Rows as text ---- */

static bool is_blank_cell(uint16_t cell)
{
    return (uint8_t)cell == ' ';
}

/* Length without blanks at the end. */
static unsigned text_length(const uint16_t *row)
{
    unsigned n = COLUMNS;

    while (n > 0 && is_blank_cell(row[n - 1])) {
        n--;
    }
    return n;
}

static bool row_equals(const uint16_t *a, const uint16_t *b)
{
    return memcmp(a, b, COLUMNS * sizeof(*a)) == 0;
}

/* Has only more text come where blanks were? */
static bool row_grew(const uint16_t *before, const uint16_t *now)
{
    for (unsigned c = 0; c < COLUMNS; c++) {
        if (before[c] != now[c] && !is_blank_cell(before[c])) {
            return false;
        }
    }
    return true;
}

/* ---- Lines ---- */

static void newline(struct legacy_screen *s)
{
    screen_put(s, "\r\n", 2);
    s->is_open = false;
}

static void text_put(struct legacy_screen *s, const uint16_t *row,
                     unsigned from, unsigned to)
{
    for (unsigned c = from; c < to; c++) {
        screen_put_character(s, (uint8_t)row[c]);
    }
}

/* Characters of the open line that still stand in its row, up to `length`. */
static unsigned open_kept(const struct legacy_screen *s, unsigned length)
{
    const uint16_t *row = s->cell[s->open_row];
    unsigned n = 0;

    while (n < length && n < s->open_length && (uint8_t)row[n] == s->open[n]) {
        n++;
    }
    return n;
}

/* Continues the open line if row `r` is the same with text added, or a little
 * taken away, at the end; otherwise starts a new line. */
static void line_put(struct legacy_screen *s, unsigned r, unsigned length)
{
    unsigned kept = 0;

    if (s->is_open && s->open_row == r) {
        kept = open_kept(s, length);
    }
    if (kept == length && s->open_length - length <= ERASE_MAX && s->is_open) {
        for (unsigned c = length; c < s->open_length; c++) {
            screen_put(s, "\b \b", 3);
        }
        return;
    }
    if (s->is_open && kept < s->open_length) {
        newline(s);
        kept = 0;
    }
    text_put(s, s->cell[r], kept, length);
}

static void row_written(struct legacy_screen_row *row, uint64_t now)
{
    row->is_new = false;
    if (row->repeats < UINT8_MAX) {
        row->repeats++;
    }
    if (row->repeats > 1) {
        unsigned shift = rv_min(row->repeats - 2u, SCREEN_QUIET_MAX_SHIFT);

        row->quiet_ns = now + (SCREEN_QUIET_NS << shift);
    }
}

static void open_set(struct legacy_screen *s, unsigned r, unsigned length)
{
    s->is_open = true;
    s->open_row = (uint16_t)r;
    s->open_length = (uint8_t)length;
    for (unsigned c = 0; c < length; c++) {
        s->open[c] = (uint8_t)s->cell[r][c];
    }
}

static void row_write(struct legacy_screen *s, unsigned r, uint64_t now)
{
    if (screen_room(s) < LINE_BYTES_MAX) {
        return;
    }
    line_put(s, r, text_length(s->cell[r]));
    newline(s);
    row_written(&s->row[r], now);
}

/* The row with the cursor: blanks before the cursor belong to it. */
static void row_write_open(struct legacy_screen *s, unsigned r, unsigned column,
                           uint64_t now)
{
    unsigned length = rv_max(text_length(s->cell[r]), column);
    bool continued = s->is_open && s->open_row == r;

    if (screen_room(s) < LINE_BYTES_MAX) {
        return;
    }
    line_put(s, r, length);
    open_set(s, r, length);
    if (continued) {
        s->row[r].is_new = false;
    } else {
        row_written(&s->row[r], now);
    }
}

/* ---- Scrolling ---- */

/* Rows above this one were complete at the last look. */
static unsigned complete_rows(const struct legacy_screen *s)
{
    unsigned r = s->text.rows;

    if (s->cursor_row > 0 && s->cursor_row < s->text.rows) {
        return s->cursor_row;
    }
    while (r > 0 && text_length(s->cell[r - 1]) == 0) {
        r--;
    }
    return r > 0 ? r - 1 : 0;
}

/* All complete rows are found again, and the next one with what came to it. */
static bool is_scrolled_by(const struct legacy_screen *s, unsigned k,
                           unsigned complete)
{
    if (!row_grew(s->cell[complete], s->fresh[complete - k])) {
        return false;
    }
    for (unsigned r = k; r < complete; r++) {
        if (!row_equals(s->fresh[r - k], s->cell[r])) {
            return false;
        }
    }
    return true;
}

/* Only text tells how far it went. */
static unsigned scroll_find(const struct legacy_screen *s)
{
    unsigned complete = complete_rows(s);
    unsigned text_end = complete + 1;

    if (s->moved > 0) {
        return s->moved;
    }
    while (text_end > 1 && text_length(s->cell[text_end - 1]) == 0) {
        text_end--;
    }
    for (unsigned k = 0; k < text_end; k++) {
        if (is_scrolled_by(s, k, complete)) {
            return k;
        }
    }
    return 0;
}

static void scroll(struct legacy_screen *s, unsigned k, uint64_t now)
{
    unsigned rest = s->text.rows - k;

    for (unsigned r = 0; r < k; r++) {
        if (s->row[r].is_new) {
            row_write(s, r, now);
        }
    }
    memmove(s->cell[0], s->cell[k], rest * sizeof(s->cell[0]));
    memmove(&s->row[0], &s->row[k], rest * sizeof(s->row[0]));
    memset(&s->row[rest], 0, k * sizeof(s->row[0]));
    for (unsigned r = rest; r < s->text.rows; r++) {
        for (unsigned c = 0; c < COLUMNS; c++) {
            s->cell[r][c] = 0x0700u | ' ';
        }
    }
    if (s->is_open) {
        s->open_row = s->open_row < k || s->open_row == NO_ROW
                          ? NO_ROW
                          : (uint16_t)(s->open_row - k);
    }
}

/* ---- Changes ---- */

static bool may_repeat(const struct legacy_screen_row *row, uint64_t now)
{
    return row->is_new && now >= row->quiet_ns;
}

/* Would the row, as it was seen last, be missed? Not if it only was shorter
 * than what has been written. */
static bool is_worth_writing(const struct legacy_screen *s, unsigned r)
{
    unsigned length = text_length(s->cell[r]);

    return !s->is_open || s->open_row != r || open_kept(s, length) < length;
}

static void row_change(struct legacy_screen *s, unsigned r, uint64_t now)
{
    struct legacy_screen_row *row = &s->row[r];

    if (row_equals(s->cell[r], s->fresh[r])) {
        return;
    }
    if (may_repeat(row, now) && !row_grew(s->cell[r], s->fresh[r]) &&
        is_worth_writing(s, r)) {
        row_write(s, r, now); /* before it is overwritten */
    }
    memcpy(s->cell[r], s->fresh[r], sizeof(s->cell[r]));
    if (text_length(s->cell[r]) == 0 && !(s->is_open && s->open_row == r)) {
        memset(row, 0, sizeof(*row));
        return;
    }
    if (!row->is_new) {
        row->since_ns = now;
    }
    row->is_new = true;
    row->changed_ns = now;
}

/* What is typed behind the open line is wanted at once. */
static bool is_settled(const struct legacy_screen *s, unsigned r, uint64_t now)
{
    const struct legacy_screen_row *row = &s->row[r];

    return now - row->changed_ns >= SCREEN_STABLE_NS ||
           now - row->since_ns >= SCREEN_RESTLESS_NS ||
           (s->is_open && s->open_row == r &&
            open_kept(s, COLUMNS) == s->open_length);
}

/* The cursor has gone to the start of a lower row, and nothing above the row it
 * was in is still to be written: somebody writes line by line. */
static bool is_line_by_line(const struct legacy_screen *s, unsigned before,
                            struct screen_cursor cursor)
{
    if (cursor.row >= s->text.rows || cursor.column != 0) {
        return false;
    }
    for (unsigned r = 0; r < before; r++) {
        if (s->row[r].is_new) {
            return false;
        }
    }
    return true;
}

/* From top to bottom, so that a screen which is being painted comes in order
 * and complete. */
static void rows_write(struct legacy_screen *s, unsigned before,
                       struct screen_cursor cursor, uint64_t now)
{
    bool line_by_line = is_line_by_line(s, before, cursor);

    for (unsigned r = 0; r < s->text.rows; r++) {
        if (!may_repeat(&s->row[r], now)) {
            continue;
        }
        if (line_by_line && r < cursor.row) {
            row_write(s, r, now);
        } else if (!is_settled(s, r, now)) {
            break;
        } else if (r == cursor.row) {
            row_write_open(s, r, cursor.column, now);
        } else {
            row_write(s, r, now);
        }
    }
}

void screen_lines_write(struct legacy_screen *s, struct screen_cursor cursor,
                        uint64_t now)
{
    unsigned k = scroll_find(s);
    unsigned before = s->cursor_row > k ? s->cursor_row - k : 0;

    if (k > 0) {
        scroll(s, k, now);
    }
    for (unsigned r = 0; r < s->text.rows; r++) {
        row_change(s, r, now);
    }
    rows_write(s, before, cursor, now);
    if (s->is_open && s->open_row != cursor.row) {
        newline(s);
    }
}

void screen_lines_finish(struct legacy_screen *s)
{
    for (unsigned r = 0; r < s->text.rows; r++) {
        if (s->row[r].is_new) {
            row_write(s, r, s->look_ns);
            screen_drain(s);
        }
    }
    if (s->is_open) {
        newline(s);
    }
}

void screen_lines_note(struct legacy_screen *s, const char *text)
{
    if (s->is_open) {
        newline(s);
    }
    screen_put(s, text, strlen(text));
    newline(s);
    screen_drain(s);
}
