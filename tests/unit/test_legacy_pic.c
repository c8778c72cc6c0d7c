/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8259A pair: set-up sequence, edge and level requests, poll, cascade,
 * spurious vectors. Sections named below are those of the Intel 8259A datasheet
 * (231468).
 */
#include "legacy_pic_fixture.h"

/* "Initialization Command Words" */

static void init_before_icws_requests_nothing(void **state)
{
    (void)state;
    legacy_pic_init(&pic, &f.host);
    for (unsigned irq = 0; irq < 16; irq++) {
        line(irq, true);
    }
    require_quiet();
}

static void icw_sequence_unfinished_requests_nothing(void **state)
{
    (void)state;
    out(0x20, 0x11);
    line(1, true);
    require_quiet();
    out(0x21, 0x40);
    require_quiet();
    out(0x21, 0x04);
    require_quiet();
    out(0x21, 0x01);
    require_vector(0x41);
}

static void icw1_clears_mask_and_edges(void **state)
{
    (void)state;
    line(3, true);
    out(0x21, 0xff);
    pair_program(1);
    assert_int_equal(in(0x21), 0);
    require_quiet(); /* line 3 is high but must rise again */
    assert_int_equal(reg(0x20, READ_IRR), 0);
    line(3, false);
    line(3, true);
    require_vector(BASE + 3);
}

static void icw1_single_without_icw4_takes_two_words(void **state)
{
    (void)state;
    out(0x20, 0x12);
    out(0x21, 0x50);
    out(0x21, 0xfe); /* a mask already */
    assert_int_equal(in(0x21), 0xfe);
    line(0, true);
    require_vector(0x50);
}

/* Set-up forgets service, modes, rotation and what is read. */
static void icw1_without_icw4_clears_every_mode(void **state)
{
    (void)state;
    pair_program(0x13);
    pair_program(0x01);
    line(5, true);
    require_vector(BASE + 5);
    out(0x20, MASK_MODE_ON);
    out(0x20, 0xc3);
    out(0x20, READ_ISR);
    out(0x20, POLL);
    out(0x20, 0x10); /* no ICW4 */
    out(0x21, BASE);
    out(0x21, 0x04);
    line(6, true);
    assert_int_equal(in(0x20), 0x40); /* requests, not polled, not service */
    line(4, true);
    line(0, true);
    require_vector(BASE + 0); /* priorities as at first */
    assert_int_equal(reg(0x20, READ_ISR), 0x01);
    out(0x21, 0x01);
    require_quiet(); /* 0 in service and masked: not special mask mode */
}

static void icw4_modes_end_with_the_next_icw1(void **state)
{
    (void)state;
    pair_program(0x03);
    out(0x20, 0x80); /* rotate in automatic end of interrupt */
    pair_program(0x03);
    line(0, true);
    require_vector(BASE + 0);
    line(0, false);
    line(0, true);
    line(1, true);
    require_vector(BASE + 0); /* no rotation */
    pair_program(0x11);
    out(0x20, 0x10);
    out(0x21, BASE);
    out(0x21, 0x04);
    line(12, true);
    require_vector(BASE2 + 4);
    assert_int_equal(reg(0x20, READ_ISR), 0x04); /* no automatic end */
    line(9, true);
    require_quiet(); /* not special fully nested */
}

static void fully_nested_means_nothing_to_the_second_chip(void **state)
{
    (void)state;
    pair_program(0x11);
    out(0xa0, 0x11);
    out(0xa1, BASE2);
    out(0xa1, 0x02);
    out(0xa1, 0x11);
    line(10, true);
    require_vector(BASE2 + 2);
    line(10, false);
    line(10, true);
    require_quiet();
}

static void icw2_low_bits_are_the_input(void **state)
{
    (void)state;
    out(0x20, 0x13);
    out(0x21, 0x47);
    out(0x21, 0x01);
    line(1, true);
    require_vector(0x41);
}

