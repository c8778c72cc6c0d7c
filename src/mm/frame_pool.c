/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buddy allocator. Free blocks of order 0 to 18 hang on one list per order;
 * only the descriptor of a block's first frame is written, and the descriptors
 * of a 2 MiB chunk are initialised when its first frame becomes the head of a
 * block or is allocated. Boot therefore pays per region, not per frame. No
 * guest value reaches this file.
 */

#include "arch/host.h"
#include "frame.h"
#include "ravelin/errno.h"
#include "ravelin/lock.h"
#include "ravelin/panic.h"
#include "ravelin/string.h"

struct frame_table frame_table;

/* protected by pool.lock */
static struct {
    struct spinlock lock;
    uint32_t nonempty; /* bit per order */
    uint32_t list[FRAME_ORDER_MAX + 1];
    uint64_t free_count;
    uint64_t total_count;
    uint64_t alloc_count;
    int64_t fail_after;
} pool;

int frame_pool_init(mfn_t end, void *(*early_alloc)(size_t bytes))
{
    uint64_t rounded =
        (end.v + FRAMES_PER_CHUNK - 1) & ~(uint64_t)(FRAMES_PER_CHUNK - 1);
    uint64_t chunk_count = rounded / FRAMES_PER_CHUNK;

    if (rounded == 0 || rounded < end.v || rounded >= FRAME_LINK_NONE) {
        return -RV_EINVAL;
    }
    frame_table.frame = early_alloc(rounded * sizeof(struct frame));
    frame_table.chunk = early_alloc(chunk_count);
    if (!frame_table.frame || !frame_table.chunk) {
        return -RV_ENOMEM;
    }
    frame_table.end = rounded;
    memset(frame_table.chunk, CHUNK_NONE, chunk_count);
    memset(&pool, 0, sizeof(pool));
    spin_init(&pool.lock, LOCK_RANK_FRAME_POOL);
    for (unsigned i = 0; i <= FRAME_ORDER_MAX; i++) {
        pool.list[i] = FRAME_LINK_NONE;
    }
    pool.fail_after = -1;
    return 0;
}

static void frame_write(struct frame *fr, uint64_t head, struct domain *d)
{
    fr->domain = d;
    fr->next = FRAME_LINK_NONE;
    fr->deferred = 0;
    store_release(&fr->head, head);
}

static void frames_write(uint64_t first, uint64_t count, uint64_t head,
                         struct domain *d)
{
    for (uint64_t f = first; f < first + count; f++) {
        frame_write(frame_of(mfn(f)), head, d);
    }
}

static enum chunk_state chunk_state(uint64_t f)
{
    return (enum chunk_state)load_acquire(
        &frame_table.chunk[f / FRAMES_PER_CHUNK]);
}

static void chunk_state_set(uint64_t f, enum chunk_state state)
{
    store_release(&frame_table.chunk[f / FRAMES_PER_CHUNK], (uint8_t)state);
}

/* Makes the descriptors around `f` valid, in the meaning they had so far. */
static void chunk_prepare(uint64_t f)
{
    enum chunk_state state = chunk_state(f);

    if (likely(state == CHUNK_READY)) {
        return;
    }
    frames_write(f & ~(uint64_t)(FRAMES_PER_CHUNK - 1), FRAMES_PER_CHUNK,
                 frame_head(0, state == CHUNK_LAZY ? FRAME_OWNER_FREE
                                                   : FRAME_OWNER_NONE),
                 NULL);
    chunk_state_set(f, CHUNK_READY);
}

static uint64_t free_head(unsigned order)
{
    return frame_head(0, FRAME_OWNER_FREE) | FRAME_FREE_HEAD |
           ((uint64_t)order << FRAME_ORDER_SHIFT);
}

static void block_link(uint64_t f, unsigned order)
{
    struct frame *fr = frame_of(mfn(f));
    uint32_t next = pool.list[order];

    chunk_prepare(f);
    write_once(fr->head, free_head(order));
    fr->next = next;
    fr->prev = FRAME_LINK_NONE;
    if (next != FRAME_LINK_NONE) {
        frame_of(mfn(next))->prev = (uint32_t)f;
    }
    pool.list[order] = (uint32_t)f;
    pool.nonempty |= 1u << order;
}

static void block_unlink(uint64_t f, unsigned order)
{
    struct frame *fr = frame_of(mfn(f));

    if (fr->next != FRAME_LINK_NONE) {
        frame_of(mfn(fr->next))->prev = fr->prev;
    }
    if (fr->prev != FRAME_LINK_NONE) {
        frame_of(mfn(fr->prev))->next = fr->next;
    } else {
        pool.list[order] = fr->next;
        if (fr->next == FRAME_LINK_NONE) {
            pool.nonempty &= ~(1u << order);
        }
    }
    write_once(fr->head, frame_head(0, FRAME_OWNER_FREE));
}

/* A buddy whose chunk is not ready lies inside a larger free block or is no
 * RAM: in both cases it is not the head of a block of this order. */
