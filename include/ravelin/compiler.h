/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiler vocabulary shared by every build of the tree: attributes, barriers
 * and small checked macros. Nothing here touches the CPU beyond a compiler
 * barrier, so hosted and freestanding builds see the same text.
 */
#pragma once

#include <stddef.h>

#define rv_must_check __attribute__((warn_unused_result))
#define rv_noreturn __attribute__((noreturn))
#define rv_printf(fmt, args) __attribute__((format(printf, fmt, args)))
#define rv_aligned(n) __attribute__((aligned(n)))
#define rv_packed __attribute__((packed))
#define rv_unused __attribute__((unused))
#define rv_section(name) __attribute__((section(name)))
#define rv_noinline __attribute__((noinline))
#define rv_always_inline inline __attribute__((always_inline))
#define rv_cold __attribute__((cold))
#define rv_weak __attribute__((weak))

/* Data that only boot writes; read-only once arch_init_data_seal() has run. The
 * first starts as zero and takes no room in the image. */
#define RV_RO_AFTER_INIT rv_section(".bss.ro_after_init")
#define RV_RO_AFTER_INIT_DATA rv_section(".data.ro_after_init")

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define compiler_barrier() __asm__ volatile("" ::: "memory")

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define rv_min(a, b) ((a) < (b) ? (a) : (b))
#define rv_max(a, b) ((a) > (b) ? (a) : (b))

#define static_assert _Static_assert
