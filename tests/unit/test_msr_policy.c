/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSR table: what exists, what each kind of register accepts, and that
 * everything else is #GP without any change of state.
 */
#include "platform_fixture.h"

#include "arch/backend.h"
#include "ravelin/errno.h"
#include "ravelin/msr_policy.h"
#include "ravelin/vlapic.h"

#define TSC 0x10u
#define TSC_ADJUST 0x3bu
#define PAT 0x277u
#define EFER 0xc0000080u
#define CR0_PE_PG 0x80000001u

static struct domain *dom;
static struct vcpu *v;

static int case_vendor(enum cpuid_vendor vendor)
{
    platform_cpuid_use(vendor);
    dom = platform_domain(2, 0);
    v = dom->vcpu[0];
    return 0;
}

static int case_amd(void **state)
{
    (void)state;
    return case_vendor(CPUID_VENDOR_AMD);
}

static int case_intel(void **state)
{
    (void)state;
    return case_vendor(CPUID_VENDOR_INTEL);
}

static int case_end(void **state)
{
    (void)state;
    platform_domain_destroy(dom);
    return 0;
}

static uint64_t rd(uint32_t index)
{
    uint64_t value = 0xdead;

    assert_int_equal(msr_policy_read(v, index, &value), 0);
    return value;
}

static void wr(uint32_t index, uint64_t value)
{
    assert_int_equal(msr_policy_write(v, index, value), 0);
}

static void rd_faults(uint32_t index)
{
    uint64_t value = 0xdead;

    assert_int_equal(msr_policy_read(v, index, &value), -RV_EINVAL);
    assert_int_equal(value, 0xdead);
}

static void wr_faults(uint32_t index, uint64_t value)
{
    assert_int_equal(msr_policy_write(v, index, value), -RV_EINVAL);
}

static void access_unknown_faults(void **state)
{
    /* Performance counters, machine-check banks, virtualisation, SPEC_CTRL,
     * nothing at all. */
    static const uint32_t unknown[] = {
        0x2,        0x48,       0x49,       0xc1,       0x186,      0x309,
        0x38f,      0x400,      0x480,      0x48f,      0x560,      0x6e1,
        0x7ff,      0xc00,      0x40000001, 0x40000100, 0xbfffffff, 0xc0000085,
        0xc0000104, 0xc0010000, 0xc0010004, 0xc0010117, 0xc0010118, 0xc0010200,
        0xc001101a, 0xffffffff};

    (void)state;
    for (unsigned i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        rd_faults(unknown[i]);
        wr_faults(unknown[i], 0);
        assert_null(msr_policy_name(unknown[i]));
    }
}

/* Every index of the three ranges once: reads never crash, and each known
 * one is found again by name (the search and the table's order agree). */
static void access_sweep_finds_every_row(void **state)
{
    static const uint32_t first[] = {0, 0x40000000, 0xc0000000, 0xc0010000};
    unsigned known = 0;

    (void)state;
    for (unsigned r = 0; r < 4; r++) {
        for (uint32_t i = first[r]; i < first[r] + 0x2000; i++) {
            uint64_t value;
            int rc = msr_policy_read(v, i, &value);

            assert_true(rc == 0 || rc == -RV_EINVAL);
            if (rc == 0) {
                assert_non_null(msr_policy_name(i));
                known++;
            }
        }
    }
    assert_in_range(known, 60, 200);
}

static void efer_reserved_bits_fault(void **state)
{
    (void)state;
    wr_faults(EFER, 1UL << 12); /* SVME */
    wr_faults(EFER, 1UL << 13); /* LMSLE */
    wr_faults(EFER, 1UL << 63);
    assert_int_equal(rd(EFER), 0);
}

static void efer_long_mode_bits_follow_paging(void **state)
{
    (void)state;
    wr(EFER, 1UL << 8 | 1UL << 0);
    assert_int_equal(rd(EFER), 0x101);
    hv->creg_set(v, CREG_CR0, CR0_PE_PG);
    hv->creg_set(v, CREG_EFER, 0x501);
    wr_faults(EFER, 0); /* LME with paging on */
    wr(EFER, 0x101);    /* LMA written as 0: stays */
    assert_int_equal(rd(EFER), 0x501);
    wr(EFER, 0xd01);
    assert_int_equal(rd(EFER), 0xd01);
}

static void efer_lma_cannot_be_set_by_writing(void **state)
{
    (void)state;
    wr(EFER, 0x500);
    assert_int_equal(rd(EFER), 0x100);
}

