/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few arch primitives that must be inline, hosted edition: a CPU is a
 * thread-local pointer, RAM is an array, time stands still until a test moves
 * it. The twin of src/arch/x86/include/arch_inline.h.
 */
#pragma once

#include <stdint.h>

#include "ravelin/types.h"

struct cpu;

extern __thread struct cpu *fake_this_cpu;
extern uint8_t *fake_ram_base;

static inline struct cpu *this_cpu(void)
{
    return fake_this_cpu;
}

/** Host pointer to simulated RAM at `a`. */
static inline void *host_ptr(hpa_t a)
{
    return fake_ram_base + a.v;
}

/** Inverse of host_ptr(). */
static inline hpa_t host_pa(const void *p)
{
    return hpa((uint64_t)((const uint8_t *)p - fake_ram_base));
}

/** Gives the processor to another thread, which may run another CPU. */
void cpu_relax(void);
uint64_t arch_tsc_read(void);

/* Copies whose one side is guest memory; src/arch/fake/fetch.c counts them. */
void arch_copy_from_guest(void *dst, const void *src, size_t n);
static inline void arch_copy16_from_guest(uint64_t dst[2], const void *src)
{
    arch_copy_from_guest(dst, src, 16);
}
void arch_copy_to_guest(void *dst, const void *src, size_t n);
void arch_copy_guest_to_guest(void *dst, const void *src, size_t n);
bool arch_cmpxchg_guest(void *dst, size_t n, uint64_t old, uint64_t value);
void arch_clear_guest(void *dst, size_t n);
