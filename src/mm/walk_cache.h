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
#include "ravelin/atomic.h"
#include "ravelin/types.h"

#define WALK_ENTRIES 32u

struct walk_entry {
    uint64_t tag; /* page of the linear address, bit 0 set; 0: empty */
    uint64_t cr3;
    uint64_t mode;
    uint64_t gpa;
    uint8_t *page;   /* NULL: no RAM there */
    uint8_t allowed; /* by the guest's tables, as in struct guest_walk */
    uint8_t rights;  /* of these, what the p2m lets through */
    /* Aligned 8-byte words with the page-table entries; a 4-byte entry takes
     * its neighbour along, levels that the walk did not have a constant. */
    const uint64_t *word[GUEST_WALK_LEVELS];
    uint64_t value[GUEST_WALK_LEVELS];
};

struct walk_cache {
    uint64_t generation; /* p2m generation the entries belong to */
    struct walk_entry entry[WALK_ENTRIES];
};

static_assert(sizeof(struct walk_cache) <= PAGE_SIZE,
              "a walk cache is one page");

static inline struct walk_entry *walk_cache_slot(struct walk_cache *cache,
                                                 uint64_t a)
{
    return &cache->entry[(a >> PAGE_SHIFT) % WALK_ENTRIES];
}

static inline uint64_t walk_cache_tag(uint64_t a)
{
    return (a & PAGE_MASK) | 1;
}

/* Two branches and no loop: this runs for every guest access. The words are
 * read only once the entry is known to be valid. */
static rv_always_inline bool walk_entry_is_current(const struct walk_entry *e)
{
    return ((read_once(*e->word[0]) ^ e->value[0]) |
            (read_once(*e->word[1]) ^ e->value[1]) |
            (read_once(*e->word[2]) ^ e->value[2]) |
            (read_once(*e->word[3]) ^ e->value[3])) == 0;
}

/**
 * The cached translation of `a` if it is there, exact and allows `need`
 * (guest_walk_need()), with RAM behind it if `want_page`; else NULL. Valid
 * until the next fill for this vCPU or this CPU's next quiescent point.
 */
static rv_always_inline const struct walk_entry *walk_cache_hit(struct vcpu *v,
                                                                uint64_t a,
                                                                uint8_t need,
                                                                bool want_page)
{
    struct walk_cache *cache = v->walk;
    const struct walk_entry *e = walk_cache_slot(cache, a);
    const struct vcpu_paging *p = &v->paging;
    uint64_t miss;

    miss = (e->tag ^ walk_cache_tag(a)) | (e->cr3 ^ p->cr3) |
           (e->mode ^ guest_walk_mode(p)) |
           (need & ~(want_page ? e->rights : e->allowed)) |
           (cache->generation ^ load_acquire(&v->domain->p2m.generation));
    if (likely(miss == 0) && likely(walk_entry_is_current(e))) {
        return e;
    }
    return NULL;
}

/** Walks and caches. As walk_cache_hit(); NULL with *fault (may be NULL). */
const struct walk_entry *walk_cache_fill(struct vcpu *v, uint64_t a,
                                         uint8_t access, bool user,
                                         bool want_page,
                                         struct guest_fault *fault);

static inline const struct walk_entry *walk_cache_get(struct vcpu *v,
                                                      uint64_t a,
                                                      uint8_t access, bool user,
                                                      bool want_page,
                                                      struct guest_fault *fault)
{
    const struct walk_entry *e =
        walk_cache_hit(v, a, guest_walk_need(access, user), want_page);

    return e ? e : walk_cache_fill(v, a, access, user, want_page, fault);
}
