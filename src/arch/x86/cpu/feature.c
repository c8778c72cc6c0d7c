/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processor features from CPUID. The table names every bit that is looked at;
 * leaves beyond the reported maximum read as zero.
 * Ref: AMD APM Vol 3 Appendix E "Obtaining Processor Information Via the CPUID
 *      Instruction"; Intel SDM Vol 2A "CPUID".
 */
#include "cpu/feature.h"

#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "ravelin/string.h"

enum cpuid_output { OUT_EAX, OUT_EBX, OUT_ECX, OUT_EDX };

#define EXT_LEAF 0x80000000u
#define SVM_LEAF 0x8000000au
#define BRAND_LEAF 0x80000002u
#define BRAND_LEAVES 3u
#define XSTATE_LEAF 0xdu

struct x86_features x86_features RV_RO_AFTER_INIT = {0};

#define BIT(leaf, subleaf, out, bit, field)                           \
    {                                                                 \
        leaf, subleaf, out, bit, offsetof(struct x86_features, field) \
    }

static const struct {
    uint32_t leaf;
    uint32_t subleaf;
    uint8_t out;
    uint8_t bit;
    uint16_t field;
} feature_bit[] = {
    BIT(0x1, 0, OUT_ECX, 3, monitor),
    BIT(0x1, 0, OUT_ECX, 5, vmx),
    BIT(0x1, 0, OUT_ECX, 21, x2apic),
    BIT(0x1, 0, OUT_ECX, 24, tsc_deadline),
    BIT(0x1, 0, OUT_ECX, 26, xsave),
    BIT(0x1, 0, OUT_ECX, 30, rdrand),
    BIT(0x1, 0, OUT_EDX, 7, mce),
    BIT(0x1, 0, OUT_EDX, 13, pge),
    BIT(0x1, 0, OUT_EDX, 24, fxsr),
    BIT(0x6, 0, OUT_EAX, 2, arat),
    BIT(0x7, 0, OUT_EBX, 0, fsgsbase),
    BIT(0x7, 0, OUT_EBX, 1, tsc_adjust),
    BIT(0x7, 0, OUT_EBX, 7, smep),
    BIT(0x7, 0, OUT_EBX, 9, erms),
    BIT(0x7, 0, OUT_EBX, 20, smap),
    BIT(0x7, 0, OUT_ECX, 2, umip),
    BIT(XSTATE_LEAF, 1, OUT_EAX, 0, xsaveopt),
    BIT(XSTATE_LEAF, 1, OUT_EAX, 1, xsavec),
    BIT(XSTATE_LEAF, 1, OUT_EAX, 3, xsaves),
    BIT(0x80000001, 0, OUT_ECX, 2, svm),
    BIT(0x80000001, 0, OUT_EDX, 20, nx),
    BIT(0x80000001, 0, OUT_EDX, 26, gb_pages),
    BIT(0x80000001, 0, OUT_EDX, 27, rdtscp),
    BIT(0x80000007, 0, OUT_EDX, 8, tsc_invariant),
    BIT(SVM_LEAF, 0, OUT_EDX, 0, npt),
    BIT(SVM_LEAF, 0, OUT_EDX, 1, lbrv),
    BIT(SVM_LEAF, 0, OUT_EDX, 3, nrips),
    BIT(SVM_LEAF, 0, OUT_EDX, 5, vmcb_clean),
    BIT(SVM_LEAF, 0, OUT_EDX, 6, flush_by_asid),
    BIT(SVM_LEAF, 0, OUT_EDX, 7, decode_assists),
    BIT(SVM_LEAF, 0, OUT_EDX, 10, pause_filter),
    BIT(SVM_LEAF, 0, OUT_EDX, 16, vgif),
};

/* A leaf of this CPU; zeroes if it has none of that number. */
static struct cpuid_regs leaf_read(uint32_t leaf, uint32_t subleaf)
{
    uint32_t base = leaf & EXT_LEAF;

