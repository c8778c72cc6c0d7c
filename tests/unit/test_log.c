/* SPDX-License-Identifier: BSD-2-Clause */
/* The log's line format, levels, cleaning, limits; and panic's report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "console_fixture.h"
#include "ravelin/log.h"
#include "ravelin/panic.h"
#include "ravelin/symbols.h"

static int start(void **state)
{
    (void)state;
    fake_machine_reset();
    console_start(CONSOLE_PLAIN);
    log_level_set(LOG_INFO);
    return 0;
}

static void write_line_has_time_cpu_and_level(void **state)
{
    (void)state;
    console_cpu.id = 3;
    fake_time_advance(12345678901UL);
    log_warn("low on %s", "memory");
    assert_string_equal(sent,
                        "(rv) [   12.345678] cpu3 warn: low on memory\r\n");
}

static void write_below_the_level_prints_nothing(void **state)
{
    (void)state;
    log_debug("hidden");
    assert_string_equal(sent, "");
    log_level_set(LOG_DEBUG);
    assert_int_equal(log_level_get(), LOG_DEBUG);
    log_debug("shown");
    assert_non_null(strchr(sent, 's'));
    sent_clear();
    log_level_set(LOG_ERROR);
    log_warn("hidden");
    assert_string_equal(sent, "");
}

static void write_control_characters_are_replaced(void **state)
{
    (void)state;
    log_info("name %s", "x\n(rv) [1.0] cpu0 info: lie\033[2J\x1e\xc2\x9b"
                        "2J");
    assert_string_equal(sent, "(rv) [    0.000000] cpu0 info: name "
                              "x?(rv) [1.0] cpu0 info: lie?[2J???2J\r\n");
}

static void write_long_text_is_cut_to_one_line(void **state)
{
    (void)state;
    char text[1000];
    char *end;

    console_start(CONSOLE_MUX);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
    end = strchr(sent, '\n');
    assert_non_null(end);
    assert_int_equal(end[1], '\0');
    /* Behind the six bytes of the channel marker. */
    assert_int_equal(sent_length - 6, LOG_LINE_MAX);
}

static void write_after_losses_reports_them(void **state)
{
    (void)state;
    line_room = 0;
    for (unsigned i = 0; i < 1000 && console_drop_count() == 0; i++) {
        log_info("a line that the dead serial port does not take");
    }
    line_room = SIZE_MAX;
    console_output_poll();
    sent_clear();
    log_info("back");
    assert_non_null(strchr(sent, '\n'));
    assert_int_equal(strncmp(sent + 24, " warn: console: ", 16), 0);
}

static void limit_passes_a_burst_then_holds_until_the_window_ends(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    uint32_t held = 99;

    for (unsigned i = 0; i < LOG_LIMIT_BURST; i++) {
        assert_true(log_limit_pass(&limit, 5, &held));
        assert_int_equal(held, 0);
    }
    assert_false(log_limit_pass(&limit, 5, &held));
    assert_false(log_limit_pass(&limit, LOG_LIMIT_WINDOW_NS - 1, &held));
    assert_true(log_limit_pass(&limit, LOG_LIMIT_WINDOW_NS, &held));
    assert_int_equal(held, 2);
    assert_true(log_limit_pass(&limit, LOG_LIMIT_WINDOW_NS, &held));
    assert_int_equal(held, 0);
}

static void symbols_without_a_table_print_the_address(void **state)
{
    (void)state;
    char text[SYMBOLS_TEXT_MAX];
    char name[SYMBOLS_NAME_MAX];
    uint64_t offset;

    assert_false(symbols_lookup(0xffffffff80200000UL, name, &offset));
    symbols_format(text, sizeof(text), 0xffffffff80200000UL);
    assert_string_equal(text, "0xffffffff80200000");
}

static void ring_keeps_the_latest_lines(void **state)
{
    (void)state;
    static char buf[LOG_RING_SIZE + 1];
    uint32_t index = log_ring_start();
    uint32_t again;
    size_t n;

    (void)log_ring_read(&index, buf, sizeof(buf));
    log_ring_clear(index); /* of other tests */
    log_info("first");
    log_info("second");
    again = index;
    n = log_ring_read(&index, buf, sizeof(buf) - 1);
    buf[n] = '\0';
    assert_string_equal(buf, "(rv) [    0.000000] cpu0 info: first\n"
                             "(rv) [    0.000000] cpu0 info: second\n");
    assert_int_equal(index, again + n);
    assert_int_equal(log_ring_read(&index, buf, sizeof(buf)), 0);
    /* In pieces, and what is cleared is not kept. */
    assert_int_equal(log_ring_read(&again, buf, 4), 4);
    assert_memory_equal(buf, "(rv)", 4);
    log_ring_clear(index - 7);
    assert_int_equal(log_ring_start(), index - 7);
    assert_int_equal(log_ring_read(&again, buf, sizeof(buf)), 7);
    assert_memory_equal(buf, "second\n", 7);
}

