/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested page-table entries in the format of long-mode paging. Every guest
 * access counts as a user access, so U/S is always set; an entry without any
 * right is simply not present and keeps frame and software bits for the p2m.
 * Ref: AMD APM Vol 2, 15.25.5 "Nested Table Walk"; 5.4 "Page-Translation-Table
 *      Entry Fields".
 */

#include "npt.h"
#include "cpu/feature.h"

#define PTE_P (1UL << 0)
#define PTE_W (1UL << 1)
#define PTE_U (1UL << 2)
#define PTE_PWT (1UL << 3)
#define PTE_PCD (1UL << 4)
#define PTE_PS (1UL << 7)
#define PTE_NX (1UL << 63)
#define PTE_ADDR 0x000ffffffffff000UL
/* Available to software: bits 9-11 and 52-58. */
#define SW_LOW_SHIFT 9
#define SW_HIGH_SHIFT 52

uint64_t npt_encode(const struct npt_entry *e, unsigned level)
{
    uint64_t raw = (e->mfn.v << PAGE_SHIFT) & PTE_ADDR;

    raw |= (uint64_t)(e->software & 7u) << SW_LOW_SHIFT;
    raw |= (uint64_t)((e->software >> 3) & 0x7fu) << SW_HIGH_SHIFT;
    if (e->leaf && level > 1) {
        raw |= PTE_PS;
    }
    if (e->leaf && e->memtype == NPT_MEM_UC) {
        raw |= PTE_PCD | PTE_PWT;
    }
    if (e->access == 0) {
        return raw;
    }
    raw |= PTE_P | PTE_U;
    raw |= e->access & ACCESS_WRITE ? PTE_W : 0;
    raw |= e->access & ACCESS_EXEC ? 0 : PTE_NX;
    return raw;
}

void npt_decode(uint64_t raw, unsigned level, struct npt_entry *e)
{
    e->mfn = mfn((raw & PTE_ADDR) >> PAGE_SHIFT);
    e->leaf = level == 1 || (raw & PTE_PS) != 0;
    e->memtype = e->leaf && (raw & PTE_PCD) ? NPT_MEM_UC : NPT_MEM_WB;
    e->software = (uint16_t)(((raw >> SW_LOW_SHIFT) & 7) |
                             (((raw >> SW_HIGH_SHIFT) & 0x7f) << 3));
    e->access = 0;
    if (raw & PTE_P) {
        e->access = (uint8_t)(ACCESS_READ | (raw & PTE_W ? ACCESS_WRITE : 0) |
                              (raw & PTE_NX ? 0 : ACCESS_EXEC));
    }
}

unsigned npt_leaf_level_max(void)
{
    return x86_features.gb_pages ? 3 : 2;
}
