/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of characters that a person types at the console: scan codes of
 * the keyboard on the 8042.
 * Ref: IBM PC AT and PS/2 technical references, "Keyboard Controller",
 *      "Keyboards (101- and 102-Key)".
 */
#include "legacy_kbc_fixture.h"

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
