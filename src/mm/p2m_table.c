/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descent, growth, splitting and pruning of p2m tables. Other CPUs walk the
 * tables without a lock at any time: an entry changes by one store, a new table
 * is complete before it is linked, and an unlinked one stays readable until all
 * CPUs have passed a quiescent point. A guest chooses the frame numbers.
 */

#include "p2m_table.h"

#include "arch/backend.h"
#include "frame.h"
#include "ravelin/domain.h"
#include "ravelin/errno.h"
#include "ravelin/quiesce.h"

/* Tables a domain may have beyond what its memory needs when it is mapped in
 * order: room for scattered frames and mappings of foreign memory. */
#define TABLES_SPARE 64u
#define TABLES_PAGES_PER_TABLE 256u

static struct frame *table_frame(const uint64_t *table)
{
    return frame_of(hpa_to_mfn(host_pa(table)));
}

/* The reserve is enough to split every superpage the domain may have. */
static uint64_t *table_alloc(struct p2m *p2m, bool reserved)
{
    uint64_t pages = read_once(p2m->domain->max_pages);
    uint64_t limit = TABLES_SPARE + pages / TABLES_PAGES_PER_TABLE;
    uint64_t *table;

    if (reserved) {
        limit *= 2;
    }

    if (p2m->table_count >= limit) {
        return NULL;
    }
    table = page_alloc();
    if (table) {
        table_frame(table)->used = 0;
        p2m->table_count++;
    }
    return table;
}

uint64_t *p2m_table_alloc(struct p2m *p2m)
{
    return table_alloc(p2m, false);
}

uint64_t p2m_raw_leaf(mfn_t m, enum p2m_type type, uint8_t mode, unsigned level)
{
    struct npt_entry e = {
        .mfn = m,
        .access = mode & ACCESS_READ ? mode & ACCESS_ALL : 0,
        .leaf = true,
        .memtype = type == P2M_MMIO ? NPT_MEM_UC : NPT_MEM_WB,
        .software = (uint16_t)((type | mode << P2M_SOFT_ACCESS_SHIFT)
                               << P2M_SOFT_SHIFT),
    };

    return hv->npt_encode(&e, level);
}

uint64_t p2m_raw_table(const uint64_t *table, uint8_t access)
{
    struct npt_entry e = {
        .mfn = hpa_to_mfn(host_pa(table)),
        .access = access,
    };

    return hv->npt_encode(&e, 2);
}

void p2m_path_find(const struct p2m *p2m, uint64_t g, struct p2m_path *path)
{
    path->level = P2M_LEVELS;
    path->table[P2M_LEVELS] = host_ptr(mfn_to_hpa(p2m->root));
    while (path->level > 1) {
        uint64_t raw = p2m_path_raw(path, g);

        if (raw == 0 || p2m_raw_is_leaf(raw, path->level)) {
            break;
        }
        path->level--;
        path->table[path->level] = p2m_table_of(raw);
    }
}

uint64_t p2m_path_raw(const struct p2m_path *path, uint64_t g)
{
    return path->table[path->level][p2m_index(g, path->level)];
}

static void entry_write(uint64_t *table, unsigned index, uint64_t raw)
{
    struct frame *fr = table_frame(table);

    fr->used += (uint64_t)(raw != 0) - (uint64_t)(table[index] != 0);
    store_release(&table[index], raw);
}

void p2m_path_write(struct p2m_path *path, uint64_t g, uint64_t raw)
{
    entry_write(path->table[path->level], p2m_index(g, path->level), raw);
}

/* Fills `table` so that it means the same as the leaf `raw` of `level`. */
static void leaf_split(uint64_t *table, uint64_t raw, unsigned level)
{
    uint64_t span = p2m_span(level - 1);

    for (unsigned i = 0; i < P2M_ENTRIES; i++) {
        table[i] =
            p2m_raw_leaf(mfn(p2m_raw_mfn(raw).v + i * span), p2m_raw_type(raw),
                         p2m_raw_mode(raw), level - 1);
    }
    table_frame(table)->used = P2M_ENTRIES;
}

static int path_extend(struct p2m *p2m, struct p2m_path *path, uint64_t g,
                       unsigned level, bool reserved)
{
    while (path->level > level) {
        uint64_t *table = table_alloc(p2m, reserved);
        uint64_t raw = p2m_path_raw(path, g);

        if (!table) {
            p2m_path_prune(p2m, path, g);
            return -RV_ENOMEM;
        }
        if (raw != 0) {
            leaf_split(table, raw, path->level);
            p2m->dirty = true;
        }
        p2m_path_write(path, g, p2m_raw_table(table, ACCESS_ALL));
        path->level--;
        path->table[path->level] = table;
    }
    return 0;
}

int p2m_path_extend(struct p2m *p2m, struct p2m_path *path, uint64_t g,
                    unsigned level)
{
    return path_extend(p2m, path, g, level, false);
}

int p2m_path_split(struct p2m *p2m, struct p2m_path *path, uint64_t g,
                   unsigned level)
{
    return path_extend(p2m, path, g, level, true);
}

void p2m_path_prune(struct p2m *p2m, struct p2m_path *path, uint64_t g)
{
    while (path->level < P2M_LEVELS) {
        uint64_t *table = path->table[path->level];

        if (table_frame(table)->used != 0) {
            return;
        }
        path->level++;
        p2m_path_write(path, g, 0);
        /* The hardware may have cached the way to this table. */
        p2m->dirty = true;
        p2m->table_count--;
        frame_leave(hpa_to_mfn(host_pa(table)), p2m->domain);
        quiesce_defer_frame_put(hpa_to_mfn(host_pa(table)));
    }
}

void p2m_path_remove(struct p2m *p2m, struct p2m_path *path, uint64_t g)
{
    uint64_t raw = p2m_path_raw(path, g);
    uint64_t first = p2m_raw_mfn(raw).v;

    p2m_path_write(path, g, 0);
    p2m->dirty = true;
    if (p2m_raw_type(raw) == P2M_MMIO) {
        return;
    }
    /* This CPU reaches no quiescent point before p2m_unlock() has made sure
     * that no vCPU translates the old way, so neither can the drops. */
    for (uint64_t i = 0; i < p2m_span(path->level); i++) {
        quiesce_defer_frame_put(mfn(first + i));
    }
}
