/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest-physical to machine map of one domain: nested page tables walked by
 * common code, with entries encoded by the backend. Changes need the lock
 * token; lookups are lock-free and see either the old or the new entry. Table
 * pages and unmapped frames are released only after every CPU passed a
 * quiescent point and every vCPU has flushed (src/mm/p2m.c has the argument).
 * Table pages in use by a guest's choice are bounded by its memory
 * size.
 */
#pragma once

#include "ravelin/lock.h"
#include "ravelin/types.h"

struct domain;

enum p2m_type {
    P2M_NONE,    /* nothing there: accesses are emulated or crash */
    P2M_RAM,     /* frame owned by the domain */
    P2M_RAM_RO,  /* same, never writable */
    P2M_FOREIGN, /* frame of another domain, one reference held */
    P2M_SHARED,  /* hypervisor page shared with the domain (one reference) */
    P2M_MMIO,    /* device memory, hardware domain only */
    P2M_TYPE_COUNT
};

/* Largest map: 48 bits of guest-physical address. */
#define P2M_GFN_LIMIT_MAX (1UL << 36)

struct p2m {
    struct spinlock lock;
    bool dirty; /* protected by lock: something was taken away */
    mfn_t root; /* INVALID_MFN after teardown */
    struct domain *domain;
    uint64_t gfn_limit;   /* first frame number beyond the map */
    uint64_t generation;  /* atomic; bumped by every removal or restriction */
    uint64_t table_count; /* pages used by the tables; protected by lock */
};

struct p2m_entry {
    mfn_t mfn; /* of the 4K page asked for, also inside superpages */
    enum p2m_type type;
    uint8_t access; /* ACCESS_* in force */
    uint8_t level;  /* 1: 4K, 2: 2M, 3: 1G */
};

/* Proof that p2m->lock is held. */
struct p2m_locked {
    struct p2m *p2m;
};

/**
 * @param gfn_limit  1 .. P2M_GFN_LIMIT_MAX.
 * @return 0; -EINVAL; -ENOMEM. vCPUs get p2m->root with hv->npt_root_set().
 */
int rv_must_check p2m_init(struct p2m *p2m, struct domain *d,
                           uint64_t gfn_limit);
/** Frees every table and drops every frame reference, in steps: call until it
 * returns 0; -ERESTART means more to do. The domain's vCPUs are gone. Lookups
 * may go on meanwhile. Harmless if called again. */
int rv_must_check p2m_teardown(struct p2m *p2m);

struct p2m_locked p2m_lock(struct p2m *p2m);
/** Releases; clears the token. Waits first until no CPU runs the domain with
 * older translations, if something was removed or restricted while locked. */
void p2m_unlock(struct p2m_locked *held);

/** The entry for `g`; type P2M_NONE if there is none. Lock-free; the frame
 * stays what it is until this CPU's next quiescent point. */
struct p2m_entry p2m_lookup(const struct p2m *p2m, gfn_t g);

/* Remembers where the last lookup ended; zeroed at first. Good until the next
 * quiescent point. */
struct p2m_cursor {
    const uint64_t *table;
    uint64_t region; /* of frame numbers that the table is for */
    unsigned level;
};
/** p2m_lookup() at less cost for frames near the one asked for before. */
struct p2m_entry p2m_lookup_near(const struct p2m *p2m, struct p2m_cursor *c,
                                 gfn_t g);

/**
 * Maps 2^order frames. On success the map owns the caller's reference on each
 * frame (P2M_MMIO: there is none). Superpage leaves are used where alignment
 * allows. Rights without ACCESS_READ are kept but grant nothing, since not
 * every backend can express them; P2M_RAM_RO never grants ACCESS_WRITE.
 * @return 0; -EINVAL beyond gfn_limit, misaligned, bad type or rights; -EEXIST
 *         something is mapped there; -ENOMEM no table page, or more tables than
 *         a domain of this size may use. Nothing changed on error.
 */
int rv_must_check p2m_map(struct p2m_locked p2m, gfn_t g, mfn_t m,
                          unsigned order, enum p2m_type type, uint8_t access);
/**
 * Removes 2^order frames' entries (holes allowed); references are dropped
 * after the flush. @return 0; -EINVAL; -ENOMEM no page for a split. Nothing
 * changed on error.
 */
int rv_must_check p2m_unmap(struct p2m_locked p2m, gfn_t g, unsigned order);
/**
 * Gives `d` 2^order cleared frames of its own at `g`, with all rights.
 * @return 0; what frame_alloc_domain() or p2m_map() returned, and then nothing
 *         has changed. No lock held.
 */
int rv_must_check p2m_populate(struct domain *d, gfn_t g, unsigned order);
/** Restricts or widens rights on one 4K frame, splitting superpages. All vCPUs
 * see it when p2m_unlock() has returned. 0; -EINVAL bad rights or frame;
 * -ENOENT not populated; -ENOMEM no page for a split. */
int rv_must_check p2m_access_set(struct p2m_locked p2m, gfn_t g,
                                 uint8_t access);
