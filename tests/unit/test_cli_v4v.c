/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Management of messages, both ends of it: rules as people write them, the
 * agent's requests, its answers, and what neither may swallow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent.h"
#include "v4v_answer.h"
#include "v4v_text.h"

/* ---- Text ------------------------------------------------------------- */

static int find(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "web") == 0 ? 2 : strcmp(name, "5") == 0 ? 7 : -1;
}

static const char *name_of(void *ctx, unsigned int id)
{
    (void)ctx;
    return id == 2 ? "web" : NULL;
}

static const struct v4v_names names = {find, name_of, NULL};

/* The rule, written and read again; or what is wrong with it. */
static void expect_rule(const char *text, const char *want)
{
    char *arg = strdup(text);
    size_t count;
    char **words = v4v_words(&arg, 1, &count);
    struct v4vtables_rule r;
    const char *wrong = v4v_rule_parse(&names, words, count, &r);
    char *again = wrong ? strdup("wrong") : v4v_rule_text(&names, &r);

    assert_string_equal(again, want);
    free(again);
    free(words);
    free(arg);
}

static void rule_parse_reads_what_is_written(void **state)
{
    (void)state;
    expect_rule("1:* -> 2:8000 accept", "domain-1:* -> web:8000 accept");
    expect_rule("  * ->\tweb  deny ", "*:* -> web:* deny");
    expect_rule("any:any -> *:0x10 accept", "*:* -> *:16 accept");
    expect_rule("domain-9:4294967295 -> 0:1 deny",
                "domain-9:4294967295 -> domain-0:1 deny");
    /* A domain may be called like a number. */
    expect_rule("5 -> web accept", "domain-7:* -> web:* accept");
}

static void rule_parse_refuses_the_rest(void **state)
{
    static const char *const bad[] = {
        "",
        "1:2",
        "1:2 -> 3:4",
        "1:2 3:4 accept",
        "1:2 -> 3:4 allow",
        "1:2 -> 3:4 accept now",
        "1:2 <- 3:4 accept",
        ":2 -> 3:4 accept",
        "1: -> 3:4 accept",
        "1:0 -> 3:4 accept",
        "1:4294967296 -> 3:4 accept",
        "1:-1 -> 3:4 accept",
        "1:2:3 -> 3:4 accept",
        "nobody:2 -> 3:4 accept",
        "32756:2 -> 3:4 accept",
        "99999999999999999999:2 -> 3:4 accept",
        "0x:2 -> 3:4 accept",
        "12a:2 -> 3:4 accept",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aa:2"
        " -> 3:4 accept",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        expect_rule(bad[i], "wrong");
    }
}

static void words_join_and_cut_arguments(void **state)
{
    char a[] = " 1 a", b[] = "->  b", c[] = "";
    char *args[] = {a, b, c};
    size_t count;
    char **words = v4v_words(args, 3, &count);

    (void)state;
    assert_int_equal(count, 4);
    assert_string_equal(words[0], "1");
    assert_string_equal(words[1], "a");
    assert_string_equal(words[2], "->");
    assert_string_equal(words[3], "b");
    free(words);
    words = v4v_words(args, 0, &count);
    assert_int_equal(count, 0);
    free(words);
}

