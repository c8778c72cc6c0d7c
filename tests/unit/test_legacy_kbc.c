/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8042 and the keyboard on it: what a BIOS and an operating system do to
 * set them up, answers to an absent mouse, A20 and reset by each way.
 * Ref: IBM PC AT and PS/2 technical references, "Keyboard Controller",
 *      "Keyboards (101- and 102-Key)".
 */
#include "legacy_kbc_fixture.h"

/* ---- Set-up ----------------------------------------------------------- */

static void firmware_setup_sequence_is_answered(void **state)
{
    (void)state;
    command(0xaa);
    REQUIRE(0x55);
    command(0xab);
    REQUIRE(0x00);
    command(0x60);
    data(0x30); /* both clocks off, no translation */
    data(0xff);
    REQUIRE(0xfa, 0xaa);
    data(0xf5);
    REQUIRE(0xfa);
    data(0xf0);
    REQUIRE(0xfa);
    data(0x02);
    REQUIRE(0xfa);
    command(0x60);
    data(0x61);
    data(0xf4);
    REQUIRE(0xfa);
    command(0x20);
    REQUIRE(0x61);
    assert_int_equal(status() & 0x10, 0x10);
}

static void identify_is_translated_when_told(void **state)
{
    (void)state;
    open_keyboard(false);
    data(0xf2);
    REQUIRE(0xfa, 0xab, 0x83);
    open_keyboard(true);
    data(0xf2);
    REQUIRE(0xfa, 0xab, 0x41);
}

static void keyboard_commands_with_parameters(void **state)
{
    (void)state;
    open_keyboard(false);
    data(0xed);
    REQUIRE(0xfa);
    data(0x07);
    REQUIRE(0xfa);
    assert_int_equal(kbc.keyboard.leds, 7);
    data(0xf3);
    data(0x20);
    REQUIRE(0xfa, 0xfa);
    data(0xee);
    REQUIRE(0xee);
    data(0xf0);
    data(0x00);
    REQUIRE(0xfa, 0xfa, 0x02);
    data(0xf0);
    data(0x03); /* not offered */
    REQUIRE(0xfa, 0xfe);
    data(0xfe);
    REQUIRE(0xfe); /* the last byte again */
    data(0x10);
    REQUIRE(0xfe); /* no such command */
    data(0xed);
    data(0xf4); /* a command instead of the parameter */
    REQUIRE(0xfa, 0xfa);
}

static void defaults_come_back_by_f5_f6_and_ff(void **state)
{
    static const uint8_t commands[] = {0xf5, 0xf6, 0xff};

    (void)state;
    open_keyboard(false);
    for (unsigned i = 0; i < 3; i++) {
        data(0xed);
        data(0x05);
        data(0xf0);
        data(0x01);
        REQUIRE(0xfa, 0xfa, 0xfa, 0xfa);
        assert_int_equal(kbc.keyboard.leds, 5);
        data(commands[i]);
        assert_int_equal(kbc.keyboard.leds, 0);
        assert_int_equal(kbc.keyboard.scan_set, 2);
        assert_int_equal(kbc.keyboard.is_scanning, i != 0);
        while ((status() & OUTPUT) != 0) {
            (void)legacy_kbc_read(&kbc, 0x60);
        }
        data(0xf4);
        REQUIRE(0xfa);
    }
}

static void enable_drops_what_was_queued(void **state)
{
    (void)state;
    open_keyboard(false);
    data(0xf2); /* fa is in the output buffer, ab and 83 wait */
    data(0xf4);
    REQUIRE(0xfa, 0xfa);
}

static void early_run_types_nothing(void **state)
{
    (void)state;
    open_keyboard(true);
    TYPED("a", 0x1e, 0x9e);
    f.in = "b";
    legacy_kbc_pull(&kbc);
    f.now = legacy_kbc_deadline(&kbc) - 1;
    legacy_kbc_run(&kbc);
    require_empty();
    assert_string_equal(f.in, "b");
}

static void data_byte_switches_the_keyboard_on(void **state)
{
    (void)state;
    command(0xad);
    data(0xee);
    REQUIRE(0xee);
    command(0x20);
    assert_int_equal(read_data() & 0x10, 0);
}

static void disabled_keyboard_holds_its_bytes(void **state)
{
    (void)state;
    open_keyboard(false);
    data(0xff);
    command(0xad);
    assert_int_equal(read_data(), 0xfa); /* was in the buffer already */
    require_empty();
    command(0xae);
    REQUIRE(0xaa);
}

static void internal_memory_keeps_its_bytes(void **state)
{
    (void)state;
    for (uint8_t i = 1; i < 32; i++) {
        command(0x60 + i);
        data((uint8_t)(i * 5));
    }
    for (uint8_t i = 1; i < 32; i++) {
        command(0x20 + i);
        REQUIRE((uint8_t)(i * 5));
    }
}

static void status_tells_system_and_command(void **state)
{
    (void)state;
    assert_int_equal(status(), 0x10);
    command(0xaa);
    assert_int_equal(status(), 0x1d);
    (void)read_data();
    data(0xf4);
    assert_int_equal(status() & 0x08, 0);
}

