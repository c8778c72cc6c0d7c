/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds a domain's processor: feature words first, with everything that
 * depends on something missing removed, then the leaves that show them, then
 * the register masks that follow. One page per domain, read-only afterwards.
 *
 * Threat surface: none directly; what is wrong here is wrong for every guest.
 * Ref: Intel SDM Vol 2 "CPUID"; AMD APM Vol 3 appendix E "Obtaining Processor
 *      Information Via the CPUID Instruction".
 */
#include "ravelin/cpuid_policy.h"

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/panic.h"
#include "ravelin/string.h"

#include "cpuid_private.h"

_Static_assert(sizeof(struct cpuid_policy) <= PAGE_SIZE,
               "a policy is one page");

/* ---- Leaves ---- */

/* Room for `count` results behind `slot`. The counts are constants of this
 * file, so running out is our own mistake. */
static struct cpuid_leaf *slot_fill(struct cpuid_policy *p,
                                    struct cpuid_slot *slot, unsigned count,
                                    enum cpuid_fixup fixup)
{
    struct cpuid_leaf *leaf = &p->leaf[p->used];

    BUG_ON(p->used + count > CPUID_LEAF_COUNT);
    slot->first = (uint8_t)p->used;
    slot->count = (uint8_t)count;
    slot->fixup = (uint8_t)fixup;
    p->used += count;
    return leaf;
}

static struct cpuid_leaf *slot_fill_indexed(struct cpuid_policy *p,
                                            struct cpuid_slot *slot,
                                            unsigned count,
                                            enum cpuid_fixup fixup)
{
    slot->indexed = true;
    return slot_fill(p, slot, count, fixup);
}

/* Ids of all vCPUs fit so many bits (ids are even). */
static unsigned id_bits(unsigned vcpus)
{
    unsigned bits = 1;

    while ((1u << bits) < vcpus * 2) {
        bits++;
    }
    return bits;
}

/* Whose APIC ids share a cache: one core, or with level 3 the package. */
static void cache_fill(struct cpuid_leaf *to, const struct cpuid_leaf *from,
                       const struct cpuid_policy *p, bool intel)
{
    for (unsigned i = 0; i < CPUID_CACHE_COUNT; i++) {
        uint32_t a = from[i].r[CPUID_EAX];
        unsigned bits = (a >> 5 & 7u) >= 3 ? p->id_bits : 1;

        to[i] = from[i];
        if ((a & 0x1fu) == 0) {
            memset(&to[i], 0, sizeof(to[i]));
            continue;
        }
        a = (a & 0x3fffu) | ((1u << bits) - 1) << 14;
        if (intel) {
            a |= ((1u << (p->id_bits - 1)) - 1) << 26;
        }
        to[i].r[CPUID_EAX] = a;
    }
}

static void topology_fill(struct cpuid_policy *p, const struct domain *d)
{
    struct cpuid_leaf *leaf =
        slot_fill_indexed(p, &p->basic[0xb], 2, CPUID_FIX_TOPOLOGY);

    /* One thread per core, although the ids leave room for two. */
    leaf[0] = (struct cpuid_leaf){{1, 1, 1u << 8, 0}};
    leaf[1] = (struct cpuid_leaf){{p->id_bits, d->vcpu_count, 2u << 8, 0}};
}

static void xstate_fill(struct cpuid_policy *p)
{
    uint64_t mask = p->xcr0_mask;
    struct cpuid_leaf *leaf;

    if (mask == 0) {
        return;
    }
    leaf = slot_fill_indexed(p, &p->basic[0xd], CPUID_XSTATE_COUNT,
                             CPUID_FIX_XSTATE);
    leaf[0] =
        (struct cpuid_leaf){{(uint32_t)mask, 0, cpuid_policy_xsave_size(mask),
                             (uint32_t)(mask >> 32)}};
    for (unsigned i = 2; i < CPUID_XSTATE_COUNT; i++) {
        if ((mask >> i & 1u) != 0) {
            leaf[i] = cpuid_host.xstate[i];
        }
    }
}

