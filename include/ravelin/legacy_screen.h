/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a person would see on a VGA text screen, as a stream of bytes for a
 * console, in UTF-8.
 *
 * LINES is for logs: text without colours or cursor movement. Who writes line
 * by line gets each line out as soon as the cursor stands in the next.
 * Otherwise rows come from top to bottom when they have kept still for a
 * moment, and at the latest when they scroll away or are overwritten; a row
 * that is rewritten in place again and again is repeated ever more rarely. The
 * row with the cursor stays an open line, which grows and shrinks as the
 * guest's user types. ANSI is for a terminal: changed cells with cursor
 * movement and colours.
 *
 * Threat surface: every cell is the guest's; each becomes one printable
 * character. The work of a look is bounded by the size of the screen.
 */
#pragma once

#include "ravelin/legacy_host.h"
#include "ravelin/legacy_vga.h"

#define LEGACY_SCREEN_COLUMNS_MAX 80u
#define LEGACY_SCREEN_ROWS_MAX 50u
#define LEGACY_SCREEN_OUT_SIZE 2048u

enum legacy_screen_mode { LEGACY_SCREEN_LINES, LEGACY_SCREEN_ANSI };

struct legacy_screen_row {
    uint64_t since_ns;   /* first change since it was written */
    uint64_t changed_ns; /* last change */
    uint64_t quiet_ns;   /* not to be repeated before */
    uint8_t repeats;
    bool is_new; /* differs from what was written */
};

/* Protected by the platform's lock. */
struct legacy_screen {
    const struct legacy_host *host;
    enum legacy_screen_mode mode;
    const void *page[LEGACY_VGA_TEXT_PAGES];

    struct legacy_vga_text text; /* at the last look */
    uint16_t cursor_row;         /* text.rows: not on the screen */
    uint16_t cursor_column;
    uint64_t look_ns;
    uint64_t change_ns;   /* last sign of life */
    uint16_t moved;       /* rows by which the start has gone on */
    bool has_text;        /* some text has been seen */
    uint64_t graphics_ns; /* when graphics were first seen; 0: not now */
    bool graphics_told;

    /* LINES: the line that has not been ended is what stands in row open_row.
     */
    bool is_open;
    uint16_t open_row; /* LEGACY_SCREEN_ROWS_MAX: scrolled away */
    uint8_t open_length;
    uint8_t open[LEGACY_SCREEN_COLUMNS_MAX];

    /* ANSI: what the terminal is in. */
    bool must_clear;
    uint64_t write_ns;
    uint8_t attribute;
    uint16_t shown_row;
    uint16_t shown_column;
    bool shown_cursor;

    uint32_t out_at;
    uint32_t out_end;
    char out[LEGACY_SCREEN_OUT_SIZE];
    struct legacy_screen_row row[LEGACY_SCREEN_ROWS_MAX];
    /* Character and attribute as in text memory. LINES: at the last look; ANSI:
     * as the terminal has it. */
    uint16_t cell[LEGACY_SCREEN_ROWS_MAX][LEGACY_SCREEN_COLUMNS_MAX];
    uint16_t fresh[LEGACY_SCREEN_ROWS_MAX][LEGACY_SCREEN_COLUMNS_MAX];
};

/** `page`: host addresses of the pages of text memory. What the host's console
 * does not take is offered again at the next look. About 20 KiB: give it pages
 * of its own. */
void legacy_screen_init(struct legacy_screen *s, const struct legacy_host *host,
                        enum legacy_screen_mode mode,
                        const void *const page[LEGACY_VGA_TEXT_PAGES]);
/** Compares the screen with what was written and writes the difference; at the
 * deadline. */
void legacy_screen_look(struct legacy_screen *s, const struct legacy_vga *vga);
/** Looks if the cursor has gone to another row or the screen has moved: what
 * scrolls is then seen line by line. Whenever legacy_vga_write() says so; the
 * deadline may come nearer. */
void legacy_screen_moved(struct legacy_screen *s, const struct legacy_vga *vga);
/** When to look again at the latest, absolute ns. */
uint64_t legacy_screen_deadline(const struct legacy_screen *s);
/** The guest ends or restarts: after a last look everything not written yet
 * goes out as far as the console takes it, then all is forgotten. */
void legacy_screen_finish(struct legacy_screen *s,
                          const struct legacy_vga *vga);
/** ANSI: everything again, for a terminal that has just been attached. */
void legacy_screen_redraw(struct legacy_screen *s);
