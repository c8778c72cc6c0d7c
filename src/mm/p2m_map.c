/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes to a p2m. Frame numbers, orders and rights may come from a guest or a
 * control domain and are checked here; every operation is either done or has
 * changed nothing.
 */

#include "arch/backend.h"
#include "p2m_table.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/panic.h"

/* What fits the frame field of an entry. */
#define P2M_MFN_LIMIT (1UL << 40)

static bool range_is_valid(const struct p2m *p2m, uint64_t g, unsigned order)
{
    uint64_t count;

    /* A map that was torn down while the caller still held its domain takes
     * nothing any more. */
    if (order > FRAME_ORDER_MAX || mfn_is_invalid(p2m->root)) {
        return false;
    }
    count = 1UL << order;
    return (g & (count - 1)) == 0 && g < p2m->gfn_limit &&
           count <= p2m->gfn_limit - g;
}

/* What a new page gets: no more than the default of a watched domain. */
static uint8_t mode_of_new(const struct p2m *p2m, enum p2m_type type,
                           uint8_t access)
{
    uint8_t mode = access;

    if (type == P2M_RAM || type == P2M_RAM_RO) {
        mode &= p2m->mode_default;
        if (access == ACCESS_ALL) {
            mode = p2m->mode_default;
        }
    }
    return p2m_mode_of_type(type, mode);
}

/* First frame number behind the entry at which `path` ends. */
static uint64_t path_next(const struct p2m_path *path, uint64_t g)
{
    uint64_t span = p2m_span(path->level);

    return (g & ~(span - 1)) + span;
}

static bool range_is_empty(const struct p2m *p2m, uint64_t g, uint64_t end)
{
    struct p2m_path path;

    for (; g < end; g = path_next(&path, g)) {
        p2m_path_find(p2m, g, &path);
        if (p2m_path_raw(&path, g) != 0) {
            return false;
        }
    }
    return true;
}

/* Highest level at which one leaf can map `m` at `g`. */
static unsigned leaf_level(uint64_t g, uint64_t m, uint64_t count)
{
    unsigned level = hv->npt_leaf_level_max();

    while (level > 1 && (((g | m) & (p2m_span(level) - 1)) != 0 ||
                         p2m_span(level) > count)) {
        level--;
    }
    return level;
}

/* Takes the entries of [g, end) out again; they were empty before. */
static void range_undo(struct p2m *p2m, uint64_t g, uint64_t end)
{
    struct p2m_path path;

    for (uint64_t next; g < end; g = next) {
        p2m_path_find(p2m, g, &path);
        next = path_next(&path, g);
        p2m_path_write(&path, g, 0);
        p2m_path_prune(p2m, &path, g);
        p2m->dirty = true;
    }
}

int p2m_map(struct p2m_locked held, gfn_t g, mfn_t m, unsigned order,
            enum p2m_type type, uint8_t access)
{
    struct p2m *p2m = held.p2m;
    uint64_t delta = m.v - g.v;
    struct p2m_path path;
    uint64_t end;

    if (!range_is_valid(p2m, g.v, order) || (m.v & ((1UL << order) - 1)) != 0 ||
        m.v >= P2M_MFN_LIMIT || type == P2M_NONE || type >= P2M_TYPE_COUNT ||
        (access & ~ACCESS_ALL) != 0) {
        return -RV_EINVAL;
    }
    end = g.v + (1UL << order);
    if (!range_is_empty(p2m, g.v, end)) {
        return -RV_EEXIST;
    }
    access = mode_of_new(p2m, type, access);
    for (uint64_t pos = g.v; pos < end;) {
        unsigned level = leaf_level(pos, pos + delta, end - pos);

        p2m_path_find(p2m, pos, &path);
        /* Tables are never empty, so an empty range of this size has none. */
        ASSERT(path.level >= level);
        if (p2m_path_extend(p2m, &path, pos, level)) {
            range_undo(p2m, g.v, pos);
            return -RV_ENOMEM;
        }
        p2m_path_write(&path, pos,
                       p2m_raw_leaf(mfn(pos + delta), type, access, level));
        pos += p2m_span(level);
    }
    return 0;
}

/* Splits so that no leaf reaches beyond the aligned range of 2^order frames. */
static int range_isolate(struct p2m *p2m, uint64_t g, unsigned order)
{
    unsigned level = order / P2M_INDEX_BITS + 1;
    struct p2m_path path;

    p2m_path_find(p2m, g, &path);
    if (path.level <= level || p2m_path_raw(&path, g) == 0) {
        return 0;
    }
    return p2m_path_extend(p2m, &path, g, level);
}

int p2m_unmap(struct p2m_locked held, gfn_t g, unsigned order)
{
    struct p2m *p2m = held.p2m;
    struct p2m_path path;
    uint64_t end;
    int rc;

    if (!range_is_valid(p2m, g.v, order)) {
        return -RV_EINVAL;
    }
    rc = range_isolate(p2m, g.v, order);
    if (rc) {
        return rc;
    }
    end = g.v + (1UL << order);
    for (uint64_t pos = g.v, next; pos < end; pos = next) {
        p2m_path_find(p2m, pos, &path);
        next = path_next(&path, pos);
        if (p2m_path_raw(&path, pos) != 0) {
            p2m_path_remove(p2m, &path, pos);
            p2m_path_prune(p2m, &path, pos);
        }
    }
    return 0;
}