static void pat_accepts_valid_types_only(void **state)
{
    (void)state;
    assert_int_equal(rd(PAT), 0x0007040600070406UL);
    wr(PAT, 0x0007010600070106UL);
    assert_int_equal(rd(PAT), 0x0007010600070106UL);
    wr_faults(PAT, 2);
    wr_faults(PAT, 3UL << 56);
    wr_faults(PAT, 8);
    assert_int_equal(rd(PAT), 0x0007010600070106UL);
}

static void address_registers_need_canonical_values(void **state)
{
    static const uint32_t regs[] = {0x175,      0x176,      0xc0000082,
                                    0xc0000083, 0xc0000100, 0xc0000101,
                                    0xc0000102};

    (void)state;
    for (unsigned i = 0; i < sizeof(regs) / sizeof(*regs); i++) {
        wr(regs[i], 0xffff800012345678UL);
        assert_int_equal(rd(regs[i]), 0xffff800012345678UL);
        wr_faults(regs[i], 0x0000800000000000UL);
        wr_faults(regs[i], 0x8000000000000000UL);
        assert_int_equal(rd(regs[i]), 0xffff800012345678UL);
    }
}

static void narrow_registers_need_32_bit_values(void **state)
{
    (void)state;
    wr(0xc0000103, 0xffffffff);
    assert_int_equal(rd(0xc0000103), 0xffffffff);
    wr_faults(0xc0000103, 1UL << 32);
    wr_faults(0x174, 1UL << 32);
}

static void segment_bases_go_to_the_segments(void **state)
{
    struct vcpu_segment gs;

    (void)state;
    wr(0xc0000101, 0x7fff0000);
    hv->segment_get(v, SEG_GS, &gs);
    assert_int_equal(gs.base, 0x7fff0000);
}

static void tsc_write_moves_adjust_and_offset(void **state)
{
    uint64_t before = rd(TSC);

    (void)state;
    wr(TSC, before + 1000);
    assert_int_equal(rd(TSC), before + 1000);
    assert_int_equal(rd(TSC_ADJUST), 1000);
    assert_int_equal(msr_tsc_offset(v), dom->tsc_offset + 1000);
    wr(TSC_ADJUST, (uint64_t)-500);
    assert_int_equal(rd(TSC), before - 500);
    /* The other vCPU has its own. */
    assert_int_equal(msr_tsc_offset(dom->vcpu[1]), dom->tsc_offset);
}

static void tsc_adjust_moves_a_pending_deadline(void **state)
{
    uint64_t t = platform_time();
    uint64_t value;

    (void)state;
    platform_vcpu_up(v);
    vlapic_mmio_write(v, 0xf0, 0x1ff);
    vlapic_mmio_write(v, 0x320, 0x400ec);
    wr(0x6e0, rd(TSC) + 1000000);
    wr(TSC_ADJUST, 999999);
    platform_time_set(t + 1000);
    assert_int_equal(vlapic_irq_pending(v), 0xec);
    assert_int_equal(msr_policy_read(v, 0x6e0, &value), 0);
    assert_int_equal(value, 0);
}

static void mtrr_reset_is_all_write_back(void **state)
{
    (void)state;
    assert_int_equal(rd(0xfe), 0x508);
    assert_int_equal(rd(0x2ff), 0xc06);
    assert_int_equal(rd(0x250), 0x0606060606060606UL);
    assert_int_equal(rd(0x26f), 0x0606060606060606UL);
    assert_int_equal(rd(0x200), 0);
    assert_int_equal(rd(0x20f), 0);
    wr_faults(0xfe, 0x508);
}

static void mtrr_values_are_kept_apart(void **state)
{
    static const uint32_t fixed[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                     0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        wr(0x200 + 2 * i, i << 12 | 6);
        wr(0x201 + 2 * i, 0xfffff000 | 0x800);
    }
    for (unsigned i = 0; i < 11; i++) {
        wr(fixed[i], i % 2 == 0 ? 0x0101010101010101UL : 0x0505050505050505UL);
    }
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(rd(0x200 + 2 * i), i << 12 | 6);
        assert_int_equal(rd(0x201 + 2 * i), 0xfffff800);
    }
    for (unsigned i = 0; i < 11; i++) {
        assert_int_equal(rd(fixed[i]), i % 2 == 0 ? 0x0101010101010101UL
                                                  : 0x0505050505050505UL);
    }
}

static void mtrr_invalid_values_fault(void **state)
{
    (void)state;
    wr_faults(0x2ff, 0xc02);
    wr_faults(0x2ff, 0x1c06);
    wr_faults(0x250, 0x0606060606060602UL);
    wr_faults(0x200, 0x2);
    wr_faults(0x200, 0x106);
    wr_faults(0x201, 0x400);
    wr_faults(0x200, 1UL << 48 | 6);
    wr_faults(0x201, 1UL << 50);
    assert_int_equal(rd(0x2ff), 0xc06);
}

