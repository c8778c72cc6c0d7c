/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tables of rules share: short access to a snapshot, shorthand for
 * rows, and bits that both vendors number alike.
 */
#pragma once

#include "ravelin/explain.h"

#define TABLE(name, rows) \
    const struct explain_table name = {rows, ARRAY_SIZE(rows)}

#define PART(part) (1u << EXPLAIN_##part)
#define SEG(seg) (1u << SEG_##seg)
#define DATA_SEGS (SEG(DS) | SEG(ES) | SEG(FS) | SEG(GS))
#define CODE_DATA_SEGS (SEG(CS) | SEG(SS) | DATA_SEGS)

#define HIGH_HALF 0xffffffff00000000UL

#define CR0_PE (1UL << 0)
#define CR0_NE (1UL << 5)
#define CR0_WP (1UL << 16)
#define CR0_NW (1UL << 29)
#define CR0_CD (1UL << 30)
#define CR0_PG (1UL << 31)
#define CR4_PAE (1UL << 5)
#define CR4_LA57 (1UL << 12)
#define CR4_VMXE (1UL << 13)
#define CR4_PCIDE (1UL << 17)
#define CR4_CET (1UL << 23)
#define EFER_LME (1UL << 8)
#define EFER_LMA (1UL << 10)
#define EFER_SVME (1UL << 12)
#define RFLAGS_TF (1UL << 8)
#define RFLAGS_IF (1UL << 9)
#define RFLAGS_VM (1UL << 17)

#define EVENT_VALID (1UL << 31)
#define EVENT_HAS_ERROR (1UL << 11)

static inline uint64_t value(const struct explain_snapshot *s, unsigned field)
{
    return s->value[field];
}

static inline bool has(const struct explain_snapshot *s, unsigned field,
                       uint64_t bits)
{
    return (s->value[field] & bits) == bits;
}

static inline uint64_t part(const struct explain_snapshot *s, unsigned seg,
                            enum explain_part p)
{
    return s->value[XF_SEGMENT(seg, p)];
}

static inline uint64_t attr(const struct explain_snapshot *s, unsigned seg)
{
    return part(s, seg, EXPLAIN_ATTR);
}

static inline unsigned event_type(uint64_t event)
{
    return (event >> 8) & 7;
}

static inline unsigned event_vector(uint64_t event)
{
    return event & 0xff;
}
