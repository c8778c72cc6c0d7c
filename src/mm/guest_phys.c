/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory by guest-physical address: loading a domain's image, answering a
 * control domain, and pages that the hypervisor keeps at hand. Addresses may
 * come from a guest or a control domain; frames are only ever reached through
 * the domain's p2m.
 */

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"

/* Host pointer for `a`, or NULL. By type alone: see guest_copy.h. */
static uint8_t *phys_ptr(struct domain *d, gpa_t a, bool write)
{
    struct p2m_entry e = p2m_lookup(&d->p2m, gpa_to_gfn(a));

    if (e.type != P2M_RAM && !(e.type == P2M_RAM_RO && !write)) {
        return NULL;
    }
    return (uint8_t *)host_ptr(mfn_to_hpa(e.mfn)) + (a.v & ~PAGE_MASK);
}

static size_t page_part(gpa_t a, size_t n)
{
    size_t room = PAGE_SIZE - (a.v & ~PAGE_MASK);

    return rv_min(room, n);
}

int guest_phys_read(struct domain *d, void *dst, gpa_t src, size_t n)
{
    while (n > 0) {
        size_t part = page_part(src, n);
        const uint8_t *from = phys_ptr(d, src, false);

        if (!from) {
            return -RV_EFAULT;
        }
        arch_copy_from_guest(dst, from, part);
        dst = (uint8_t *)dst + part;
        src.v += part;
        n -= part;
    }
    return 0;
}

int guest_phys_write(struct domain *d, gpa_t dst, const void *src, size_t n)
{
    while (n > 0) {
        size_t part = page_part(dst, n);
        uint8_t *to = phys_ptr(d, dst, true);

        if (!to) {
            return -RV_EFAULT;
        }
        arch_copy_to_guest(to, src, part);
        src = (const uint8_t *)src + part;
        dst.v += part;
        n -= part;
    }
    return 0;
}

int guest_phys_clear(struct domain *d, gpa_t dst, size_t n)
{
    while (n > 0) {
        size_t part = page_part(dst, n);
        uint8_t *to = phys_ptr(d, dst, true);

        if (!to) {
            return -RV_EFAULT;
        }
        arch_clear_guest(to, part);
        dst.v += part;
        n -= part;
    }
    return 0;
}

/* From then on it is written without a look at its rights, so what a monitor
 * forbids now is refused now. */
static bool entry_pin(struct domain *d, const struct p2m_entry *e, mfn_t *out)
{
    const uint8_t need = ACCESS_READ | ACCESS_WRITE;

    if (e->type != P2M_RAM || (e->access & need) != need ||
        !frame_get(e->mfn, d->id)) {
        return false;
    }
    *out = e->mfn;
    return true;
}

void *guest_page_pin(struct domain *d, gfn_t g, mfn_t *mfn_out)
{
    struct p2m_entry e = p2m_lookup(&d->p2m, g);

    return entry_pin(d, &e, mfn_out) ? host_ptr(mfn_to_hpa(*mfn_out)) : NULL;
}

bool guest_pages_pin(struct domain *d, const uint64_t *gfns, unsigned n,
                     mfn_t *out)
{
    struct p2m_cursor cursor = {.table = NULL};

    for (unsigned i = 0; i < n; i++) {
        struct p2m_entry e = p2m_lookup_near(&d->p2m, &cursor, gfn(gfns[i]));

        if (!entry_pin(d, &e, &out[i])) {
            return false;
        }
    }
    return true;
}

void guest_page_unpin(mfn_t m)
{
    frame_put(m);
}

void guest_page_read(void *dst, const void *page, size_t n)
{
    arch_copy_from_guest(dst, page, n);
}

void guest_page_write(void *page, const void *src, size_t n)
{
    arch_copy_to_guest(page, src, n);
}
