/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of a terminal, kept for one channel: a guest's shell may move its
 * cursor, erase and overwrite inside the line, and it stays its own line.
 */
#pragma once

#include "ansi.h"

#define VLINE_CELLS 1024u

struct vline_cell {
    char text[4];
    uint8_t len;
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

/** Writes the line as UTF-8; @out has room for 4 * VLINE_CELLS + 1 bytes. */
size_t vline_text(const struct vline *v, char *out);

#define VLINE_TEXT_SIZE (4u * VLINE_CELLS + 1u)
