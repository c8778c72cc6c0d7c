/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few arch primitives that must be inline, x86 edition. The fake backend
 * has a header of the same name; the include path decides which one core code
 * sees, so no core file needs a conditional.
 */
#pragma once

#include <stdint.h>

#include "ravelin/types.h"

struct cpu;

/* All RAM, mapped read-write and never executable. */
#define DIRECT_MAP_BASE 0xffff800000000000UL
/* The image is linked here plus its physical address. */
#define IMAGE_MAP_BASE 0xffffffff80000000UL

static inline struct cpu *this_cpu(void)
{
    struct cpu *self;

    __asm__("movq %%gs:0, %0" : "=r"(self));
    return self;
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}

static inline uint64_t arch_tsc_read(void)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t)high << 32) | low;
}

/** Host pointer to RAM at `a`; only memory the hypervisor owns or has pinned
 * may be dereferenced. */
static inline void *host_ptr(hpa_t a)
{
    return (void *)(DIRECT_MAP_BASE + a.v);
}

/** Inverse of host_ptr(); also accepts addresses inside the image. */
static inline hpa_t host_pa(const void *p)
{
    uint64_t v = (uint64_t)p;

    return hpa(v >= IMAGE_MAP_BASE ? v - IMAGE_MAP_BASE : v - DIRECT_MAP_BASE);
}

/*
 * Copies whose one side is guest memory: block moves the compiler can neither
 * look into nor split, repeat or drop. The fake backend counts the reads.
 */
static inline void arch_copy_from_guest(void *dst, const void *src, size_t n)
{
    size_t words = n / 8;
    size_t rest = n % 8;

    __asm__ volatile("rep movsq\n\t"
                     "movq %3, %2\n\t"
                     "rep movsb"
                     : "+&D"(dst), "+&S"(src), "+&c"(words)
                     : "r"(rest)
                     : "memory");
}

/** 16 bytes, as instruction fetch wants them. */
static inline void arch_copy16_from_guest(uint64_t dst[2], const void *src)
{
    __asm__ volatile("movq (%2), %0\n\t"
                     "movq 8(%2), %1"
                     : "=&r"(dst[0]), "=&r"(dst[1])
                     : "r"(src)
                     : "memory");
}

static inline void arch_copy_to_guest(void *dst, const void *src, size_t n)
{
    arch_copy_from_guest(dst, src, n);
}

/* Both sides are guests'; they may overlap. */
static inline void arch_copy_guest_to_guest(void *dst, const void *src,
                                            size_t n)
{
    arch_copy_from_guest(dst, src, n);
}

/* One locked compare-and-exchange on guest memory, aligned or not. */
static inline bool arch_cmpxchg_guest(void *dst, size_t n, uint64_t old,
                                      uint64_t value)
{
    bool done = false;

    switch (n) {
    case 1:
        __asm__ volatile("lock cmpxchgb %b3, %1\n\tsete %0"
                         : "=q"(done), "+m"(*(volatile uint8_t *)dst), "+a"(old)
                         : "q"(value)
                         : "memory", "cc");
        break;
    case 2:
        __asm__ volatile("lock cmpxchgw %w3, %1\n\tsete %0"
                         : "=q"(done), "+m"(*(volatile uint16_t *)dst),
                           "+a"(old)
                         : "q"(value)
                         : "memory", "cc");
        break;
    case 4:
        __asm__ volatile("lock cmpxchgl %k3, %1\n\tsete %0"
                         : "=q"(done), "+m"(*(volatile uint32_t *)dst),
                           "+a"(old)
                         : "q"(value)
                         : "memory", "cc");
        break;
    default:
        __asm__ volatile("lock cmpxchgq %q3, %1\n\tsete %0"
                         : "=q"(done), "+m"(*(volatile uint64_t *)dst),
                           "+a"(old)
                         : "q"(value)
                         : "memory", "cc");
        break;
    }
    return done;
}

static inline void arch_clear_guest(void *dst, size_t n)
{
    size_t words = n / 8;
    size_t rest = n % 8;

    __asm__ volatile("rep stosq\n\t"
                     "movq %2, %1\n\t"
                     "rep stosb"
                     : "+&D"(dst), "+&c"(words)
                     : "r"(rest), "a"(0UL)
                     : "memory");
}
