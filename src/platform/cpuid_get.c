/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookups in a policy: what CPUID returns to one vCPU now. A leaf is an index
 * into a table, plus for a few leaves a correction by the vCPU's own state.
 *
 * Threat surface: leaf and subleaf, any 32-bit values.
 */
#include "ravelin/cpuid_policy.h"
#include "ravelin/vlapic.h"

#include "cpuid_private.h"

#define CR4_OSXSAVE (1UL << 18)
#define CR4_PKE (1UL << 22)
#define F_BIT(feature) (1u << ((feature) % 32u))

static void fix_leaf1(const struct vcpu *v, uint32_t subleaf rv_unused,
                      uint32_t out[4])
{
    uint64_t cr4 = hv->creg_get(v, CREG_CR4);

    out[CPUID_EBX] |= v->apic_id << 24;
    if ((cr4 & CR4_OSXSAVE) != 0) {
        out[CPUID_ECX] |= F_BIT(CPUID_F_OSXSAVE);
    }
    if (!vlapic_is_present(v)) {
        out[CPUID_EDX] &= ~F_BIT(CPUID_F_APIC);
    }
}

static void fix_leaf7(const struct vcpu *v, uint32_t subleaf, uint32_t out[4])
{
    if (subleaf == 0 && (hv->creg_get(v, CREG_CR4) & CR4_PKE) != 0) {
        out[CPUID_ECX] |= F_BIT(CPUID_F_OSPKE);
    }
}

/* Subleaves past the last still tell the id and their own number. */
static void fix_topology(const struct vcpu *v, uint32_t subleaf,
                         uint32_t out[4])
{
    out[CPUID_ECX] |= subleaf & 0xffu;
    out[CPUID_EDX] = v->apic_id;
}

static uint32_t xsave_compact_size(uint64_t xcr0)
{
    uint32_t size = 576;

    for (unsigned i = 2; i < CPUID_XSTATE_COUNT; i++) {
        const struct cpuid_leaf *leaf = &cpuid_host.xstate[i];

        if ((xcr0 >> i & 1u) == 0) {
            continue;
        }
        if ((leaf->r[CPUID_ECX] & 2u) != 0) {
            size = (size + 63u) & ~63u;
        }
        size += leaf->r[CPUID_EAX];
    }
    return size;
}

static void fix_xstate(const struct vcpu *v, uint32_t subleaf, uint32_t out[4])
{
    if (subleaf == 0) {
        out[CPUID_EBX] = cpuid_policy_xsave_size(hv->creg_get(v, CREG_XCR0));
    } else if (subleaf == 1 && (out[CPUID_EAX] & F_BIT(CPUID_F_XSAVEC)) != 0) {
        out[CPUID_EBX] = xsave_compact_size(hv->creg_get(v, CREG_XCR0));
    }
}

static void fix_amd_topology(const struct vcpu *v, uint32_t subleaf rv_unused,
                             uint32_t out[4])
{
    out[CPUID_EAX] = v->apic_id;
    out[CPUID_EBX] = v->id; /* core id; one thread each */
}

static void fix_vcpu_id(const struct vcpu *v, uint32_t subleaf, uint32_t out[4])
{
    if (subleaf == 0) {
        out[CPUID_EBX] = v->id;
    }
}

static void (*const fixups[CPUID_FIX_COUNT])(const struct vcpu *v,
                                             uint32_t subleaf,
                                             uint32_t out[4]) = {
    [CPUID_FIX_LEAF1] = fix_leaf1,
    [CPUID_FIX_LEAF7] = fix_leaf7,
    [CPUID_FIX_TOPOLOGY] = fix_topology,
    [CPUID_FIX_XSTATE] = fix_xstate,
    [CPUID_FIX_AMD_TOPOLOGY] = fix_amd_topology,
    [CPUID_FIX_VCPU_ID] = fix_vcpu_id,
};

static const struct cpuid_slot *slot_find(const struct cpuid_policy *p,
                                          uint32_t leaf)
{
    if (leaf < CPUID_BASIC_COUNT) {
        return &p->basic[leaf];
    }
    if (leaf - CPUID_HV_BASE < CPUID_HV_COUNT) {
        return &p->hv[leaf - CPUID_HV_BASE];
    }
    if (leaf - CPUID_EXT_BASE < CPUID_EXT_COUNT) {
        return &p->ext[leaf - CPUID_EXT_BASE];
    }
    return &p->absent;
}

void cpuid_policy_get(const struct vcpu *v, uint32_t leaf, uint32_t subleaf,
                      uint32_t out[4])
{
    const struct cpuid_policy *p = v->domain->cpuid;
    const struct cpuid_slot *slot = slot_find(p, leaf);
    uint32_t sub = slot->indexed ? subleaf : 0;
    const struct cpuid_leaf *from =
        &p->leaf[sub < slot->count ? slot->first + sub : 0];

    out[0] = from->r[0];
    out[1] = from->r[1];
    out[2] = from->r[2];
    out[3] = from->r[3];
    if (slot->fixup != CPUID_FIX_NONE) {
        fixups[slot->fixup](v, subleaf, out);
    }
}

/* ---- Questions about a domain ---- */

bool cpuid_policy_has(const struct domain *d, enum cpuid_feature feature)
{
    return cpuid_word_has(d->cpuid->word, feature);
}

enum cpuid_vendor cpuid_policy_vendor(const struct domain *d rv_unused)
{
    return cpuid_host.vendor;
}

unsigned cpuid_policy_phys_bits(const struct domain *d)
{
    return d->cpuid->phys_bits;
}

uint64_t cpuid_policy_cr4_mask(const struct domain *d)
{
    return d->cpuid->cr4_mask;
}

uint64_t cpuid_policy_efer_mask(const struct domain *d)
{
    return d->cpuid->efer_mask;
}

uint64_t cpuid_policy_xcr0_mask(const struct domain *d)
{
    return d->cpuid->xcr0_mask;
}

bool cpuid_policy_xcr0_is_valid(const struct domain *d, uint64_t value)
{
    uint64_t avx512 = value & XCR0_AVX512;

    if ((value & ~d->cpuid->xcr0_mask) != 0 || (value & XCR0_X87) == 0) {
        return false;
    }
    if ((value & XCR0_AVX) != 0 && (value & XCR0_SSE) == 0) {
        return false;
    }
    return avx512 == 0 || (avx512 == XCR0_AVX512 && (value & XCR0_AVX) != 0);
}

uint32_t cpuid_policy_xsave_size(uint64_t xcr0)
{
    uint32_t size = 576; /* legacy region and header */

    for (unsigned i = 2; i < CPUID_XSTATE_COUNT; i++) {
        const struct cpuid_leaf *leaf = &cpuid_host.xstate[i];
        uint32_t end = leaf->r[CPUID_EBX] + leaf->r[CPUID_EAX];

        if ((xcr0 >> i & 1u) != 0 && end > size) {
            size = end;
        }
    }
    return size;
}
