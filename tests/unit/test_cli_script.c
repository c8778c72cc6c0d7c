/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small parts of the host tool: scripts, keys, suggestions, queues,
 * figures, line counts, and how an emulator's end is judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "emulator.h"
#include "keys.h"
#include "queue.h"
#include "script.h"
#include "text.h"

static char sent[256];

static void on_send(void *ctx, const struct script_step *step)
{
    (void)ctx;
    strncat(sent, step->bytes, sizeof(sent) - strlen(sent) - 1);
}

static void feed(struct script *s, const char *domain, const char *text)
{
    script_feed(s, domain, text, strlen(text));
}

static void script_advance_works_off_steps_in_order(void **state)
{
    struct script s = {0};

    (void)state;
    sent[0] = '\0';
    assert_null(script_add(&s, STEP_EXPECT, "a:one"));
    assert_null(script_add(&s, STEP_SEND, "a:x\\n"));
    assert_null(script_add(&s, STEP_EXPECT, "b:^two$"));
    assert_false(script_advance(&s, on_send, NULL));
    feed(&s, "b", "two\n"); /* early output is not lost */
    assert_false(script_advance(&s, on_send, NULL));
    assert_string_equal(sent, "");
    feed(&s, "a", "o");
    feed(&s, "a", "\033[1mn\033[0me");
    assert_true(script_advance(&s, on_send, NULL));
    assert_string_equal(sent, "x\n");
    script_free(&s);
}

static void script_advance_match_is_used_once(void **state)
{
    struct script s = {0};

    (void)state;
    assert_null(script_add(&s, STEP_EXPECT, "a:# $"));
    assert_null(script_add(&s, STEP_EXPECT, "a:# $"));
    feed(&s, "a", "/ # ");
    assert_false(script_advance(&s, on_send, NULL));
    assert_int_equal(s.done, 1);
    feed(&s, "a", "ls\r\nfile\r\n/ # ");
    assert_true(script_advance(&s, on_send, NULL));
    script_free(&s);
}

static void script_advance_middle_of_line_is_not_its_start(void **state)
{
    struct script s = {0};

    (void)state;
    assert_null(script_add(&s, STEP_EXPECT, "a:one"));
    assert_null(script_add(&s, STEP_EXPECT, "a:^two"));
    feed(&s, "a", "one two\n");
    assert_false(script_advance(&s, on_send, NULL));
    feed(&s, "a", "two\n");
    assert_true(script_advance(&s, on_send, NULL));
    script_free(&s);
}

static void script_feed_endless_output_is_bounded(void **state)
{
    static char noise[65536];
    struct script s = {0};

    (void)state;
    memset(noise, 'x', sizeof(noise) - 1);
    assert_null(script_add(&s, STEP_EXPECT, "a:end$"));
    for (int i = 0; i < 100; i++) {
        feed(&s, "a", noise);
    }
    feed(&s, "a", "end");
    assert_true(s.output[0].len <= 1u << 20);
    assert_true(script_advance(&s, on_send, NULL));
    script_free(&s);
}

static void script_add_bad_steps_are_refused(void **state)
{
    struct script s = {0};

    (void)state;
    assert_non_null(script_add(&s, STEP_EXPECT, "no colon"));
    assert_non_null(script_add(&s, STEP_EXPECT, ":text"));
    assert_non_null(script_add(&s, STEP_EXPECT, "a:(unclosed"));
    assert_non_null(script_add(&s, STEP_SEND, "a:\\q"));
    assert_non_null(script_add(&s, STEP_SEND, "a:\\x4"));
    assert_non_null(script_add(&s, STEP_SEND, "a:end\\"));
    assert_int_equal(s.step_count, 0);
    assert_null(script_add(&s, STEP_SEND, "a:\\x41\\e\\\\\\r:b"));
    assert_int_equal(s.step[0].len, 6);
    assert_memory_equal(s.step[0].bytes, "A\033\\\r:b", 6);
    script_free(&s);
}

static void keys_feed_plain_keys_pass(void **state)
{
    struct keys k = {0};
    bool pass = false;

    (void)state;
    assert_int_equal(keys_feed(&k, 'q', 0, &pass), KEY_NONE);
    assert_true(pass);
}

static void keys_feed_commands_follow_the_escape_key(void **state)
{
    static const struct {
        char key;
        enum key_action action;
    } cases[] = {
        {'?', KEY_HELP}, {'q', KEY_QUIT}, {'3', KEY_CHOOSE},
        {'l', KEY_LIST}, {'s', KEY_SOLO}, {']', KEY_LITERAL},
    };
    struct keys k = {0};
    bool pass;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(keys_feed(&k, KEY_ESCAPE, 0, &pass), KEY_NONE);
        assert_false(pass);
        assert_int_equal(keys_feed(&k, cases[i].key, 0.1, &pass),
                         cases[i].action);
        assert_false(pass);
    }
    assert_int_equal(k.number, 3);
}

