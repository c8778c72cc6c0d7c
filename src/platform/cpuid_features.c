/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which features a domain gets, and which control bits follow. A feature is
 * dropped when what it builds on is missing, so that no guest meets half of an
 * instruction set.
 *
 * Threat surface: a control bit let through here is loaded into the processor.
 */
#include "ravelin/cpuid_policy.h"

#include "cpuid_private.h"

/* In an order that lets a dropped feature drop those below it. */
static const struct {
    uint16_t feature;
    uint16_t needs;
} dependencies[] = {
    {CPUID_F_SSE2, CPUID_F_SSE},
    {CPUID_F_SSE, CPUID_F_FXSR},
    {CPUID_F_XSAVEOPT, CPUID_F_XSAVE},
    {CPUID_F_XSAVEC, CPUID_F_XSAVE},
    {CPUID_F_XGETBV1, CPUID_F_XSAVE},
    {CPUID_F_PKU, CPUID_F_XSAVE},
    {CPUID_F_AVX, CPUID_F_XSAVE},
    {CPUID_F_AVX2, CPUID_F_AVX},
    {CPUID_F_FMA, CPUID_F_AVX},
    {CPUID_F_FMA4, CPUID_F_AVX},
    {CPUID_F_F16C, CPUID_F_AVX},
    {CPUID_F_XOP, CPUID_F_AVX},
    {CPUID_F_VAES, CPUID_F_AVX},
    {CPUID_F_VPCLMULQDQ, CPUID_F_AVX},
    {CPUID_F_AVX_VNNI, CPUID_F_AVX2},
    {CPUID_F_AVX512F, CPUID_F_AVX2},
    {CPUID_F_AVX512DQ, CPUID_F_AVX512F},
    {CPUID_F_AVX512CD, CPUID_F_AVX512F},
    {CPUID_F_AVX512BW, CPUID_F_AVX512F},
    {CPUID_F_AVX512VL, CPUID_F_AVX512F},
    {CPUID_F_AVX512IFMA, CPUID_F_AVX512F},
    {CPUID_F_AVX512_VBMI, CPUID_F_AVX512BW},
    {CPUID_F_AVX512_VBMI2, CPUID_F_AVX512BW},
    {CPUID_F_AVX512_BITALG, CPUID_F_AVX512BW},
    {CPUID_F_AVX512_BF16, CPUID_F_AVX512BW},
    {CPUID_F_AVX512_VNNI, CPUID_F_AVX512F},
    {CPUID_F_AVX512_VPOPCNTDQ, CPUID_F_AVX512F},
    {CPUID_F_AVX512_4VNNIW, CPUID_F_AVX512F},
    {CPUID_F_AVX512_4FMAPS, CPUID_F_AVX512F},
    {CPUID_F_AVX512_VP2INTERSECT, CPUID_F_AVX512F},
};

static void dependencies_apply(uint32_t *word)
{
    for (unsigned i = 0; i < ARRAY_SIZE(dependencies); i++) {
        enum cpuid_feature f = (enum cpuid_feature)dependencies[i].feature;
        enum cpuid_feature needs = (enum cpuid_feature)dependencies[i].needs;

        if (!cpuid_word_has(word, needs)) {
            cpuid_word_set(word, f, false);
        }
    }
}

/* Components the host saves, minus those without their instructions; drops
 * the instructions of components the host does not save. */
