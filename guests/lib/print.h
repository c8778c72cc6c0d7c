/* SPDX-License-Identifier: MIT */
/*
 * Output of a test guest: a small printf, and the way lines leave the guest
 * (console_io, or the shared console ring where console_io is refused).
 */
#ifndef GUEST_PRINT_H
#define GUEST_PRINT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Formats into a buffer that is always terminated.
 * Knows %c %s %d %i %u %x %p %%, the lengths l, ll and z, 0 and a width.
 *
 * @return number of characters stored, without the terminator.
 */
size_t format(char *buf, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
size_t format_va(char *buf, size_t size, const char *fmt, va_list args);

/** Prints one piece of text, at most 255 characters, from any CPU. */
void printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Writes raw bytes to the console. */
void console_write(const char *text, size_t size);

/** Sends console output to the shared ring from now on (0), or fails (-1). */
int console_ring_use(void);

#endif
