/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user's terminal in raw mode, and back again whatever happens.
 */
#pragma once

#include <stdbool.h>

/**
 * Puts standard input into raw mode if it is a terminal. Restored by
 * terminal_restore(), at exit, and when a fatal signal ends the program.
 * @return true if it is a terminal and now raw.
 */
bool terminal_raw(void);

/** Undoes terminal_raw(); safe to call at any time, also twice. */
void terminal_restore(void);

/** @return columns of the terminal on standard output, 80 if unknown. */
unsigned int terminal_columns(void);
