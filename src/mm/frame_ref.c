/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * References on frames and the accounts of the domains that own them. A guest
 * decides how often its frames are shared, so counts are checked; a count that
 * goes below zero is our own mistake and stops the machine.
 */

#include "arch/host.h"
#include "frame.h"
#include "ravelin/domain.h"
#include "ravelin/errno.h"
#include "ravelin/panic.h"

/* Far more than there can be table entries; keeps the count from reaching the
 * owner's bits. */
#define REFS_MAX 0x7fffffffu

mfn_t frame_alloc(unsigned order)
{
    return frame_pool_take(order, FRAME_OWNER_HYPERVISOR, NULL);
}

void *pages_alloc(unsigned order)
{
    mfn_t f = frame_alloc(order);
    void *page;

    if (mfn_is_invalid(f)) {
        return NULL;
    }
    page = host_ptr(mfn_to_hpa(f));
    arch_pages_clear(page, 1UL << order);
    return page;
}

void *page_alloc(void)
{
    return pages_alloc(0);
}

void pages_free(void *page, unsigned order)
{
    mfn_t f = hpa_to_mfn(host_pa(page));

    for (uint64_t i = 0; i < 1UL << order; i++) {
        frame_put(mfn(f.v + i));
    }
}

void page_free(void *page)
{
    pages_free(page, 0);
}

int frame_alloc_domain(struct domain *d, unsigned order, mfn_t *out)
{
    mfn_t f;
    int rc;

    if (order > FRAME_ORDER_MAX) {
        return -RV_ENOMEM;
    }
    rc = domain_pages_charge(d, 1UL << order);
    if (rc) {
        return rc;
    }
    f = frame_pool_take(order, d->id, d);
    if (mfn_is_invalid(f)) {
        domain_pages_uncharge(d, 1UL << order);
        return -RV_ENOMEM;
    }
    arch_pages_clear(host_ptr(mfn_to_hpa(f)), 1UL << order);
    *out = f;
    return 0;
}

bool frame_get(mfn_t f, domid_t owner)
{
    struct frame *fr;
    uint64_t head;

    if (f.v >= frame_table.end ||
        load_acquire(&frame_table.chunk[f.v / FRAMES_PER_CHUNK]) !=
            CHUNK_READY) {
        return false;
    }
    fr = frame_of(f);
    head = load_acquire(&fr->head);
    do {
        uint32_t refs = frame_head_refs(head);

        if (refs == 0 || refs >= REFS_MAX || frame_head_owner(head) != owner) {
            return false;
        }
    } while (!__atomic_compare_exchange_n(&fr->head, &head, head + 1, true,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return true;
}

void frame_get_held(mfn_t f)
{
    uint64_t old = __atomic_fetch_add(&frame_of(f)->head, 1, __ATOMIC_RELAXED);

    BUG_ON(frame_head_refs(old) == 0 || frame_head_refs(old) >= REFS_MAX);
}

void frame_put(mfn_t f)
{
    struct frame *fr = frame_of(f);
    uint64_t old = __atomic_fetch_sub(&fr->head, 1, __ATOMIC_ACQ_REL);
    uint32_t refs = frame_head_refs(old);

    BUG_ON(refs == 0);
    if (refs > 1) {
        return;
    }
    if (frame_head_owner(old) != FRAME_OWNER_HYPERVISOR) {
        domain_pages_uncharge(fr->domain, 1);
    } else if ((old & FRAME_LEAVING) != 0) {
        domain_page_left(fr->domain);
    }
    frame_pool_release(f);
}

void frame_disown(mfn_t f, uint32_t refs)
{
    struct frame *fr = frame_of(f);
    uint64_t head = load_acquire(&fr->head);
    struct domain *d = fr->domain;

    if (frame_head_owner(head) == FRAME_OWNER_HYPERVISOR ||
        frame_head_refs(head) != refs) {
        return;
    }
    /* Whoever wins here is the only one to return the charge: the frame cannot
     * be freed meanwhile, as the deferred references are still there. */
    if (__atomic_compare_exchange_n(
            &fr->head, &head,
            frame_head(refs, FRAME_OWNER_HYPERVISOR) | FRAME_LEAVING, false,
            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        domain_page_leaves(d);
        domain_pages_uncharge(d, 1);
    }
}

void frame_leave(mfn_t f, struct domain *d)
{
    struct frame *fr = frame_of(f);

    fr->domain = d;
    domain_page_leaves(d);
    __atomic_fetch_or(&fr->head, FRAME_LEAVING, __ATOMIC_RELEASE);
}

uint32_t frame_ref_count(mfn_t f)
{
    return frame_owner(f) == FRAME_OWNER_NONE ||
                   frame_owner(f) == FRAME_OWNER_FREE
               ? 0
               : frame_head_refs(read_once(frame_of(f)->head));
}
