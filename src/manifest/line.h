/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of text put together piece by piece in a fixed buffer. What does not
 * fit is cut off; the text is always terminated. Untrusted text goes through
 * line_add_quoted(), which lets nothing but printable ASCII pass.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct line {
    size_t len;
    char text[256];
};

/** Empties the line. */
void line_clear(struct line *l);

/** Appends a terminated, trusted text. */
void line_add(struct line *l, const char *text);

/** Appends @len untrusted bytes, each unprintable one as '?'. */
void line_add_quoted(struct line *l, const char *text, size_t len);

/** Appends a number in decimal. */
void line_add_number(struct line *l, uint64_t value);

/** Appends spaces until the line has @column characters. */
void line_pad_to(struct line *l, size_t column);
