/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Refill of the walk cache. The guest can change what an entry was made from at
 * any time, on another vCPU; a hit then proves the translation for the moment
 * of the comparison, which is all a processor promises.
 */

#include "walk_cache.h"

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/string.h"

/* Stands for the page-table entries of levels a walk did not have. */
static const uint64_t no_entry;

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

/* Remembers a 4-byte entry with its neighbour, a miss more if that one is
 * changed. False if the entry is not any more what the walk saw. */
static bool narrow_remember(struct walk_entry *e, unsigned i,
                            const struct guest_walk *w)
{
    uint64_t at = (uint64_t)w->pte[i];
    unsigned shift = at & 4 ? 32 : 0;

    e->word[i] = (const uint64_t *)(at & ~7UL);
    e->value[i] = read_once(*e->word[i]);
    return (uint32_t)(e->value[i] >> shift) == w->value[i];
}

static bool words_remember(struct walk_entry *e, const struct guest_walk *w)
{
    for (unsigned i = 0; i < GUEST_WALK_LEVELS; i++) {
        if (i >= w->levels) {
            e->word[i] = &no_entry;
            e->value[i] = no_entry;
        } else if (w->is_wide) {
            e->word[i] = w->pte[i];
            e->value[i] = w->value[i];
        } else if (!narrow_remember(e, i, w)) {
            return false;
        }
    }
    return true;
}

/* What of the guest's rights the p2m lets through. */
static void entry_back(struct domain *d, struct walk_entry *e)
{
    struct p2m_entry m = p2m_lookup(&d->p2m, gpa_to_gfn(gpa(e->gpa)));

    e->page = NULL;
    e->rights = 0;
    if (m.type != P2M_NONE && m.type != P2M_MMIO) {
        e->page = host_ptr(mfn_to_hpa(m.mfn));
        e->rights = e->allowed & (m.access | m.access << WALK_USER_SHIFT);
    }
}

static void generation_follow(struct vcpu *v)
{
    uint64_t generation = load_acquire(&v->domain->p2m.generation);

    if (v->walk->generation != generation) {
        walk_cache_flush(v);
        v->walk->generation = generation;
    }
}

/* The other place of what has its slot at `e`. A list of pages in a row and a
 * few others then do not throw each other out. */
static struct walk_entry *second_slot(struct walk_cache *cache,
                                      struct walk_entry *e)
{
    return &cache->entry[(size_t)(e - cache->entry) ^ (WALK_ENTRIES / 2)];
}

static bool is_in_first_slot(struct walk_cache *cache, struct walk_entry *e)
{
    return e->tag != 0 && walk_cache_slot(cache, e->tag) == e;
}

/* Makes room in the slot of `a`; what had it moves to the second place unless
 * that is another one's first. True if `a` was there, as good as ever. */
static bool slots_swap(struct vcpu *v, uint64_t a, uint8_t need, bool want_page)
{
    struct walk_entry *first = walk_cache_slot(v->walk, a);
    struct walk_entry *second = second_slot(v->walk, first);
    struct walk_entry moved = *first;

    if (second->tag == walk_cache_tag(a)) {
        *first = *second;
        *second = moved;
        return walk_cache_hit(v, a, need, want_page) != NULL;
    }
    if (is_in_first_slot(v->walk, first) && moved.tag != walk_cache_tag(a) &&
        !is_in_first_slot(v->walk, second)) {
        *second = moved;
    }
    return false;
}

const struct walk_entry *walk_cache_fill(struct vcpu *v, uint64_t a,
                                         uint8_t access, bool user,
                                         bool want_page,
                                         struct guest_fault *fault)
{
    struct walk_entry *e = walk_cache_slot(v->walk, a);
    uint8_t need = guest_walk_need(access, user);
    struct guest_fault ignored;
    const struct vcpu_paging *p = &v->paging;
    struct guest_walk w;

    fault = fault ? fault : &ignored;
    generation_follow(v);
    if (slots_swap(v, a, need, want_page)) {
        return e;
    }
    e->tag = 0;
    if (guest_walk(v->domain, p, gva(a), access, user, &w, fault)) {
        return NULL;
    }
    e->cr3 = p->cr3;
    e->mode = guest_walk_mode(p);
    e->gpa = w.gpa;
    e->allowed = w.allowed;
    entry_back(v->domain, e);
    if (words_remember(e, &w)) {
        e->tag = walk_cache_tag(a);
    }
    if (want_page && (e->rights & need) != need) {
        *fault = (struct guest_fault){
            .gva = gva(a),
            .gpa = gpa(e->gpa | (a & ~PAGE_MASK)),
        };
        return NULL;
    }
    return e;
}