static bool block_is_free(uint64_t f, unsigned order)
{
    return f < frame_table.end && chunk_state(f) == CHUNK_READY &&
           read_once(frame_of(mfn(f))->head) == free_head(order);
}

static void block_free(uint64_t f, unsigned order)
{
    pool.free_count += 1UL << order;
    while (order < FRAME_ORDER_MAX) {
        uint64_t buddy = f ^ (1UL << order);

        if (!block_is_free(buddy, order)) {
            break;
        }
        block_unlink(buddy, order);
        f &= ~(1UL << order);
        order++;
    }
    block_link(f, order);
}

/* Largest order that `f` is aligned to and `count` frames fill. */
static unsigned order_at(uint64_t f, uint64_t count)
{
    unsigned order = 0;

    while (order < FRAME_ORDER_MAX && !(f & (1UL << order)) &&
           count >= (2UL << order)) {
        order++;
    }
    return order;
}

/* Marks frames of one chunk, or of part of one, as RAM of ours. */
static void chunk_add(uint64_t first, uint64_t count)
{
    if (count == FRAMES_PER_CHUNK) {
        BUG_ON(chunk_state(first) != CHUNK_NONE);
        chunk_state_set(first, CHUNK_LAZY);
        return;
    }
    chunk_prepare(first);
    for (uint64_t f = first; f < first + count; f++) {
        BUG_ON(frame_head_owner(frame_of(mfn(f))->head) != FRAME_OWNER_NONE);
    }
    frames_write(first, count, frame_head(0, FRAME_OWNER_FREE), NULL);
}

void frame_pool_add(mfn_t first, uint64_t count)
{
    uint64_t f = first.v;
    uint64_t end = f + count;

    BUG_ON(end < f || end > frame_table.end);
    spin_lock(&pool.lock);
    for (uint64_t next; f < end; f = next) {
        next = (f + FRAMES_PER_CHUNK) & ~(uint64_t)(FRAMES_PER_CHUNK - 1);
        next = rv_min(next, end);
        chunk_add(f, next - f);
    }
    for (f = first.v; f < end;) {
        unsigned order = order_at(f, end - f);

        block_free(f, order);
        f += 1UL << order;
    }
    pool.total_count += count;
    spin_unlock(&pool.lock);
}

/* Is this the allocation that fault injection wants to fail? */
static bool alloc_is_failed(void)
{
    if (likely(pool.fail_after < 0)) {
        return false;
    }
    return pool.fail_after-- == 0;
}

static uint64_t block_take(unsigned order)
{
    uint32_t fitting = pool.nonempty >> order << order;

    if (unlikely(fitting == 0) || unlikely(alloc_is_failed())) {
        return INVALID_MFN_RAW;
    }

    unsigned k = (unsigned)__builtin_ctz(fitting);
    uint64_t f = pool.list[k];

    block_unlink(f, k);
    while (k > order) {
        k--;
        block_link(f + (1UL << k), k);
    }
    pool.free_count -= 1UL << order;
    pool.alloc_count++;
    return f;
}

mfn_t frame_pool_take(unsigned order, unsigned owner, struct domain *d)
{
    uint64_t f = INVALID_MFN_RAW;

    if (order > FRAME_ORDER_MAX) {
        return INVALID_MFN;
    }
    spin_lock(&pool.lock);
    f = block_take(order);
    spin_unlock(&pool.lock);
    if (f == INVALID_MFN_RAW) {
        return INVALID_MFN;
    }
    /* The block is on no list any more and no buddy can merge with it, so its
     * descriptors are ours alone. */
    frames_write(f, 1UL << order, frame_head(1, owner), d);
    for (uint64_t c = f; c < f + (1UL << order); c += FRAMES_PER_CHUNK) {
        chunk_state_set(c, CHUNK_READY);
    }
    return mfn(f);
}

void frame_pool_release(mfn_t f)
{
    spin_lock(&pool.lock);
    block_free(f.v, 0);
    spin_unlock(&pool.lock);
}

bool frame_is_ram(mfn_t f)
{
    return frame_owner(f) != FRAME_OWNER_NONE;
}

domid_t frame_owner(mfn_t f)
{
    if (f.v >= frame_table.end) {
        return FRAME_OWNER_NONE;
    }
    switch (chunk_state(f.v)) {
    case CHUNK_READY:
        return frame_head_owner(read_once(frame_of(f)->head));
    case CHUNK_LAZY:
        return FRAME_OWNER_FREE;
    default:
        return FRAME_OWNER_NONE;
    }
}

uint64_t frame_free_count(void)
{
    return read_once(pool.free_count);
}

uint64_t frame_total_count(void)
{
    return read_once(pool.total_count);
}

uint64_t frame_alloc_count(void)
{
    return read_once(pool.alloc_count);
}

void frame_pool_fail_after(int64_t countdown)
{
    spin_lock(&pool.lock);
    pool.fail_after = countdown;
    spin_unlock(&pool.lock);
}
