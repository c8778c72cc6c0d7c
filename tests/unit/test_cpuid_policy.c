/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPUID policy over made-up processors with every feature bit set: what a
 * guest sees then is what the policy lets through.
 */
#include "platform_fixture.h"

#include "arch/backend.h"
#include "arch/host.h"
#include "ravelin/vlapic.h"

#define CR4_OSXSAVE (1UL << 18)
#define CR4_PKE (1UL << 22)

static struct domain *dom;

static int case_amd(void **state)
{
    (void)state;
    platform_cpuid_use(CPUID_VENDOR_AMD);
    dom = platform_domain(3, 0);
    return 0;
}

static int case_intel(void **state)
{
    (void)state;
    platform_cpuid_use(CPUID_VENDOR_INTEL);
    dom = platform_domain(3, 0);
    return 0;
}

static int case_end(void **state)
{
    (void)state;
    platform_domain_destroy(dom);
    return 0;
}

/* Builds the domain again after a change of the processor. */
static void rebuild(unsigned vcpus, uint32_t roles)
{
    platform_domain_destroy(dom);
    dom = platform_domain(vcpus, roles);
}

static struct cpuid_leaf get_on(const struct vcpu *v, uint32_t leaf,
                                uint32_t subleaf)
{
    struct cpuid_leaf out;

    memset(&out, 0xee, sizeof(out));
    cpuid_policy_get(v, leaf, subleaf, out.r);
    return out;
}

static struct cpuid_leaf get(uint32_t leaf, uint32_t subleaf)
{
    return get_on(dom->vcpu[0], leaf, subleaf);
}

static uint32_t get_reg(uint32_t leaf, uint32_t subleaf, enum cpuid_reg reg)
{
    return get(leaf, subleaf).r[reg];
}

static void assert_zero(struct cpuid_leaf l)
{
    assert_int_equal(l.r[0] | l.r[1] | l.r[2] | l.r[3], 0);
}

/* ---- Xen's leaves ---- */

static void xen_leaves_are_those_of_4_17(void **state)
{
    struct cpuid_leaf l = get(0x40000000, 0);

    (void)state;
    assert_int_equal(l.r[CPUID_EAX], 0x40000005);
    assert_memory_equal(&l.r[CPUID_EBX], "XenVMMXenVMM", 12);
    l = get(0x40000001, 0);
    assert_int_equal(l.r[CPUID_EAX], 4 << 16 | 17);
    l = get(0x40000002, 0);
    assert_int_equal(l.r[CPUID_EAX], 1);
    assert_int_equal(l.r[CPUID_EBX], 0x40000000);
    assert_int_equal(l.r[CPUID_ECX] | l.r[CPUID_EDX], 0);
    assert_zero(get(0x40000005, 0));
    assert_zero(get(0x40000006, 0));
    assert_zero(get(0x400000ff, 0));
    assert_zero(get(0x40000100, 0));
}

static void xen_time_leaf_tells_frequency_and_mode(void **state)
{
    struct cpuid_leaf l = get(0x40000003, 0);

    (void)state;
    assert_int_equal(l.r[CPUID_EAX], 2 | 4); /* reliable, RDTSCP */
    assert_int_equal(l.r[CPUID_EBX], 0);
    assert_int_equal(l.r[CPUID_ECX], arch_tsc_khz());
    assert_int_equal(l.r[CPUID_EDX], 0);
    l = get(0x40000003, 2);
    assert_int_equal(l.r[CPUID_EAX], arch_tsc_khz());
    assert_zero(get(0x40000003, 3));
}

static void xen_time_leaf_scale_turns_a_second_of_ticks_into_ns(void **state)
{
    struct cpuid_leaf l = get(0x40000003, 1);
    uint64_t ticks = (uint64_t)arch_tsc_khz() * 1000;
    int8_t shift = (int8_t)l.r[CPUID_EDX];
    uint64_t ns;

    (void)state;
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    ns = (uint64_t)((unsigned __int128)ticks * l.r[CPUID_ECX] >> 32);
    assert_in_range(ns, 999999990UL, 1000000010UL);
    assert_int_equal((uint64_t)l.r[CPUID_EBX] << 32 | l.r[CPUID_EAX],
                     dom->boot_time_ns);
}

