/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk image in memory with private copies of the pages that were written. A
 * table has one word per page of the image: the frame of its copy plus one, or
 * zero.
 *
 * Threat surface: written data is the guest's; sector ranges arrive checked.
 * The image is never changed, so several domains may use one.
 */
#include "ravelin/block_memory.h"

#include "arch_inline.h"
#include "ravelin/domain.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/string.h"

#define IMAGE_SIZE_MAX (1UL << 40)
/* Pages looked at in one step of the destruction. */
#define DESTROY_STEP 16384u

static uint64_t page_count(const struct block_memory *m)
{
    return (m->size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static uint8_t *copy_ptr(uint32_t entry)
{
    return host_ptr(mfn_to_hpa(mfn(entry - 1)));
}

/* Bytes of the image from `at` on, zeros beyond its end. */
static void image_read(const struct block_memory *m, uint64_t at, uint8_t *buf,
                       size_t n)
{
    size_t there = at < m->size ? rv_min(n, m->size - at) : 0;

    memcpy(buf, m->image + at, there);
    memset(buf + there, 0, n - there);
}

/* Part of one page. */
static void page_read(const struct block_memory *m, uint64_t at, uint8_t *buf,
                      size_t n)
{
    uint64_t page = at >> PAGE_SHIFT;

    if (m->copy != NULL && m->copy[page] != 0) {
        memcpy(buf, copy_ptr(m->copy[page]) + (at & ~PAGE_MASK), n);
    } else {
        image_read(m, at, buf, n);
    }
}

/* Makes sure that there is a copy to write to. */
static int page_copy(struct block_memory *m, uint64_t page)
{
    mfn_t frame;
    int rc;

    if (m->copy[page] != 0) {
        return 0;
    }
    rc = frame_alloc_domain(m->owner, FRAME_ORDER_4K, &frame);
    if (rc != 0) {
        return rc;
    }
    image_read(m, page << PAGE_SHIFT, host_ptr(mfn_to_hpa(frame)), PAGE_SIZE);
    m->copy[page] = (uint32_t)frame.v + 1;
    m->copy_count++;
    return 0;
}

static size_t page_rest(uint64_t at, uint64_t end)
{
    return rv_min(end - at, PAGE_SIZE - (at & ~PAGE_MASK));
}

static int memory_read(struct block_source *s, uint64_t sector, unsigned count,
                       void *buf)
{
    const struct block_memory *m = container_of(s, struct block_memory, source);
    uint64_t at = sector * BLOCK_SECTOR_SIZE;
    uint64_t end = at + (uint64_t)count * BLOCK_SECTOR_SIZE;
    uint8_t *to = buf;

    while (at < end) {
        size_t n = page_rest(at, end);

        page_read(m, at, to, n);
        at += n;
        to += n;
    }
    return 0;
}

static int memory_write(struct block_source *s, uint64_t sector, unsigned count,
                        const void *buf)
{
    struct block_memory *m = container_of(s, struct block_memory, source);
    uint64_t at = sector * BLOCK_SECTOR_SIZE;
    uint64_t end = at + (uint64_t)count * BLOCK_SECTOR_SIZE;
    const uint8_t *from = buf;

    while (at < end) {
        size_t n = page_rest(at, end);
        int rc = page_copy(m, at >> PAGE_SHIFT);

        if (rc != 0) {
            return rc;
        }
        memcpy(copy_ptr(m->copy[at >> PAGE_SHIFT]) + (at & ~PAGE_MASK), from,
               n);
        at += n;
        from += n;
    }
    return 0;
}

static const struct block_ops memory_ops = {
    .read = memory_read,
    .write = memory_write,
};

/* ---- Life ---- */

static int table_create(struct block_memory *m)
{
    uint64_t bytes = page_count(m) * sizeof(*m->copy);

    while ((PAGE_SIZE << m->copy_order) < bytes) {
        m->copy_order++;
    }
    if (m->copy_order > FRAME_ORDER_MAX) {
        return -RV_ENOMEM;
    }
    m->copy = pages_alloc(m->copy_order);
    return m->copy != NULL ? 0 : -RV_ENOMEM;
}

int block_memory_init(struct block_memory *m, const void *image, uint64_t size,
                      struct domain *owner, bool writable)
{
    memset(m, 0, sizeof(*m));
    if (size == 0 || size > IMAGE_SIZE_MAX || (writable && owner == NULL)) {
        return -RV_EINVAL;
    }
    m->source.ops = &memory_ops;
    m->source.sector_count = (size + BLOCK_SECTOR_SIZE - 1) / BLOCK_SECTOR_SIZE;
    m->source.read_only = !writable;
    m->image = image;
    m->size = size;
    m->owner = owner;
    return writable ? table_create(m) : 0;
}

int block_memory_destroy(struct block_memory *m)
{
    uint64_t end;

    if (m->copy == NULL) {
        return 0;
    }
    end = rv_min(m->destroy_at + DESTROY_STEP, page_count(m));
    for (; m->destroy_at < end && m->copy_count > 0; m->destroy_at++) {
        uint32_t entry = m->copy[m->destroy_at];

        if (entry != 0) {
            frame_put(mfn(entry - 1));
            m->copy_count--;
        }
    }
    if (m->copy_count > 0) {
        return -RV_ERESTART;
    }
    pages_free(m->copy, m->copy_order);
    m->copy = NULL;
    m->source.sector_count = 0;
    return 0;
}
