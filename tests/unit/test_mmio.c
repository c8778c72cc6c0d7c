/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses of guests to the pages of the local APIC and the IO-APIC: which
 * device answers, and what widths and places within a register do.
 */
#include "vlapic_fixture.h"

#include "ravelin/errno.h"
#include "ravelin/mmio.h"
#include "ravelin/vioapic.h"

static void mmio_lapic_read_narrow_gets_part_of_register(void **state)
{
    uint64_t value = 0;
    uint64_t at = VLAPIC_MMIO_BASE + APIC_VERSION;

    (void)state;
    assert_int_equal(mmio_dispatch(v0, gpa(at), 4, false, &value), 0);
    assert_int_equal(value, 0x00050014);
    assert_int_equal(mmio_dispatch(v0, gpa(at), 1, false, &value), 0);
    assert_int_equal(value, 0x14);
    assert_int_equal(mmio_dispatch(v0, gpa(at + 2), 2, false, &value), 0);
    assert_int_equal(value, 0x0005);
    assert_int_equal(mmio_dispatch(v0, gpa(at), 8, false, &value), 0);
    assert_int_equal(value, 0x00050014);
    assert_int_equal(mmio_dispatch(v0, gpa(at + 4), 4, false, &value), 0);
    assert_int_equal(value, 0);
}

static void mmio_lapic_write_needs_a_whole_register(void **state)
{
    uint64_t value = 0x33;
    uint64_t at = VLAPIC_MMIO_BASE + APIC_TPR;

    (void)state;
    assert_int_equal(mmio_dispatch(v0, gpa(at), 4, true, &value), 0);
    assert_int_equal(vlapic_mmio_read(v0, APIC_TPR), 0x33);
    value = 0x44;
    assert_int_equal(mmio_dispatch(v0, gpa(at), 1, true, &value), 0);
    assert_int_equal(mmio_dispatch(v0, gpa(at + 4), 4, true, &value), 0);
    assert_int_equal(vlapic_mmio_read(v0, APIC_TPR), 0x33);
}

static void mmio_bad_length_is_einval(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_int_equal(mmio_dispatch(v0, gpa(VLAPIC_MMIO_BASE), 3, false, &value),
                     -RV_EINVAL);
    assert_int_equal(mmio_dispatch(v0, gpa(VLAPIC_MMIO_BASE), 0, false, &value),
                     -RV_EINVAL);
    assert_int_equal(
        mmio_dispatch(v0, gpa(VLAPIC_MMIO_BASE), 16, false, &value),
        -RV_EINVAL);
}

static void mmio_elsewhere_is_enoent(void **state)
{
    uint64_t value = 1;

    (void)state;
    assert_int_equal(mmio_dispatch(v0, gpa(0xfee01000), 4, false, &value),
                     -RV_ENOENT);
    assert_int_equal(
        mmio_dispatch(v0, gpa(VIOAPIC_MMIO_BASE), 4, false, &value),
        -RV_ENOENT);
    apic_x2_on(v0);
    assert_int_equal(mmio_dispatch(v0, gpa(VLAPIC_MMIO_BASE), 4, false, &value),
                     -RV_ENOENT);
    assert_int_equal(value, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        APIC_CASE(mmio_lapic_read_narrow_gets_part_of_register),
        APIC_CASE(mmio_lapic_write_needs_a_whole_register),
        APIC_CASE(mmio_bad_length_is_einval),
        APIC_CASE(mmio_elsewhere_is_enoent),
    };

    return group_run(tests, platform_amd_setup, platform_teardown);
}
