/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the text screen share: the queue of bytes towards the
 * console, and the two ways to write a difference.
 */
#pragma once

#include "ravelin/legacy_screen.h"

/* Not more often than this are changes looked for without a reason. */
#define SCREEN_PERIOD_NS 50000000UL
/* Nothing happens on the screen. */
#define SCREEN_PERIOD_IDLE_NS 250000000UL
/* A row that keeps still so long is complete. */
#define SCREEN_STABLE_NS 250000000UL
/* A row that never keeps still is written as it is after so long. */
#define SCREEN_RESTLESS_NS 2000000000UL
/* Pause before a row is written a third time; doubles up to the maximum. */
#define SCREEN_QUIET_NS 1000000000UL
#define SCREEN_QUIET_MAX_SHIFT 5u

/* The longest character in UTF-8. */
#define SCREEN_UTF8_MAX 3u

/** Bytes that still fit the queue. */
size_t screen_room(const struct legacy_screen *s);
/** Queues bytes; the caller has made sure that they fit. */
void screen_put(struct legacy_screen *s, const char *bytes, size_t n);
/** Queues one character of code page 437. */
void screen_put_character(struct legacy_screen *s, uint8_t code);
/** Gives the console what it takes. */
void screen_drain(struct legacy_screen *s);

/* The cursor on the screen; row == s->text.rows: it is elsewhere. */
struct screen_cursor {
    uint16_t row;
    uint16_t column;
};

/** Writes what differs between s->cell and s->fresh, as far as there is room.
 * s->cursor_* still say where the cursor was. */
void screen_lines_write(struct legacy_screen *s, struct screen_cursor cursor,
                        uint64_t now);
void screen_ansi_write(struct legacy_screen *s, struct screen_cursor cursor,
                       uint64_t now);
/** Writes everything that stands in s->cell and has not been written. */
void screen_lines_finish(struct legacy_screen *s);
void screen_ansi_finish(struct legacy_screen *s);
/** One line about the screen itself. */
void screen_lines_note(struct legacy_screen *s, const char *text);
