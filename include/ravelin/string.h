/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and string functions with the names and meanings of ISO C. The
 * freestanding image links src/lib/string.c and the x86 block operations; a
 * hosted build links its libc instead. There is no strcpy, strcat or sprintf:
 * string_copy() always terminates and tells whether the text fitted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *s, int byte, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/**
 * Copies a terminated string into `to[size]`, cutting it off if need be.
 *
 * @param size  bytes at `to`, the terminator included; must not be 0.
 * @return true if all of `from` fitted. `to` is terminated in either case.
 */
bool string_copy(char *to, size_t size, const char *from);

/**
 * As string_copy() for text that is not terminated: `from[length]`, up to the
 * first NUL byte if there is one.
 */
bool string_copy_bounded(char *to, size_t size, const char *from,
                         size_t length);

/**
 * Parses an unsigned number: decimal, or hexadecimal after 0x.
 *
 * @param s    terminated text, no leading blanks or sign.
 * @param out  the number; untouched on failure.
 * @return the first character after the number; NULL if there is no digit or
 *         the value does not fit 64 bits.
 */
const char *string_to_u64(const char *s, uint64_t *out);
