/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared between the console's parts: channels (console.c), plain-mode lines
 * (console_plain.c) and input (console_input.c). All of it is protected by
 * the one console lock.
 */
#pragma once

#include "ravelin/console.h"

/* One line of plain output; longer ones are continued on a new line. */
#define LINE_MAX 320u
#define ESCAPE_MAX 16u

/*
 * Most bytes one step can put out: a line break, a whole line and the redrawn
 * line of the focus, with prefixes and style resets; or a run of plain text.
 */
#define OUTPUT_STEP_MAX 768u

enum escape_state { ESCAPE_NONE, ESCAPE_START, ESCAPE_CSI };

struct line {
    char text[LINE_MAX]; /* as sent, allowed escapes included */
    unsigned length;
    unsigned column;     /* cells the cursor surely is past the prefix */
    bool return_pending; /* a CR was seen, its meaning not yet known */
    bool styled;         /* colours or the like may be in effect */
    enum escape_state escape;
    char sequence[ESCAPE_MAX]; /* escape sequence so far */
    unsigned sequence_length;
    bool sequence_overflow;
};

struct channel {
    bool open;
    bool input;
    unsigned number;
    char name[CONSOLE_NAME_MAX];
    struct line line;
};

/* Lock for the duration of an operation; no-op once panicking. */
bool console_lock(void);
void console_unlock(bool locked);

/** Open channel by number; NULL if there is none. */
struct channel *channel_find(unsigned number);
/** The next open channel after `c` (cyclic) that takes input; NULL: none. */
struct channel *channel_next_input(const struct channel *c);

/** Appends to the transmit buffer; what does not fit is dropped. */
void output_put(const char *s, size_t len);
void output_char(char c);

enum console_mode console_mode_get(void);
/** Reads one byte from the line; -1 if there is none. */
int console_line_read(void);

/** Forgets focus and what is on the screen. */
void plain_init(void);
/**
 * Feeds some of a channel's output, len > 0, of which one byte may need
 * OUTPUT_STEP_MAX bytes of room.
 *
 * @return bytes taken, at least 1.
 */
size_t plain_put(struct channel *c, const char *s, size_t len);
/** Shows an unfinished line and ends it. */
void plain_finish(struct channel *c);
/** Channel with the input focus; may be NULL. */
struct channel *plain_focus(void);
/** Moves the focus and says so on the screen. */
void plain_focus_move(struct channel *c);
/** Moves the focus without a message, for want of another. */
void plain_focus_init(struct channel *c);

/** Forgets half-read markers and key presses. */
void input_init(void);
