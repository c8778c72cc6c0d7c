/* SPDX-License-Identifier: MIT */
/*
 * The watched domain's own page tables, in every paging mode. They are the
 * guest's, who may change them at any time and point them anywhere: entries are
 * read once, levels and tables are counted, and an address outside RAM is an
 * error and no more. Needs nothing but monitor_read() and monitor_write(), so
 * that hosted tests run it over memory of their own.
 */

#include <xen/errno.h>

#include "libmonitor.h"

#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE (1ull << 1)
#define PTE_USER (1ull << 2)
#define PTE_LARGE (1ull << 7)
#define PTE_NX (1ull << 63)
#define ADDRESS_MASK 0x000ffffffffff000ull
#define TABLE_BYTES 4096u

#define REG_CR0_PG (1ull << 31)
#define REG_CR4_PSE (1ull << 4)
#define REG_CR4_PAE (1ull << 5)
#define REG_CR4_LA57 (1ull << 12)
#define REG_EFER_LMA (1ull << 10)
#define REG_EFER_NXE (1ull << 11)

/* ---- Address spaces ------------------------------------------------------ */

struct monitor_space monitor_space_at(const struct monitor_space *like,
                                      uint64_t cr3)
{
    struct monitor_space s = *like;

    s.root = cr3 & ADDRESS_MASK;
    if (s.levels == 3) {
        s.root = cr3 & 0xffffffe0u; /* four entries, aligned to 32 bytes */
    } else if (s.levels == 2) {
        s.root = cr3 & 0xfffff000u;
    }
    return s;
}

struct monitor_space monitor_space_of(const struct ravelin_registers *regs)
{
    struct monitor_space s = {
        .has_large = (regs->cr4 & REG_CR4_PSE) != 0,
        .has_nx = (regs->efer & REG_EFER_NXE) != 0,
    };

    if (!(regs->cr0 & REG_CR0_PG)) {
        return s;
    }
    if (regs->efer & REG_EFER_LMA) {
        s.levels = regs->cr4 & REG_CR4_LA57 ? 5 : 4;
    } else {
        s.levels = regs->cr4 & REG_CR4_PAE ? 3 : 2;
    }
    return monitor_space_at(&s, regs->cr3);
}

/* Bits of the address that a level's tables cover, from its entry's page up.
 */
static unsigned int level_shift(const struct monitor_space *s,
                                unsigned int level)
{
    return 12 + (level - 1) * (s->levels == 2 ? 10 : 9);
}

static unsigned int level_index(const struct monitor_space *s,
                                unsigned int level, uint64_t gva)
{
    unsigned int count = s->levels == 2 ? 1024 : 512;

    if (s->levels == 3 && level == 3) {
        count = 4;
    }
    return (unsigned int)(gva >> level_shift(s, level)) & (count - 1);
}

static bool is_leaf(const struct monitor_space *s, unsigned int level,
                    uint64_t entry)
{
    if (level == 1) {
        return true;
    }
    if (!(entry & PTE_LARGE)) {
        return false;
    }
    if (s->levels == 2) {
        return s->has_large;
    }
    return level == 2 || (level == 3 && s->levels >= 4);
}

/* Address of a large page: with two levels, bits 13 to 20 are 32 to 39. */
static uint64_t leaf_base(const struct monitor_space *s, unsigned int level,
                          uint64_t entry)
{
    uint64_t size = 1ull << level_shift(s, level);

    if (s->levels == 2 && level == 2) {
        return (entry & 0xffc00000u) | (entry & 0x1fe000u) << 19;
    }
    return entry & (s->levels == 2 ? 0xfffff000u : ADDRESS_MASK) & ~(size - 1);
}

static uint32_t entry_flags(const struct monitor_space *s, unsigned int level,
                            uint64_t entry)
{
    /* The four top entries of three levels have no rights of their own. */
    if (s->levels == 3 && level == 3) {
        return MONITOR_PAGE_WRITE | MONITOR_PAGE_USER | MONITOR_PAGE_EXEC;
    }
    return (entry & PTE_WRITE ? MONITOR_PAGE_WRITE : 0) |
           (entry & PTE_USER ? MONITOR_PAGE_USER : 0) |
           (s->has_nx && s->levels > 2 && (entry & PTE_NX) ? 0
                                                           : MONITOR_PAGE_EXEC);
}

static bool is_canonical(const struct monitor_space *s, uint64_t gva)
{
    unsigned int bits = s->levels == 5 ? 57 : 48;

    if (s->levels < 4) {
        return gva >> 32 == 0;
    }
    return (uint64_t)((int64_t)(gva << (64 - bits)) >> (64 - bits)) == gva;
}

long monitor_translate(struct monitor *m, const struct monitor_space *space,
                       uint64_t gva, struct monitor_page *page)
{
    size_t bytes = space->levels == 2 ? 4 : 8;
    uint64_t table = space->root;
    unsigned int level;

    page->flags = MONITOR_PAGE_WRITE | MONITOR_PAGE_USER | MONITOR_PAGE_EXEC;
    if (!is_canonical(space, gva)) {
        return -XEN_EINVAL;
    }
    for (level = space->levels; level; level--) {
        uint64_t entry = 0;
        long rc = monitor_read(
            m, table + level_index(space, level, gva) * bytes, &entry, bytes);

        if (rc) {
            return rc;
        }
        if (!(entry & PTE_PRESENT)) {
            return -XEN_ENOENT;
        }
        page->flags &= entry_flags(space, level, entry);
        if (is_leaf(space, level, entry)) {
            page->size = 1ull << level_shift(space, level);
            page->gpa =
                leaf_base(space, level, entry) | (gva & (page->size - 1));
            return 0;
        }
        table = leaf_base(space, 1, entry);
    }
    page->size = TABLE_BYTES;
    page->gpa = gva; /* paging is off */
    return 0;
}