static void number_parse_stops_at_its_limit(void **state)
{
    uint64_t n;

    (void)state;
    assert_true(v4v_number_parse("18446744073709551615", UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    assert_false(v4v_number_parse("18446744073709551616", UINT64_MAX, &n));
    assert_true(v4v_number_parse("7", 7, &n));
    assert_false(v4v_number_parse("8", 7, &n));
    assert_false(v4v_number_parse("70", 7, &n));
    assert_false(v4v_number_parse(" 1", 7, &n));
    assert_false(v4v_number_parse("1 ", 7, &n));
}

/* ---- Answers ---------------------------------------------------------- */

static void answer_parse_takes_all_forms(void **state)
{
    struct answer a;

    (void)state;
    assert_true(answer_parse("0123abcd ok", &a));
    assert_true(answer_has(&a, 0, 3));
    assert_true(
        answer_parse("0123abcd ok 1 22;3 4 5;6 7 18446744073709551615", &a));
    assert_string_equal(a.id, "0123abcd");
    assert_true(answer_has(&a, 2, 3));
    assert_int_equal(a.head.value[1], 22);
    assert_int_equal(a.record_count, 2);
    assert_true(a.record[1].value[2] == UINT64_MAX);
    assert_false(answer_has(&a, 1, 3));
    assert_false(answer_has(&a, 2, 2));
    assert_true(answer_parse("00000000 error 22", &a));
    assert_int_equal(a.status, ANSWER_ERROR);
    assert_int_equal(a.error, 22);
    assert_false(answer_has(&a, 0, 0));
    assert_true(answer_parse("00000000 bad no such verb", &a));
    assert_string_equal(a.text, "no such verb");
}

static void answer_parse_refuses_the_rest(void **state)
{
    static const char *const bad[] = {
        "",
        "0123abcd",
        "0123abc ok",
        "0123ABCD ok",
        "0123abcd yes",
        "0123abcd ok ",
        "0123abcd ok 1 ",
        "0123abcd ok 1  2",
        "0123abcd ok -1",
        "0123abcd ok 1;",
        "0123abcd ok;;1",
        "0123abcd ok;1 x",
        "0123abcd ok 18446744073709551616",
        "0123abcd ok 1 2 3 4 5 6 7 8 9",
        "0123abcd error",
        "0123abcd error 0",
        "0123abcd error 4096",
        "0123abcd error 22 x",
    };
    static char many[1000] = "0123abcd ok";
    struct answer a;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_false(answer_parse(bad[i], &a));
    }
    for (size_t i = 0; i < ANSWER_RECORDS_MAX; i++) {
        strcat(many, ";1");
    }
    assert_true(answer_parse(many, &a));
    strcat(many, ";1");
    assert_false(answer_parse(many, &a));
}

/* ---- The agent -------------------------------------------------------- */

/* What the agent asked the hypervisor for, as text. */
static char asked[400];
static long result;

static void note_rule(unsigned int cmd, const struct v4vtables_rule *r,
                      uint32_t position)
{
    sprintf(asked, "%u %u:%u %u:%u %u at %u", cmd, r->src.domain, r->src.port,
            r->dst.domain, r->dst.port, r->accept, position);
}

static void fill_rules(void *arg)
{
    struct {
        struct v4vtables_counters head;
        struct v4vtables_counter rule[AGENT_RECORDS];
    } *l = arg;

    sprintf(asked, "rules from %u", l->head.start_rule);
    assert_int_equal(l->head.nb_rules, AGENT_RECORDS);
    l->head.default_accept = 1;
    l->head.default_hits = 9;
    l->head.rule_count = 100;
    for (uint32_t i = 0; i < AGENT_RECORDS; i++) {
        l->rule[i] = (struct v4vtables_counter){
            .rule = {.src = {0xffffffff, 0x7ff4, 0},
                     .dst = {0xffffffff, 0x7ff4, 0},
                     .accept = 5},
            .hits = UINT64_MAX,
        };
    }
}

static void fill_rings(void *arg)
{
    struct {
        struct v4v_ring_list head;
        struct v4v_ring_stat ring[AGENT_RECORDS];
    } *l = arg;

    sprintf(asked, "rings of %u from %u", l->head.target_id, l->head.start);
    memset(l->ring, 0xff, sizeof(l->ring));
    l->head.sent_messages = l->head.sent_bytes = l->head.refused = UINT64_MAX;
}

static long fake_v4v(unsigned int cmd, const void *arg1, const void *arg2,
                     uint32_t arg3, uint32_t arg4)
{
    struct v4v_explain *e;
    struct v4v_config *c;

    assert_null(arg2);
    assert_int_equal(arg4, 0);
    switch (cmd) {
    case V4VOP_tables_add:
        note_rule(cmd, arg1, arg3);
        break;
    case V4VOP_tables_del:
        if (arg1) {
            note_rule(cmd, arg1, arg3);
        } else {
            sprintf(asked, "%u at %u", cmd, arg3);
        }
        break;
    case V4VOP_tables_counters:
        fill_rules((void *)(uintptr_t)arg1);
        break;
    case V4VOP_ring_list:
        fill_rings((void *)(uintptr_t)arg1);
        break;
    case V4VOP_tables_explain:
        e = (void *)(uintptr_t)arg1;
        sprintf(asked, "%u:%u %u:%u", e->src.domain, e->src.port, e->dst.domain,
                e->dst.port);
        e->accept = 7;
        e->position = 3;
        e->hits = 12;
        break;
    default:
        c = (void *)(uintptr_t)arg1;
        sprintf(asked, "%u for %u: %u %u %u %u", cmd, c->target_id,
                c->max_rings, c->max_sendv, c->max_notify, c->max_send_size);
        c->max_send_size = 44;
        break;
    }
    return result;
}

static long fake_domains(uint32_t first, struct agent_domain *out, uint32_t n)
{
    sprintf(asked, "domains from %u", first);
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (struct agent_domain){first + i, DOMAIN_DYING};
    }
    return result ? result : (long)n;
}

static const struct agent_ops ops = {fake_v4v, fake_domains, 6};
static char answer[FRAME_PAYLOAD_MAX + 1];

static const char *serve(const char *request)
{
    size_t len = strlen(request);
    char *copy = malloc(len + 1); /* the sanitizer sees its end */
    size_t n;

    memcpy(copy, request, len);
    asked[0] = '\0';
    n = agent_serve(&ops, copy, len, answer);
    free(copy);
    assert_true(n <= FRAME_PAYLOAD_MAX);
    answer[n] = '\0';
    return answer;
}

