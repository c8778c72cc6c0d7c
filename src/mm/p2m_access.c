/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rights that a monitor leaves on the pages of a domain. They stand beside what
 * the type of a page allows, in bits of the entry that all backends leave
 * alone, so that rights which the hardware cannot express are still known.
 *
 * Threat surface: ranges and rights come from a monitor; the domain cannot
 * reach any of this.
 */

#include "arch/backend.h"
#include "p2m_table.h"
#include "ravelin/errno.h"

static bool mode_is_valid(uint8_t mode)
{
    return (mode & ~ACCESS_ALL) == 0 ||
           mode == (ACCESS_READ | ACCESS_EXEC | P2M_ACCESS_RX2RW);
}

static bool type_is_ram(enum p2m_type type)
{
    return type == P2M_RAM || type == P2M_RAM_RO;
}

static bool range_is_valid(const struct p2m *p2m, uint64_t g, uint64_t count)
{
    return !mfn_is_invalid(p2m->root) && count != 0 && g < p2m->gfn_limit &&
           count <= p2m->gfn_limit - g;
}

/* Does the entry at which `path` ends lie in [g, end) as a whole? */
static bool entry_is_inside(const struct p2m_path *path, uint64_t g,
                            uint64_t end)
{
    uint64_t span = p2m_span(path->level);

    return (g & (span - 1)) == 0 && span <= end - g;
}

/* The entry for `g`, which may reach beyond the range. *next: behind what was
 * done. */
static int entry_set(struct p2m *p2m, uint64_t g, uint64_t end, uint8_t mode,
                     uint64_t *next)
{
    struct p2m_path path;
    enum p2m_type type;
    uint64_t raw;

    p2m_path_find(p2m, g, &path);
    raw = p2m_path_raw(&path, g);
    *next = (g | (p2m_span(path.level) - 1)) + 1;
    if (raw == 0 || !type_is_ram(p2m_raw_type(raw))) {
        return 0;
    }
    type = p2m_raw_type(raw);
    mode = p2m_mode_of_type(type, mode);
    if (p2m_raw_mode(raw) == mode) {
        return 0;
    }
    if (!entry_is_inside(&path, g, end)) {
        unsigned below = path.level - 1;

        while (below > 1 && p2m_span(below) > end - g) {
            below--;
        }
        if (p2m_path_split(p2m, &path, g, below)) {
            *next = g;
            return -RV_ENOMEM;
        }
        *next = g;
        return 0; /* once more, with smaller entries */
    }
    p2m_path_write(&path, g,
                   p2m_raw_leaf(p2m_raw_mfn(raw), type, mode, path.level));
    p2m->dirty = true;
    return 0;
}

int p2m_access_range_set(struct p2m_locked held, gfn_t g, uint64_t count,
                         uint8_t mode, gfn_t *next)
{
    uint64_t end = g.v + count;
    int rc = 0;

    *next = g;
    if (!range_is_valid(held.p2m, g.v, count) || !mode_is_valid(mode)) {
        return -RV_EINVAL;
    }
    while (rc == 0 && next->v < end) {
        rc = entry_set(held.p2m, next->v, end, mode, &next->v);
    }
    if (next->v > end) {
        next->v = end;
    }
    return rc;
}

int p2m_access_get(const struct p2m *p2m, gfn_t g, uint8_t *mode)
{
    unsigned level;
    uint64_t raw = p2m_raw_find(p2m, g, &level);

    if (g.v >= p2m->gfn_limit || mfn_is_invalid(mfn(read_once(p2m->root.v)))) {
        return -RV_EINVAL;
    }
    if (raw == 0 || !type_is_ram(p2m_raw_type(raw))) {
        return -RV_ENOENT;
    }
    *mode = p2m_raw_mode(raw);
    return 0;
}

bool p2m_access_is_held(const struct p2m *p2m, gfn_t g)
{
    enum p2m_type type = p2m_lookup(p2m, g).type;
    uint8_t fresh = p2m_mode_of_type(type, read_once(p2m->mode_default));
    uint8_t mode;

    return p2m_access_get(p2m, g, &mode) == 0 &&
           (fresh & ACCESS_ALL & ~mode) != 0;
}

int p2m_access_set(struct p2m_locked held, gfn_t g, uint8_t mode)
{
    uint8_t old;
    gfn_t next;
    int rc = p2m_access_get(held.p2m, g, &old);

    return rc ? rc : p2m_access_range_set(held, g, 1, mode, &next);
}

int p2m_access_default_set(struct p2m_locked held, uint8_t mode)
{
    if (!mode_is_valid(mode)) {
        return -RV_EINVAL;
    }
    held.p2m->mode_default = mode;
    return 0;
}