/* ---- Linear -------------------------------------------------------------- */

typedef long (*copy_fn_t)(struct monitor *m, uint64_t gpa, uint8_t *buffer,
                          size_t size);

static long copy_from(struct monitor *m, uint64_t gpa, uint8_t *buffer,
                      size_t size)
{
    return monitor_read(m, gpa, buffer, size);
}

static long copy_to(struct monitor *m, uint64_t gpa, uint8_t *buffer,
                    size_t size)
{
    return monitor_write(m, gpa, buffer, size);
}

static long linear_copy(struct monitor *m, const struct monitor_space *space,
                        copy_fn_t copy, uint64_t gva, uint8_t *buffer,
                        size_t size)
{
    while (size) {
        struct monitor_page page;
        long rc = monitor_translate(m, space, gva, &page);
        uint64_t room;
        size_t n;

        if (rc) {
            return rc;
        }
        room = page.size - (page.gpa & (page.size - 1));
        n = size < room ? size : (size_t)room;
        rc = copy(m, page.gpa, buffer, n);
        if (rc) {
            return rc;
        }
        gva += n;
        buffer += n;
        size -= n;
    }
    return 0;
}

long monitor_read_linear(struct monitor *m, const struct monitor_space *space,
                         uint64_t gva, void *to, size_t size)
{
    return linear_copy(m, space, copy_from, gva, to, size);
}

long monitor_write_linear(struct monitor *m, const struct monitor_space *space,
                          uint64_t gva, const void *from, size_t size)
{
    /* Only read: copies in both directions have one form. */
    return linear_copy(m, space, copy_to, gva, (uint8_t *)(uintptr_t)from,
                       size);
}

/* ---- All pages of a range ------------------------------------------------ */

#define LEVELS_MAX MONITOR_LEVELS_MAX
/* Tables that point back at themselves would never end. */
#define TABLES_MAX 1024u

struct visit {
    struct monitor *m;
    const struct monitor_space *space;
    uint64_t first, last;
    bool up;
    bool (*seen)(void *ctx, uint64_t gva, const struct monitor_page *page);
    void *ctx;
    bool is_over;
    unsigned int budget; /* tables that may still be read */
};

static uint64_t entry_of(const struct visit *v, const uint8_t *table,
                         unsigned int i)
{
    return v->space->levels == 2 ? ((const uint32_t *)(const void *)table)[i]
                                 : ((const uint64_t *)(const void *)table)[i];
}

/* Sign extension of the linear address that the indices make up. */
static uint64_t canonical(const struct visit *v, uint64_t gva)
{
    unsigned int bits = v->space->levels == 5 ? 57 : 48;

    return v->space->levels < 4
               ? gva
               : (uint64_t)((int64_t)(gva << (64 - bits)) >> (64 - bits));
}

static long table_visit(struct visit *v, unsigned int level, uint64_t table,
                        uint64_t base, uint32_t flags);

static long entry_visit(struct visit *v, unsigned int level, uint64_t entry,
                        uint64_t gva, uint32_t flags)
{
    uint64_t size = 1ull << level_shift(v->space, level);
    struct monitor_page page = {
        .size = size,
        .flags = flags & entry_flags(v->space, level, entry),
    };

    if (!is_leaf(v->space, level, entry)) {
        long rc = table_visit(v, level - 1, leaf_base(v->space, 1, entry), gva,
                              page.flags);

        /* A table that is not in RAM maps nothing. */
        return rc == -XEN_EFAULT ? 0 : rc;
    }
    page.gpa = leaf_base(v->space, level, entry);
    v->is_over = !v->seen(v->ctx, gva, &page);
    return 0;
}

/* One table: copied as a whole, since most of the cost is the call. */
static long table_visit(struct visit *v, unsigned int level, uint64_t table,
                        uint64_t base, uint32_t flags)
{
    uint8_t *copy = v->m->tables + (level - 1) * TABLE_BYTES;
    unsigned int shift = level_shift(v->space, level);
    bool is_top = v->space->levels == 3 && level == 3;
    unsigned int count = is_top ? 4 : v->space->levels == 2 ? 1024 : 512;
    unsigned int n;
    long rc;

    if (v->budget-- == 0) {
        return -XEN_E2BIG;
    }
    rc = monitor_read(v->m, table, copy, is_top ? 32 : TABLE_BYTES);
    for (n = 0; n < count && !rc && !v->is_over; n++) {
        unsigned int i = v->up ? n : count - 1 - n;
        uint64_t gva = canonical(v, base | (uint64_t)i << shift);
        uint64_t end = gva + ((1ull << shift) - 1);

        if (end < v->first || gva > v->last ||
            !(entry_of(v, copy, i) & PTE_PRESENT)) {
            continue;
        }
        rc = entry_visit(v, level, entry_of(v, copy, i), gva, flags);
    }
    return rc;
}

long monitor_pages(struct monitor *m, const struct monitor_space *space,
                   uint64_t first, uint64_t last, bool up,
                   bool (*seen)(void *ctx, uint64_t gva,
                                const struct monitor_page *page),
                   void *ctx)
{
    struct visit v = {m, space, first, last, up, seen, ctx, false, TABLES_MAX};

    if (space->levels < 2 || space->levels > LEVELS_MAX) {
        return -XEN_EINVAL;
    }
    return table_visit(&v, space->levels, space->root, 0,
                       MONITOR_PAGE_WRITE | MONITOR_PAGE_USER |
                           MONITOR_PAGE_EXEC);
}