static void agent_serve_turns_each_verb_into_its_operation(void **state)
{
    (void)state;
    assert_string_equal(serve("00000001 hello"), "00000001 ok 1 6");
    assert_string_equal(serve("00000001 add 3 32756 0 2 8000 1"),
                        "00000001 ok");
    assert_string_equal(asked, "7 32756:0 2:8000 1 at 3");
    assert_string_equal(serve("00000001 del 4"), "00000001 ok");
    assert_string_equal(asked, "8 at 4");
    assert_string_equal(serve("00000001 delrule 1 2 3 4 0"), "00000001 ok");
    assert_string_equal(asked, "8 1:2 3:4 0 at 4294967295");
    assert_string_equal(serve("00000001 flush"), "00000001 ok");
    assert_string_equal(asked, "8 at 4294967295");
    assert_string_equal(serve("00000001 explain 1 2 3 4"),
                        "00000001 ok 1 3 12");
    assert_string_equal(asked, "1:2 3:4");
    assert_string_equal(serve("00000001 limits 5"), "00000001 ok 0 0 0 44");
    assert_string_equal(asked, "14 for 5: 0 0 0 0");
    assert_string_equal(serve("00000001 limit 5 1 2 3 4"), "00000001 ok");
    assert_string_equal(asked, "10 for 5: 1 2 3 4");
}

/* -1 is the number that deletes everything. */
static void agent_serve_no_position_deletes_everything(void **state)
{
    (void)state;
    serve("00000001 del 4294967295");
    assert_string_equal(asked, "8 at 0");
}

static void agent_serve_longest_lists_fit_and_can_be_read(void **state)
{
    static const char *const requests[] = {"00000001 rules 4294967295",
                                           "00000001 rings 32767 4294967295",
                                           "00000001 domains 4294967000"};
    const size_t head[] = {3, 3, 0}, fields[] = {6, 8, 2};
    struct answer a;

    (void)state;
    assert_int_equal(ANSWER_LIST_FULL, AGENT_RECORDS);
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        assert_true(answer_parse(serve(requests[i]), &a));
        assert_int_equal(a.record_count, AGENT_RECORDS);
        assert_true(answer_has(&a, head[i], fields[i]));
        assert_true(strlen(answer) < FRAME_PAYLOAD_MAX);
    }
}

static void agent_serve_errors_are_told(void **state)
{
    static const char *const requests[] = {
        "00000001 rules 1",   "00000001 rings 1 0",
        "00000001 domains 0", "00000001 add 1 1 1 1 1 1",
        "00000001 del 1",     "00000001 delrule 1 1 1 1 1",
        "00000001 flush",     "00000001 explain 1 1 1 1",
        "00000001 limits 1",  "00000001 limit 1 1 1 1 1",
    };

    (void)state;
    result = -3;
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        assert_string_equal(serve(requests[i]), "00000001 error 3");
    }
    result = 0;
}

static void agent_serve_bad_requests_do_nothing(void **state)
{
    static const char *const bad[] = {
        "",
        "0000001 flush",
        "0000000g flush",
        "00000001",
        "00000001 ",
        "00000001flush",
        "00000001  flush",
        "00000001 flus",
        "00000001 flushx",
        "00000001 flush ",
        "00000001 flush 1",
        "00000001 del",
        "00000001 del ",
        "00000001 del -1",
        "00000001 del 4294967296",
        "00000001 del 1 1",
        "00000001 del 1x",
        "00000001 del  1",
        "00000001 add 1 32768 1 1 1 1",
        "00000001 add 1 1 1 65536 1 1",
        "00000001 add 1 1 1 1 1 2",
        "00000001 add 1 1 1 1 1",
        "00000001 add 1 1 1 1 1 1 1",
        "00000001 limits 99999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *text = serve(bad[i]);

        assert_string_equal(asked, "");
        assert_memory_equal(text + AGENT_ID_DIGITS, " bad ", 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_parse_reads_what_is_written),
        cmocka_unit_test(rule_parse_refuses_the_rest),
        cmocka_unit_test(words_join_and_cut_arguments),
        cmocka_unit_test(number_parse_stops_at_its_limit),
        cmocka_unit_test(answer_parse_takes_all_forms),
        cmocka_unit_test(answer_parse_refuses_the_rest),
        cmocka_unit_test(agent_serve_turns_each_verb_into_its_operation),
        cmocka_unit_test(agent_serve_no_position_deletes_everything),
        cmocka_unit_test(agent_serve_longest_lists_fit_and_can_be_read),
        cmocka_unit_test(agent_serve_errors_are_told),
        cmocka_unit_test(agent_serve_bad_requests_do_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
