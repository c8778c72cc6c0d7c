/* SPDX-License-Identifier: MIT */
/*
 * Memory and string functions, 64-bit division that links without libgcc in
 * 32-bit guests, and a spin lock.
 */
#ifndef GUEST_UTIL_H
#define GUEST_UTIL_H

#include <stddef.h>
#include <stdint.h>

void *memset(void *d, int c, size_t n);
void *memcpy(void *d, const void *s, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strncmp(const char *a, const char *b, size_t n);

/** Quotient of n / d; the remainder goes to `rem` unless that is NULL. */
uint64_t u64_divide(uint64_t n, uint32_t d, uint32_t *rem);

/** Decimal number at the start of a string; 0 if there is none. */
uint64_t u64_parse(const char *s);

/** Locks that are not taken in interrupt handlers. 0 is unlocked. */
void spin_lock(uint32_t *lock);
void spin_unlock(uint32_t *lock);

#endif