/* "Interrupt Sequence", "Edge and Level Triggered Modes" */

static void edge_is_taken_once(void **state)
{
    (void)state;
    line(1, true);
    assert_int_equal(reg(0x20, READ_IRR), 0x02);
    assert_true(legacy_pic_irq_is_waiting(&pic, 1));
    require_vector(BASE + 1);
    assert_false(legacy_pic_irq_is_waiting(&pic, 1));
    assert_int_equal(reg(0x20, READ_IRR), 0);
    assert_int_equal(reg(0x20, READ_ISR), 0x02);
    out(0x20, EOI);
    assert_int_equal(reg(0x20, READ_ISR), 0);
    require_quiet();
    line(1, true); /* no edge */
    require_quiet();
    line(1, false);
    line(1, true);
    require_vector(BASE + 1);
}

static void edge_that_falls_before_inta_is_spurious(void **state)
{
    (void)state;
    out(0x21, 0x00);
    pulse(1);
    require_quiet();
    assert_int_equal(legacy_pic_intr_accept(&pic), BASE + 7);
    assert_int_equal(reg(0x20, READ_ISR), 0); /* no ISR bit for it */
}

static void level_stays_requested_until_line_falls(void **state)
{
    (void)state;
    out(0x4d0, 0x20);
    assert_int_equal(in(0x4d0), 0x20);
    line(5, true);
    require_vector(BASE + 5);
    require_quiet(); /* in service */
    out(0x20, EOI);
    require_vector(BASE + 5);
    line(5, false);
    out(0x20, EOI);
    require_quiet();
}

static void level_survives_initialisation(void **state)
{
    (void)state;
    out(0x4d1, 0x04);
    line(10, true);
    pair_program(1);
    require_vector(BASE2 + 2);
}

static void elcr_timer_and_keyboard_stay_edge(void **state)
{
    (void)state;
    out(0x4d0, 0xff);
    out(0x4d1, 0xff);
    assert_int_equal(in(0x4d0), 0xf8);
    assert_int_equal(in(0x4d1), 0xde);
    legacy_pic_reset(&pic);
    assert_int_equal(in(0x4d0), 0);
}

static void inputs_beyond_and_cascade_are_ignored(void **state)
{
    (void)state;
    line(2, true);
    line(16, true);
    line(4000000000u, true);
    require_quiet();
    assert_false(legacy_pic_irq_is_waiting(&pic, 16));
}

/* "Poll Command" */

static void poll_acknowledges(void **state)
{
    (void)state;
    out(0x20, POLL);
    assert_int_equal(in(0x20), 0x07); /* nothing: bit 7 clear */
    line(4, true);
    out(0x20, POLL);
    assert_int_equal(in(0x20), 0x84);
    require_quiet();
    assert_int_equal(reg(0x20, READ_ISR), 0x10);
    require_quiet();
}

static void poll_of_both_chips_reaches_the_second(void **state)
{
    (void)state;
    line(12, true);
    out(0x20, POLL);
    assert_int_equal(in(0x21), 0x82);
    out(0xa0, POLL);
    assert_int_equal(in(0xa1), 0x84);
    assert_int_equal(reg(0xa0, READ_ISR), 0x10);
    require_quiet();
}

/* "Cascade Mode" */

static void cascade_delivers_second_chip_vector(void **state)
{
    (void)state;
    line(8, true);
    assert_int_equal(reg(0x20, READ_IRR), 0x04);
    require_vector(BASE2 + 0);
    assert_int_equal(reg(0x20, READ_ISR), 0x04);
    assert_int_equal(reg(0xa0, READ_ISR), 0x01);
    out(0xa0, EOI);
    out(0x20, EOI);
    require_quiet();
}

