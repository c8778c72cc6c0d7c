/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of the virtual local APIC: values after reset, reserved bits
 * and absent registers in xAPIC and x2APIC mode, the moves between the modes.
 */
#include "vlapic_fixture.h"

#include "ravelin/errno.h"

/* ---- Registers ---- */

static void reset_registers_have_architectural_values(void **state)
{
    (void)state;
    vlapic_reset(v1);
    assert_int_equal(vlapic_mmio_read(v1, APIC_ID), 2u << 24);
    assert_int_equal(vlapic_mmio_read(v1, APIC_VERSION), 0x00050014);
    assert_int_equal(vlapic_mmio_read(v1, APIC_TPR), 0);
    assert_int_equal(vlapic_mmio_read(v1, APIC_LDR), 0);
    assert_int_equal(vlapic_mmio_read(v1, APIC_DFR), 0xffffffff);
    assert_int_equal(vlapic_mmio_read(v1, APIC_SVR), 0xff);
    assert_int_equal(vlapic_mmio_read(v1, APIC_ESR), 0);
    assert_int_equal(vlapic_mmio_read(v1, APIC_ICR), 0);
    for (uint32_t reg = APIC_LVT_TIMER; reg <= APIC_LVT_ERROR; reg += 16) {
        assert_int_equal(vlapic_mmio_read(v1, reg), 0x10000);
    }
    assert_int_equal(vlapic_mmio_read(v1, APIC_TMICT), 0);
    assert_int_equal(vlapic_mmio_read(v1, APIC_TMCCT), 0);
    assert_int_equal(vlapic_mmio_read(v1, APIC_TDCR), 0);
    assert_false(vlapic_is_enabled(v1));
    assert_true(vlapic_is_present(v1));
}

static void apic_base_bsp_flag_is_set_on_first_vcpu_only(void **state)
{
    (void)state;
    assert_int_equal(apic_x2_read(v0, APIC_MSR_BASE), 0xfee00900);
    assert_int_equal(apic_x2_read(v1, APIC_MSR_BASE), 0xfee00800);
}

static void xapic_write_reserved_bits_are_ignored(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, APIC_TPR, 0xffffff35);
    assert_int_equal(vlapic_mmio_read(v0, APIC_TPR), 0x35);
    vlapic_mmio_write(v0, APIC_LDR, 0x12345678);
    assert_int_equal(vlapic_mmio_read(v0, APIC_LDR), 0x12000000);
    vlapic_mmio_write(v0, APIC_DFR, 0);
    assert_int_equal(vlapic_mmio_read(v0, APIC_DFR), 0x0fffffff);
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0xffffffff);
    assert_int_equal(vlapic_mmio_read(v0, APIC_LVT_TIMER), 0x000700ff);
    vlapic_mmio_write(v0, APIC_LVT_LINT0, 0xffffffff);
    assert_int_equal(vlapic_mmio_read(v0, APIC_LVT_LINT0), 0x0001a7ff);
    vlapic_mmio_write(v0, APIC_TDCR, 0xffffffff);
    assert_int_equal(vlapic_mmio_read(v0, APIC_TDCR), 0xb);
    vlapic_mmio_write(v0, APIC_ICR2, 0x12345678);
    assert_int_equal(vlapic_mmio_read(v0, APIC_ICR2), 0x12000000);
    assert_int_equal(apic_esr_take(v0), 0);
}

static void xapic_id_write_is_ignored(void **state)
{
    (void)state;
    vlapic_mmio_write(v1, APIC_ID, 0x77000000);
    assert_int_equal(vlapic_mmio_read(v1, APIC_ID), 2u << 24);
}

static void xapic_read_of_absent_register_sets_error(void **state)
{
    (void)state;
    assert_int_equal(vlapic_mmio_read(v0, 0x000), 0);
    assert_int_equal(apic_esr_take(v0), APIC_ESR_REGISTER);
    assert_int_equal(vlapic_mmio_read(v0, 0x3f0), 0);
    assert_int_equal(apic_esr_take(v0), APIC_ESR_REGISTER);
    assert_int_equal(vlapic_mmio_read(v0, 0xff0), 0);
    assert_int_equal(apic_esr_take(v0), APIC_ESR_REGISTER);
}

