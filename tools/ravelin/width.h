/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many columns a character takes on the terminal. Where a row ends depends
 * on it, and so does whether a guest's text stays behind its prefix.
 */
#pragma once

#define WIDTH_UNKNOWN (-1)
/* It does nothing but change how others are shown. */
#define WIDTH_STEERING (-2)

/**
 * @param text  one character of valid UTF-8 in @len bytes, no control.
 * @return 1, 2; 0 for a mark that joins the character before it; or one of the
 *         above.
 */
int char_width(const char *text, unsigned int len);