    if (leaf > cpuid(base, 0).eax) {
        return (struct cpuid_regs){0};
    }
    return cpuid(leaf, subleaf);
}

static bool feature_present(size_t i, bool svm)
{
    struct cpuid_regs r =
        leaf_read(feature_bit[i].leaf, feature_bit[i].subleaf);
    uint32_t out[] = {r.eax, r.ebx, r.ecx, r.edx};

    /* The SVM leaf is reserved on processors without SVM. */
    if (feature_bit[i].leaf == SVM_LEAF && !svm) {
        return false;
    }
    return (out[feature_bit[i].out] >> feature_bit[i].bit) & 1u;
}

static bool *feature_field(struct x86_features *f, size_t i)
{
    return (bool *)((uint8_t *)f + feature_bit[i].field);
}

static void vendor_detect(struct x86_features *f)
{
    struct cpuid_regs r = cpuid(0, 0);
    uint32_t id[3] = {r.ebx, r.edx, r.ecx};

    f->max_leaf = r.eax;
    f->max_ext_leaf = cpuid(EXT_LEAF, 0).eax;
    if (memcmp(id, "AuthenticAMD", sizeof(id)) == 0 ||
        memcmp(id, "HygonGenuine", sizeof(id)) == 0) {
        f->vendor = VENDOR_AMD;
    } else if (memcmp(id, "GenuineIntel", sizeof(id)) == 0) {
        f->vendor = VENDOR_INTEL;
    }
}

static void brand_detect(struct x86_features *f)
{
    char text[sizeof(struct cpuid_regs) * BRAND_LEAVES];
    size_t start = 0;
    size_t end;

    for (uint32_t i = 0; i < BRAND_LEAVES; i++) {
        struct cpuid_regs r = leaf_read(BRAND_LEAF + i, 0);

        memcpy(&text[i * sizeof(r)], &r, sizeof(r));
    }
    while (start < sizeof(text) && text[start] == ' ') {
        start++;
    }
    end = start + strnlen(&text[start], sizeof(text) - start);
    while (end > start && text[end - 1] == ' ') {
        end--;
    }
    (void)string_copy_bounded(f->brand, sizeof(f->brand), &text[start],
                              end - start);
}

static void version_detect(struct x86_features *f)
{
    uint32_t version = cpuid(1, 0).eax;
    uint32_t family = (version >> 8) & 0xf;
    uint32_t model = (version >> 4) & 0xf;

    if (family == 0xf) {
        family += (version >> 20) & 0xff;
    }
    if (family >= 6) {
        model |= (version >> 12) & 0xf0;
    }
    f->family = (uint8_t)family;
    f->model = (uint8_t)model;
    f->stepping = version & 0xf;
}

static void sizes_detect(struct x86_features *f)
{
    struct cpuid_regs address = leaf_read(0x80000008, 0);
    struct cpuid_regs xstate = leaf_read(XSTATE_LEAF, 0);

    f->phys_bits = address.eax != 0 ? address.eax & 0xff : 36;
    f->linear_bits = address.eax != 0 ? (address.eax >> 8) & 0xff : 48;
    if (f->xsave) {
        f->xcr0_mask = ((uint64_t)xstate.edx << 32) | xstate.eax;
        f->xsave_size = xstate.ecx;
    }
    if (f->svm) {
        f->asid_count = leaf_read(SVM_LEAF, 0).ebx;
    }
}

void feature_detect(void)
{
    struct x86_features *f = &x86_features;

    vendor_detect(f);
    brand_detect(f);
    version_detect(f);
    for (size_t i = 0; i < ARRAY_SIZE(feature_bit); i++) {
        *feature_field(f, i) = feature_present(i, f->svm);
    }
    sizes_detect(f);
}

bool feature_matches_boot_cpu(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(feature_bit); i++) {
        if (*feature_field(&x86_features, i) &&
            !feature_present(i, x86_features.svm)) {
            return false;
        }
    }
    return true;
}
