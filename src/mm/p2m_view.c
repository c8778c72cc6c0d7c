/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private views of a p2m. One vCPU gets past a right that a monitor has taken
 * away, for one instruction, and no other vCPU of its domain with it.
 *
 * A view is built from the p2m's tables without their lock, one entry at a
 * time. Every removal or restriction bumps the p2m's generation after it has
 * written the entries. If such a change comes after an entry was copied, then
 * so does its bump: the generation read before the copies began differs from
 * the one at the entry into the guest, and the view is not used. What only adds
 * does not bump; a view that lacks it causes one more fault and is renewed.
 *
 * Threat surface: which pages are open follows a monitor's answers; how many
 * is bounded, and all tables belong to the vCPU.
 */

#include "arch/backend.h"
#include "p2m_table.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/string.h"

#define VIEW_TABLES 64u
#define NOT_EXECUTABLE (ACCESS_READ | ACCESS_WRITE)

struct view_table {
    uint64_t *page;
    uint64_t region; /* frame number >> (9 * level) */
    unsigned level;  /* 1 .. 3 */
};

struct view_opening {
    uint64_t g;
    uint8_t access;
};

struct p2m_view {
    struct p2m *p2m;
    uint64_t generation;
    uint64_t *root;
    uint64_t *root_nx; /* the same tables, but nothing can be executed */
    unsigned table_count;
    unsigned open_count;
    struct view_opening open[P2M_VIEW_OPENINGS];
    struct view_table table[VIEW_TABLES];
};
static_assert(sizeof(struct p2m_view) <= PAGE_SIZE, "a view is one page");

static uint64_t raw_without_exec(uint64_t raw)
{
    if (raw == 0 || p2m_raw_is_leaf(raw, P2M_LEVELS)) {
        return 0; /* no leaf is that large */
    }
    return p2m_raw_table(p2m_table_of(raw), NOT_EXECUTABLE);
}

static void root_write(struct p2m_view *w, unsigned index, uint64_t raw)
{
    w->root[index] = raw;
    w->root_nx[index] = raw_without_exec(raw);
}

/* The part of a leaf of `level` that frame `g` is in, as a leaf of `part`. */
static uint64_t leaf_part(uint64_t raw, unsigned level, uint64_t g,
                          unsigned part)
{
    uint64_t offset = g & (p2m_span(level) - 1) & ~(p2m_span(part) - 1);

    return p2m_raw_leaf(mfn(p2m_raw_mfn(raw).v + offset), p2m_raw_type(raw),
                        p2m_raw_mode(raw), part);
}

/* A table of `level` that means what the entry `raw` above it does. */
static void table_copy(uint64_t *to, uint64_t raw, unsigned level)
{
    const uint64_t *from = p2m_table_of(raw);

    for (unsigned i = 0; i < P2M_ENTRIES; i++) {
        to[i] = p2m_raw_is_leaf(raw, level + 1)
                    ? leaf_part(raw, level + 1, i * p2m_span(level), level)
                    : load_acquire(&from[i]);
    }
}

/* Throws all copies away and starts again from the p2m's root. */
static int view_restart(struct p2m_view *w)
{
    mfn_t root = mfn(read_once(w->p2m->root.v));
    const uint64_t *from;

    while (w->table_count > 0) {
        page_free(w->table[--w->table_count].page);
    }
    w->generation = load_acquire(&w->p2m->generation);
    if (mfn_is_invalid(root)) {
        return -RV_ENOENT;
    }
    from = host_ptr(mfn_to_hpa(root));
    for (unsigned i = 0; i < P2M_ENTRIES; i++) {
        root_write(w, i, load_acquire(&from[i]));
    }
    return 0;
}

struct p2m_view *p2m_view_create(struct p2m *p2m)
{
    struct p2m_view *w = page_alloc();

    if (!w) {
        return NULL;
    }
    w->p2m = p2m;
    w->root = page_alloc();
    w->root_nx = w->root ? page_alloc() : NULL;
    if (!w->root_nx || view_restart(w)) {
        p2m_view_destroy(w);
        return NULL;
    }
    return w;
}

void p2m_view_destroy(struct p2m_view *w)
{
    while (w->table_count > 0) {
        page_free(w->table[--w->table_count].page);
    }
    if (w->root_nx) {
        page_free(w->root_nx);
    }
    if (w->root) {
        page_free(w->root);
    }
    page_free(w);
}

mfn_t p2m_view_root(const struct p2m_view *w, bool executable)
{
    return hpa_to_mfn(host_pa(executable ? w->root : w->root_nx));
}

uint64_t p2m_view_generation(const struct p2m_view *w)
{
    return w->generation;
}

static uint64_t region_of(uint64_t g, unsigned level)
{
    return g >> (P2M_INDEX_BITS * level);
}

