/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log as a stream of words. Line breaks, mail quoting and log prefixes
 * vanish, so that a dump that was wrapped by a mail program still reads.
 */
#pragma once

#include "ravelin/types.h"

#define WORD_MAX 24

struct word {
    char text[WORD_MAX]; /* lower case, terminated */
    size_t end;          /* position behind it */
};

/** The first word at or behind `pos`; false at the end of the text. A run of
 * 20 or more '*' is the word "*"; a longer word is cut and matches nothing. */
bool word_next(const char *text, size_t size, size_t pos, struct word *out);

/** A hexadecimal (0x optional) or, with base 10, decimal number of 64 bits. */
bool word_number(const struct word *w, unsigned base, uint64_t *out);