static void basic_fill(struct cpuid_policy *p, const struct domain *d)
{
    const struct cpuid_host *h = &cpuid_host;
    bool intel = h->vendor == CPUID_VENDOR_INTEL;
    uint32_t max = intel ? 0x15 : 0xd;
    struct cpuid_leaf *leaf;

    if (is_hardware_domain(d) && h->basic_max > 0x15) {
        max = 0x16;
        *slot_fill(p, &p->basic[0x16], 1, CPUID_FIX_NONE) = h->basic[0x16];
    }
    leaf = slot_fill(p, &p->basic[0], 1, CPUID_FIX_NONE);
    *leaf = h->basic[0];
    leaf->r[CPUID_EAX] = max;

    leaf = slot_fill(p, &p->basic[1], 1, CPUID_FIX_LEAF1);
    leaf->r[CPUID_EAX] = h->basic[1].r[CPUID_EAX];
    leaf->r[CPUID_EBX] = (h->basic[1].r[CPUID_EBX] & 0xff00u) |
                         (intel ? 1u << p->id_bits : d->vcpu_count) << 16;

    /* APIC timer always runs. */
    *slot_fill(p, &p->basic[6], 1, CPUID_FIX_NONE) =
        (struct cpuid_leaf){{4, 0, 0, 0}};
    leaf = slot_fill_indexed(p, &p->basic[7], 2, CPUID_FIX_LEAF7);
    leaf[0].r[CPUID_EAX] = 1;
    topology_fill(p, d);
    xstate_fill(p);
    if (intel) {
        *slot_fill(p, &p->basic[2], 1, CPUID_FIX_NONE) = h->basic[2];
        cache_fill(slot_fill_indexed(p, &p->basic[4], CPUID_CACHE_COUNT,
                                     CPUID_FIX_NONE),
                   h->cache_intel, p, true);
        /* Crystal of 1 GHz, which also drives the APIC timer. */
        *slot_fill(p, &p->basic[0x15], 1, CPUID_FIX_NONE) =
            (struct cpuid_leaf){{1000000, arch_tsc_khz(), 1000000000, 0}};
    }
}

static void ext_copy(struct cpuid_policy *p, uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i <= last; i++) {
        *slot_fill(p, &p->ext[i], 1, CPUID_FIX_NONE) = cpuid_host.ext[i];
    }
}

static void ext_fill(struct cpuid_policy *p, const struct domain *d)
{
    const struct cpuid_host *h = &cpuid_host;
    bool amd = h->vendor == CPUID_VENDOR_AMD;
    uint32_t max = h->ext_max < 8 ? 8 : h->ext_max;
    struct cpuid_leaf *leaf;

    max = max < CPUID_EXT_COUNT ? max : CPUID_EXT_COUNT - 1;
    ext_copy(p, 0, 8);
    p->leaf[p->ext[0].first].r[CPUID_EAX] = CPUID_EXT_BASE + max;
    leaf = &p->leaf[p->ext[1].first];
    leaf->r[CPUID_ECX] = 0;
    leaf->r[CPUID_EDX] = 0;
    memset(&p->leaf[p->ext[7].first], 0, sizeof(*leaf));

    leaf = &p->leaf[p->ext[8].first];
    *leaf = (struct cpuid_leaf){{48u << 8 | p->phys_bits, 0, 0, 0}};
    if (amd) {
        leaf->r[CPUID_ECX] = (uint32_t)p->id_bits << 12 | (d->vcpu_count - 1);
        ext_copy(p, 0x19, 0x1a);
    }
    if (max >= 0x21) {
        (void)slot_fill(p, &p->ext[0x21], 1, CPUID_FIX_NONE);
    }
    if (cpuid_word_has(p->word, CPUID_F_TOPOEXT)) {
        cache_fill(slot_fill_indexed(p, &p->ext[0x1d], CPUID_CACHE_COUNT,
                                     CPUID_FIX_NONE),
                   h->cache_amd, p, false);
        (void)slot_fill(p, &p->ext[0x1e], 1, CPUID_FIX_AMD_TOPOLOGY);
    }
}

/* ---- Xen's leaves ---- */

#define XEN_VERSION_CODE (4u << 16 | 17u)
#define XEN_LEAF_MAX (CPUID_HV_BASE + 5)
#define XEN_HYPERCALL_MSR 0x40000000u
#define XEN_TSC_RELIABLE 2u
#define XEN_TSC_RDTSCP 4u
#define XEN_VCPU_ID_PRESENT (1u << 3)
#define XEN_DOMID_PRESENT (1u << 4)
#define XEN_UPCALL_VECTOR (1u << 6)

/* ns = ((ticks << shift) * mul) >> 32, shift possibly negative. */
static void tsc_scale(uint32_t khz, uint32_t *mul, uint32_t *shift)
{
    uint64_t hz = (uint64_t)(khz == 0 ? 1 : khz) * 1000;
    int32_t s = 0;

    while (hz > 2000000000u) {
        hz >>= 1;
        s--;
    }
    while (hz <= 1000000000u) {
        hz <<= 1;
        s++;
    }
    *mul = (uint32_t)((1000000000UL << 32) / hz);
    *shift = (uint32_t)s;
}

