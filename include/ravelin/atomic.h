/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words shared between CPUs, or between a CPU and a guest. `atomic_*` wraps
 * the compiler's builtins for hypervisor-owned words; `struct shared_u32` and
 * `struct shared_u64` mark words that a guest may change at any moment: they
 * can only be read as one load into a local, which the caller then bounds.
 */
#pragma once

#include "ravelin/types.h"

#define read_once(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define write_once(x, val) __atomic_store_n(&(x), (val), __ATOMIC_RELAXED)
#define load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, val) __atomic_store_n((p), (val), __ATOMIC_RELEASE)
#define full_barrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)

struct shared_u32 {
    volatile uint32_t word;
};
struct shared_u64 {
    volatile uint64_t word;
};

static inline uint32_t shared_u32_read(const struct shared_u32 *s)
{
    return __atomic_load_n(&s->word, __ATOMIC_ACQUIRE);
}
static inline void shared_u32_write(struct shared_u32 *s, uint32_t v)
{
    __atomic_store_n(&s->word, v, __ATOMIC_RELEASE);
}
static inline uint64_t shared_u64_read(const struct shared_u64 *s)
{
    return __atomic_load_n(&s->word, __ATOMIC_ACQUIRE);
}
static inline void shared_u64_write(struct shared_u64 *s, uint64_t v)
{
    __atomic_store_n(&s->word, v, __ATOMIC_RELEASE);
}
