/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest page walk. Everything it reads is under the guest's control and may
 * change between two reads: each entry is read once into a local, and setting
 * accessed or dirty bits fails if the entry has changed meanwhile.
 */

#include "guest_walk.h"

#include "arch/startup.h"
#include "ravelin/errno.h"

/* A sibling vCPU that keeps changing the entries gets this many attempts to
 * hold us up; then the guest sees a page fault, as after a stale TLB entry. */
#define ATTEMPTS 16u

#define BITS(high, low) (((2UL << (high)) - 1) & ~((1UL << (low)) - 1))

/* What the three formats differ in. */
struct format {
    uint8_t levels;
    uint8_t index_bits; /* below the top level */
    uint8_t entry_size;
    uint64_t cr3_base;
};

static const struct format format_long = {4, 9, 8, BITS(51, 12)};
static const struct format format_pae = {3, 9, 8, BITS(31, 5)};
static const struct format format_legacy = {2, 10, 4, BITS(31, 12)};

struct walker {
    struct domain *d;
    const struct vcpu_paging *p;
    const struct format *format;
    uint64_t gva;
    uint8_t access;
    bool user;
    bool nxe;
    uint64_t phys_high; /* address bits the machine does not have */
    struct guest_walk *w;
    struct guest_fault *fault;
    /* Combined over the levels seen. */
    bool all_write;
    bool all_user;
    bool any_nx;
    gpa_t pte_gpa[GUEST_WALK_LEVELS]; /* as w->pte */
};

/*
 * Page tables are read and marked on behalf of the guest's processor. Rights
 * that a monitor left on the domain's own pages are about what its instructions
 * do; the pages of others are bounded by theirs.
 */
static uint8_t rights_of_tables(const struct p2m_entry *e)
{
    switch (e->type) {
    case P2M_RAM:
        return ACCESS_ALL;
    case P2M_RAM_RO:
        return ACCESS_READ | ACCESS_EXEC;
    default:
        return e->access;
    }
}

void *guest_frame_ptr(struct domain *d, gfn_t g, uint8_t access)
{
    struct p2m_entry e = p2m_lookup(&d->p2m, g);
    uint8_t rights = rights_of_tables(&e);

    if (e.type == P2M_NONE || e.type == P2M_MMIO ||
        (rights & access) != access || !(rights & ACCESS_READ)) {
        return NULL;
    }
    return host_ptr(mfn_to_hpa(e.mfn));
}

static int fault_page(const struct walker *k, uint32_t error)
{
    error |= k->access & ACCESS_WRITE ? PF_WRITE : 0;
    error |= k->user ? PF_USER : 0;
    if ((k->access & ACCESS_EXEC) && (k->nxe || (k->p->cr4 & CR4_SMEP))) {
        error |= PF_FETCH;
    }
    *k->fault = (struct guest_fault){
        .is_page_fault = true,
        .error = error,
        .gva = gva(k->gva),
    };
    return -RV_EFAULT;
}

static int fault_memory(const struct walker *k, gpa_t at)
{
    *k->fault = (struct guest_fault){.gva = gva(k->gva), .gpa = at};
    return -RV_EFAULT;
}

static bool is_long(const struct walker *k)
{
    return k->format == &format_long;
}

static bool is_leaf(const struct walker *k, uint64_t entry, unsigned level)
{
    if (level == 1) {
        return true;
    }
    if (!(entry & PTE_PS)) {
        return false;
    }
    if (is_long(k)) {
        return level < 4;
    }
    return level == 2 &&
           (k->format == &format_pae || (k->p->cr4 & CR4_PSE) != 0);
}

/* Bits that must be zero in a present entry. */
static uint64_t reserved_bits(const struct walker *k, bool leaf, unsigned level)
{
    uint64_t bits = k->phys_high;

    if (k->format == &format_legacy) {
        /* PSE-36: bits 13-20 are address bits 32-39 of a 4 MiB page. */
        return leaf && level == 2
                   ? BITS(21, 21) | ((k->phys_high >> (32 - 13)) & BITS(20, 13))
                   : 0;
    }
    if (!is_long(k)) {
        if (level == 3) {
            /* Bit 5 is reserved too, but QEMU sets it like an accessed bit in
             * entries that it has used itself. */
            return bits | BITS(2, 1) | BITS(8, 6) | BITS(63, 52);
        }
        bits |= BITS(62, 52);
    }
    bits |= k->nxe ? 0 : PTE_NX;
    bits |= level == 4 ? PTE_PS : 0;
    if (leaf && level > 1) {
        bits |= level == 3 ? BITS(29, 13) : BITS(20, 13);
    }
    return bits;
}