static void cascade_second_request_waits_for_both_eois(void **state)
{
    (void)state;
    line(9, true);
    require_vector(BASE2 + 1);
    line(10, true);
    require_quiet();
    out(0xa0, EOI);
    require_quiet(); /* the first chip still has its input 2 in service */
    out(0x20, EOI);
    require_vector(BASE2 + 2);
}

/* Nothing is in service there, but the first chip needs another edge. */
static void cascade_with_auto_eoi_delivers_both(void **state)
{
    (void)state;
    pair_program(0x03);
    line(9, true);
    line(12, true);
    require_vector(BASE2 + 1);
    require_vector(BASE2 + 4);
    require_quiet();
}

static void cascade_ranks_between_1_and_3(void **state)
{
    (void)state;
    line(3, true);
    line(15, true);
    line(1, true);
    require_vector(BASE + 1);
    out(0x20, EOI);
    require_vector(BASE2 + 7);
    out(0xa0, EOI);
    out(0x20, EOI);
    require_vector(BASE + 3);
}

/* "Special Fully Nested Mode" */

static void fully_nested_second_chip_interrupts_itself(void **state)
{
    (void)state;
    pair_program(0x11);
    line(12, true);
    require_vector(BASE2 + 4);
    line(9, true);
    require_vector(BASE2 + 1);
    assert_int_equal(reg(0xa0, READ_ISR), 0x12);
}

static void spurious_on_second_chip_has_its_input_7(void **state)
{
    (void)state;
    out(0x4d1, 0x02);
    line(9, true);
    assert_true(f.intr);
    /* The line falls between the two INTA cycles as seen by the first chip:
     * masked at the second one only then. */
    pic.chip[1].line = 0;
    assert_int_equal(legacy_pic_intr_accept(&pic), BASE2 + 7);
    assert_int_equal(reg(0xa0, READ_ISR), 0);
    assert_int_equal(reg(0x20, READ_ISR), 0x04); /* needs its EOI */
}

static void intr_changes_are_told_once(void **state)
{
    (void)state;
    unsigned before = f.intr_count;

    line(1, true);
    line(3, true);
    assert_int_equal(f.intr_count, before + 1);
    require_vector(BASE + 1);
    assert_int_equal(f.intr_count, before + 2);
}

static void reset_keeps_lines_and_forgets_the_rest(void **state)
{
    (void)state;
    out(0x21, 0x55);
    line(4, true);
    legacy_pic_reset(&pic);
    require_quiet();
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pic.chip[i].lowest, 7);
        assert_int_equal(pic.chip[i].is_secondary, i);
    }
    pair_program(1);
    out(0x4d0, 0x10);
    require_vector(BASE + 4);
}

#define CASE(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(init_before_icws_requests_nothing),
        CASE(icw_sequence_unfinished_requests_nothing),
        CASE(icw1_clears_mask_and_edges),
        CASE(icw1_single_without_icw4_takes_two_words),
        CASE(icw1_without_icw4_clears_every_mode),
        CASE(icw4_modes_end_with_the_next_icw1),
        CASE(fully_nested_means_nothing_to_the_second_chip),
        CASE(icw2_low_bits_are_the_input),
        CASE(edge_is_taken_once),
        CASE(edge_that_falls_before_inta_is_spurious),
        CASE(level_stays_requested_until_line_falls),
        CASE(level_survives_initialisation),
        CASE(elcr_timer_and_keyboard_stay_edge),
        CASE(inputs_beyond_and_cascade_are_ignored),
        CASE(poll_acknowledges),
        CASE(poll_of_both_chips_reaches_the_second),
        CASE(cascade_delivers_second_chip_vector),
        CASE(cascade_second_request_waits_for_both_eois),
        CASE(cascade_with_auto_eoi_delivers_both),
        CASE(cascade_ranks_between_1_and_3),
        CASE(fully_nested_second_chip_interrupts_itself),
        CASE(spurious_on_second_chip_has_its_input_7),
        CASE(intr_changes_are_told_once),
        CASE(reset_keeps_lines_and_forgets_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
