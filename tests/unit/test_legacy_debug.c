/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug ports: lines, their budget, POST codes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "legacy_fixture.h"

#include "ravelin/legacy_debug.h"

static struct legacy_fixture f;
static struct legacy_debug debug;

static int start(void **state)
{
    (void)state;
    legacy_fixture_start(&f);
    legacy_debug_init(&debug, &f.host);
    return 0;
}

static void text(const char *s)
{
    for (; *s != '\0'; s++) {
        legacy_debug_write(&debug, 0x402, (uint8_t)*s);
    }
}

static void post(uint8_t code)
{
    legacy_debug_write(&debug, 0x80, code);
}

static void text_becomes_lines(void **state)
{
    (void)state;
    assert_int_equal(legacy_debug_read(&debug, 0x402), 0xe9);
    text("SeaBIOS (version 1)\r\nnext");
    assert_int_equal(f.log_count, 1);
    assert_string_equal(f.log_last, "SeaBIOS (version 1)");
    legacy_debug_flush(&debug);
    assert_int_equal(f.log_count, 2);
    assert_string_equal(f.log_last, "next");
    legacy_debug_flush(&debug);
    text("\n\n");
    assert_int_equal(f.log_count, 2); /* empty lines are none */
}

static void long_lines_are_cut_into_several(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        text("x");
    }
    assert_int_equal(f.log_count, 1000 / (LEGACY_DEBUG_LINE - 1));
    assert_int_equal(strlen(f.log_last), LEGACY_DEBUG_LINE - 1);
}

static void lines_beyond_the_budget_are_counted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LEGACY_DEBUG_BURST + 100; i++) {
        text("spam\n");
    }
    assert_int_equal(f.log_count, LEGACY_DEBUG_BURST);
    f.now += 1000000000u;
    text("after\n");
    assert_int_equal(f.log_count, LEGACY_DEBUG_BURST + 2);
    assert_string_equal(f.log_last, "after");
    assert_int_equal(debug.held_count, 0);
    for (unsigned i = 0; i < 100; i++) {
        text("spam\n");
    }
    assert_int_equal(f.log_count, LEGACY_DEBUG_BURST + 1 + LEGACY_DEBUG_PER_S);
    f.now += 3600000000000u;
    text("late\n");
    assert_true(debug.budget < LEGACY_DEBUG_BURST);
}

static void slow_writers_do_not_lose_fractions(void **state)
{
    unsigned before;

    (void)state;
    for (unsigned i = 0; i < LEGACY_DEBUG_BURST; i++) {
        text("x\n");
    }
    before = f.log_count;
    for (unsigned i = 0; i < 100; i++) {
        f.now += 10000000u; /* a fifth of a line's worth each */
        text("y\n");
    }
    assert_in_range(f.log_count - before, 20, 42);
}

static void post_codes_keep_the_last_ones(void **state)
{
    uint8_t codes[LEGACY_POST_KEPT];
    char line[128] = "x";

    (void)state;
    assert_int_equal(legacy_debug_read(&debug, 0x80), 0xff);
    legacy_debug_post_text(&debug, line, sizeof(line));
    assert_string_equal(line, "");
    post(0x01);
    post(0x02);
    post(0x02); /* a delay, not news */
    post(0x03);
    assert_int_equal(legacy_debug_post_get(&debug, codes), 3);
    legacy_debug_post_text(&debug, line, sizeof(line));
    assert_string_equal(line, "POST 01 02 03");
    assert_int_equal(legacy_debug_read(&debug, 0x80), 0x03);
    for (unsigned i = 0; i < 100; i++) {
        post((uint8_t)i);
    }
    assert_int_equal(legacy_debug_post_get(&debug, codes), LEGACY_POST_KEPT);
    assert_int_equal(codes[0], 84);
    assert_int_equal(codes[15], 99);
    legacy_debug_post_text(&debug, line, 20);
    assert_true(strlen(line) < 20);
}

static void delay_port_does_nothing(void **state)
{
    (void)state;
    legacy_debug_write(&debug, 0xed, 0x55);
    assert_int_equal(legacy_debug_read(&debug, 0xed), 0xff);
    assert_int_equal(debug.post_count, 0);
}

#define CASE(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(text_becomes_lines),
        CASE(long_lines_are_cut_into_several),
        CASE(lines_beyond_the_budget_are_counted),
        CASE(slow_writers_do_not_lose_fractions),
        CASE(post_codes_keep_the_last_ones),
        CASE(delay_port_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