static uint64_t entry_read(const struct walker *k, const void *pte)
{
    if (k->format->entry_size == 4) {
        return __atomic_load_n((const uint32_t *)pte, __ATOMIC_RELAXED);
    }
    return __atomic_load_n((const uint64_t *)pte, __ATOMIC_RELAXED);
}

/* Sets bits in an entry if it still has the value *seen, else updates *seen. */
static bool entry_update(const struct walker *k, void *pte, uint64_t *seen,
                         uint64_t bits)
{
    if (k->format->entry_size == 4) {
        uint32_t expected = (uint32_t)*seen;
        bool done = __atomic_compare_exchange_n(
            (uint32_t *)pte, &expected, (uint32_t)(*seen | bits), false,
            __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);

        *seen = expected;
        return done;
    }
    return __atomic_compare_exchange_n((uint64_t *)pte, seen, *seen | bits,
                                       false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

/* PAE's top entries carry an address and nothing else. */
static bool has_rights(const struct walker *k, unsigned level)
{
    return k->format != &format_pae || level != 3;
}

static void rights_combine(struct walker *k, uint64_t entry, unsigned level)
{
    if (has_rights(k, level)) {
        k->all_write = k->all_write && (entry & PTE_W);
        k->all_user = k->all_user && (entry & PTE_U);
        k->any_nx = k->any_nx || (k->nxe && (entry & PTE_NX));
    }
}

static unsigned level_shift(const struct walker *k, unsigned level)
{
    return PAGE_SHIFT + k->format->index_bits * (level - 1);
}

/* Page address of a leaf's 4K part that `gva` lies in. */
static uint64_t leaf_gpa(const struct walker *k, uint64_t entry, unsigned level)
{
    uint64_t inside = (1UL << level_shift(k, level)) - 1;
    uint64_t base = entry & BITS(51, 12) & ~inside;

    if (k->format == &format_legacy && level == 2) {
        base = (entry & BITS(31, 22)) | ((entry & BITS(20, 13)) << (32 - 13));
    }
    return (base | (k->gva & inside)) & PAGE_MASK;
}

static uint8_t rights_allowed(const struct walker *k, bool dirty)
{
    bool user_page = k->all_user;
    uint8_t super = ACCESS_READ;
    uint8_t user = user_page ? ACCESS_READ : 0;

    if (k->all_write || !(k->p->cr0 & CR0_WP)) {
        super |= ACCESS_WRITE;
    }
    if (k->all_write && user_page) {
        user |= ACCESS_WRITE;
    }
    if (!k->any_nx) {
        super |= (k->p->cr4 & CR4_SMEP) && user_page ? 0 : ACCESS_EXEC;
        user |= user_page ? ACCESS_EXEC : 0;
    }
    if (!dirty) {
        super &= (uint8_t)~ACCESS_WRITE;
        user &= (uint8_t)~ACCESS_WRITE;
    }
    return (uint8_t)(super | user << WALK_USER_SHIFT);
}

/* One level down: reads the entry for `gva` in the table at `base`. */
static int level_read(struct walker *k, uint64_t base, unsigned level)
{
    unsigned top_bits = k->format == &format_pae ? 2 : k->format->index_bits;
    unsigned bits =
        level == k->format->levels ? top_bits : k->format->index_bits;
    uint64_t index = (k->gva >> level_shift(k, level)) & ((1UL << bits) - 1);
    gpa_t at = gpa(base + index * k->format->entry_size);
    uint8_t *page = guest_frame_ptr(k->d, gpa_to_gfn(at), ACCESS_READ);
    struct guest_walk *w = k->w;
    unsigned i = w->levels;

    if (!page) {
        return fault_memory(k, at);
    }
    k->pte_gpa[i] = at;
    w->pte[i] = page + (at.v & ~PAGE_MASK);
    w->value[i] = entry_read(k, w->pte[i]);
    w->levels++;
    return 0;
}

/* Accessed and dirty bits of level `i` counted from the top. 0; -EAGAIN the
 * entry has changed; -EFAULT the table may not be written. */
static int bits_set(struct walker *k, unsigned i, uint64_t bits)
{
    struct guest_walk *w = k->w;
    uint64_t old = w->value[i];
    gpa_t at = k->pte_gpa[i];
    uint8_t *page;

    if ((old & bits) == bits) {
        return 0;
    }
    page = guest_frame_ptr(k->d, gpa_to_gfn(at), ACCESS_WRITE);
    if (!page) {
        return fault_memory(k, at);
    }
    w->pte[i] = page + (at.v & ~PAGE_MASK);
    /* One word may serve at several levels (recursive tables), so accessed and
     * dirty bits may have come since it was read. */
    while (!entry_update(k, w->pte[i], &old, bits)) {
        if ((old ^ w->value[i]) & ~(PTE_A | PTE_D)) {
            return -RV_EAGAIN;
        }
    }
    w->value[i] = old | bits;
    return 0;
}

static int accessed_dirty_set(struct walker *k)
{
    struct guest_walk *w = k->w;

    for (unsigned i = 0; i < w->levels; i++) {
        uint64_t bits = PTE_A;
        int rc;

        if (!has_rights(k, k->format->levels - i)) {
            continue;
        }
        if (i + 1u == w->levels && (k->access & ACCESS_WRITE)) {
            bits |= PTE_D;
        }
        rc = bits_set(k, i, bits);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

static int leaf_finish(struct walker *k, uint64_t entry, unsigned level)
{
    uint8_t need = guest_walk_need(k->access, k->user);
    int rc;

    if ((rights_allowed(k, true) & need) != need) {
        return fault_page(k, PF_PRESENT);
    }
    rc = accessed_dirty_set(k);
    if (rc) {
        return rc;
    }
    entry = k->w->value[k->w->levels - 1];
    k->w->gpa = leaf_gpa(k, entry, level);
    k->w->allowed = rights_allowed(k, (entry & PTE_D) != 0);
    return 0;
}

static int walk_once(struct walker *k)
{
    uint64_t base = k->p->cr3 & k->format->cr3_base;

    k->all_write = k->all_user = true;
    k->any_nx = false;
    k->w->levels = 0;
    for (unsigned level = k->format->levels;; level--) {
        uint64_t entry;
        bool leaf;
        int rc = level_read(k, base, level);

        if (rc) {
            return rc;
        }
        entry = k->w->value[k->w->levels - 1];
        if (!(entry & PTE_P)) {
            return fault_page(k, 0);
        }
        leaf = is_leaf(k, entry, level);
        if (entry & reserved_bits(k, leaf, level)) {
            return fault_page(k, PF_PRESENT | PF_RESERVED);
        }
        rights_combine(k, entry, level);
        if (leaf) {
            return leaf_finish(k, entry, level);
        }
        base = entry & BITS(51, 12);
    }
}

static bool is_canonical(uint64_t a)
{
    return (uint64_t)((int64_t)(a << 16) >> 16) == a;
}

static const struct format *format_of(uint64_t mode)
{
    if (mode & EFER_LMA) {
        return &format_long;
    }
    return mode & CR4_PAE ? &format_pae : &format_legacy;
}

int guest_walk(struct domain *d, const struct vcpu_paging *p, gva_t a,
               uint8_t access, bool user, struct guest_walk *w,
               struct guest_fault *fault)
{
    uint64_t mode = guest_walk_mode(p);
    struct walker k = {
        .d = d,
        .p = p,
        .format = format_of(mode),
        .gva = mode & EFER_LMA ? a.v : (uint32_t)a.v,
        .access = access,
        .user = user,
        .nxe = (mode & EFER_NXE) && (mode & (EFER_LMA | CR4_PAE)),
        .phys_high = BITS(51, 0) & ~((1UL << arch_phys_bits()) - 1),
        .w = w,
        .fault = fault,
    };

    w->levels = 0;
    w->is_wide = k.format->entry_size == 8;
    if (!(mode & CR0_PG)) {
        w->gpa = k.gva & PAGE_MASK;
        w->allowed = ACCESS_ALL | ACCESS_ALL << WALK_USER_SHIFT;
        return 0;
    }
    if (is_long(&k) && !is_canonical(k.gva)) {
        *fault = (struct guest_fault){.is_noncanonical = true, .gva = a};
        return -RV_EFAULT;
    }
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        int rc = walk_once(&k);

        if (rc != -RV_EAGAIN) {
            return rc;
        }
    }
    return fault_page(&k, 0);
}
