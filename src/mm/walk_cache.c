/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookup and refill of the walk cache. The guest can change what an entry was
 * made from at any time, on another vCPU; a hit then proves the translation
 * for the moment of the comparison, which is all a processor promises.
 */

#include "walk_cache.h"

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/string.h"

int walk_cache_create(struct vcpu *v)
{
    v->walk = page_alloc();
    return v->walk ? 0 : -RV_ENOMEM;
}

void walk_cache_destroy(struct vcpu *v)
{
    if (v->walk) {
        page_free(v->walk);
        v->walk = NULL;
    }
}

void walk_cache_flush(struct vcpu *v)
{
    memset(v->walk->entry, 0, sizeof(v->walk->entry));
}

/* Are the guest's page-table entries still what the walk saw? */
static inline bool entry_is_current(const struct walk_entry *e)
{
    if (likely(e->is_wide)) {
        for (unsigned i = 0; i < e->levels; i++) {
            if (read_once(*(uint64_t *)e->pte[i]) != e->value[i]) {
                return false;
            }
        }
        return true;
    }
    for (unsigned i = 0; i < e->levels; i++) {
        if (read_once(*(uint32_t *)e->pte[i]) != e->value[i]) {
            return false;
        }
    }
    return true;
}

static void entry_back(struct domain *d, struct walk_entry *e)
{
    struct p2m_entry m = p2m_lookup(&d->p2m, gpa_to_gfn(gpa(e->gpa)));

    e->page = NULL;
    e->backed = 0;
    if (m.type != P2M_NONE && m.type != P2M_MMIO && (m.access & ACCESS_READ)) {
        e->page = host_ptr(mfn_to_hpa(m.mfn));
        e->backed = (uint8_t)(m.access | m.access << WALK_USER_SHIFT);
    }
}

static rv_noinline const struct walk_entry *
entry_fill(struct vcpu *v, const struct vcpu_paging *p, gva_t a, uint8_t access,
           bool user, struct walk_entry *e, struct guest_fault *fault)
{
    uint64_t generation = load_acquire(&v->domain->p2m.generation);
    struct guest_walk w;

    if (v->walk->generation != generation) {
        walk_cache_flush(v);
        v->walk->generation = generation;
    }
    e->tag = 0;
    if (guest_walk(v->domain, p, a, access, user, &w, fault)) {
        return NULL;
    }
    e->cr3 = p->cr3;
    e->mode = guest_walk_mode(p);
    e->gpa = w.gpa;
    e->allowed = w.allowed;
    e->levels = w.levels;
    e->is_wide = w.is_wide;
    for (unsigned i = 0; i < w.levels; i++) {
        e->pte[i] = w.pte[i];
        e->value[i] = w.value[i];
    }
    entry_back(v->domain, e);
    e->tag = (a.v & PAGE_MASK) | 1;
    return e;
}

static rv_noinline const struct walk_entry *
walk_fault(gva_t a, const struct walk_entry *e, struct guest_fault *fault)
{
    *fault = (struct guest_fault){
        .gva = a,
        .gpa = gpa(e->gpa | (a.v & ~PAGE_MASK)),
    };
    return NULL;
}

const struct walk_entry *walk_cache_get(struct vcpu *v, gva_t a, uint8_t access,
                                        bool user, bool want_page,
                                        struct guest_fault *fault)
{
    struct walk_cache *cache = v->walk;
    struct walk_entry *e =
        &cache->entry[(a.v >> PAGE_SHIFT) & (WALK_ENTRIES - 1)];
    uint8_t need = guest_walk_need(access, user);
    struct vcpu_paging p;

    hv->paging_get(v, &p);
    if (likely(e->tag == ((a.v & PAGE_MASK) | 1) && e->cr3 == p.cr3 &&
               e->mode == guest_walk_mode(&p) &&
               (e->allowed & need) == need &&
               cache->generation ==
                   load_acquire(&v->domain->p2m.generation) &&
               (e->backed & need) == need && entry_is_current(e))) {
        return e;
    }
    if (!entry_fill(v, &p, a, access, user, e, fault)) {
        return NULL;
    }
    if (want_page && (e->backed & need) != need) {
        return walk_fault(a, e, fault);
    }
    return e;
}