static void xen_hvm_leaf_tells_vcpu_and_domain(void **state)
{
    struct cpuid_leaf l = get_on(dom->vcpu[2], 0x40000004, 0);

    (void)state;
    assert_int_equal(l.r[CPUID_EAX], 1 << 3 | 1 << 4 | 1 << 6);
    assert_int_equal(l.r[CPUID_EBX], 2);
    assert_int_equal(l.r[CPUID_ECX], dom->id);
    assert_zero(get(0x40000004, 1));
}

static void frequency_leaf_tells_tsc_and_apic_clock(void **state)
{
    struct cpuid_leaf l = get(0x40000010, 0);

    (void)state;
    assert_int_equal(l.r[CPUID_EAX], arch_tsc_khz());
    assert_int_equal(l.r[CPUID_EBX], VLAPIC_BUS_KHZ);
}

/* ---- Allow-list ---- */

/* Words of leaf, subleaf, register with the only bits that may ever show. */
static const struct {
    uint32_t leaf;
    uint32_t subleaf;
    enum cpuid_reg reg;
    uint32_t allowed;
} word_limits[] = {
    {1, 0, CPUID_ECX, 0xfff83203u | 1u << 17},
    {1, 0, CPUID_EDX, 0x178bfbffu},
    {7, 0, CPUID_EBX, 0xf1bf27ebu | 1u << 16 | 1u << 17 | 1u << 28},
    {7, 0, CPUID_ECX, 0x1a405f5fu & ~(1u << 5)},
    {7, 0, CPUID_EDX, 0x0000451cu},
    {0x80000001u, 0, CPUID_ECX, 0x006109f3u | 1u << 1},
    {0x80000001u, 0, CPUID_EDX, 0xefd3fbffu},
    {0x80000007u, 0, CPUID_EDX, 0x00000100u},
    {0x80000008u, 0, CPUID_EBX, 0x00000205u},
    {0x80000021u, 0, CPUID_EAX, 0x00000044u},
};

static void words_show_allowed_bits_only(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(word_limits) / sizeof(*word_limits); i++) {
        uint32_t shown = get_reg(word_limits[i].leaf, word_limits[i].subleaf,
                                 word_limits[i].reg);

        if ((shown & ~word_limits[i].allowed) != 0) {
            print_error("leaf %#x.%u reg %u: %#x\n", word_limits[i].leaf,
                        word_limits[i].subleaf, word_limits[i].reg,
                        shown & ~word_limits[i].allowed);
        }
        assert_int_equal(shown & ~word_limits[i].allowed, 0);
    }
}

static void hardware_domain_never_sees_virtualisation(void **state)
{
    (void)state;
    rebuild(3, ROLE_HARDWARE | ROLE_CONTROL);
    assert_false(cpuid_policy_has(dom, CPUID_F_SVM));
    assert_false(cpuid_policy_has(dom, CPUID_F_VMX));
    assert_false(cpuid_policy_has(dom, CPUID_F_SKINIT));
    assert_false(cpuid_policy_has(dom, CPUID_F_SMX));
    assert_zero(get(0x8000000a, 0));
    words_show_allowed_bits_only(state);
}

static void features_that_are_emulated_show_on_any_host(void **state)
{
    (void)state;
    platform_cpuid_patch(1, 0, CPUID_ECX, 0xffffffff, 0);
    platform_cpuid_patch(7, 0, CPUID_EBX, 0xffffffff, 0);
    rebuild(1, 0);
    assert_int_equal(get_reg(1, 0, CPUID_ECX), 1u << 21 | 1u << 24 | 1u << 31);
    assert_int_equal(get_reg(7, 0, CPUID_EBX), 1u << 1);
}

static void features_the_host_lacks_do_not_show(void **state)
{
    (void)state;
    platform_cpuid_patch(1, 0, CPUID_ECX, 1u << 30, 0);
    platform_cpuid_patch(7, 0, CPUID_EBX, 1u << 7, 0);
    rebuild(1, 0);
    assert_false(cpuid_policy_has(dom, CPUID_F_RDRAND));
    assert_false(cpuid_policy_has(dom, CPUID_F_SMEP));
    assert_true(cpuid_policy_has(dom, CPUID_F_SMAP));
    assert_int_equal(cpuid_policy_cr4_mask(dom) & (1UL << 20), 0);
}

static void amd_copy_of_leaf_1_agrees_with_it(void **state)
{
    uint32_t common = 0x0183f3ffu;

    (void)state;
    platform_cpuid_patch(1, 0, CPUID_EDX, 1u << 16 | 1u << 2, 0);
    rebuild(1, 0);
    assert_int_equal(get_reg(0x80000001, 0, CPUID_EDX) & common,
                     get_reg(1, 0, CPUID_EDX) & common);
    assert_int_equal(get_reg(1, 0, CPUID_EDX) & (1u << 16 | 1u << 2), 0);
}

