/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of a terminal, kept for one channel: a guest's shell may move its
 * cursor, erase and overwrite inside the line, and it stays its own line. A
 * cell is a column: a wide character has two, marks are in the cell of what
 * they mark.
 */
#pragma once

#include "ansi.h"

#define VLINE_CELLS 1024u

#define VLINE_CELL_BYTES 12u /* a character and some marks */

struct vline_cell {
    char text[VLINE_CELL_BYTES];
    uint8_t len;   /* 0: right half of a wide character */
    uint8_t width; /* columns of the character, 0 in its right half */
};

struct vline {
    struct ansi ansi;
    unsigned int len;    /* cells in use */
    unsigned int cursor; /* 0..len */
    struct vline_cell cell[VLINE_CELLS];
};

/**
 * Feeds one byte.
 * @return true if the line is complete: read it, then call vline_clear().
 */
bool vline_feed(struct vline *v, unsigned char c);

void vline_clear(struct vline *v);

#define VLINE_TEXT_SIZE (VLINE_CELL_BYTES * VLINE_CELLS + 1u)

/** Writes the line as UTF-8; @out has room for VLINE_TEXT_SIZE bytes. */
size_t vline_text(const struct vline *v, char *out);

/** Writes the cells from @from up to, without, @to, likewise. */
size_t vline_part(const struct vline *v, unsigned int from, unsigned int to,
                  char *out);

/**
 * @param columns  of a row, at least 2.
 * @return where a row that begins with cell @from ends: it is not longer, and
 *         no wide character is cut.
 */
unsigned int vline_row_end(const struct vline *v, unsigned int from,
                           unsigned int columns);