static uint64_t xcr0_compute(uint32_t *word)
{
    const struct cpuid_leaf *leaf = &cpuid_host.xstate[0];
    uint64_t mask = XCR0_ALLOWED &
                    (leaf->r[CPUID_EAX] | (uint64_t)leaf->r[CPUID_EDX] << 32);

    if (!cpuid_word_has(word, CPUID_F_XSAVE) ||
        (mask & (XCR0_X87 | XCR0_SSE)) != (XCR0_X87 | XCR0_SSE)) {
        cpuid_word_set(word, CPUID_F_XSAVE, false);
        mask = 0;
    }
    if ((mask & XCR0_AVX) == 0) {
        cpuid_word_set(word, CPUID_F_AVX, false);
    }
    if ((mask & XCR0_AVX512) != XCR0_AVX512) {
        cpuid_word_set(word, CPUID_F_AVX512F, false);
    }
    if ((mask & XCR0_PKRU) == 0) {
        cpuid_word_set(word, CPUID_F_PKU, false);
    }
    dependencies_apply(word);
    if (!cpuid_word_has(word, CPUID_F_AVX)) {
        mask &= ~XCR0_AVX;
    }
    if (!cpuid_word_has(word, CPUID_F_AVX512F)) {
        mask &= ~XCR0_AVX512;
    }
    if (!cpuid_word_has(word, CPUID_F_PKU)) {
        mask &= ~XCR0_PKRU;
    }
    return mask;
}

/* ---- Control bits ---- */

struct control_bit {
    uint64_t bits;
    uint16_t feature;
};

static const struct control_bit cr4_bits[] = {
    {1UL << 0 | 1UL << 1, CPUID_F_VME}, /* VME, PVI */
    {1UL << 2, CPUID_F_TSC},            /* TSD */
    {1UL << 3, CPUID_F_DE},
    {1UL << 4, CPUID_F_PSE},
    {1UL << 5, CPUID_F_PAE},
    {1UL << 6, CPUID_F_MCE},
    {1UL << 7, CPUID_F_PGE},
    {1UL << 8, CPUID_F_MMX}, /* PCE: older than any CPUID bit */
    {1UL << 9, CPUID_F_FXSR},
    {1UL << 10, CPUID_F_SSE},
    {1UL << 11, CPUID_F_UMIP},
    {1UL << 16, CPUID_F_FSGSBASE},
    {1UL << 17, CPUID_F_PCID},
    {1UL << 18, CPUID_F_XSAVE},
    {1UL << 20, CPUID_F_SMEP},
    {1UL << 21, CPUID_F_SMAP},
    {1UL << 22, CPUID_F_PKU},
};

static const struct control_bit efer_bits[] = {
    {1UL << 0, CPUID_F_SYSCALL},
    {1UL << 8, CPUID_F_LM},
    {1UL << 11, CPUID_F_NX},
    {1UL << 14, CPUID_F_FFXSR},
};

static uint64_t control_mask(const struct control_bit *list, unsigned count,
                             const uint32_t *word)
{
    uint64_t mask = 0;

    for (unsigned i = 0; i < count; i++) {
        if (cpuid_word_has(word, (enum cpuid_feature)list[i].feature)) {
            mask |= list[i].bits;
        }
    }
    return mask;
}

void cpuid_features_compute(struct cpuid_policy *p, const struct domain *d)
{
    const struct cpuid_host *h = &cpuid_host;
    bool amd = h->vendor == CPUID_VENDOR_AMD;
    bool several = d->vcpu_count > 1;

    for (unsigned w = 0; w < CPUID_WORD_COUNT; w++) {
        p->word[w] = (h->word[w] & cpuid_rule_host[w]) | cpuid_rule_emulated[w];
    }
    p->xcr0_mask = xcr0_compute(p->word);
    cpuid_word_set(p->word, CPUID_F_APIC, true);
    cpuid_word_set(p->word, CPUID_F_HTT, several);
    cpuid_word_set(p->word, CPUID_F_CMP_LEGACY, several && amd);
    cpuid_word_set(p->word, CPUID_F_ITSC,
                   h->tsc_stable || cpuid_word_has(h->word, CPUID_F_ITSC));
    if (amd) {
        /* The copy of leaf 1's bits agrees with what is left of them. */
        p->word[CPUID_W_81D] &= ~0x0183f3ffu;
        p->word[CPUID_W_81D] |= p->word[CPUID_W_1D] & 0x0183f3ffu;
    }
    p->cr4_mask = control_mask(cr4_bits, ARRAY_SIZE(cr4_bits), p->word);
    p->efer_mask = control_mask(efer_bits, ARRAY_SIZE(efer_bits), p->word);
}