static void intel_has_no_copy_of_leaf_1(void **state)
{
    (void)state;
    assert_int_equal(get_reg(0x80000001, 0, CPUID_EDX) & 0x0183f3ffu, 0);
}

static void avx_without_its_state_component_is_dropped(void **state)
{
    (void)state;
    platform_cpuid_patch(0xd, 0, CPUID_EAX, 4, 0);
    rebuild(1, 0);
    assert_false(cpuid_policy_has(dom, CPUID_F_AVX));
    assert_false(cpuid_policy_has(dom, CPUID_F_AVX2));
    assert_false(cpuid_policy_has(dom, CPUID_F_AVX512F));
    assert_false(cpuid_policy_has(dom, CPUID_F_AVX512_VBMI));
    assert_false(cpuid_policy_has(dom, CPUID_F_FMA));
    assert_int_equal(cpuid_policy_xcr0_mask(dom), 0x203);
}

static void avx512_without_all_its_state_is_dropped(void **state)
{
    (void)state;
    platform_cpuid_patch(0xd, 0, CPUID_EAX, 0x20, 0);
    rebuild(1, 0);
    assert_true(cpuid_policy_has(dom, CPUID_F_AVX2));
    assert_false(cpuid_policy_has(dom, CPUID_F_AVX512F));
    assert_false(cpuid_policy_has(dom, CPUID_F_AVX512VL));
    assert_false(cpuid_policy_has(dom, CPUID_F_AVX512_VNNI));
    assert_int_equal(cpuid_policy_xcr0_mask(dom), 0x207);
}

static void host_without_xsave_has_no_extended_state(void **state)
{
    (void)state;
    platform_cpuid_patch(1, 0, CPUID_ECX, 1u << 26, 0);
    rebuild(1, 0);
    assert_int_equal(cpuid_policy_xcr0_mask(dom), 0);
    assert_false(cpuid_policy_has(dom, CPUID_F_AVX));
    assert_false(cpuid_policy_has(dom, CPUID_F_PKU));
    assert_false(cpuid_policy_has(dom, CPUID_F_XSAVEOPT));
    assert_zero(get(0xd, 0));
    assert_int_equal(cpuid_policy_cr4_mask(dom) & CR4_OSXSAVE, 0);
    assert_false(cpuid_policy_xcr0_is_valid(dom, 1));
}

/* ---- Limits and identification ---- */

static void max_leaves_are_clamped(void **state)
{
    (void)state;
    assert_int_equal(get_reg(0, 0, CPUID_EAX), 0xd);
    assert_memory_equal(&get(0, 0).r[CPUID_EBX], "AuthcAMDenti", 12);
    assert_int_equal(get_reg(0x80000000, 0, CPUID_EAX), 0x80000021);
    assert_zero(get(0x17, 0));
    assert_zero(get(0x7fffffff, 0));
    assert_zero(get(0x80000022, 0));
    assert_zero(get(0xffffffff, 0xffffffff));
}

static void leaves_not_virtualised_are_zero(void **state)
{
    static const uint32_t leaves[] = {
        3,    5,    9,          0xa,        0xf,        0x10,
        0x12, 0x14, 0x8000000a, 0x8000001b, 0x8000001c, 0x8000001f};

    (void)state;
    for (unsigned i = 0; i < sizeof(leaves) / sizeof(*leaves); i++) {
        assert_zero(get(leaves[i], 0));
    }
}

static void leaves_without_subleaves_ignore_them(void **state)
{
    static const uint32_t leaves[] = {0, 1, 6, 0x40000000, 0x80000002};

    (void)state;
    for (unsigned i = 0; i < sizeof(leaves) / sizeof(*leaves); i++) {
        struct cpuid_leaf a = get(leaves[i], 0);
        struct cpuid_leaf b = get(leaves[i], 0x1234);

        assert_memory_equal(&a, &b, sizeof(a));
    }
}

static void power_leaf_shows_the_invariant_tsc_only(void **state)
{
    struct cpuid_leaf l = get(0x80000007, 0);

    (void)state;
    assert_int_equal(l.r[CPUID_EAX] | l.r[CPUID_EBX] | l.r[CPUID_ECX], 0);
    assert_int_equal(l.r[CPUID_EDX], 1u << 8);
}