static uint64_t *table_find(const struct p2m_view *w, uint64_t g,
                            unsigned level)
{
    for (unsigned i = 0; i < w->table_count; i++) {
        const struct view_table *t = &w->table[i];

        if (t->level == level && t->region == region_of(g, level)) {
            return t->page;
        }
    }
    return NULL;
}

/* Our copy of the table of `level` on the way to `g`, linked into `above`. */
static int table_own(struct p2m_view *w, uint64_t g, unsigned level,
                     uint64_t *above, uint64_t **out)
{
    unsigned index = p2m_index(g, level + 1);
    uint64_t raw = above[index];

    *out = table_find(w, g, level);
    if (*out) {
        return 0;
    }
    if (raw == 0) {
        return -RV_ENOENT;
    }
    if (w->table_count == VIEW_TABLES) {
        return -RV_E2BIG;
    }
    *out = page_alloc();
    if (!*out) {
        return -RV_ENOMEM;
    }
    table_copy(*out, raw, level);
    w->table[w->table_count++] = (struct view_table){
        .page = *out,
        .region = region_of(g, level),
        .level = level,
    };
    raw = p2m_raw_table(*out, ACCESS_ALL);
    if (level + 1 == P2M_LEVELS) {
        root_write(w, index, raw);
    } else {
        above[index] = raw;
    }
    return 0;
}

static int table_last(struct p2m_view *w, uint64_t g, uint64_t **out)
{
    uint64_t *table = w->root;

    for (unsigned level = P2M_LEVELS - 1; level >= 1; level--) {
        int rc = table_own(w, g, level, table, &table);

        if (rc) {
            return rc;
        }
    }
    *out = table;
    return 0;
}

static int opening_apply(struct p2m_view *w, const struct view_opening *o)
{
    uint64_t *table;
    uint64_t raw;
    uint8_t mode;
    int rc = table_last(w, o->g, &table);

    if (rc) {
        return rc;
    }
    raw = table[p2m_index(o->g, 1)];
    if (raw == 0) {
        return -RV_ENOENT;
    }
    mode = p2m_mode_of_type(p2m_raw_type(raw), p2m_raw_mode(raw) | o->access);
    /* No hardware lets write or execute what it does not let read. */
    table[p2m_index(o->g, 1)] = p2m_raw_leaf(
        p2m_raw_mfn(raw), p2m_raw_type(raw), mode | ACCESS_READ, 1);
    return 0;
}

static struct view_opening *opening_find(struct p2m_view *w, gfn_t g)
{
    for (unsigned i = 0; i < w->open_count; i++) {
        if (w->open[i].g == g.v) {
            return &w->open[i];
        }
    }
    return NULL;
}

bool p2m_view_is_open(const struct p2m_view *w, gfn_t g, uint8_t access)
{
    for (unsigned i = 0; i < w->open_count; i++) {
        if (w->open[i].g == g.v) {
            return (w->open[i].access & access) == access;
        }
    }
    return false;
}

bool p2m_view_is_full(const struct p2m_view *w)
{
    return w->open_count == P2M_VIEW_OPENINGS ||
           w->table_count > VIEW_TABLES - (P2M_LEVELS - 1);
}

int p2m_view_open(struct p2m_view *w, gfn_t g, uint8_t access)
{
    struct view_opening *o = opening_find(w, g);

    if (!o) {
        if (w->open_count == P2M_VIEW_OPENINGS) {
            return -RV_E2BIG;
        }
        o = &w->open[w->open_count++];
        *o = (struct view_opening){.g = g.v};
    }
    o->access |= access;
    return opening_apply(w, o);
}

/* The pages close as the p2m has them now; if that has changed meanwhile, so
 * has the generation. */
void p2m_view_close(struct p2m_view *w)
{
    for (unsigned i = 0; i < w->open_count; i++) {
        uint64_t g = w->open[i].g;
        uint64_t *table = table_find(w, g, 1);
        unsigned level;
        uint64_t raw = p2m_raw_find(w->p2m, gfn(g), &level);

        if (table) {
            table[p2m_index(g, 1)] =
                raw == 0 || level == 1 ? raw : leaf_part(raw, level, g, 1);
        }
    }
    w->open_count = 0;
}

int p2m_view_renew(struct p2m_view *w, bool force)
{
    int rc;

    /* Copies of tables no page needs any more are thrown away in time. */
    if (!force && w->table_count <= VIEW_TABLES / 2 &&
        w->generation == load_acquire(&w->p2m->generation)) {
        return 0;
    }
    rc = view_restart(w);
    for (unsigned i = 0; rc == 0 && i < w->open_count; i++) {
        rc = opening_apply(w, &w->open[i]);
    }
    if (rc) {
        w->open_count = 0;
    }
    return rc;
}