static void xapic_write_of_absent_register_sets_error(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, 0x3f0, 0x55);
    assert_int_equal(apic_esr_take(v0), APIC_ESR_REGISTER);
    vlapic_mmio_write(v0, APIC_VERSION, 0);
    assert_int_equal(apic_esr_take(v0), APIC_ESR_REGISTER);
    assert_false(apic_irr_has(v0, 0x55));
}

static void svr_disable_masks_all_lvts_until_enabled(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_ERROR, 0x40);
    vlapic_mmio_write(v0, APIC_SVR, 0xff);
    assert_int_equal(vlapic_mmio_read(v0, APIC_LVT_ERROR), 0x10040);
    vlapic_mmio_write(v0, APIC_LVT_ERROR, 0x41);
    assert_int_equal(vlapic_mmio_read(v0, APIC_LVT_ERROR), 0x10041);
    apic_on(v0);
    vlapic_mmio_write(v0, APIC_LVT_ERROR, 0x42);
    assert_int_equal(vlapic_mmio_read(v0, APIC_LVT_ERROR), 0x42);
}

/* ---- Modes ---- */

static void apic_base_write_legal_transitions_succeed(void **state)
{
    const uint64_t at = VLAPIC_MMIO_BASE;

    (void)state;
    assert_int_equal(vlapic_msr_write(v1, APIC_MSR_BASE, at | APIC_BASE_EN), 0);
    assert_int_equal(
        vlapic_msr_write(v1, APIC_MSR_BASE, at | APIC_BASE_EN | APIC_BASE_X2),
        0);
    assert_false(vlapic_mmio_is_mapped(v1));
    assert_int_equal(vlapic_msr_write(v1, APIC_MSR_BASE, at), 0);
    assert_false(vlapic_is_present(v1));
    assert_int_equal(vlapic_msr_write(v1, APIC_MSR_BASE, at | APIC_BASE_EN), 0);
    assert_true(vlapic_mmio_is_mapped(v1));
    assert_false(vlapic_is_enabled(v1));
    assert_int_equal(vlapic_mmio_read(v1, APIC_SVR), 0xff);
}

static void apic_base_write_illegal_transitions_fault(void **state)
{
    const uint64_t at = VLAPIC_MMIO_BASE;

    (void)state;
    assert_int_equal(vlapic_msr_write(v1, APIC_MSR_BASE, at | APIC_BASE_X2),
                     -RV_EINVAL);
    apic_x2_on(v1);
    assert_int_equal(vlapic_msr_write(v1, APIC_MSR_BASE, at | APIC_BASE_EN),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v1, APIC_MSR_BASE, at), 0);
    assert_int_equal(
        vlapic_msr_write(v1, APIC_MSR_BASE, at | APIC_BASE_EN | APIC_BASE_X2),
        -RV_EINVAL);
}

static void apic_base_write_reserved_or_moved_faults(void **state)
{
    (void)state;
    assert_int_equal(vlapic_msr_write(v1, APIC_MSR_BASE, 0xfed00800),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v1, APIC_MSR_BASE, 0xfee00801),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v1, APIC_MSR_BASE, 0xfee00900),
                     -RV_EINVAL);
    assert_int_equal(
        vlapic_msr_write(v1, APIC_MSR_BASE, 1UL << 52 | 0xfee00800),
        -RV_EINVAL);
    assert_int_equal(apic_x2_read(v1, APIC_MSR_BASE), 0xfee00800);
}

static void x2apic_registers_have_wide_ids(void **state)
{
    (void)state;
    apic_x2_on(v3);
    assert_int_equal(apic_x2_read(v3, APIC_X2(APIC_ID)), 6);
    assert_int_equal(apic_x2_read(v3, APIC_X2(APIC_LDR)), 1u << 6);
    assert_int_equal(vlapic_msr_write(v3, APIC_X2(APIC_LDR), 1), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v3, APIC_X2(APIC_ID), 6), -RV_EINVAL);
}