static void ring_wraps_and_takes_any_position(void **state)
{
    (void)state;
    static char buf[2 * LOG_RING_SIZE];
    uint32_t index = log_ring_start();

    for (unsigned i = 0; i < 3000; i++) {
        log_info("line %05u of those that go round", i);
        sent_clear();
    }
    assert_int_equal(log_ring_read(&index, buf, sizeof(buf)), LOG_RING_SIZE);
    assert_memory_equal(&buf[LOG_RING_SIZE - 35],
                        " line 02999 of those that go round\n", 35);
    for (uint32_t at = 0; at < 64; at++) {
        uint32_t any = at << 26;
        uint32_t kept = index - any;
        size_t n = log_ring_read(&any, buf, sizeof(buf));

        assert_int_equal(n, kept <= LOG_RING_SIZE ? kept : LOG_RING_SIZE);
        assert_int_equal(any, index);
        log_ring_clear(at << 26); /* not kept: nothing happens */
    }
    assert_int_equal(log_ring_start(), index - LOG_RING_SIZE);
}

static void line_given_away_is_left_alone_until_it_comes_back(void **state)
{
    (void)state;
    assert_int_equal(console_channel_open(1, "d", true), 0);
    log_line_take(); /* ours: nothing */
    assert_string_equal(sent, "");
    log_info("before");
    log_line_give();
    assert_false(line_is_ours);
    sent_clear();
    typed = "x";
    notify_state = -1;
    log_info("held");
    assert_int_equal(put(1, "lost\n"), 5);
    console_input_poll(NULL);
    console_output_poll();
    console_flush();
    assert_string_equal(sent, "");
    assert_int_equal(*typed, 'x');
    assert_int_equal(notify_state, -1);
    log_line_take();
    assert_true(line_is_ours);
    log_info("after");
    assert_string_equal(sent, "(rv) [    0.000000] cpu0 info: held\r\n"
                              "(rv) [    0.000000] cpu0 info: after\r\n");
    assert_int_equal(console_drop_count(), 0);
}

static void panic_now(void *ctx)
{
    panic("out of %s", (const char *)ctx);
}

static void bug_now(void *ctx)
{
    BUG_ON(ctx != NULL);
}

static void panic_takes_the_line_back_and_ends(void **state)
{
    (void)state;
    log_line_give();
    sent_clear();
    log_info("the last thing said");
    assert_true(fake_panics(panic_now, "luck"));
    assert_string_equal(fake_panic_message, "out of luck");
    assert_true(line_is_ours);
    assert_non_null(strstr(sent, "the last thing said"));
    assert_non_null(strstr(sent, "PANIC: out of luck"));
}

static void bug_on_panics_only_if_true(void **state)
{
    (void)state;
    assert_false(fake_panics(bug_now, NULL));
    assert_true(fake_panics(bug_now, "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(write_line_has_time_cpu_and_level, start),
        cmocka_unit_test_setup(write_below_the_level_prints_nothing, start),
        cmocka_unit_test_setup(write_control_characters_are_replaced, start),
        cmocka_unit_test_setup(write_long_text_is_cut_to_one_line, start),
        cmocka_unit_test_setup(write_after_losses_reports_them, start),
        cmocka_unit_test(limit_passes_a_burst_then_holds_until_the_window_ends),
        cmocka_unit_test(symbols_without_a_table_print_the_address),
        cmocka_unit_test_setup(ring_keeps_the_latest_lines, start),
        cmocka_unit_test_setup(ring_wraps_and_takes_any_position, start),
        cmocka_unit_test_setup(
            line_given_away_is_left_alone_until_it_comes_back, start),
        cmocka_unit_test_setup(panic_takes_the_line_back_and_ends, start),
        cmocka_unit_test_setup(bug_on_panics_only_if_true, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
