/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's frames: a buddy allocator over all RAM the boot loader reported
 * free, and one small descriptor per frame with owner and reference count. A
 * frame goes back to the pool when its last reference is dropped, so a page
 * that a ring, a foreign mapping or a pinned area still uses can never be given
 * to somebody else.
 *
 * Charging: a frame owned by a domain counts in d->page_count
 * (domain_pages_charge/uncharge), and a domain with charged frames stays in
 * existence: the object and its id outlive the frames, however long others pin
 * them. The charge is returned with the last reference, or already when all
 * references left are deferred drops (quiesce_defer_frame_put), so that a guest
 * may give a page back and take another one in the same breath. Until it is
 * free, such a frame counts in d->leaving_count, which is bounded: see
 * DOMAIN_LEAVING_MAX.
 * domain_pages_uncharge() is called with locks up to rank P2M held.
 */
#pragma once

#include "ravelin/types.h"

struct domain;

#define FRAME_ORDER_4K 0u
#define FRAME_ORDER_2M 9u
#define FRAME_ORDER_1G 18u
#define FRAME_ORDER_MAX FRAME_ORDER_1G

/* Owner values beside domain ids. */
#define FRAME_OWNER_HYPERVISOR 0xffffu
#define FRAME_OWNER_FREE 0xfffeu
#define FRAME_OWNER_NONE 0xfffdu /* not RAM of the pool */

/**
 * Prepares descriptors (32 bytes each) for frames below `end`. Boot CPU only,
 * before any other call. `early_alloc` returns memory of its own, zeroed or
 * not, aligned to 64 bytes, or NULL; it is called twice.
 * Cost is proportional to the number of regions added, not of frames.
 * @return 0; -EINVAL `end` is 0 or above 2^32 - 512; -ENOMEM.
 */
int rv_must_check frame_pool_init(mfn_t end,
                                  void *(*early_alloc)(size_t bytes));
/** Gives frames [first, first + count) to the pool; each only once. Panics if
 * part of the range was given before or lies beyond `end`. */
void frame_pool_add(mfn_t first, uint64_t count);

/**
 * Allocates 2^order frames, aligned to their size, owned by the hypervisor,
 * reference count 1 each. Contents are undefined.
 * @return the first frame or INVALID_MFN when there is none of that size.
 */
mfn_t rv_must_check frame_alloc(unsigned order);
/** One cleared page for the hypervisor's own use; NULL when out of memory. */
void *rv_must_check page_alloc(void);
/** 2^order cleared pages. */
void *rv_must_check pages_alloc(unsigned order);
void page_free(void *page);
void pages_free(void *page, unsigned order);

/**
 * As frame_alloc, cleared, owned by `d` and charged to d->page_count.
 * @return 0 with *out; -E2BIG above d->max_pages; -EINVAL the domain is dead;
 *         -ENOMEM. Nothing changed on error.
 */
int rv_must_check frame_alloc_domain(struct domain *d, unsigned order,
                                     mfn_t *out);

/** Takes a reference if the frame is in use by `owner`; false otherwise. */
bool rv_must_check frame_get(mfn_t f, domid_t owner);
/** Another reference on a frame the caller already holds one on. */
void frame_get_held(mfn_t f);
/** Drops one; the last one frees the frame and un-charges its domain. May be
 * called with any lock below rank QUIESCE held. */
void frame_put(mfn_t f);
/** Is this a frame of RAM that the pool manages? Any value may be asked. */
bool frame_is_ram(mfn_t f);
/** FRAME_OWNER_* or a domain id; FRAME_OWNER_NONE for what is not RAM. */
domid_t frame_owner(mfn_t f);
/** References held; a snapshot, for tests and dumps. */
uint32_t frame_ref_count(mfn_t f);

uint64_t frame_free_count(void);
uint64_t frame_total_count(void);

/*
 * Fault injection (tests): after `countdown` further successful allocations
 * the next one fails, once. Negative: never. Present in all builds, costs one
 * compare.
 */
void frame_pool_fail_after(int64_t countdown);
/** Successful allocations since frame_pool_init(); what a fault-injection run
 * needs to know where to stop. */
uint64_t frame_alloc_count(void);
