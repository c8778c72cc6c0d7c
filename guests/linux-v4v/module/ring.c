// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Receive rings. The hypervisor writes headers and tx_ptr; everything behind a
 * header is whatever the sender wanted. Every length is checked against what
 * the ring holds before it is used, the hypervisor's too.
 */

#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "hyper.h"
#include "ring.h"

#define HEADER ((u32)sizeof(struct v4v_ring_message_header))

static u64 *pages_list(void *mem, u32 count)
{
    u64 *pfn = kvmalloc_array(count, sizeof(*pfn), GFP_KERNEL);
    u32 i;

    for (i = 0; pfn && i < count; i++) {
        pfn[i] = vmalloc_to_pfn((char *)mem + (size_t)i * PAGE_SIZE);
    }
    return pfn;
}

static int ring_register(struct v4v_ring *mem, u32 pages)
{
    u64 *pfn = pages_list(mem, pages);
    int rc;

    if (!pfn) {
        return -ENOMEM;
    }
    rc = v4v_hyper_register(mem, pfn, pages);
    kvfree(pfn);
    return rc == -EEXIST ? -EADDRINUSE : rc;
}

int v4v_rx_open(struct v4v_rx *r, struct v4v_ring_id *id, u32 size)
{
    size_t bytes = PAGE_ALIGN((size_t)size + sizeof(struct v4v_ring));
    struct v4v_ring *mem;
    int rc;

    if (size > V4V_RING_LEN_MAX || id->addr.port == V4V_PORT_ANY) {
        return -EINVAL;
    }
    if (bytes - sizeof(*mem) > V4V_RING_LEN_MAX) {
        bytes = V4V_RING_LEN_MAX + sizeof(*mem);
    }
    mem = __vmalloc(PAGE_ALIGN(bytes), GFP_KERNEL_ACCOUNT | __GFP_ZERO);
    if (!mem) {
        return -ENOMEM;
    }
    mem->magic = V4V_RING_MAGIC;
    mem->id = *id;
    mem->len = (u32)(bytes - sizeof(*mem));
    rc = ring_register(mem, PAGE_ALIGN(bytes) >> PAGE_SHIFT);
    if (rc) {
        vfree(mem);
        return rc;
    }
    *id = mem->id;
    r->len = mem->len;
    r->pages = PAGE_ALIGN(bytes) >> PAGE_SHIFT;
    r->rx = 0;
    r->consumed = 0;
    r->is_shut = false;
    r->mem = mem;
    return 0;
}

void v4v_rx_shut(struct v4v_rx *r)
{
    int rc;

    if (!r->mem || r->is_shut) {
        return;
    }
    rc = v4v_hyper_unregister(r->mem);
    r->is_shut =
        !WARN_ONCE(rc != 0 && rc != -ENOENT, "v4v: ring stays: %d\n", rc);
}

void v4v_rx_close(struct v4v_rx *r)
{
    v4v_rx_shut(r);
    /* Memory that the hypervisor may still write to is not given back. */
    if (r->is_shut) {
        vfree(r->mem);
    }
    r->mem = NULL;
}

long v4v_rx_unread(const struct v4v_rx *r)
{
    u32 tx = smp_load_acquire(&r->mem->tx_ptr);
    u32 rx = READ_ONCE(r->rx);

    if (tx >= r->len || tx % V4V_SLOT != 0) {
        return -EIO;
    }
    return tx >= rx ? tx - rx : tx + r->len - rx;
}

static u32 ring_advance(const struct v4v_rx *r, u32 at, u32 by)
{
    at += by;
    return at >= r->len ? at - r->len : at;
}

int v4v_rx_peek(const struct v4v_rx *r, struct v4v_ring_message_header *h)
{
    long unread = v4v_rx_unread(r);

    if (unread <= 0) {
        return unread ? (int)unread : -EAGAIN;
    }
    /* A header is one slot: it never wraps. */
    memcpy(h, r->mem->ring + r->rx, HEADER);
    barrier();
    return h->len < HEADER || h->len > unread ? -EIO : 0;
}

void v4v_rx_copy(const struct v4v_rx *r, u32 offset, void *to, u32 size)
{
    u32 at = ring_advance(r, r->rx, HEADER + offset);
    u32 first = min(size, r->len - at);

    memcpy(to, r->mem->ring + at, first);
    memcpy((u8 *)to + first, r->mem->ring, size - first);
}

size_t v4v_rx_copy_iter(const struct v4v_rx *r, u32 offset, u32 size,
                        struct iov_iter *to)
{
    u32 at = ring_advance(r, r->rx, HEADER + offset);
    u32 first = min(size, r->len - at);
    size_t done = copy_to_iter(r->mem->ring + at, first, to);

    if (done == first) {
        done += copy_to_iter(r->mem->ring, size - first, to);
    }
    return done;
}

void v4v_rx_drop(struct v4v_rx *r, const struct v4v_ring_message_header *h)
{
    u32 rx = ring_advance(r, r->rx, V4V_ROUNDUP(h->len));

    WRITE_ONCE(r->rx, rx);
    smp_store_release(&r->mem->rx_ptr, rx);
    r->consumed += V4V_ROUNDUP(h->len);
    /* A sender that waits shall not wait for the whole ring. */
    if (r->consumed >= r->len / 4) {
        v4v_rx_notify(r);
    }
}

void v4v_rx_notify(struct v4v_rx *r)
{
    if (r->consumed > 0) {
        r->consumed = 0;
        v4v_hyper_notify();
    }
}
