/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshot of the host's CPUID, taken once. Policies are computed from it and
 * never execute CPUID themselves, so every domain sees one consistent machine,
 * and tests can present any processor.
 *
 * Threat surface: none; runs before any guest.
 */
#include "ravelin/cpuid_policy.h"
#include "ravelin/string.h"

#include "cpuid_private.h"

struct cpuid_host cpuid_host;

enum rule { RULE_HOST, RULE_EMULATED, RULE_DYNAMIC, RULE_HIDDEN };

static const struct {
    uint16_t feature;
    uint8_t rule;
} rules[] = {
#define CPUID_FEATURE(word, bit, name, rule) {CPUID_F_##name, RULE_##rule},
#include "ravelin/cpuid_features.def"
#undef CPUID_FEATURE
};

uint32_t cpuid_rule_host[CPUID_WORD_COUNT];
uint32_t cpuid_rule_emulated[CPUID_WORD_COUNT];

/* Processors of AMD repeat these bits of leaf 1 EDX in 0x80000001 EDX. */
#define COMMON_1D 0x0183f3ffu

const struct cpuid_word_place cpuid_word_place[CPUID_WORD_COUNT] = {
    [CPUID_W_1D] = {0x1, 0, CPUID_EDX},
    [CPUID_W_1C] = {0x1, 0, CPUID_ECX},
    [CPUID_W_7B] = {0x7, 0, CPUID_EBX},
    [CPUID_W_7C] = {0x7, 0, CPUID_ECX},
    [CPUID_W_7D] = {0x7, 0, CPUID_EDX},
    [CPUID_W_71A] = {0x7, 1, CPUID_EAX},
    [CPUID_W_D1A] = {0xd, 1, CPUID_EAX},
    [CPUID_W_81D] = {0x80000001u, 0, CPUID_EDX},
    [CPUID_W_81C] = {0x80000001u, 0, CPUID_ECX},
    [CPUID_W_87D] = {0x80000007u, 0, CPUID_EDX},
    [CPUID_W_88B] = {0x80000008u, 0, CPUID_EBX},
    [CPUID_W_821A] = {0x80000021u, 0, CPUID_EAX},
};

static void leaf_read(cpuid_read_fn read, uint32_t max, uint32_t leaf,
                      uint32_t subleaf, struct cpuid_leaf *out)
{
    memset(out, 0, sizeof(*out));
    if (leaf <= max) {
        read(leaf, subleaf, out->r);
    }
}

static void leaves_read(cpuid_read_fn read, uint32_t max, uint32_t leaf,
                        struct cpuid_leaf *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        leaf_read(read, max, leaf, i, &out[i]);
    }
}

static enum cpuid_vendor vendor_of(const struct cpuid_leaf *leaf0)
{
    static const struct {
        char text[13];
        enum cpuid_vendor vendor;
    } known[] = {
        {"GenuineIntel", CPUID_VENDOR_INTEL},
        {"AuthenticAMD", CPUID_VENDOR_AMD},
        {"HygonGenuine", CPUID_VENDOR_AMD},
    };
    const uint32_t text[3] = {leaf0->r[CPUID_EBX], leaf0->r[CPUID_EDX],
                              leaf0->r[CPUID_ECX]};

    for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
        if (memcmp(text, known[i].text, sizeof(text)) == 0) {
            return known[i].vendor;
        }
    }
    return CPUID_VENDOR_OTHER;
}

static void words_compute(struct cpuid_host *h)
{
    const struct cpuid_leaf *const leaf[CPUID_WORD_COUNT] = {
        [CPUID_W_1D] = &h->basic[1],   [CPUID_W_1C] = &h->basic[1],
        [CPUID_W_7B] = &h->leaf7[0],   [CPUID_W_7C] = &h->leaf7[0],
        [CPUID_W_7D] = &h->leaf7[0],   [CPUID_W_71A] = &h->leaf7[1],
        [CPUID_W_D1A] = &h->xstate[1], [CPUID_W_81D] = &h->ext[1],
        [CPUID_W_81C] = &h->ext[1],    [CPUID_W_87D] = &h->ext[7],
        [CPUID_W_88B] = &h->ext[8],    [CPUID_W_821A] = &h->ext[0x21],
    };

    for (unsigned w = 0; w < CPUID_WORD_COUNT; w++) {
        h->word[w] = leaf[w]->r[cpuid_word_place[w].reg];
        cpuid_rule_host[w] = 0;
        cpuid_rule_emulated[w] = 0;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
        enum cpuid_feature f = (enum cpuid_feature)rules[i].feature;

        if (rules[i].rule == RULE_HOST) {
            cpuid_word_set(cpuid_rule_host, f, true);
        } else if (rules[i].rule == RULE_EMULATED) {
            cpuid_word_set(cpuid_rule_emulated, f, true);
        }
    }
    if (h->vendor == CPUID_VENDOR_AMD) {
        cpuid_rule_host[CPUID_W_81D] |= COMMON_1D;
    }
}

void cpuid_host_init(cpuid_read_fn read, uint32_t microcode, bool tsc_stable)
{
    struct cpuid_host *h = &cpuid_host;
    struct cpuid_leaf first;

    read(0, 0, first.r);
    h->basic_max = first.r[CPUID_EAX];
    h->vendor = vendor_of(&first);
    read(CPUID_EXT_BASE, 0, first.r);
    h->ext_max = first.r[CPUID_EAX] >= CPUID_EXT_BASE
                     ? first.r[CPUID_EAX] - CPUID_EXT_BASE
                     : 0;
    for (uint32_t i = 0; i < CPUID_BASIC_COUNT; i++) {
        leaf_read(read, h->basic_max, i, 0, &h->basic[i]);
    }
    for (uint32_t i = 0; i < CPUID_EXT_COUNT; i++) {
        leaf_read(read, CPUID_EXT_BASE + h->ext_max, CPUID_EXT_BASE + i, 0,
                  &h->ext[i]);
    }
    leaves_read(read, h->basic_max, 4, h->cache_intel, CPUID_CACHE_COUNT);
    leaves_read(read, h->basic_max, 7, h->leaf7, 2);
    leaves_read(read, h->basic_max, 0xd, h->xstate, CPUID_XSTATE_COUNT);
    leaves_read(read, CPUID_EXT_BASE + h->ext_max, 0x8000001du, h->cache_amd,
                CPUID_CACHE_COUNT);
    if (h->leaf7[0].r[CPUID_EAX] < 1) {
        memset(&h->leaf7[1], 0, sizeof(h->leaf7[1]));
    }
    h->microcode = microcode;
    h->tsc_stable = tsc_stable;
    words_compute(h);
}

uint32_t cpuid_host_microcode(void)
{
    return cpuid_host.microcode;
}