static void brand_and_signature_are_the_hosts(void **state)
{
    struct cpuid_leaf l = get(0x80000002, 0);

    (void)state;
    assert_memory_equal(l.r, "Made-Up CPU 3000", 16);
    assert_int_equal(get_reg(1, 0, CPUID_EAX), 0x00a20f10);
}

static void intel_crystal_gives_tsc_frequency(void **state)
{
    struct cpuid_leaf l = get(0x15, 0);

    (void)state;
    assert_int_equal(get_reg(0, 0, CPUID_EAX), 0x15);
    assert_int_equal((uint64_t)l.r[CPUID_ECX] * l.r[CPUID_EBX] / l.r[CPUID_EAX],
                     (uint64_t)arch_tsc_khz() * 1000);
}

static void invariant_tsc_shows_only_when_sound(void **state)
{
    (void)state;
    assert_true(cpuid_policy_has(dom, CPUID_F_ITSC));
    platform_cpuid_patch(0x80000007, 0, CPUID_EDX, 1u << 8, 0);
    rebuild(1, 0);
    assert_false(cpuid_policy_has(dom, CPUID_F_ITSC));
    assert_int_equal(get_reg(0x40000003, 0, CPUID_EAX) & 2, 0);
    cpuid_host_init(platform_cpuid_read, 0, true);
    rebuild(1, 0);
    assert_true(cpuid_policy_has(dom, CPUID_F_ITSC));
    assert_int_equal(get_reg(0x80000007, 0, CPUID_EDX), 1u << 8);
}

static void phys_bits_are_clamped_to_what_is_mapped(void **state)
{
    (void)state;
    assert_int_equal(cpuid_policy_phys_bits(dom), 48);
    platform_cpuid_patch(0x80000008, 0, CPUID_EAX, 0xff, 52);
    rebuild(1, 0);
    assert_int_equal(get_reg(0x80000008, 0, CPUID_EAX), 0x3030);
    platform_cpuid_patch(0x80000008, 0, CPUID_EAX, 0xff, 39);
    rebuild(1, 0);
    assert_int_equal(get_reg(0x80000008, 0, CPUID_EAX), 0x3027);
}

/* ---- Topology ---- */

static void apic_ids_agree_in_all_leaves(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        const struct vcpu *v = dom->vcpu[i];

        assert_int_equal(get_on(v, 1, 0).r[CPUID_EBX] >> 24, 2 * i);
        assert_int_equal(get_on(v, 0xb, 0).r[CPUID_EDX], 2 * i);
        assert_int_equal(get_on(v, 0xb, 1).r[CPUID_EDX], 2 * i);
        assert_int_equal(get_on(v, 0xb, 7).r[CPUID_EDX], 2 * i);
        assert_int_equal(get_on(v, 0x8000001e, 0).r[CPUID_EAX], 2 * i);
        assert_int_equal(get_on(v, 0x8000001e, 0).r[CPUID_EBX], i);
        assert_int_equal(vlapic_mmio_read(dom->vcpu[i], 0x20) >> 24, 2 * i);
    }
}

static void topology_leaf_describes_single_threaded_cores(void **state)
{
    struct cpuid_leaf l = get(0xb, 0);

    (void)state;
    assert_int_equal(l.r[CPUID_EAX], 1);
    assert_int_equal(l.r[CPUID_EBX], 1);
    assert_int_equal(l.r[CPUID_ECX], 0x100);
    l = get(0xb, 1);
    assert_int_equal(l.r[CPUID_EAX], 3); /* ids 0..4 need three bits */
    assert_int_equal(l.r[CPUID_EBX], 3);
    assert_int_equal(l.r[CPUID_ECX], 0x201);
    l = get(0xb, 0x155);
    assert_int_equal(l.r[CPUID_EAX] | l.r[CPUID_EBX], 0);
    assert_int_equal(l.r[CPUID_ECX], 0x55);
}

static void amd_core_count_leaf_agrees(void **state)
{
    uint32_t ecx = get_reg(0x80000008, 0, CPUID_ECX);

    (void)state;
    assert_int_equal(ecx & 0xff, 2);
    assert_int_equal(ecx >> 12 & 0xf, 3);
    assert_int_equal(get_reg(1, 0, CPUID_EBX) >> 16 & 0xff, 3);
    assert_true(cpuid_policy_has(dom, CPUID_F_HTT));
    assert_true(cpuid_policy_has(dom, CPUID_F_CMP_LEGACY));
}

