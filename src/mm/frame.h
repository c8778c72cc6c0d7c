/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame descriptor, shared by the files of src/mm only. References and
 * owner live in one word, so that "take a reference if it is still theirs" is
 * one compare-and-swap and can never touch somebody else's frame.
 */
#pragma once

#include "ravelin/atomic.h"
#include "ravelin/frame_pool.h"
#include "ravelin/types.h"

struct domain;

struct frame {
    uint64_t head; /* atomic; see FRAME_* below */
    union {
        struct domain *domain; /* whose charge or leaving frame, or NULL */
        uint64_t used;         /* p2m table: entries that are not empty */
    };
    uint64_t epoch; /* of the latest deferred drop; quiesce lock */
    uint32_t next;  /* free list (pool lock), deferred list (quiesce) */
    union {
        uint32_t prev;     /* free list */
        uint32_t deferred; /* in use: deferred drops; quiesce lock */
    };
};

static_assert(sizeof(struct frame) == 32, "descriptors cost 1/128 of all RAM");

#define FRAME_REFS 0xffffffffUL
#define FRAME_OWNER_SHIFT 32
/* Of the first frame of a block on a free list only. */
#define FRAME_ORDER_SHIFT 48
#define FRAME_FREE_HEAD (1UL << 56)
/* In use: the hypervisor's, but still on the account of fr->domain. */
#define FRAME_LEAVING (1UL << 57)

#define FRAME_LINK_NONE 0xffffffffu

#define FRAMES_PER_CHUNK 512u

/* Per 2 MiB chunk: may its descriptors be looked at? */
enum chunk_state {
    CHUNK_NONE, /* no RAM of ours; descriptors undefined */
    CHUNK_LAZY, /* all RAM, inside a free block; descriptors undefined */
    CHUNK_READY /* descriptors valid */
};

struct frame_table {
    struct frame *frame;
    uint8_t *chunk; /* enum chunk_state, atomic */
    uint64_t end;   /* multiple of FRAMES_PER_CHUNK */
};

extern struct frame_table frame_table;

static inline struct frame *frame_of(mfn_t f)
{
    return &frame_table.frame[f.v];
}

static inline uint64_t frame_head(uint32_t refs, unsigned owner)
{
    return (uint64_t)refs | ((uint64_t)owner << FRAME_OWNER_SHIFT);
}
static inline uint32_t frame_head_refs(uint64_t head)
{
    return (uint32_t)head;
}
static inline domid_t frame_head_owner(uint64_t head)
{
    return (domid_t)(head >> FRAME_OWNER_SHIFT);
}

/** Puts one frame without references back on the free lists. */
void frame_pool_release(mfn_t f);
/** Allocation with owner and account; the caller has charged `d`. */
mfn_t frame_pool_take(unsigned order, unsigned owner, struct domain *d);

/**
 * If exactly `refs` references are left, all of them deferred drops, makes the
 * frame the hypervisor's and returns its charge; until it is free it counts in
 * the domain's leaving_count.
 */
void frame_disown(mfn_t f, uint32_t refs);
/** Has a frame of the hypervisor's count in `d`->leaving_count until it is
 * free. Its last reference is about to be deferred. */
void frame_leave(mfn_t f, struct domain *d);
