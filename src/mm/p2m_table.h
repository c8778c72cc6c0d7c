/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of one p2m as common code sees them. What differs between
 * backends is how rights and memory types are encoded; the rest is the same in
 * nested page tables and extended page tables, and p2m_init() verifies it for
 * the backend at hand: frame number in bits 12-51, bit 7 marks a leaf above
 * level 1, bits 3-9 of npt_entry.software are bits 52-58 of the entry, also if
 * no right is granted, and an all-zero entry is empty.
 * Ref: AMD APM Vol 2, 5.3 "Long-Mode Page Translation"; Intel SDM Vol
 * 3C, 28.3.2 "EPT Translation Mechanism".
 */
#pragma once

#include "arch/backend.h"
#include "ravelin/atomic.h"
#include "ravelin/p2m.h"

#define P2M_LEVELS 4u
#define P2M_INDEX_BITS 9u
#define P2M_ENTRIES 512u

#define P2M_RAW_FRAME 0x000ffffffffff000UL
#define P2M_RAW_LEAF (1UL << 7)
#define P2M_RAW_SOFT_SHIFT 52
#define P2M_RAW_SOFT_MASK 0x7fu
/* Position of our bits in npt_entry.software. */
#define P2M_SOFT_SHIFT 3
/* In our seven bits. */
#define P2M_SOFT_TYPE 0x07u
#define P2M_SOFT_ACCESS_SHIFT 3 /* ACCESS_* and P2M_ACCESS_RX2RW */

/** 4K frames that one entry of `level` covers. */
static inline uint64_t p2m_span(unsigned level)
{
    return 1UL << (P2M_INDEX_BITS * (level - 1));
}

static inline unsigned p2m_index(uint64_t g, unsigned level)
{
    return (g >> (P2M_INDEX_BITS * (level - 1))) & (P2M_ENTRIES - 1);
}

static inline uint64_t *p2m_table_of(uint64_t raw)
{
    return host_ptr(hpa(raw & P2M_RAW_FRAME));
}

static inline bool p2m_raw_is_leaf(uint64_t raw, unsigned level)
{
    return raw != 0 && (level == 1 || (raw & P2M_RAW_LEAF) != 0);
}

static inline enum p2m_type p2m_raw_type(uint64_t raw)
{
    return (enum p2m_type)((raw >> P2M_RAW_SOFT_SHIFT) & P2M_SOFT_TYPE);
}

static inline uint8_t p2m_raw_access(uint64_t raw)
{
    return (raw >> (P2M_RAW_SOFT_SHIFT + P2M_SOFT_ACCESS_SHIFT)) & 7u;
}

/* The same with P2M_ACCESS_RX2RW. */
static inline uint8_t p2m_raw_mode(uint64_t raw)
{
    return (raw >> (P2M_RAW_SOFT_SHIFT + P2M_SOFT_ACCESS_SHIFT)) & 15u;
}

static inline mfn_t p2m_raw_mfn(uint64_t raw)
{
    return mfn((raw & P2M_RAW_FRAME) >> PAGE_SHIFT);
}

/*
 * Where a descent stopped: at `level`, whose entry for the frame number is
 * empty, a leaf, or of level 1. table[] is valid from `level` to P2M_LEVELS.
 * All below need the p2m lock.
 */
struct p2m_path {
    unsigned level;
    uint64_t *table[P2M_LEVELS + 1];
};

void p2m_path_find(const struct p2m *p2m, uint64_t g, struct p2m_path *path);
/** The entry for `g`, 0 if there is none, and its level; without the lock. */
uint64_t p2m_raw_find(const struct p2m *p2m, gfn_t g, unsigned *level);
/** The entry the descent stopped at. */
uint64_t p2m_path_raw(const struct p2m_path *path, uint64_t g);
/** Replaces that entry. */
void p2m_path_write(struct p2m_path *path, uint64_t g, uint64_t raw);
/** Makes tables, splitting leaves, until the path ends at `level`. 0; -ENOMEM
 * with the meaning of the map unchanged. */
int rv_must_check p2m_path_extend(struct p2m *p2m, struct p2m_path *path,
                                  uint64_t g, unsigned level);
/** The same for splitting on behalf of a monitor, or to take the map apart:
 * from a reserve that the domain cannot use up. */
int rv_must_check p2m_path_split(struct p2m *p2m, struct p2m_path *path,
                                 uint64_t g, unsigned level);
/** Unlinks the tables of the path that have become empty. */
void p2m_path_prune(struct p2m *p2m, struct p2m_path *path, uint64_t g);
/** Empties the leaf the path ends at; its references are dropped later. */
void p2m_path_remove(struct p2m *p2m, struct p2m_path *path, uint64_t g);

/** A leaf entry for `level`; `mode` is ACCESS_* and P2M_ACCESS_RX2RW. */
uint64_t p2m_raw_leaf(mfn_t m, enum p2m_type type, uint8_t mode,
                      unsigned level);
/** An entry that leads to `table`; `access` bounds what is below. */
uint64_t p2m_raw_table(const uint64_t *table, uint8_t access);
/** The part of `mode` that a page of this type can have. */
static inline uint8_t p2m_mode_of_type(enum p2m_type type, uint8_t mode)
{
    return type == P2M_RAM_RO
               ? mode & (uint8_t) ~(ACCESS_WRITE | P2M_ACCESS_RX2RW)
               : mode;
}
/** An empty table that counts against the domain; NULL: no memory or limit. */
uint64_t *p2m_table_alloc(struct p2m *p2m);