static void keys_escape_alone_moves_on_after_the_wait(void **state)
{
    struct keys k = {0};
    bool pass;

    (void)state;
    keys_feed(&k, KEY_ESCAPE, 10, &pass);
    assert_int_equal(keys_tick(&k, 10.1), KEY_NONE);
    assert_int_equal(keys_tick(&k, 10.1 + KEY_WAIT_SECONDS), KEY_NEXT);
    assert_int_equal(keys_tick(&k, 20), KEY_NONE);
    /* A key that is no command moves on, and is typed there. */
    keys_feed(&k, KEY_ESCAPE, 30, &pass);
    assert_int_equal(keys_feed(&k, 'x', 30.1, &pass), KEY_NEXT);
    assert_true(pass);
}

static void suggest_word_finds_slips_only(void **state)
{
    static const char *const words[] = {"memory", "vcpus", "console", "name"};

    (void)state;
    assert_string_equal(suggest_word("memroy", words, 4), "memory");
    assert_string_equal(suggest_word("vcpu", words, 4), "vcpus");
    assert_string_equal(suggest_word("consle", words, 4), "console");
    assert_null(suggest_word("bandwidth", words, 4));
    assert_null(suggest_word("x", words, 4));
    assert_null(suggest_word("", words, 4));
}

static void queue_add_is_bounded(void **state)
{
    struct queue q = {0};

    (void)state;
    assert_true(queue_add(&q, "abcd", 4, 5));
    assert_false(queue_add(&q, "ef", 2, 5));
    assert_true(queue_add(&q, "e", 1, 5));
    assert_int_equal(q.len, 5);
    queue_free(&q);
}

static void figures_take_line_reads_bench_lines_only(void **state)
{
    struct figures f;
    size_t before;

    (void)state;
    figures_init(&f);
    before = f.count;
    assert_true(figures_take_line(&f, "BENCH cpuid_exit 390 insn", ""));
    assert_true(figures_take_line(&f, "[x] BENCH own_figure 1.5 ratio", ""));
    assert_int_equal(f.count, before + 1);
    assert_true(f.figure[before].value == 1.5);
    assert_true(f.figure[before].bar < 0);
    assert_false(figures_take_line(&f, "BENCH cpuid_exit many insn", ""));
    assert_false(figures_take_line(&f, "BENCH cpuid_exit nan insn", ""));
    assert_false(figures_take_line(&f, "Test result: SUCCESS", ""));
    assert_true(figures_take_line(&f, "BENCH own_figure 2 insn", "_2cpu"));
    assert_int_equal(f.count, before + 2);
    assert_string_equal(f.figure[before + 1].name, "own_figure_2cpu");
    figures_drop(&f, "v4v_");
    assert_int_equal(f.count, before + 2 - 4); /* those with a bar */
    for (size_t i = 0; i < f.count; i++) {
        assert_true(strncmp(f.figure[i].name, "v4v_", 4) != 0);
    }
    figures_free(&f);
}

static void lines_count_text_leaves_out_comments_and_blanks(void **state)
{
    static const char text[] = "/* one\n"
                               " * two */\n"
                               "\n"
                               "int a; /* three */\n"
                               "   // four\n"
                               "char *s = \"/* no comment */\";\n"
                               "char c = '\"'; // five\n"
                               "char d = '\\''; /* x\n"
                               "*/ int e;\n"
                               "  \t\n"
                               "last";

    (void)state;
    assert_int_equal(lines_count_text(text, sizeof(text) - 1), 6);
    assert_int_equal(lines_count_text("", 0), 0);
}

static void emulator_judge_tells_the_ends_apart(void **state)
{
    unsigned int code;

    (void)state;
    assert_int_equal(emulator_judge(0, true, &code), MACHINE_POWEROFF);
    assert_int_equal(emulator_judge(1 << 8, true, &code), MACHINE_POWEROFF);
    assert_int_equal(emulator_judge(1 << 8, false, &code), MACHINE_LOST);
    assert_int_equal(emulator_judge(0x7f << 8, true, &code), MACHINE_FAILED);
    assert_int_equal(code, 0x3f);
    assert_int_equal(emulator_judge(127 << 8, false, &code), MACHINE_LOST);
    assert_int_equal(emulator_judge(9, true, &code), MACHINE_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(script_advance_works_off_steps_in_order),
        cmocka_unit_test(script_advance_match_is_used_once),
        cmocka_unit_test(script_advance_middle_of_line_is_not_its_start),
        cmocka_unit_test(script_feed_endless_output_is_bounded),
        cmocka_unit_test(script_add_bad_steps_are_refused),
        cmocka_unit_test(keys_feed_plain_keys_pass),
        cmocka_unit_test(keys_feed_commands_follow_the_escape_key),
        cmocka_unit_test(keys_escape_alone_moves_on_after_the_wait),
        cmocka_unit_test(suggest_word_finds_slips_only),
        cmocka_unit_test(queue_add_is_bounded),
        cmocka_unit_test(figures_take_line_reads_bench_lines_only),
        cmocka_unit_test(lines_count_text_leaves_out_comments_and_blanks),
        cmocka_unit_test(emulator_judge_tells_the_ends_apart),
    };

    return cmocka_run_group_tests_name("cli_script", tests, NULL, NULL);
}
