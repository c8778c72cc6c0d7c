/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Life, lock and lookup of a p2m. The lookup is on the way of every guest
 * access that the hypervisor makes for the first time, so it is a plain loop
 * over the tables; the rights and the type of a frame stand in bits of the
 * entry that all backends leave alone.
 *
 * Memory ordering of p2m_unlock() against the CPU loop. Entry: A1 cpu->current
 * = v, A2 cpu->in_guest = true, A3 full barrier, A4 read generation, A5 flush
 * if it moved, A6 v->tlb_seen = generation, enter. Here: B1 (entry changed), B2
 * generation + 1, B3 full barrier, B4 for each vCPU v read v->cpu, its in_guest
 * and current, and v->tlb_seen; if v is in guest mode with an older generation,
 * kick and look again. If B4 does not see the A1/A2 of some entry, then B3 came
 * before that entry's A3, so its A4 sees B2 and A5 flushes: hence one "no" is
 * enough. If B4 does see them, it waits until the CPU has left (in_guest =
 * false is a release store after the exit) or has flushed for this generation
 * (A6 follows A5). A kick between A2 and the world switch stays pending, since
 * interrupts are closed, and ends guest mode at once. Between A2 and the end of
 * guest mode a CPU takes no lock, so waiting with locks held cannot deadlock.
 */

#include "ravelin/p2m.h"

#include "arch/backend.h"
#include "arch/host.h"
#include "p2m_table.h"
#include "ravelin/domain.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/panic.h"

/* Stops the machine at its first domain if a backend's entries do not have the
 * shape that p2m_table.h relies on. */
static void backend_shape_check(void)
{
    const uint16_t soft = 0x55;
    struct npt_entry e = {
        .mfn = mfn(0x123456000),
        .access = ACCESS_ALL,
        .leaf = true,
        .software = (uint16_t)(soft << P2M_SOFT_SHIFT),
    };

    for (unsigned rights = 0; rights < 2; rights++) {
        uint64_t raw = hv->npt_encode(&e, 2);

        BUG_ON(!p2m_raw_is_leaf(raw, 2) || !mfn_eq(p2m_raw_mfn(raw), e.mfn));
        BUG_ON(((raw >> P2M_RAW_SOFT_SHIFT) & P2M_RAW_SOFT_MASK) != soft);
        e.access = 0;
    }
    e.leaf = false;
    e.access = ACCESS_ALL;
    BUG_ON(p2m_raw_is_leaf(hv->npt_encode(&e, 2), 2));
}

int p2m_init(struct p2m *p2m, struct domain *d, uint64_t gfn_limit)
{
    uint64_t *root;

    if (gfn_limit == 0 || gfn_limit > P2M_GFN_LIMIT_MAX) {
        return -RV_EINVAL;
    }
    backend_shape_check();
    spin_init(&p2m->lock, LOCK_RANK_P2M);
    p2m->dirty = false;
    p2m->root = INVALID_MFN;
    p2m->domain = d;
    p2m->gfn_limit = gfn_limit;
    p2m->generation = 1;
    p2m->table_count = 0;
    p2m->mode_default = ACCESS_ALL;
    root = p2m_table_alloc(p2m);
    if (!root) {
        return -RV_ENOMEM;
    }
    p2m->root = hpa_to_mfn(host_pa(root));
    return 0;
}

struct p2m_locked p2m_lock(struct p2m *p2m)
{
    spin_lock(&p2m->lock);
    return (struct p2m_locked){p2m};
}

/* Does some CPU execute guest code of `v` with translations older than
 * `generation`? One "no" is final. */
static bool vcpu_is_stale(const struct vcpu *v, uint64_t generation,
                          struct cpu **where)
{
    struct cpu *c = load_acquire(&v->cpu);

    *where = c;
    return c && load_acquire(&c->in_guest) && load_acquire(&c->current) == v &&
           load_acquire(&v->tlb_seen) < generation;
}

static void vcpus_flush(const struct domain *d, uint64_t generation)
{
    struct cpu *c;

    for (unsigned i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = load_acquire(&d->vcpu[i]);

        if (!v || !vcpu_is_stale(v, generation, &c)) {
            continue;
        }
        arch_cpu_kick(c);
        while (vcpu_is_stale(v, generation, &c)) {
            cpu_relax();
        }
    }
}

void p2m_unlock(struct p2m_locked *held)
{
    struct p2m *p2m = held->p2m;

    if (p2m->dirty) {
        uint64_t generation =
            __atomic_add_fetch(&p2m->generation, 1, __ATOMIC_SEQ_CST);

        p2m->dirty = false;
        full_barrier();
        vcpus_flush(p2m->domain, generation);
    }
    held->p2m = NULL;
    spin_unlock(&p2m->lock);
}

static struct p2m_entry entry_of(uint64_t raw, uint64_t g, unsigned level)
{
    return (struct p2m_entry){
        .mfn = mfn(p2m_raw_mfn(raw).v | (g & (p2m_span(level) - 1))),
        .type = p2m_raw_type(raw),
        .access = p2m_raw_access(raw),
        .level = (uint8_t)level,
    };
}

/* The entry for `g` in the table where the descent ends; 0 if it is empty. */
static inline uint64_t descend(const struct p2m *p2m, gfn_t g, unsigned *level,
                               const uint64_t **table)
{
    mfn_t root = mfn(read_once(p2m->root.v));
    uint64_t raw;

    if (unlikely(g.v >= p2m->gfn_limit || mfn_is_invalid(root))) {
        return 0;
    }
    *level = P2M_LEVELS;
    *table = host_ptr(mfn_to_hpa(root));
    for (;;) {
        raw = load_acquire(&(*table)[p2m_index(g.v, *level)]);
        if (raw == 0 || p2m_raw_is_leaf(raw, *level)) {
            return raw;
        }
        *table = p2m_table_of(raw);
        (*level)--;
    }
}

uint64_t p2m_raw_find(const struct p2m *p2m, gfn_t g, unsigned *level)
{
    const uint64_t *table;

    *level = P2M_LEVELS;
    return descend(p2m, g, level, &table);
}

static const struct p2m_entry entry_none = {INVALID_MFN, P2M_NONE, 0, 0};

struct p2m_entry p2m_lookup(const struct p2m *p2m, gfn_t g)
{
    const uint64_t *table;
    unsigned level;
    uint64_t raw = descend(p2m, g, &level, &table);

    return raw ? entry_of(raw, g.v, level) : entry_none;
}

struct p2m_entry p2m_lookup_near(const struct p2m *p2m, struct p2m_cursor *c,
                                 gfn_t g)
{
    uint64_t raw = 0;

    if (c->table && g.v >> (P2M_INDEX_BITS * c->level) == c->region) {
        raw = load_acquire(&c->table[p2m_index(g.v, c->level)]);
    }
    if (!p2m_raw_is_leaf(raw, c->level)) {
        raw = descend(p2m, g, &c->level, &c->table);
        if (raw == 0) {
            c->table = NULL;
            return entry_none;
        }
        c->region = g.v >> (P2M_INDEX_BITS * c->level);
    }
    return entry_of(raw, g.v, c->level);
}
