/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake's own nested page-table format. It keeps the common shape that
 * src/mm/p2m_table.h names and nothing else: rights stand in another order than
 * on either vendor's processors, so common code that looks at them fails here.
 */

#include "fake.h"
#include "fake_internal.h"

#define RAW_EXEC (1UL << 0)
#define RAW_READ (1UL << 1)
#define RAW_WRITE (1UL << 2)
#define RAW_LEAF (1UL << 7)
#define RAW_UC (1UL << 11)
#define RAW_FRAME 0x000ffffffffff000UL
#define RAW_ALWAYS (1UL << 62)
#define SOFT_LOW_SHIFT 8
#define SOFT_HIGH_SHIFT 52

uint64_t fake_npt_encode(const struct npt_entry *e, unsigned level)
{
    uint64_t raw = RAW_ALWAYS | ((e->mfn.v << PAGE_SHIFT) & RAW_FRAME);

    raw |= e->access & ACCESS_READ ? RAW_READ : 0;
    raw |= e->access & ACCESS_WRITE ? RAW_WRITE : 0;
    raw |= e->access & ACCESS_EXEC ? RAW_EXEC : 0;
    raw |= e->leaf && level > 1 ? RAW_LEAF : 0;
    raw |= e->leaf && e->memtype == NPT_MEM_UC ? RAW_UC : 0;
    raw |= (uint64_t)(e->software & 7u) << SOFT_LOW_SHIFT;
    raw |= (uint64_t)((e->software >> 3) & 0x7fu) << SOFT_HIGH_SHIFT;
    return raw;
}

void fake_npt_decode(uint64_t raw, unsigned level, struct npt_entry *e)
{
    e->mfn = mfn((raw & RAW_FRAME) >> PAGE_SHIFT);
    e->access = (uint8_t)((raw & RAW_READ ? ACCESS_READ : 0) |
                          (raw & RAW_WRITE ? ACCESS_WRITE : 0) |
                          (raw & RAW_EXEC ? ACCESS_EXEC : 0));
    e->leaf = level == 1 || (raw & RAW_LEAF) != 0;
    e->memtype = raw & RAW_UC ? NPT_MEM_UC : NPT_MEM_WB;
    e->software = (uint16_t)(((raw >> SOFT_LOW_SHIFT) & 7) |
                             (((raw >> SOFT_HIGH_SHIFT) & 0x7f) << 3));
}

unsigned fake_npt_leaf_level_max(void)
{
    return fake_npt_leaf_level;
}
