/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest side of the unit tests' harness: memory and page tables.
 */

#include "fixture.h"

#include <string.h>

#include "ravelin/guest_copy.h"

#define PTE_ALL 0x7u /* present, writable, user */
#define PTE_PS 0x80u
#define PDPTE_PRESENT 0x1u

#define CR0_ON 0x80010001UL /* PG, WP, PE */
#define CR4_PSE 0x10UL
#define CR4_PAE 0x20UL
#define EFER_LONG 0xd00UL /* LME, LMA, NXE */
#define EFER_NXE 0x800UL

void fixture_phys_put(struct domain *d, uint64_t at, const void *data, size_t n)
{
    assert_int_equal(guest_phys_write(d, gpa(at), data, n), 0);
}

void fixture_phys_get(struct domain *d, void *data, uint64_t at, size_t n)
{
    assert_int_equal(guest_phys_read(d, data, gpa(at), n), 0);
}

uint64_t fixture_phys_u64(struct domain *d, uint64_t at)
{
    uint64_t value;

    fixture_phys_get(d, &value, at, sizeof(value));
    return value;
}

static uint64_t table_new(struct fixture_tables *t)
{
    static const uint8_t zero[PAGE_SIZE];
    uint64_t at = t->next;

    fixture_phys_put(t->v->domain, at, zero, sizeof(zero));
    t->next += PAGE_SIZE;
    return at;
}

void fixture_paging_start(struct fixture_tables *t, struct vcpu *v,
                          enum fixture_paging mode, uint64_t at)
{
    static const struct {
        uint64_t cr0;
        uint64_t cr4;
        uint64_t efer;
    } control[] = {
        [FIXTURE_PAGING_OFF] = {0x1, 0, 0},
        [FIXTURE_PAGING_32] = {CR0_ON, CR4_PSE, EFER_NXE},
        [FIXTURE_PAGING_PAE] = {CR0_ON, CR4_PAE, EFER_NXE},
        [FIXTURE_PAGING_64] = {CR0_ON, CR4_PAE, EFER_LONG},
    };

    t->v = v;
    t->mode = mode;
    t->next = at;
    t->root = table_new(t);
    hv->creg_set(v, CREG_CR0, control[mode].cr0);
    hv->creg_set(v, CREG_CR4, control[mode].cr4);
    hv->creg_set(v, CREG_EFER, control[mode].efer);
    hv->creg_set(v, CREG_CR3, t->root);
    walk_cache_flush(v);
}

static unsigned entry_size(const struct fixture_tables *t)
{
    return t->mode == FIXTURE_PAGING_32 ? 4 : 8;
}

static unsigned top_level(const struct fixture_tables *t)
{
    return t->mode == FIXTURE_PAGING_32    ? 2
           : t->mode == FIXTURE_PAGING_PAE ? 3
                                           : 4;
}

static uint64_t entry_get(struct fixture_tables *t, uint64_t at)
{
    uint64_t value = 0;

    fixture_phys_get(t->v->domain, &value, at, entry_size(t));
    return value;
}

static void entry_set(struct fixture_tables *t, uint64_t at, uint64_t value)
{
    fixture_phys_put(t->v->domain, at, &value, entry_size(t));
}

uint64_t fixture_pte(struct fixture_tables *t, uint64_t a, unsigned level)
{
    unsigned bits = t->mode == FIXTURE_PAGING_32 ? 10 : 9;
    uint64_t base = t->root;

    for (unsigned i = top_level(t);; i--) {
        uint64_t index = (a >> (12 + bits * (i - 1))) & ((1u << bits) - 1);
        uint64_t at = base + index * entry_size(t);
        uint64_t value;

        if (i == level) {
            return at;
        }
        value = entry_get(t, at);
        if (value == 0) {
            value = table_new(t) |
                    (t->mode == FIXTURE_PAGING_PAE && i == 3 ? PDPTE_PRESENT
                                                             : PTE_ALL);
            entry_set(t, at, value);
        }
        base = value & 0x000ffffffffff000UL;
    }
}

void fixture_pte_set(struct fixture_tables *t, uint64_t a, unsigned level,
                     uint64_t value)
{
    entry_set(t, fixture_pte(t, a, level), value);
}

uint64_t fixture_pte_get(struct fixture_tables *t, uint64_t a, unsigned level)
{
    return entry_get(t, fixture_pte(t, a, level));
}

void fixture_map(struct fixture_tables *t, uint64_t a, uint64_t to)
{
    fixture_pte_set(t, a, 1, to | PTE_ALL);
}

void fixture_identity_map(struct fixture_tables *t, struct vcpu *v, uint64_t at,
                          uint64_t bytes)
{
    fixture_paging_start(t, v, FIXTURE_PAGING_64, at);
    for (uint64_t a = 0; a < bytes; a += 2UL << 20) {
        fixture_pte_set(t, a, 2, a | PTE_ALL | PTE_PS);
    }
}
