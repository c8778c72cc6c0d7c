/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's command line, well-formed and not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ravelin/cpu.h"
#include "ravelin/options.h"

static struct options opt;

static void parse_empty_line_gives_defaults(void **state)
{
    (void)state;
    options_parse(&opt, "");
    assert_int_equal(opt.console, CONSOLE_PLAIN);
    assert_int_equal(opt.log_level, LOG_INFO);
    assert_int_equal(opt.debug_exit_port, 0);
    assert_int_equal(opt.cpu_limit, CPU_COUNT_MAX);
    assert_int_equal(opt.bad_count, 0);
}

static void parse_all_options_are_applied(void **state)
{
    (void)state;
    options_parse(&opt, "  console=mux\tloglvl=debug debug-exit=0xf4 "
                        "maxcpus=3 entry-check=off,d1:cr0-nw");
    assert_int_equal(opt.console, CONSOLE_MUX);
    assert_int_equal(opt.log_level, LOG_DEBUG);
    assert_int_equal(opt.debug_exit_port, 0xf4);
    assert_int_equal(opt.cpu_limit, 3);
    assert_string_equal(opt.entry_check, "off,d1:cr0-nw");
    assert_int_equal(opt.bad_count, 0);
}

static void parse_last_value_of_an_option_wins(void **state)
{
    (void)state;
    options_parse(&opt, "loglvl=error loglvl=warn");
    assert_int_equal(opt.log_level, LOG_WARN);
}

static void parse_bad_values_change_nothing_and_are_kept(void **state)
{
    (void)state;
    options_parse(&opt, "console=both loglvl= debug-exit=65536 maxcpus=0");
    assert_int_equal(opt.console, CONSOLE_PLAIN);
    assert_int_equal(opt.log_level, LOG_INFO);
    assert_int_equal(opt.debug_exit_port, 0);
    assert_int_equal(opt.cpu_limit, CPU_COUNT_MAX);
    assert_int_equal(opt.bad_count, 4);
    assert_string_equal(opt.bad[0], "console=both");
    assert_string_equal(opt.bad[3], "maxcpus=0");
}

static void parse_number_with_tail_or_out_of_range_is_bad(void **state)
{
    (void)state;
    options_parse(&opt, "maxcpus=2x maxcpus=65 debug-exit=0");
    assert_int_equal(opt.bad_count, 3);
    assert_int_equal(opt.cpu_limit, CPU_COUNT_MAX);
}

static void parse_unknown_words_beyond_the_list_are_counted(void **state)
{
    (void)state;
    options_parse(&opt, "a b=1 c d e f");
    assert_int_equal(opt.bad_count, 6);
    assert_string_equal(opt.bad[OPTIONS_BAD_MAX - 1], "d");
}

static void parse_overlong_word_is_bad_and_cut(void **state)
{
    (void)state;
    options_parse(&opt, "loglvl=debug"
                        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                        " maxcpus=2");
    assert_int_equal(opt.log_level, LOG_INFO);
    assert_int_equal(opt.cpu_limit, 2);
    assert_int_equal(opt.bad_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_empty_line_gives_defaults),
        cmocka_unit_test(parse_all_options_are_applied),
        cmocka_unit_test(parse_last_value_of_an_option_wins),
        cmocka_unit_test(parse_bad_values_change_nothing_and_are_kept),
        cmocka_unit_test(parse_number_with_tail_or_out_of_range_is_bad),
        cmocka_unit_test(parse_unknown_words_beyond_the_list_are_counted),
        cmocka_unit_test(parse_overlong_word_is_bad_and_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
