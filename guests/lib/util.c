/* SPDX-License-Identifier: MIT */
/*
 * What the compiler or the tests expect from a C library: memory and string
 * functions, 64-bit division for 32-bit guests, a spin lock.
 */

#include "util.h"
#include "cpu.h"

void *memset(void *d, int c, size_t n)
{
    void *ret = d;

    asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return ret;
}

void *memcpy(void *d, const void *s, size_t n)
{
    void *ret = d;

    asm volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n)::"memory");
    return ret;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;

    for (; n; n--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n]) {
        n++;
    }
    return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++) {
        if (*a != *b || !*a) {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

uint64_t u64_divide(uint64_t n, uint32_t d, uint32_t *rem)
{
    uint32_t high = (uint32_t)(n >> 32), low = (uint32_t)n, r, q_high;

    q_high = high / d;
    r = high % d;
    asm("divl %2" : "+a"(low), "+d"(r) : "rm"(d) : "cc");
    if (rem) {
        *rem = r;
    }
    return ((uint64_t)q_high << 32) | low;
}

uint64_t u64_parse(const char *s)
{
    uint64_t v = 0;

    while (*s >= '0' && *s <= '9') {
        v = v * 10 + (uint64_t)(*s++ - '0');
    }
    return v;
}

void spin_lock(uint32_t *lock)
{
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) {
        cpu_relax();
    }
}

void spin_unlock(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}
