/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block copy and fill in 8-byte string instructions, which is what both real
 * processors and emulators run fastest without vector registers. Everything in
 * the hypervisor uses these; sizes come checked.
 */
#include "ravelin/string.h"

#define WORD sizeof(uint64_t)

static inline void copy_forward(void *to, const void *from, size_t size)
{
    size_t words = size / WORD;
    size_t bytes = size % WORD;

    __asm__ volatile("rep movsq\n"
                     "movq %[bytes], %%rcx\n"
                     "rep movsb"
                     : "+D"(to), "+S"(from), "+c"(words)
                     : [bytes] "r"(bytes)
                     : "memory");
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    copy_forward(to, from, size);
    return to;
}

/* From the end down, for a target that starts inside the source. */
static void copy_backward(uint8_t *to, const uint8_t *from, size_t size)
{
    while (size >= WORD) {
        uint64_t word;

        size -= WORD;
        __builtin_memcpy(&word, from + size, WORD);
        __builtin_memcpy(to + size, &word, WORD);
    }
    while (size > 0) {
        size--;
        to[size] = from[size];
    }
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size) {
        copy_forward(to, from, size);
    } else {
        copy_backward(to, from, size);
    }
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101UL;
    void *p = to;
    size_t words = size / WORD;
    size_t bytes = size % WORD;

    __asm__ volatile("rep stosq\n"
                     "movq %[bytes], %%rcx\n"
                     "rep stosb"
                     : "+D"(p), "+c"(words)
                     : "a"(pattern), [bytes] "r"(bytes)
                     : "memory");
    return to;
}