static void xen_tsc_fill(struct cpuid_policy *p, const struct domain *d)
{
    struct cpuid_leaf *leaf =
        slot_fill_indexed(p, &p->hv[3], 3, CPUID_FIX_NONE);
    bool reliable = cpuid_word_has(p->word, CPUID_F_ITSC);
    bool rdtscp = cpuid_word_has(p->word, CPUID_F_RDTSCP);

    leaf[0].r[CPUID_EAX] =
        (reliable ? XEN_TSC_RELIABLE : 0) | (rdtscp ? XEN_TSC_RDTSCP : 0);
    leaf[0].r[CPUID_EBX] = 0; /* mode: native while it is sound */
    leaf[0].r[CPUID_ECX] = arch_tsc_khz();
    leaf[0].r[CPUID_EDX] = 0; /* never migrated */

    leaf[1].r[CPUID_EAX] = (uint32_t)d->boot_time_ns;
    leaf[1].r[CPUID_EBX] = (uint32_t)(d->boot_time_ns >> 32);
    tsc_scale(arch_tsc_khz(), &leaf[1].r[CPUID_ECX], &leaf[1].r[CPUID_EDX]);

    leaf[2].r[CPUID_EAX] = arch_tsc_khz();
}

static void xen_fill(struct cpuid_policy *p, const struct domain *d)
{
    struct cpuid_leaf *leaf;

    *slot_fill(p, &p->hv[0], 1, CPUID_FIX_NONE) = (struct cpuid_leaf){
        {XEN_LEAF_MAX, 0x566e6558u, 0x65584d4du, 0x4d4d566eu}};
    *slot_fill(p, &p->hv[1], 1, CPUID_FIX_NONE) =
        (struct cpuid_leaf){{XEN_VERSION_CODE, 0, 0, 0}};
    *slot_fill(p, &p->hv[2], 1, CPUID_FIX_NONE) =
        (struct cpuid_leaf){{1, XEN_HYPERCALL_MSR, 0, 0}};
    xen_tsc_fill(p, d);
    leaf = slot_fill_indexed(p, &p->hv[4], 1, CPUID_FIX_VCPU_ID);
    leaf->r[CPUID_EAX] =
        XEN_VCPU_ID_PRESENT | XEN_DOMID_PRESENT | XEN_UPCALL_VECTOR;
    leaf->r[CPUID_ECX] = d->id;
    /* Beyond what leaf 0 announces, for guests that ask for frequencies the
     * common way: TSC and APIC timer input, kHz. */
    *slot_fill(p, &p->hv[0x10], 1, CPUID_FIX_NONE) =
        (struct cpuid_leaf){{arch_tsc_khz(), 1000000, 0, 0}};
}

/* For firmware and what it starts, if the manifest wants it to find no more
 * than some hypervisor. */
static void bare_fill(struct cpuid_policy *p)
{
    *slot_fill(p, &p->hv[0], 1, CPUID_FIX_NONE) = (struct cpuid_leaf){
        {CPUID_HV_BASE + 0x10, 0x65766152u, 0x526e696cu, 0x6c657661u}};
    *slot_fill(p, &p->hv[0x10], 1, CPUID_FIX_NONE) =
        (struct cpuid_leaf){{arch_tsc_khz(), 1000000, 0, 0}};
}

static bool shows_xen(const struct domain *d)
{
    return d->manifest == NULL ||
           (d->manifest->without & MANIFEST_DEV_XEN) == 0;
}

/* ---- Assembly ---- */

static struct cpuid_slot *place_slot(struct cpuid_policy *p, uint32_t leaf)
{
    return leaf >= CPUID_EXT_BASE ? &p->ext[leaf - CPUID_EXT_BASE]
                                  : &p->basic[leaf];
}

/* Shows the feature words in their leaves. */
static void words_place(struct cpuid_policy *p)
{
    for (unsigned w = 0; w < CPUID_WORD_COUNT; w++) {
        const struct cpuid_word_place *at = &cpuid_word_place[w];
        const struct cpuid_slot *slot = place_slot(p, at->leaf);

        if (at->subleaf < slot->count) {
            p->leaf[slot->first + at->subleaf].r[at->reg] = p->word[w];
        }
    }
}

static uint8_t phys_bits(void)
{
    uint32_t bits = cpuid_host.ext[8].r[CPUID_EAX] & 0xffu;

    return (uint8_t)(bits < 36 ? 36 : bits > 48 ? 48 : bits);
}

int cpuid_policy_create(struct domain *d)
{
    struct cpuid_policy *p = page_alloc();

    if (p == NULL) {
        return -RV_ENOMEM;
    }
    p->used = 1; /* leaf 0 stays zero */
    p->absent.count = 1;
    p->id_bits = (uint8_t)id_bits(d->vcpu_count);
    p->phys_bits = phys_bits();
    cpuid_features_compute(p, d);
    basic_fill(p, d);
    ext_fill(p, d);
    if (shows_xen(d)) {
        xen_fill(p, d);
    } else {
        bare_fill(p);
    }
    words_place(p);
    d->cpuid = p;
    return 0;
}

void cpuid_policy_destroy(struct domain *d)
{
    struct cpuid_policy *p = d->cpuid;

    if (p != NULL) {
        d->cpuid = NULL;
        page_free(p);
    }
}
