/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shape of the host snapshot and of a policy, shared by the three files of the
 * CPUID module. Both are flat arrays that are written once and then only read.
 */
#pragma once

#include "ravelin/cpuid_policy.h"

#define CPUID_BASIC_COUNT 0x17u /* leaves 0 .. 0x16 */
#define CPUID_EXT_COUNT 0x22u   /* 0x80000000 .. 0x80000021 */
#define CPUID_HV_COUNT 0x11u    /* 0x40000000 .. 0x40000010 */
#define CPUID_EXT_BASE 0x80000000u
#define CPUID_HV_BASE 0x40000000u
#define CPUID_CACHE_COUNT 8u
#define CPUID_XSTATE_COUNT 10u /* x87 .. PKRU */
#define CPUID_LEAF_COUNT 128u

#define XCR0_X87 0x001UL
#define XCR0_SSE 0x002UL
#define XCR0_AVX 0x004UL
#define XCR0_AVX512 0x0e0UL /* opmask, upper halves, upper registers */
#define XCR0_PKRU 0x200UL
#define XCR0_ALLOWED (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU)

struct cpuid_host {
    struct cpuid_leaf basic[CPUID_BASIC_COUNT];
    struct cpuid_leaf ext[CPUID_EXT_COUNT];
    struct cpuid_leaf cache_intel[CPUID_CACHE_COUNT]; /* leaf 4 */
    struct cpuid_leaf cache_amd[CPUID_CACHE_COUNT];   /* leaf 0x8000001d */
    struct cpuid_leaf leaf7[2];
    struct cpuid_leaf xstate[CPUID_XSTATE_COUNT]; /* leaf 0xd */
    uint32_t basic_max;
    uint32_t ext_max; /* without CPUID_EXT_BASE */
    enum cpuid_vendor vendor;
    uint32_t microcode;
    bool tsc_stable;
    uint32_t word[CPUID_WORD_COUNT];
};

extern struct cpuid_host cpuid_host;

/* Corrections that depend on the vCPU, by index in cpuid_get.c. */
enum cpuid_fixup {
    CPUID_FIX_NONE,
    CPUID_FIX_LEAF1,
    CPUID_FIX_LEAF7,
    CPUID_FIX_TOPOLOGY,
    CPUID_FIX_XSTATE,
    CPUID_FIX_AMD_TOPOLOGY,
    CPUID_FIX_VCPU_ID,
    CPUID_FIX_COUNT
};

/* Where one leaf's results are: leaf[first .. first + count - 1]. Slot and
 * leaf 0 are zero, so an absent leaf needs no test. */
struct cpuid_slot {
    uint8_t first;
    uint8_t count;
    uint8_t fixup; /* enum cpuid_fixup */
    bool indexed;  /* the subleaf counts */
};

struct cpuid_policy {
    struct cpuid_slot basic[CPUID_BASIC_COUNT];
    struct cpuid_slot ext[CPUID_EXT_COUNT];
    struct cpuid_slot hv[CPUID_HV_COUNT];
    struct cpuid_slot absent;
    unsigned used; /* of leaf[] */
    uint32_t word[CPUID_WORD_COUNT];
    uint64_t cr4_mask;
    uint64_t efer_mask;
    uint64_t xcr0_mask;
    uint8_t phys_bits;
    uint8_t id_bits; /* width of the APIC ids of the package */
    struct cpuid_leaf leaf[CPUID_LEAF_COUNT];
};

static inline bool cpuid_word_has(const uint32_t *word, enum cpuid_feature f)
{
    return (word[f / 32u] >> (f % 32u) & 1u) != 0;
}
static inline void cpuid_word_set(uint32_t *word, enum cpuid_feature f, bool on)
{
    word[f / 32u] =
        (word[f / 32u] & ~(1u << (f % 32u))) | ((uint32_t)on << (f % 32u));
}

/* cpuid_host.c: the columns of cpuid_features.def as masks */
extern uint32_t cpuid_rule_host[CPUID_WORD_COUNT];
extern uint32_t cpuid_rule_emulated[CPUID_WORD_COUNT];
/** Where each feature word stands. */
struct cpuid_word_place {
    uint32_t leaf;
    uint8_t subleaf;
    uint8_t reg; /* enum cpuid_reg */
};
extern const struct cpuid_word_place cpuid_word_place[CPUID_WORD_COUNT];

/* cpuid_policy.c */
/** Fills words and masks of `p` for `d`; leaves come afterwards. */
void cpuid_features_compute(struct cpuid_policy *p, const struct domain *d);
