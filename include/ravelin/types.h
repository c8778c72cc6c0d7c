/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces as types. A guest frame can never be used where a machine
 * frame is meant, in release builds as well: each is a one-field struct, which
 * both compilers pass in a register like a plain integer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ravelin/compiler.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

/* Guest frame number, machine frame number: 4 KiB units. */
typedef struct {
    uint64_t v;
} gfn_t;
typedef struct {
    uint64_t v;
} mfn_t;
/* Guest physical, guest virtual (linear), host physical: bytes. */
typedef struct {
    uint64_t v;
} gpa_t;
typedef struct {
    uint64_t v;
} gva_t;
typedef struct {
    uint64_t v;
} hpa_t;

typedef uint16_t domid_t;

#define INVALID_MFN_RAW (~0UL)

static inline gfn_t gfn(uint64_t v)
{
    return (gfn_t){v};
}
static inline mfn_t mfn(uint64_t v)
{
    return (mfn_t){v};
}
static inline gpa_t gpa(uint64_t v)
{
    return (gpa_t){v};
}
static inline gva_t gva(uint64_t v)
{
    return (gva_t){v};
}
static inline hpa_t hpa(uint64_t v)
{
    return (hpa_t){v};
}
static inline gfn_t gpa_to_gfn(gpa_t a)
{
    return gfn(a.v >> PAGE_SHIFT);
}
static inline gpa_t gfn_to_gpa(gfn_t f)
{
    return gpa(f.v << PAGE_SHIFT);
}
static inline mfn_t hpa_to_mfn(hpa_t a)
{
    return mfn(a.v >> PAGE_SHIFT);
}
static inline hpa_t mfn_to_hpa(mfn_t f)
{
    return hpa(f.v << PAGE_SHIFT);
}
static inline bool mfn_eq(mfn_t a, mfn_t b)
{
    return a.v == b.v;
}
static inline bool mfn_is_invalid(mfn_t f)
{
    return f.v == INVALID_MFN_RAW;
}
#define INVALID_MFN ((mfn_t){INVALID_MFN_RAW})