static void single_vcpu_has_no_htt(void **state)
{
    (void)state;
    rebuild(1, 0);
    assert_false(cpuid_policy_has(dom, CPUID_F_HTT));
    assert_false(cpuid_policy_has(dom, CPUID_F_CMP_LEGACY));
    assert_int_equal(get_reg(0xb, 1, CPUID_EAX), 1);
    assert_int_equal(get_reg(0xb, 1, CPUID_EBX), 1);
}

static void largest_domain_has_ids_in_six_bits(void **state)
{
    (void)state;
    rebuild(VCPU_COUNT_MAX, 0);
    assert_int_equal(get_reg(0xb, 1, CPUID_EAX), 6);
    assert_int_equal(get_on(dom->vcpu[VCPU_COUNT_MAX - 1], 0xb, 0).r[CPUID_EDX],
                     2 * (VCPU_COUNT_MAX - 1));
}

static void intel_caches_are_shared_as_the_topology_says(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t a = get_reg(4, i, CPUID_EAX);

        assert_int_equal(a >> 26, 3);
        assert_int_equal(a >> 14 & 0xfff, i == 3 ? 7 : 1);
    }
    assert_zero(get(4, 4));
    assert_zero(get(4, 8));
    assert_zero(get(4, 0xffffffff));
}

static void amd_caches_are_shared_as_the_topology_says(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(get_reg(0x8000001d, i, CPUID_EAX) >> 14 & 0xfff,
                         i == 3 ? 7 : 1);
    }
    assert_zero(get(0x8000001d, 4));
    assert_zero(get(4, 0));
}

/* ---- Dynamic bits ---- */

static void osxsave_and_ospke_follow_cr4(void **state)
{
    struct vcpu *v = dom->vcpu[0];

    (void)state;
    hv->creg_set(v, CREG_CR4, 0);
    assert_int_equal(get_reg(1, 0, CPUID_ECX) & 1u << 27, 0);
    assert_int_equal(get_reg(7, 0, CPUID_ECX) & 1u << 4, 0);
    hv->creg_set(v, CREG_CR4, CR4_OSXSAVE | CR4_PKE);
    assert_int_equal(get_reg(1, 0, CPUID_ECX) & 1u << 27, 1u << 27);
    assert_int_equal(get_reg(7, 0, CPUID_ECX) & 1u << 4, 1u << 4);
    assert_int_equal(get_reg(7, 1, CPUID_ECX) & 1u << 4, 0);
}

static void apic_bit_follows_apic_base(void **state)
{
    (void)state;
    assert_int_equal(get_reg(1, 0, CPUID_EDX) & 1u << 9, 1u << 9);
    assert_int_equal(
        vlapic_msr_write(dom->vcpu[0], 0x1b, VLAPIC_MMIO_BASE | 0x100), 0);
    assert_int_equal(get_reg(1, 0, CPUID_EDX) & 1u << 9, 0);
}

static void xsave_sizes_follow_xcr0(void **state)
{
    struct vcpu *v = dom->vcpu[0];

    (void)state;
    assert_int_equal(get_reg(0xd, 0, CPUID_EAX), 0x2e7);
    assert_int_equal(get_reg(0xd, 0, CPUID_EDX), 0);
    assert_int_equal(get_reg(0xd, 0, CPUID_ECX), 2696);
    hv->creg_set(v, CREG_XCR0, 3);
    assert_int_equal(get_reg(0xd, 0, CPUID_EBX), 576);
    hv->creg_set(v, CREG_XCR0, 7);
    assert_int_equal(get_reg(0xd, 0, CPUID_EBX), 832);
    hv->creg_set(v, CREG_XCR0, 0xe7);
    assert_int_equal(get_reg(0xd, 0, CPUID_EBX), 2688);
    /* Compacted: 576 + 256 + 64 + 512, then 1024 aligned to 64. */
    assert_int_equal(get_reg(0xd, 1, CPUID_EBX), 2432);
    assert_int_equal(get_reg(0xd, 1, CPUID_EAX), 7);
    assert_int_equal(get_reg(0xd, 2, CPUID_EAX), 256);
    assert_int_equal(get_reg(0xd, 2, CPUID_EBX), 576);
    assert_zero(get(0xd, 3)); /* MPX is not allowed */
    assert_zero(get(0xd, 10));
    assert_zero(get(0xd, 63));
}

