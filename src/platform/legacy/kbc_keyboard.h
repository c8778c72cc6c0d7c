/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard behind the 8042: its own commands, its queue of bytes towards
 * the controller, and keys made from characters.
 */
#pragma once

#include "ravelin/legacy_kbc.h"

#define KEYBOARD_BREAK 0xf0u /* prefix in scan set 2 */

void keyboard_reset(struct legacy_keyboard *k);
/** A byte from the controller; answers go into the queue. */
void keyboard_write(struct legacy_keyboard *k, uint8_t value);
/** Next byte for the controller, or -1. */
int keyboard_take(struct legacy_keyboard *k);
bool keyboard_is_idle(const struct legacy_keyboard *k);
/** Presses and releases the key for a character of the console. False if more
 * characters are needed before anything is known. */
bool keyboard_type(struct legacy_keyboard *k, char c);
/** No character follows for now: an escape was the escape key. */
void keyboard_type_end(struct legacy_keyboard *k);
/** Set 2 to set 1, as the controller does it. */
uint8_t keyboard_translate(uint8_t code);