static void x2apic_write_reserved_bits_fault(void **state)
{
    (void)state;
    apic_x2_on(v0);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_TPR), 0x100),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_TPR), 1UL << 32),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_EOI), 1), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_ESR), 1), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_SVR), 0x1000),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_LVT_TIMER), 0x100),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_LVT_TIMER), 0x4000),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_TDCR), 4), -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_ICR), 0x1000),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_write(v0, 0x83f, 0x100), -RV_EINVAL);
}

static void x2apic_write_of_status_bits_is_ignored(void **state)
{
    (void)state;
    apic_x2_on(v0);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_LVT_LINT0), 0x15700), 0);
    assert_int_equal(apic_x2_read(v0, APIC_X2(APIC_LVT_LINT0)), 0x10700);
    assert_int_equal(vlapic_msr_write(v0, APIC_X2(APIC_LVT_TIMER), 0x11020), 0);
    assert_int_equal(apic_x2_read(v0, APIC_X2(APIC_LVT_TIMER)), 0x10020);
}

static void x2apic_registers_only_of_xapic_fault(void **state)
{
    uint64_t value;

    (void)state;
    apic_x2_on(v0);
    assert_int_equal(vlapic_msr_read(v0, APIC_X2(APIC_DFR), &value),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_read(v0, APIC_X2(APIC_ICR2), &value),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_read(v0, APIC_X2(APIC_EOI), &value),
                     -RV_EINVAL);
    assert_int_equal(vlapic_msr_read(v0, 0x83f, &value), -RV_EINVAL);
    assert_int_equal(vlapic_msr_read(v0, APIC_X2(0x90), &value), -RV_EINVAL);
}

/* The class of XSA-108: indexes past the last register of the range. */
static void x2apic_range_beyond_registers_faults_in_all_modes(void **state)
{
    (void)state;
    for (unsigned x2 = 0; x2 < 2; x2++) {
        for (uint32_t msr = 0x840; msr <= 0xbff; msr++) {
            uint64_t value = 0x5a5a;

            assert_int_equal(vlapic_msr_read(v0, msr, &value), -RV_EINVAL);
            assert_int_equal(value, 0x5a5a);
            assert_int_equal(vlapic_msr_write(v0, msr, 0), -RV_EINVAL);
        }
        if (x2 == 0) {
            apic_x2_on(v0);
        }
    }
}

static void x2apic_msrs_in_xapic_mode_fault(void **state)
{
    uint64_t value;

    (void)state;
    for (uint32_t msr = 0x800; msr < 0x840; msr++) {
        assert_int_equal(vlapic_msr_read(v0, msr, &value), -RV_EINVAL);
        assert_int_equal(vlapic_msr_write(v0, msr, 0), -RV_EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        APIC_CASE(reset_registers_have_architectural_values),
        APIC_CASE(apic_base_bsp_flag_is_set_on_first_vcpu_only),
        APIC_CASE(xapic_write_reserved_bits_are_ignored),
        APIC_CASE(xapic_id_write_is_ignored),
        APIC_CASE(xapic_read_of_absent_register_sets_error),
        APIC_CASE(xapic_write_of_absent_register_sets_error),
        APIC_CASE(svr_disable_masks_all_lvts_until_enabled),
        APIC_CASE(apic_base_write_legal_transitions_succeed),
        APIC_CASE(apic_base_write_illegal_transitions_fault),
        APIC_CASE(apic_base_write_reserved_or_moved_faults),
        APIC_CASE(x2apic_registers_have_wide_ids),
        APIC_CASE(x2apic_write_reserved_bits_fault),
        APIC_CASE(x2apic_write_of_status_bits_is_ignored),
        APIC_CASE(x2apic_registers_only_of_xapic_fault),
        APIC_CASE(x2apic_range_beyond_registers_faults_in_all_modes),
        APIC_CASE(x2apic_msrs_in_xapic_mode_fault),
    };

    return group_run(tests, platform_amd_setup, platform_teardown);
}
