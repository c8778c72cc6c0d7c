/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8042 and the keyboard on it: what a BIOS and an operating system do to
 * set them up, answers to an absent mouse, A20 and reset by each way, and what
 * becomes of characters that a person types at the console.
 * Ref: IBM PC AT and PS/2 technical references, "Keyboard Controller",
 *      "Keyboards (101- and 102-Key)".
 */
#include "legacy_fixture.h"

#include "legacy/kbc_keyboard.h"
#include "ravelin/legacy_kbc.h"

#define OUTPUT 0x01u
#define AUX 0x20u

static struct legacy_fixture f;
static struct legacy_kbc kbc;

static int start(void **state)
{
    (void)state;
    legacy_fixture_start(&f);
    f.now = 1000000000u;
    legacy_kbc_init(&kbc, &f.host);
    return 0;
}

static uint8_t status(void)
{
    return legacy_kbc_read(&kbc, 0x64);
}

static void command(uint8_t value)
{
    legacy_kbc_write(&kbc, 0x64, value);
}

static void data(uint8_t value)
{
    legacy_kbc_write(&kbc, 0x60, value);
}

static uint8_t read_data(void)
{
    assert_true((status() & OUTPUT) != 0);
    return legacy_kbc_read(&kbc, 0x60);
}

static void require_empty(void)
{
    assert_int_equal(status() & OUTPUT, 0);
}

static void require_bytes(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(read_data(), bytes[i]);
    }
    require_empty();
}

#define REQUIRE(...)                              \
    require_bytes((const uint8_t[]){__VA_ARGS__}, \
                  sizeof((const uint8_t[]){__VA_ARGS__}))

/* Keyboard on, translated or not, with interrupts. */
static void open_keyboard(bool translate)
{
    command(0x60);
    data(translate ? 0x65 : 0x25);
    data(0xf4);
    REQUIRE(0xfa);
}

/* Runs until nothing is due; `max` runs at most. Collects what arrives. */
static size_t collect(uint8_t *bytes, size_t max)
{
    size_t n = 0;

    while (legacy_kbc_deadline(&kbc) != LEGACY_NEVER) {
        f.now = rv_max(f.now, legacy_kbc_deadline(&kbc));
        legacy_kbc_run(&kbc);
        while ((status() & OUTPUT) != 0) {
            assert_true(n < max);
            bytes[n++] = legacy_kbc_read(&kbc, 0x60);
        }
    }
    return n;
}

static void require_typed(const char *text, const uint8_t *want, size_t n)
{
    uint8_t got[256];

    f.in = text;
    legacy_kbc_pull(&kbc);
    assert_int_equal(collect(got, sizeof(got)), n);
    assert_memory_equal(got, want, n);
}

#define TYPED(text, ...)                                \
    require_typed(text, (const uint8_t[]){__VA_ARGS__}, \
                  sizeof((const uint8_t[]){__VA_ARGS__}))

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

/* ---- Typing ----------------------------------------------------------- */

static void letters_in_both_sets(void **state)
{
    (void)state;
    open_keyboard(true);
    TYPED("a", 0x1e, 0x9e);
    TYPED("A", 0x2a, 0x1e, 0x9e, 0xaa);
    TYPED("\r", 0x1c, 0x9c);
    TYPED("\n", 0x1c, 0x9c);
    TYPED("\x7f", 0x0e, 0x8e);
    TYPED("\x03", 0x1d, 0x2e, 0xae, 0x9d);
    open_keyboard(false);
    TYPED("a", 0x1c, 0xf0, 0x1c);
    TYPED("!", 0x12, 0x16, 0xf0, 0x16, 0xf0, 0x12);
    data(0xf0);
    data(0x01);
    REQUIRE(0xfa, 0xfa);
    TYPED("a", 0x1e, 0x9e);
}

/* Every character of a US keyboard leads to a press and its release. */
static void every_printable_character_has_a_key(void **state)
{
    (void)state;
    open_keyboard(true);
    for (char c = ' '; c < 0x7f; c++) {
        const char text[2] = {c, '\0'};
        uint8_t got[8];
        size_t n;

        f.in = text;
        legacy_kbc_pull(&kbc);
        n = collect(got, sizeof(got));
        assert_true(n == 2 || (n == 4 && got[0] == 0x2a && got[3] == 0xaa));
        assert_int_equal(got[n / 2 - 1] | 0x80, got[n / 2]);
        assert_in_range(got[n / 2 - 1], 0x02, 0x39);
    }
}

static void escape_sequences_are_keys(void **state)
{
    (void)state;
    open_keyboard(true);
    TYPED("\033[A", 0xe0, 0x48, 0xe0, 0xc8);
    TYPED("\033OB", 0xe0, 0x50, 0xe0, 0xd0);
    TYPED("\033[5~", 0xe0, 0x49, 0xe0, 0xc9);
    TYPED("\033[24~", 0x58, 0xd8);
    TYPED("\033[20~", 0x43, 0xc3);
    TYPED("\033[19~", 0x42, 0xc2);
    TYPED("\033[1;5C", 0xe0, 0x4d, 0xe0, 0xcd);
    TYPED("\033OP", 0x3b, 0xbb);
    TYPED("\033", 0x01, 0x81);
    TYPED("\033x", 0x01, 0x81, 0x2d, 0xad);
    open_keyboard(false);
    TYPED("\033[A", 0xe0, 0x75, 0xe0, 0xf0, 0x75);
}