static void auxiliary_commands_tell_that_nothing_is_there(void **state)
{
    (void)state;
    command(0xd3); /* loop test: the byte comes back as a keyboard's */
    data(0x5a);
    assert_int_equal(status() & AUX, 0);
    REQUIRE(0x5a);
    command(0xa9);
    assert_int_not_equal(read_data(), 0x00);
    command(0xd4);
    data(0xff);
    assert_int_equal(status() & (AUX | 0x40), AUX | 0x40);
    REQUIRE(0xfe);
    assert_int_equal(status() & (AUX | 0x40), 0);
    command(0xa8);
    command(0x20);
    assert_int_equal(read_data() & 0x20, 0);
    command(0xa7);
    command(0x20);
    assert_int_equal(read_data() & 0x20, 0x20);
}

static void reply_flood_is_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        command(0xab);
        data(0xf2);
    }
    unsigned n = 0;

    while ((status() & OUTPUT) != 0) {
        (void)legacy_kbc_read(&kbc, 0x60);
        n++;
    }
    assert_in_range(n, 1, LEGACY_KBC_QUEUE + LEGACY_KBC_REPLIES + 1);
}

/* ---- Interrupt -------------------------------------------------------- */

static void each_byte_is_an_edge(void **state)
{
    (void)state;
    command(0x60);
    data(0x25);
    data(0xf2);
    assert_true(f.line[1]);
    assert_int_equal(f.rise_count[1], 1);
    (void)read_data();
    assert_int_equal(f.rise_count[1], 2);
    (void)read_data();
    (void)read_data();
    assert_int_equal(f.rise_count[1], 3);
    assert_false(f.line[1]);
}

static void interrupt_needs_its_bit(void **state)
{
    (void)state;
    command(0x60);
    data(0x24);
    data(0xee);
    assert_false(f.line[1]);
    command(0x60);
    data(0x25);
    assert_true(f.line[1]);
    command(0xd4);
    (void)read_data();
    data(0x00);
    assert_false(f.line[1]); /* that byte is the auxiliary port's */
}

/* ---- A20 and reset ---------------------------------------------------- */

static void a20_by_output_port(void **state)
{
    (void)state;
    command(0xd0);
    assert_int_equal(read_data() & 3, 3);
    command(0xd1);
    data(0xdd);
    assert_int_equal(f.request_count[LEGACY_A20_OFF], 1);
    command(0xd0);
    assert_int_equal(read_data() & 3, 1);
    command(0xd1);
    data(0xdf);
    data(0xee); /* no second one */
    assert_int_equal(f.request_count[LEGACY_A20_ON], 1);
    assert_int_equal(f.request_count[LEGACY_RESET], 0);
}

static void a20_by_command_and_by_port_92(void **state)
{
    (void)state;
    command(0xdd);
    assert_int_equal(f.request_count[LEGACY_A20_OFF], 1);
    assert_int_equal(legacy_kbc_read(&kbc, 0x92), 0);
    legacy_kbc_write(&kbc, 0x92, 0x02);
    assert_int_equal(f.request_count[LEGACY_A20_ON], 1);
    legacy_kbc_write(&kbc, 0x92, 0x02);
    command(0xdf);
    assert_int_equal(f.request_count[LEGACY_A20_ON], 1);
    assert_int_equal(legacy_kbc_read(&kbc, 0x92), 2);
}

static void reset_by_each_way(void **state)
{
    (void)state;
    command(0xff); /* no line pulsed */
    assert_int_equal(f.request_count[LEGACY_RESET], 0);
    command(0xfe);
    assert_int_equal(f.request_count[LEGACY_RESET], 1);
    command(0xd1);
    data(0x02);
    assert_int_equal(f.request_count[LEGACY_RESET], 2);
    legacy_kbc_write(&kbc, 0x92, 0x03);
    legacy_kbc_write(&kbc, 0x92, 0x03); /* no edge */
    assert_int_equal(f.request_count[LEGACY_RESET], 3);
    legacy_kbc_write(&kbc, 0x92, 0x02);
    legacy_kbc_write(&kbc, 0x92, 0x03);
    assert_int_equal(f.request_count[LEGACY_RESET], 4);
}

#define CASE(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(firmware_setup_sequence_is_answered),
        CASE(identify_is_translated_when_told),
        CASE(keyboard_commands_with_parameters),
        CASE(defaults_come_back_by_f5_f6_and_ff),
        CASE(enable_drops_what_was_queued),
        CASE(early_run_types_nothing),
        CASE(data_byte_switches_the_keyboard_on),
        CASE(disabled_keyboard_holds_its_bytes),
        CASE(internal_memory_keeps_its_bytes),
        CASE(status_tells_system_and_command),
        CASE(auxiliary_commands_tell_that_nothing_is_there),
        CASE(reply_flood_is_bounded),
        CASE(each_byte_is_an_edge),
        CASE(interrupt_needs_its_bit),
        CASE(a20_by_output_port),
        CASE(a20_by_command_and_by_port_92),
        CASE(reset_by_each_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