static void machine_check_has_no_banks(void **state)
{
    (void)state;
    assert_int_equal(rd(0x179), 0);
    assert_int_equal(rd(0x17a), 0);
    wr(0x17a, 0);
    wr_faults(0x17a, 1);
    rd_faults(0x400);
}

static void debugctl_accepts_zero_only(void **state)
{
    (void)state;
    wr(0x1d9, 0);
    wr_faults(0x1d9, 1);
    assert_int_equal(rd(0x1d9), 0);
}

static void hypercall_page_write_needs_a_page_of_the_domain(void **state)
{
    (void)state;
    wr_faults(0x40000000, 0x1001);           /* page 1 of 1 */
    wr_faults(0x40000000, 0xfffffffff000UL); /* no memory there */
    assert_int_equal(rd(0x40000000), 0);
}

static void x2apic_range_is_the_vlapics(void **state)
{
    (void)state;
    rd_faults(0x802);
    wr(0x1b, 0xfee00d00);
    assert_int_equal(rd(0x802), 0);
    assert_int_equal(rd(0x803), 0x00050014);
    rd_faults(0xbff);
    wr_faults(0x8ff, 0);
}

static void amd_registers_have_sane_values(void **state)
{
    (void)state;
    assert_int_equal(rd(0x8b), 0xa201009);
    assert_int_equal(rd(0xc0010015) >> 24 & 1, 1);
    assert_int_equal(rd(0xc0011029), 2);
    assert_int_equal(rd(0xc0010114), 0x18);
    assert_int_equal(rd(0xc0010010), 0);
    wr(0xc0011029, 0); /* dropped */
    assert_int_equal(rd(0xc0011029), 2);
    wr_faults(0xc0010010, 1UL << 23);
    wr(0xc0010020, 0x1000);
    rd_faults(0xc0010020);
    wr_faults(0xc0010064, 0);
}

static void amd_registers_fault_on_intel(void **state)
{
    (void)state;
    rd_faults(0xc0010015);
    rd_faults(0xc0011029);
    wr_faults(0xc0010020, 0);
}

static void intel_registers_have_sane_values(void **state)
{
    (void)state;
    assert_int_equal(rd(0x3a), 1);
    wr_faults(0x3a, 5);
    assert_int_equal(rd(0x8b), 0xa201009UL << 32);
    wr(0x8b, 0);
    wr(0x79, 0x1234);
    rd_faults(0x79);
    assert_int_equal(rd(0x17), 0);
    assert_int_equal(rd(0x1a0), 0x1800);
    wr(0x1a0, 0x1801);
    assert_int_equal(rd(0x1a0), 0x1801);
    wr_faults(0x1a0, 1UL << 18); /* MONITOR */
    wr_faults(0x1a0, 1UL << 34);
    assert_int_not_equal(rd(0xce) >> 8 & 0xff, 0);
}

static void intel_registers_fault_on_amd(void **state)
{
    (void)state;
    rd_faults(0x3a);
    rd_faults(0xce);
    rd_faults(0x1a0);
    wr_faults(0x79, 0);
}

#define AMD(f) cmocka_unit_test_setup_teardown(f, case_amd, case_end)
#define INTEL(f) cmocka_unit_test_setup_teardown(f, case_intel, case_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AMD(access_unknown_faults),
        INTEL(access_unknown_faults),
        AMD(access_sweep_finds_every_row),
        INTEL(access_sweep_finds_every_row),
        AMD(efer_reserved_bits_fault),
        AMD(efer_long_mode_bits_follow_paging),
        AMD(efer_lma_cannot_be_set_by_writing),
        AMD(pat_accepts_valid_types_only),
        AMD(address_registers_need_canonical_values),
        AMD(narrow_registers_need_32_bit_values),
        AMD(segment_bases_go_to_the_segments),
        AMD(tsc_write_moves_adjust_and_offset),
        AMD(tsc_adjust_moves_a_pending_deadline),
        AMD(mtrr_reset_is_all_write_back),
        AMD(mtrr_values_are_kept_apart),
        AMD(mtrr_invalid_values_fault),
        AMD(machine_check_has_no_banks),
        AMD(debugctl_accepts_zero_only),
        AMD(hypercall_page_write_needs_a_page_of_the_domain),
        AMD(x2apic_range_is_the_vlapics),
        AMD(amd_registers_have_sane_values),
        INTEL(amd_registers_fault_on_intel),
        INTEL(intel_registers_have_sane_values),
        AMD(intel_registers_fault_on_amd),
    };

    return group_run(tests, platform_setup, platform_teardown);
}