static void split_escape_sequence_is_waited_for(void **state)
{
    (void)state;
    open_keyboard(true);
    f.in = "\033";
    legacy_kbc_pull(&kbc);
    f.now = rv_max(f.now, legacy_kbc_deadline(&kbc));
    legacy_kbc_run(&kbc);
    require_empty();
    assert_true(legacy_kbc_deadline(&kbc) != LEGACY_NEVER);
    TYPED("[D", 0xe0, 0x4b, 0xe0, 0xcb);
}

static void unknown_sequences_and_bytes_make_no_key(void **state)
{
    (void)state;
    open_keyboard(true);
    TYPED("\033[99~b", 0x30, 0xb0);
    TYPED("\033[Zc", 0x2e, 0xae);
    TYPED("\xc3\xa4"
          "d",
          0x20, 0xa0);
    TYPED("\x1c\x1f"
          "e",
          0x12, 0x92);
}

static void endless_sequence_ends_its_run(void **state)
{
    static char digits[200];

    (void)state;
    open_keyboard(true);
    memset(digits, '1', sizeof(digits) - 1);
    digits[0] = '\033';
    digits[1] = '[';
    f.in = digits;
    legacy_kbc_pull(&kbc);
    f.now = rv_max(f.now, legacy_kbc_deadline(&kbc));
    legacy_kbc_run(&kbc);
    assert_int_equal(f.in - digits, 16);
}

static void keys_come_at_a_typists_pace(void **state)
{
    uint64_t last = 0;
    unsigned keys = 0;

    (void)state;
    open_keyboard(true);
    f.in = "abcdefgh";
    legacy_kbc_pull(&kbc);
    while (legacy_kbc_deadline(&kbc) != LEGACY_NEVER) {
        f.now = rv_max(f.now, legacy_kbc_deadline(&kbc));
        legacy_kbc_run(&kbc);
        if ((status() & OUTPUT) != 0) {
            assert_true(keys == 0 || f.now - last >= LEGACY_KBC_KEY_NS);
            last = f.now;
            keys++;
            (void)read_data();
            (void)read_data();
        }
    }
    assert_int_equal(keys, 8);
}

static void unread_key_holds_back_the_next(void **state)
{
    (void)state;
    open_keyboard(true);
    f.in = "xy";
    legacy_kbc_pull(&kbc);
    f.now += LEGACY_KBC_KEY_NS;
    legacy_kbc_run(&kbc);
    assert_string_equal(f.in, "y");
    assert_int_equal(legacy_kbc_deadline(&kbc), LEGACY_NEVER);
    (void)read_data();
    assert_int_equal(legacy_kbc_deadline(&kbc), LEGACY_NEVER);
    (void)read_data();
    assert_true(legacy_kbc_deadline(&kbc) != LEGACY_NEVER);
}

static void input_waits_for_a_scanning_keyboard(void **state)
{
    (void)state;
    f.in = "z";
    legacy_kbc_pull(&kbc);
    assert_int_equal(legacy_kbc_deadline(&kbc), LEGACY_NEVER);
    open_keyboard(true);
    data(0xf5);
    REQUIRE(0xfa);
    assert_int_equal(legacy_kbc_deadline(&kbc), LEGACY_NEVER);
    data(0xf4);
    REQUIRE(0xfa);
    TYPED("z", 0x2c, 0xac);
}

static void translation_is_one_to_one_where_keys_are(void **state)
{
    bool seen[256] = {false};

    (void)state;
    for (unsigned code = 1; code < 0x84; code++) {
        uint8_t set1 = keyboard_translate((uint8_t)code);

        if (set1 != code) {
            assert_false(seen[set1]);
            seen[set1] = true;
        }
    }
    assert_int_equal(keyboard_translate(0xfa), 0xfa);
    assert_int_equal(keyboard_translate(0xe0), 0xe0);
    assert_int_equal(keyboard_translate(0x83), 0x41); /* F7 */
}

static void reset_keeps_waiting_input(void **state)
{
    (void)state;
    open_keyboard(true);
    f.in = "q";
    legacy_kbc_pull(&kbc);
    data(0xf2);
    legacy_kbc_reset(&kbc);
    require_empty();
    assert_false(f.line[1]);
    assert_string_equal(f.in, "q");
    open_keyboard(true);
    uint8_t got[4];

    assert_int_equal(collect(got, sizeof(got)), 2);
    assert_int_equal(got[0], 0x10);
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
        CASE(letters_in_both_sets),
        CASE(every_printable_character_has_a_key),
        CASE(escape_sequences_are_keys),
        CASE(split_escape_sequence_is_waited_for),
        CASE(unknown_sequences_and_bytes_make_no_key),
        CASE(endless_sequence_ends_its_run),
        CASE(keys_come_at_a_typists_pace),
        CASE(unread_key_holds_back_the_next),
        CASE(input_waits_for_a_scanning_keyboard),
        CASE(translation_is_one_to_one_where_keys_are),
        CASE(reset_keeps_waiting_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
