/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of a new domain: RAM in the largest pieces that alignment, pool and
 * backend allow, then the special pages. Frames arrive cleared and charged to
 * the domain, so a half-built domain is cleaned up by its destruction alone.
 *
 * Threat surface: sizes from the manifest, bounded by the caller.
 */
#include "pvh_private.h"

#include "arch/backend.h"
#include "public/hvm/params.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/p2m.h"

/* Task state segment for virtual-8086 mode: 104 bytes, 32 of interrupt
 * redirection, 8192 of I/O permissions and the closing byte. */
#define TSS_SIZE 104u
#define TSS_REDIRECTION 32u
#define TSS_IO_BYTES 8192u
#define TSS_IO_BASE_AT 102u
#define VM86_TSS_LIMIT (TSS_SIZE + TSS_REDIRECTION + TSS_IO_BYTES + 1u)

_Static_assert(VM86_TSS_LIMIT <= PVH_VM86_TSS_PAGES * PAGE_SIZE,
               "the TSS fits its pages");

/* Largest order that fits at `g` without passing `end`. */
static unsigned order_at(uint64_t g, uint64_t end)
{
    static const unsigned orders[] = {FRAME_ORDER_1G, FRAME_ORDER_2M};

    for (unsigned i = 0; i < ARRAY_SIZE(orders); i++) {
        uint64_t size = 1UL << orders[i];

        if (hv->npt_leaf_level_max() >= 3 - i && (g & (size - 1)) == 0 &&
            size <= end - g) {
            return orders[i];
        }
    }
    return FRAME_ORDER_4K;
}

static unsigned order_smaller(unsigned order)
{
    return order == FRAME_ORDER_1G ? FRAME_ORDER_2M : FRAME_ORDER_4K;
}

/* When the pool has no piece of a size, smaller ones are taken. */
int pvh_range_populate(struct domain *d, uint64_t g, uint64_t end)
{
    while (g < end) {
        unsigned order = order_at(g, end);
        int rc = p2m_populate(d, gfn(g), order);

        while (rc == -RV_ENOMEM && order != FRAME_ORDER_4K) {
            order = order_smaller(order);
            rc = p2m_populate(d, gfn(g), order);
        }
        if (rc != 0) {
            return rc;
        }
        g += 1UL << order;
    }
    return 0;
}

static int special_populate(struct domain *d, const struct pvh_build *b)
{
    int rc = pvh_range_populate(d, PVH_ACPI_GFN, PVH_ACPI_GFN + PVH_ACPI_PAGES);

    if (rc == 0 && b->console_ring) {
        rc = pvh_range_populate(d, PVH_CONSOLE_GFN, PVH_CONSOLE_GFN + 1);
    }
    if (rc == 0 && b->vm86_pages) {
        rc = pvh_range_populate(d, PVH_VM86_TSS_GFN,
                                PVH_VM86_TSS_GFN + PVH_VM86_TSS_PAGES);
    }
    if (rc == 0 && b->vm86_pages) {
        rc = pvh_range_populate(d, PVH_IDENT_PT_GFN, PVH_IDENT_PT_GFN + 1);
    }
    return rc;
}

int pvh_memory_populate(struct domain *d, const struct pvh_build *b,
                        const struct pvh_layout *l)
{
    int rc = pvh_range_populate(d, 0, l->low_end >> PAGE_SHIFT);

    if (rc == 0) {
        rc = pvh_range_populate(d, PVH_RAM_HIGH >> PAGE_SHIFT,
                                l->high_end >> PAGE_SHIFT);
    }
    if (rc == 0) {
        rc = special_populate(d, b);
    }
    return rc;
}

/* ---- Pages for virtual-8086 mode ---- */

/* Page directory that maps 4 GiB to itself: present, writable, user,
 * accessed, dirty, 4 MiB pages. */
static int ident_pt_fill(struct domain *d)
{
    uint32_t entry[256];
    uint64_t at = PVH_IDENT_PT_GFN << PAGE_SHIFT;
    int rc = 0;

    for (unsigned part = 0; part < 4 && rc == 0; part++) {
        for (unsigned i = 0; i < ARRAY_SIZE(entry); i++) {
            entry[i] = (part * 256 + i) << 22 | 0xe7u;
        }
        rc = guest_phys_write(d, gpa(at + part * sizeof(entry)), entry,
                              sizeof(entry));
    }
    return rc;
}

/* All ports allowed by the bitmap (the hypervisor's own bitmap decides), all
 * software interrupts through the IVT; the byte after the map is all ones. */
static int vm86_tss_fill(struct domain *d)
{
    const uint16_t io_base = TSS_SIZE + TSS_REDIRECTION;
    const uint8_t last = 0xff;
    uint64_t at = PVH_VM86_TSS_GFN << PAGE_SHIFT;
    int rc = guest_phys_write(d, gpa(at + TSS_IO_BASE_AT), &io_base,
                              sizeof(io_base));

    if (rc != 0) {
        return rc;
    }
    return guest_phys_write(d, gpa(at + VM86_TSS_LIMIT - 1), &last,
                            sizeof(last));
}

int pvh_vm86_pages_fill(struct domain *d)
{
    uint64_t tss = PVH_VM86_TSS_GFN << PAGE_SHIFT;
    int rc = ident_pt_fill(d);

    if (rc == 0) {
        rc = vm86_tss_fill(d);
    }
    if (rc != 0) {
        return rc;
    }
    spin_lock(&d->lock);
    d->hvm_param[HVM_PARAM_IDENT_PT] = PVH_IDENT_PT_GFN << PAGE_SHIFT;
    d->hvm_param[HVM_PARAM_VM86_TSS] = tss;
    d->hvm_param[HVM_PARAM_VM86_TSS_SIZED] =
        (uint64_t)VM86_TSS_LIMIT << 32 | tss;
    spin_unlock(&d->lock);
    return 0;
}
