/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-vCPU cache of page walks. An entry remembers where each page-table entry
 * of the walk lies in host memory and which value it had; a hit re-reads those
 * words and compares, so it is as exact as a walk at a tenth of its cost. Host
 * pointers hold as long as the p2m's generation has not moved: what they point
 * to is not given back before this CPU's next quiescent point.
 */
#pragma once

#include "guest_walk.h"
#include "ravelin/types.h"

#define WALK_ENTRIES 32u

struct walk_entry {
    uint64_t tag; /* page of the linear address, bit 0 set */
    uint64_t cr3;
    uint64_t mode;
    uint64_t gpa;
    uint8_t *page;   /* NULL: no RAM there, or not readable */
    uint8_t allowed; /* by the guest's tables, as guest_walk */
    uint8_t levels;
    bool is_wide;
    uint8_t backed; /* rights of the p2m, both halves as in `allowed` */
    void *pte[GUEST_WALK_LEVELS];
    uint64_t value[GUEST_WALK_LEVELS];
};

struct walk_cache {
    uint64_t generation; /* p2m generation the entries belong to */
    struct walk_entry entry[WALK_ENTRIES];
};

static_assert(sizeof(struct walk_cache) <= PAGE_SIZE,
              "a walk cache is one page");

/**
 * The translation of `a` with `access` allowed, from the cache or by a walk.
 *
 * @param want_page  also require RAM that the p2m lets `access` reach.
 * @return the entry, valid until the next call for this vCPU or the next
 *         quiescent point; NULL with *fault.
 */
const struct walk_entry *walk_cache_get(struct vcpu *v, gva_t a, uint8_t access,
                                        bool user, bool want_page,
                                        struct guest_fault *fault);
