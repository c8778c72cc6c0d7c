/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which request of an 8259A comes first: priorities and their rotation, ends of
 * interrupt, masks. Sections named below are those of the Intel 8259A datasheet
 * (231468).
 */
#include "legacy_pic_fixture.h"

/* "Fully Nested Mode" */

static void nested_higher_priority_interrupts_lower(void **state)
{
    (void)state;
    line(5, true);
    line(6, true);
    require_vector(BASE + 5);
    require_quiet();
    line(4, true);
    require_vector(BASE + 4);
    assert_int_equal(reg(0x20, READ_ISR), 0x30);
    out(0x20, EOI); /* the highest: 4 */
    assert_int_equal(reg(0x20, READ_ISR), 0x20);
    require_quiet();
    out(0x20, EOI);
    require_vector(BASE + 6);
}

static void mask_holds_back_and_releases(void **state)
{
    (void)state;
    out(0x21, 0x02);
    line(1, true);
    require_quiet();
    assert_false(legacy_pic_irq_is_waiting(&pic, 1));
    assert_int_equal(reg(0x20, READ_IRR), 0x02);
    out(0x21, 0x00);
    require_vector(BASE + 1);
}

static void specific_eoi_ends_that_level_only(void **state)
{
    (void)state;
    line(6, true);
    require_vector(BASE + 6);
    line(3, true);
    require_vector(BASE + 3);
    out(0x20, SPECIFIC_EOI(6));
    assert_int_equal(reg(0x20, READ_ISR), 0x08);
    out(0x20, SPECIFIC_EOI(5)); /* not in service */
    assert_int_equal(reg(0x20, READ_ISR), 0x08);
}

static void eoi_without_service_does_nothing(void **state)
{
    (void)state;
    out(0x20, EOI);
    out(0x20, 0xa0);
    line(0, true);
    line(7, true);
    require_vector(BASE + 0); /* priorities did not move */
}

/* "Automatic End of Interrupt Mode" */

static void auto_eoi_leaves_nothing_in_service(void **state)
{
    (void)state;
    pair_program(0x03);
    line(3, true);
    require_vector(BASE + 3);
    assert_int_equal(reg(0x20, READ_ISR), 0);
    line(9, true);
    require_vector(BASE2 + 1);
    assert_int_equal(reg(0xa0, READ_ISR), 0);
    require_quiet();
}

static void auto_eoi_rotates_when_told(void **state)
{
    (void)state;
    pair_program(0x03);
    out(0x20, 0x80);
    line(0, true);
    line(1, true);
    require_vector(BASE + 0);
    line(0, false);
    line(0, true);
    require_vector(BASE + 1);
    require_vector(BASE + 0);
    out(0x20, 0x00); /* stop: 0 stays the lowest */
    line(0, false);
    line(0, true);
    line(4, true);
    require_vector(BASE + 4);
    line(4, false);
    line(4, true);
    require_vector(BASE + 4);
}

/* "Automatic Rotation", "Specific Rotation" */

static void rotation_on_eoi_makes_it_lowest(void **state)
{
    (void)state;
    line(3, true);
    require_vector(BASE + 3);
    out(0x20, 0xa0); /* rotate on non-specific EOI */
    line(3, false);
    line(3, true);
    line(7, true);
    require_vector(BASE + 7);
    out(0x20, 0xe7); /* rotate on specific EOI of 7 */
    line(7, false);
    line(7, true);
    require_vector(BASE + 3);
}

static void set_priority_names_the_lowest(void **state)
{
    (void)state;
    out(0x20, 0xc4);
    line(4, true);
    line(5, true);
    line(0, true);
    require_vector(BASE + 5);
    out(0x20, EOI);
    require_vector(BASE + 0);
    out(0x20, EOI);
    require_vector(BASE + 4);
}

/* "Special Mask Mode" */

static void special_mask_lets_lower_ones_through(void **state)
{
    (void)state;
    line(2 + 1, true);
    require_vector(BASE + 3);
    line(6, true);
    require_quiet();
    out(0x20, MASK_MODE_ON);
    require_quiet(); /* 3 is not masked */
    out(0x21, 0x08);
    require_vector(BASE + 6);
    out(0x20, EOI); /* 3 is masked: it stays, 6 ends */
    assert_int_equal(reg(0x20, READ_ISR), 0x08);
    out(0x20, MASK_MODE_OFF);
    line(7, true);
    require_quiet();
    out(0x20, SPECIFIC_EOI(3));
    require_vector(BASE + 7);
}

static void ocw3_without_enable_keeps_special_mask(void **state)
{
    (void)state;
    line(3, true);
    require_vector(BASE + 3);
    out(0x20, MASK_MODE_ON);
    out(0x20, READ_ISR);
    assert_true(pic.chip[0].special_mask);
    out(0x20, MASK_MODE_OFF);
    assert_int_equal(in(0x20), 0x08); /* still the one in service */
}

#define CASE(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nested_higher_priority_interrupts_lower),
        CASE(mask_holds_back_and_releases),
        CASE(specific_eoi_ends_that_level_only),
        CASE(eoi_without_service_does_nothing),
        CASE(auto_eoi_leaves_nothing_in_service),
        CASE(auto_eoi_rotates_when_told),
        CASE(rotation_on_eoi_makes_it_lowest),
        CASE(set_priority_names_the_lowest),
        CASE(special_mask_lets_lower_ones_through),
        CASE(ocw3_without_enable_keeps_special_mask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