/* ---- Masks ---- */

static void cr4_mask_has_no_bit_without_feature(void **state)
{
    const uint64_t never = 1UL << 12 | 1UL << 13 | 1UL << 14 | 1UL << 23 |
                           1UL << 24 | 1UL << 25 | ~0UL << 32;

    (void)state;
    assert_int_equal(cpuid_policy_cr4_mask(dom) & never, 0);
    assert_int_equal(cpuid_policy_cr4_mask(dom) & 0x7ff, 0x7ff);
}

static void efer_mask_has_no_svm(void **state)
{
    (void)state;
    assert_int_equal(cpuid_policy_efer_mask(dom),
                     1UL << 0 | 1UL << 8 | 1UL << 11 | 1UL << 14);
    platform_cpuid_patch(0x80000001, 0, CPUID_EDX, 1u << 20 | 1u << 25, 0);
    rebuild(1, 0);
    assert_int_equal(cpuid_policy_efer_mask(dom), 1UL << 0 | 1UL << 8);
}

static void xcr0_is_valid_follows_the_architecture(void **state)
{
    (void)state;
    assert_true(cpuid_policy_xcr0_is_valid(dom, 1));
    assert_true(cpuid_policy_xcr0_is_valid(dom, 7));
    assert_true(cpuid_policy_xcr0_is_valid(dom, 0x2e7));
    assert_false(cpuid_policy_xcr0_is_valid(dom, 0));
    assert_false(cpuid_policy_xcr0_is_valid(dom, 6));
    assert_false(cpuid_policy_xcr0_is_valid(dom, 5));
    assert_false(cpuid_policy_xcr0_is_valid(dom, 0x27));
    assert_false(cpuid_policy_xcr0_is_valid(dom, 0xe3));
    assert_false(cpuid_policy_xcr0_is_valid(dom, 0x1f));
    assert_false(cpuid_policy_xcr0_is_valid(dom, 1UL << 63 | 3));
}

#define AMD(f) cmocka_unit_test_setup_teardown(f, case_amd, case_end)
#define INTEL(f) cmocka_unit_test_setup_teardown(f, case_intel, case_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AMD(xen_leaves_are_those_of_4_17),
        AMD(xen_time_leaf_tells_frequency_and_mode),
        AMD(xen_time_leaf_scale_turns_a_second_of_ticks_into_ns),
        AMD(xen_hvm_leaf_tells_vcpu_and_domain),
        AMD(frequency_leaf_tells_tsc_and_apic_clock),
        AMD(words_show_allowed_bits_only),
        INTEL(words_show_allowed_bits_only),
        AMD(hardware_domain_never_sees_virtualisation),
        INTEL(hardware_domain_never_sees_virtualisation),
        AMD(features_that_are_emulated_show_on_any_host),
        AMD(features_the_host_lacks_do_not_show),
        AMD(amd_copy_of_leaf_1_agrees_with_it),
        INTEL(intel_has_no_copy_of_leaf_1),
        AMD(avx_without_its_state_component_is_dropped),
        AMD(avx512_without_all_its_state_is_dropped),
        AMD(host_without_xsave_has_no_extended_state),
        AMD(max_leaves_are_clamped),
        AMD(leaves_not_virtualised_are_zero),
        AMD(leaves_without_subleaves_ignore_them),
        AMD(power_leaf_shows_the_invariant_tsc_only),
        AMD(brand_and_signature_are_the_hosts),
        INTEL(intel_crystal_gives_tsc_frequency),
        AMD(invariant_tsc_shows_only_when_sound),
        AMD(phys_bits_are_clamped_to_what_is_mapped),
        AMD(apic_ids_agree_in_all_leaves),
        AMD(topology_leaf_describes_single_threaded_cores),
        AMD(amd_core_count_leaf_agrees),
        AMD(single_vcpu_has_no_htt),
        AMD(largest_domain_has_ids_in_six_bits),
        INTEL(intel_caches_are_shared_as_the_topology_says),
        AMD(amd_caches_are_shared_as_the_topology_says),
        AMD(osxsave_and_ospke_follow_cr4),
        AMD(apic_bit_follows_apic_base),
        AMD(xsave_sizes_follow_xcr0),
        AMD(cr4_mask_has_no_bit_without_feature),
        AMD(efer_mask_has_no_svm),
        AMD(xcr0_is_valid_follows_the_architecture),
    };

    return group_run(tests, platform_setup, platform_teardown);
}
