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

/* Beside ACCESS_*: read and execute until the first write, then read and
 * write. */
#define P2M_ACCESS_RX2RW 8u

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
    uint8_t mode_default; /* rights of new RAM; protected by lock */
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
/**
 * Restricts or widens rights on RAM, splitting superpages that reach beyond the
 * range. Frames without RAM are passed over. All vCPUs see it when p2m_unlock()
 * has returned.
 * @param mode  ACCESS_* bits, or ACCESS_READ | ACCESS_EXEC | P2M_ACCESS_RX2RW.
 * @param next  out: first frame number not done; g + count on success.
 * @return 0; -EINVAL bad rights or range, nothing changed; -ENOMEM no page for
 *         a split, with the frames before *next changed.
 */
int rv_must_check p2m_access_range_set(struct p2m_locked p2m, gfn_t g,
                                       uint64_t count, uint8_t mode,
                                       gfn_t *next);
/** The same for one frame, which must have RAM: -ENOENT. */
int rv_must_check p2m_access_set(struct p2m_locked p2m, gfn_t g, uint8_t mode);
/** Rights of the RAM frame `g`, with P2M_ACCESS_RX2RW. 0 with *mode; -EINVAL
 * beyond the map; -ENOENT no RAM there. Lock-free. */
int rv_must_check p2m_access_get(const struct p2m *p2m, gfn_t g, uint8_t *mode);
/** Has RAM at `g` fewer rights than it would get if it came now? Then its
 * domain may not give it back or move it, and so be rid of them. Lock-free. */
bool p2m_access_is_held(const struct p2m *p2m, gfn_t g);
/** What RAM that comes to the map from now on may have. 0; -EINVAL. */
int rv_must_check p2m_access_default_set(struct p2m_locked p2m, uint8_t mode);

/* ---- Views ------------------------------------------------------------- */

/*
 * A map as one vCPU sees it for the time of one instruction: the same as the
 * p2m, but for a few pages that are open to it. It borrows the p2m's tables and
 * has copies of those that lead to the open pages; so it is only good for the
 * generation of the p2m that it was made for.
 */
struct p2m_view;
#define P2M_VIEW_OPENINGS 24u

/** NULL: no memory. */
struct p2m_view *p2m_view_create(struct p2m *p2m);
/** No CPU translates through it any more. */
void p2m_view_destroy(struct p2m_view *w);
/** For hv->npt_root_set(): as it is, or with nothing executable. */
mfn_t p2m_view_root(const struct p2m_view *w, bool executable);
/**
 * Opens the RAM at `g` for `access` beside the rights it has; until
 * p2m_view_close(). The vCPU must flush its translations before its next entry.
 * @return 0; -ENOMEM; -E2BIG too many open pages; -ENOENT no RAM in a page of
 *         its own there (so it is not restricted).
 */
int rv_must_check p2m_view_open(struct p2m_view *w, gfn_t g, uint8_t access);
/** Is `g` open for `access`? */
bool p2m_view_is_open(const struct p2m_view *w, gfn_t g, uint8_t access);
/** Is it not certain that one page more can be opened? */
bool p2m_view_is_full(const struct p2m_view *w);
/** Nothing is open any more. */
void p2m_view_close(struct p2m_view *w);
/**
 * Makes it follow the p2m, with the same pages open; cheap if the generation
 * has not moved and `force` is not set. 0; errors of p2m_view_open(), after
 * which nothing is open.
 */
int rv_must_check p2m_view_renew(struct p2m_view *w, bool force);
/** The generation it is good for. */
uint64_t p2m_view_generation(const struct p2m_view *w);
