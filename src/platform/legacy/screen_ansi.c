/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text screen for a terminal: changed cells, the cursor moved to them, with
 * colours. s->cell is what the terminal shows.
 *
 * Threat surface: characters and colours are the guest's; all sequences are
 * made here.
 * Ref: ECMA-48, 8.3.21 "CUP", 8.3.39 "ED", 8.3.117 "SGR".
 */
#include "screen_internal.h"

#include "ravelin/fmt.h"
#include "ravelin/string.h"

#define BLANK_CELL 0x0720u
#define ATTRIBUTE_NORMAL 0x07u
#define NO_ROW LEGACY_SCREEN_ROWS_MAX
/* Movement, colours and a character; or the sequences at the end. */
#define STEP_BYTES_MAX 40u

static void terminal_clear(struct legacy_screen *s)
{
    static const char clear[] = "\033[0m\033[2J";

    screen_put(s, clear, sizeof(clear) - 1);
    for (unsigned r = 0; r < LEGACY_SCREEN_ROWS_MAX; r++) {
        for (unsigned c = 0; c < LEGACY_SCREEN_COLUMNS_MAX; c++) {
            s->cell[r][c] = BLANK_CELL;
        }
    }
    s->must_clear = false;
    s->attribute = ATTRIBUTE_NORMAL;
    s->shown_row = NO_ROW;
    s->shown_cursor = true;
}

static void position_set(struct legacy_screen *s, unsigned row, unsigned column)
{
    char text[16];
    int n;

    if (s->shown_row == row && s->shown_column == column) {
        return;
    }
    n = fmt_snprintf(text, sizeof(text), "\033[%u;%uH", row + 1, column + 1);
    screen_put(s, text, (size_t)n);
    s->shown_row = (uint16_t)row;
    s->shown_column = (uint16_t)column;
}

/* Blue and red are swapped between the two worlds. */
static unsigned ansi_colour(unsigned vga)
{
    return (vga & 1u) << 2 | (vga & 2u) | (vga >> 2 & 1u);
}

static void attribute_set(struct legacy_screen *s, uint8_t attribute)
{
    unsigned front = ansi_colour(attribute) + ((attribute & 8u) ? 90u : 30u);
    unsigned back = ansi_colour(attribute >> 4) + 40u;
    char text[20];
    int n;

    if (s->attribute == attribute) {
        return;
    }
    n = fmt_snprintf(text, sizeof(text), "\033[%u;%um", front, back);
    screen_put(s, text, (size_t)n);
    s->attribute = attribute;
}

static void cell_write(struct legacy_screen *s, unsigned row, unsigned column)
{
    uint16_t cell = s->fresh[row][column];

    position_set(s, row, column);
    attribute_set(s, (uint8_t)(cell >> 8));
    screen_put_character(s, (uint8_t)cell);
    s->cell[row][column] = cell;
    s->shown_column++;
    if (s->shown_column == s->text.columns) {
        s->shown_row = NO_ROW; /* terminals differ in where it is now */
    }
}

static void cursor_write(struct legacy_screen *s, struct screen_cursor cursor)
{
    bool on = s->text.cursor_on && cursor.row < s->text.rows;

    if (on) {
        position_set(s, cursor.row, cursor.column);
    }
    if (on != s->shown_cursor) {
        screen_put(s, on ? "\033[?25h" : "\033[?25l", 6);
        s->shown_cursor = on;
    }
}

void screen_ansi_write(struct legacy_screen *s, struct screen_cursor cursor,
                       uint64_t now)
{
    if (now - s->write_ns < SCREEN_PERIOD_NS && !s->must_clear) {
        return;
    }
    s->write_ns = now;
    if (screen_room(s) < STEP_BYTES_MAX) {
        return;
    }
    if (s->must_clear) {
        terminal_clear(s);
    }
    for (unsigned r = 0; r < s->text.rows; r++) {
        for (unsigned c = 0; c < s->text.columns; c++) {
            if (s->cell[r][c] == s->fresh[r][c]) {
                continue;
            }
            if (screen_room(s) < 2 * STEP_BYTES_MAX) {
                return;
            }
            cell_write(s, r, c);
        }
    }
    cursor_write(s, cursor);
}

void screen_ansi_finish(struct legacy_screen *s)
{
    static const char end[] = "\033[0m\033[?25h\r\n";

    if (screen_room(s) < 2 * STEP_BYTES_MAX) {
        return;
    }
    position_set(s, s->text.rows - 1u, s->text.columns - 1u);
    screen_put(s, end, sizeof(end) - 1);
    s->shown_row = NO_ROW;
    s->shown_cursor = true;
    s->attribute = ATTRIBUTE_NORMAL;
}
