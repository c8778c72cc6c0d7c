/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of monitors as the host tool reads them: what is a record and what
 * is not, names that change, times that run back, logs cut anywhere, guests
 * that try to fill tables or to write to the terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "events_export.h"
#include "events_run.h"
#include "events_source.h"
#include "events_summary.h"

#define CR3_EVENT \
    "@mon event seq=7 time=100 domain=1 vcpu=0 kind=cr3 new=0x5000"

static enum event_parse parse(const char *line, struct event_record *e)
{
    /* On the heap and not terminated: a read past the end is found. */
    size_t len = strlen(line);
    char *copy = malloc(len + 1);
    enum event_parse r;

    assert_non_null(copy);
    memcpy(copy + 1, line, len);
    r = event_parse_line(copy + 1, len, e);
    free(copy);
    return r;
}

static void must_parse(const char *line, struct event_record *e)
{
    assert_int_equal(parse(line, e), EP_RECORD);
}

/* ---- Lines ----------------------------------------------------------------
 */

static void parse_event_line_gives_its_fields(void **state)
{
    struct event_record e;

    (void)state;
    must_parse(CR3_EVENT, &e);
    assert_int_equal(e.verb, EV_EVENT);
    assert_int_equal(e.kind, EK_CR3);
    assert_true(e.number[EN_SEQ] == 7 && e.number[EN_TIME] == 100);
    assert_true(e.number[EN_NEW] == 0x5000);
    assert_false(event_has(&e, EN_OLD));
}

static void parse_every_kind_needs_its_fields(void **state)
{
    static const struct {
        const char *with;
        const char *without;
    } kinds[EK_COUNT] = {
        [EK_CR0] = {"kind=cr0 new=1", "kind=cr0 old=1"},
        [EK_CR3] = {"kind=cr3 new=1", "kind=cr3"},
        [EK_CR4] = {"kind=cr4 new=1 old=2", "kind=cr4 cr3=1"},
        [EK_INT3] = {"kind=int3 gla=1", "kind=int3 gfn=1"},
        [EK_ACCESS] = {"kind=access gfn=1 access=rw", "kind=access gfn=1"},
        [EK_STEP] = {"kind=step gla=1", "kind=step"},
        [EK_REQUEST] = {"kind=request", "kind=requests"},
        [EK_MSR] = {"kind=msr msr=1 new=2", "kind=msr msr=1"},
        [EK_INJECT] = {"kind=inject vector=3 result=0", "kind=inject vector=3"},
    };
    struct event_record e;
    char line[200];

    (void)state;
    for (int k = 0; k < EK_COUNT; k++) {
        snprintf(line, sizeof(line),
                 "@mon event seq=1 time=2 domain=3 vcpu=0 %s", kinds[k].with);
        must_parse(line, &e);
        assert_int_equal(e.kind, k);
        snprintf(line, sizeof(line),
                 "@mon event seq=1 time=2 domain=3 vcpu=0 %s",
                 kinds[k].without);
        assert_int_equal(parse(line, &e), EP_MALFORMED);
    }
}

static void parse_every_verb_needs_its_fields(void **state)
{
    static const struct {
        const char *with;
        const char *without;
    } rows[EV_VERB_COUNT] = {
        [EV_START] = {"start version=1 domain=1 time=2", "start version=1"},
        [EV_EVENT] = {"event seq=1 time=2 domain=1 vcpu=0 kind=request",
                      "event seq=1 time=2 domain=1 vcpu=0"},
        [EV_NAME] = {"name domain=1 cr3=0x1000 text=\"a b\"",
                     "name domain=1 cr3=0x1000"},
        [EV_NOTE] = {"note time=1 text=x", "note text=x"},
        [EV_LOADS] = {"loads domain=1 cr3=0x1000 count=2 time=5",
                      "loads domain=1 cr3=0x1000"},
        [EV_BYTES] = {"bytes seq=1 before=00ff after=ccff",
                      "bytes seq=1 before=00ff"},
        [EV_LOST] = {"lost domain=1 count=2", "lost domain=1"},
        [EV_PROCESS] = {"process domain=1 cr3=0x1000 loads=3 text=sh",
                        "process domain=1 cr3=0x1000 text=sh"},
        [EV_COUNT] = {"count domain=1 kind=cr3 count=9",
                      "count domain=1 count=9"},
        [EV_END] = {"end domain=1 time=9", "end domain=1"},
    };
    struct event_record e;
    char line[200];

    (void)state;
    for (int i = 0; i < EV_VERB_COUNT; i++) {
        snprintf(line, sizeof(line), "@mon %s", rows[i].with);
        must_parse(line, &e);
        assert_int_equal(e.verb, i);
        snprintf(line, sizeof(line), "@mon %s", rows[i].without);
        assert_int_equal(parse(line, &e), EP_MALFORMED);
    }
}

static void parse_other_lines_are_no_records(void **state)
{
    struct event_record e;

    (void)state;
    assert_int_equal(parse("", &e), EP_OTHER);
    assert_int_equal(parse("@mon", &e), EP_OTHER);
    assert_int_equal(parse("Test result: SUCCESS", &e), EP_OTHER);
    assert_int_equal(parse(" " CR3_EVENT, &e), EP_OTHER);
    assert_int_equal(parse("@mon later x=1", &e), EP_UNKNOWN);
}

static void parse_malformed_lines_are_refused(void **state)
{
    static const char *const lines[] = {
        "@mon ",
        "@mon  event",
        "@mon \x01",
        CR3_EVENT " new=0x5000",               /* twice */
        CR3_EVENT " kind=cr3",                 /* twice */
        CR3_EVENT "  rip=1",                   /* two blanks */
        CR3_EVENT " rip",                      /* no value */
        CR3_EVENT " rip=",                     /* empty */
        CR3_EVENT " rip=0x",                   /* no digits */
        CR3_EVENT " rip=0xG",                  /* no digit */
        CR3_EVENT " rip=-1",                   /* no sign */
        CR3_EVENT " rip=18446744073709551616", /* 2^64 */
        CR3_EVENT " rip=0x10000000000000000",  /* 2^64 */
        CR3_EVENT " access=rr",                /* a letter twice */
        CR3_EVENT " access=q",                 /* no letter of it */
        CR3_EVENT " text=\"open",              /* not closed */
        CR3_EVENT " text=\"a\\z\"",            /* no escape */
        CR3_EVENT " text=\"a\\x0\"",           /* half an escape */
        CR3_EVENT " text=\"a\\x00\"",          /* the end of a C string */
        CR3_EVENT " text=\"a\x1b[2J\"",        /* raw control character */
        CR3_EVENT " =1",                       /* no key */
        "@mon event seq=1 time=1 domain=32768 vcpu=0 kind=cr3 new=0",
        "@mon event seq=1 time=1 domain=1 vcpu=4096 kind=cr3 new=0",
        "@mon start version=1 domain=1 time=9000000000000000000",
    };
    struct event_record e;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        if (parse(lines[i], &e) != EP_MALFORMED) {
            fail_msg("accepted: %s", lines[i]);
        }
    }
}

static void parse_unknown_keys_are_passed_over(void **state)
{
    struct event_record e;

    (void)state;
    must_parse(CR3_EVENT " later=1 text2=\"a \\\" b\" z=a,b:c+d-e.f_g", &e);
    assert_true(e.number[EN_NEW] == 0x5000);
}

static void parse_numbers_reach_64_bits(void **state)
{
    struct event_record e;

    (void)state;
    must_parse(CR3_EVENT " rip=0xffffffffffffffff old=18446744073709551615",
               &e);
    assert_true(e.number[EN_RIP] == UINT64_MAX);
    assert_true(e.number[EN_OLD] == UINT64_MAX);
}

static void parse_texts_are_unescaped(void **state)
{
    struct event_record e;

    (void)state;
    must_parse("@mon name domain=1 cr3=0x1000 text=\"a \\\"b\\\" \\\\ \\x1b\"",
               &e);
    assert_string_equal(e.text[ET_TEXT], "a \"b\" \\ \x1b");
    must_parse("@mon name domain=1 cr3=0x1000 text=\"\"", &e);
    assert_string_equal(e.text[ET_TEXT], "");
}

static void parse_long_texts_are_refused_not_cut(void **state)
{
    struct event_record e;
    char line[600], text[300];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[EVENTS_TEXT_SIZE - 1] = '\0';
    snprintf(line, sizeof(line), "@mon note time=1 text=\"%s\"", text);
    must_parse(line, &e);
    assert_int_equal(strlen(e.text[ET_TEXT]), EVENTS_TEXT_SIZE - 1);
    snprintf(line, sizeof(line), "@mon note time=1 text=\"%sa\"", text);
    assert_int_equal(parse(line, &e), EP_MALFORMED);
}

/* ---- Sources --------------------------------------------------------------
 */

static char seen[256];

static void collect(void *ctx, const struct event_record *e)
{
    size_t at = strlen(seen);

    (void)ctx;
    snprintf(seen + at, sizeof(seen) - at, "%s%llu ", event_verb_name[e->verb],
             (unsigned long long)e->number[EN_SEQ]);
}

static void source_any_cut_gives_the_same(void **state)
{
    static const char log[] =
        "monitor: starts\r\n" CR3_EVENT
        "\r\n@mon bad\n\n@mon event seq=x\r\n" CR3_EVENT "\n" CR3_EVENT;

    (void)state;
    for (size_t piece = 1; piece < sizeof(log); piece++) {
        struct events_source s = {.on_record = collect};

        seen[0] = '\0';
        for (size_t at = 0; at + 1 < sizeof(log); at += piece) {
            size_t left = sizeof(log) - 1 - at;

            events_source_feed(&s, log + at, piece < left ? piece : left);
        }
        events_source_finish(&s);
        assert_string_equal(seen, "event7 event7 event7 ");
        assert_int_equal(s.counts.malformed, 1);
        assert_int_equal(s.counts.unknown, 1);
        assert_int_equal(s.counts.records, 3);
    }
}

static void source_endless_line_is_one_malformed_line(void **state)
{
    static char noise[100000];
    struct events_source s = {.on_record = collect};

    (void)state;
    seen[0] = '\0';
    memset(noise, 'x', sizeof(noise));
    memcpy(noise, "@mon event ", 11);
    events_source_feed(&s, noise, sizeof(noise));
    events_source_feed(&s, noise, sizeof(noise));
    events_source_feed(&s, "\n" CR3_EVENT "\n", sizeof(CR3_EVENT) + 1);
    assert_string_equal(seen, "event7 ");
    assert_int_equal(s.counts.malformed, 1);
}

/* ---- Names ----------------------------------------------------------------
 */

static void names_are_replaced_and_ignore_the_low_bits(void **state)
{
    struct event_names n = {0};

    (void)state;
    assert_null(event_names_find(&n, 1, 0x1000));
    event_names_set(&n, 1, 0x8000000000001abcull, "one");
    event_names_set(&n, 2, 0x1000, "other");
    assert_string_equal(event_names_find(&n, 1, 0x1fff), "one");
    event_names_set(&n, 1, 0x1000, "two");
    assert_string_equal(event_names_find(&n, 1, 0x1000), "two");
    assert_string_equal(event_names_find(&n, 2, 0x1000), "other");
    assert_null(event_names_find(&n, 3, 0x1000));
    event_names_free(&n);
}

static void names_flood_is_bounded(void **state)
{
    struct event_names n = {0};

    (void)state;
    for (uint64_t i = 1; i < 3 * EVENTS_NAMES_MAX; i++) {
        event_names_set(&n, 1, i << 12, "x");
    }
    assert_true(n.count <= EVENTS_NAMES_MAX);
    assert_non_null(event_names_find(&n, 1, 0x1000));
    assert_null(event_names_find(&n, 1, (3ull * EVENTS_NAMES_MAX - 1) << 12));
    event_names_free(&n);
}

static void names_shown_are_safe(void **state)
{
    struct event_names n = {0};
    char out[EVENTS_SAFE_SIZE], longest[EVENTS_TEXT_SIZE];

    (void)state;
    event_names_set(&n, 1, 0x1000, "a\x1b]0;b\x07\\");
    event_names_show(&n, 1, 0x1000, out);
    assert_string_equal(out, "a\\x1b]0;b\\x07\\x5c");
    event_names_show(&n, 1, 0x2000, out);
    assert_string_equal(out, "cr3 0x2000");
    memset(longest, 0xff, sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    event_text_safe(longest, out);
    assert_int_equal(strlen(out), 4 * (EVENTS_TEXT_SIZE - 1));
    event_names_free(&n);
}

static void domains_are_found_by_name_and_number(void **state)
{
    struct event_names n = {0};

    (void)state;
    event_names_domain_set(&n, 4, "linux");
    event_names_domain_set(&n, 4, "later");
    assert_int_equal(event_names_domain_find(&n, "linux"), 4);
    assert_int_equal(event_names_domain_find(&n, "7"), 7);
    assert_int_equal(event_names_domain_find(&n, "later"), -1);
    assert_int_equal(event_names_domain_find(&n, "7x"), -1);
    assert_int_equal(event_names_domain_find(&n, ""), -1);
    event_names_free(&n);
}

/* ---- Time -----------------------------------------------------------------
 */

static struct event_slice slices[16];
static size_t slice_count;

static void slice_collect(void *ctx, const struct event_slice *s)
{
    (void)ctx;
    assert_true(slice_count < ARRAY_SIZE(slices));
    slices[slice_count++] = *s;
}

static struct event_record cr3_at(uint64_t time, uint32_t vcpu, uint64_t cr3)
{
    struct event_record e;
    char line[160];

    snprintf(line, sizeof(line),
             "@mon event seq=1 time=%llu domain=1 vcpu=%u kind=cr3 new=0x%llx",
             (unsigned long long)time, (unsigned int)vcpu,
             (unsigned long long)cr3);
    must_parse(line, &e);
    return e;
}

static void take(struct timeline *t, uint64_t time, uint32_t vcpu, uint64_t cr3)
{
    struct event_record e = cr3_at(time, vcpu, cr3);

    (void)timeline_take(t, &e);
}

static void timeline_makes_slices_of_each_vcpu(void **state)
{
    struct timeline t = {.on_slice = slice_collect};

    (void)state;
    slice_count = 0;
    take(&t, 10, 0, 0x1000);
    take(&t, 15, 1, 0x2000);
    take(&t, 20, 0, 0x2000);
    take(&t, 25, 0, 0x2001); /* another PCID: the same address space */
    take(&t, 30, 0, 0x1000);
    timeline_finish(&t);
    assert_int_equal(slice_count, 3);
    assert_true(slices[0].start == 10 && slices[0].end == 20);
    assert_true(slices[0].base == 0x1000);
    assert_true(slices[1].start == 20 && slices[1].end == 30);
    assert_true(slices[2].start == 15 && slices[2].end == 30);
    assert_int_equal(slices[2].vcpu, 1);
}

static void timeline_time_never_runs_back(void **state)
{
    struct timeline t = {.on_slice = slice_collect};
    struct event_record e = cr3_at(50, 0, 0x3000);

    (void)state;
    slice_count = 0;
    take(&t, 100, 0, 0x1000);
    assert_true(timeline_take(&t, &e) == 100);
    take(&t, 200, 0, 0x1000);
    assert_int_equal(t.disorder_count, 1);
    assert_int_equal(slice_count, 1);
    assert_true(slices[0].start == 100 && slices[0].end == 200);
}

static void timeline_too_many_vcpus_are_passed_over(void **state)
{
    struct timeline t = {.on_slice = slice_collect};
    struct event_record e = cr3_at(5, 4000, 0x1000);

    (void)state;
    slice_count = 0;
    for (uint32_t i = 0; i < TIMELINE_LANES_MAX; i++) {
        take(&t, 1, i, 0x1000);
    }
    assert_true(timeline_take(&t, &e) == 0);
    assert_int_equal(t.lane_count, TIMELINE_LANES_MAX);
}

/* ---- Summary and filter ---------------------------------------------------
 */

static void summary_line(struct events_summary *s, const char *line)
{
    struct event_record e;

    must_parse(line, &e);
    summary_record(s, &e, e.number[EN_TIME]);
}

static void summary_counts_what_is_missing_and_lost(void **state)
{
    struct events_summary *s = calloc(1, sizeof(*s));
    struct event_names names = {0};

    (void)state;
    assert_non_null(s);
    s->names = &names;
    summary_line(s, "@mon event seq=5 time=1 domain=1 vcpu=0 kind=cr3 new=1");
    summary_line(s, "@mon event seq=9 time=2 domain=1 vcpu=0 kind=cr0 new=1");
    summary_line(s, "@mon event seq=1 time=2 domain=2 vcpu=0 kind=cr3 new=1");
    summary_line(s, "@mon lost domain=1 count=2");
    summary_line(s, "@mon lost domain=1 count=3");
    summary_finish(s);
    assert_true(s->missing == 3);
    assert_true(s->lost == 3);
    assert_true(s->event_count == 3 && s->kind_count[EK_CR3] == 2);
    summary_free(s);
    free(s);
}

static bool passes(const struct events_filter *f, const char *line)
{
    struct event_names n = {0};
    struct event_record e;
    bool ok;

    event_names_domain_set(&n, 1, "linux");
    event_names_set(&n, 1, 0x5000, "sh -c x");
    must_parse(line, &e);
    ok = events_filter_pass(f, &n, &e);
    event_names_free(&n);
    return ok;
}

static void filter_each_condition_alone(void **state)
{
    struct events_filter f = {.kinds = ~0u};
    const char *note = "@mon note time=1 text=x";

    (void)state;
    assert_true(passes(&f, CR3_EVENT));
    f.domain = "linux";
    assert_true(passes(&f, CR3_EVENT) && passes(&f, note));
    f.domain = "2";
    assert_false(passes(&f, CR3_EVENT));
    f = (struct events_filter){.kinds = 1u << EK_CR0};
    assert_false(passes(&f, CR3_EVENT));
    assert_true(passes(&f, note));
    assert_false(passes(&f, "@mon bytes seq=1 before=00 after=01"));
    f = (struct events_filter){.kinds = ~0u, .has_cr3 = true, .cr3 = 0x5018};
    assert_true(passes(&f, CR3_EVENT));
    f.cr3 = 0x6000;
    assert_false(passes(&f, CR3_EVENT));
    f = (struct events_filter){.kinds = ~0u, .process = "-c"};
    assert_true(passes(&f, CR3_EVENT));
    f.process = "bash";
    assert_false(passes(&f, CR3_EVENT));
    f = (struct events_filter){.kinds = ~0u, .has_vcpu = true, .vcpu = 1};
    assert_false(passes(&f, CR3_EVENT));
    f = (struct events_filter){.kinds = ~0u, .since = 50, .until = 100};
    assert_true(passes(&f, CR3_EVENT));
    assert_false(passes(&f, note));
}

/* ---- Output ---------------------------------------------------------------
 */

static void json_addresses_are_texts_and_texts_are_safe(void **state)
{
    struct event_names n = {0};
    struct event_record e;
    json_t *o;

    (void)state;
    event_names_set(&n, 1, 0x5000, "a\x1b");
    must_parse(CR3_EVENT " rip=0xffffffffffffffff", &e);
    o = event_json(&e, &n);
    assert_string_equal(json_string_value(json_object_get(o, "rip")),
                        "0xffffffffffffffff");
    assert_int_equal(json_integer_value(json_object_get(o, "seq")), 7);
    assert_string_equal(json_string_value(json_object_get(o, "process")),
                        "a\\x1b");
    json_decref(o);
    event_names_free(&n);
}

static void describe_every_kind_says_something(void **state)
{
    static const char *const lines[] = {
        "kind=cr0 new=0x1 old=0x2",
        "kind=cr3 new=0x5000",
        "kind=int3 gla=0x7",
        "kind=access gfn=0x1 access=wx gla=0x9",
        "kind=step gla=0x5",
        "kind=msr msr=0x10 new=0x3",
        "kind=inject vector=13 result=2",
        "kind=inject vector=13 result=99",
    };
    struct event_names n = {0};
    char out[2 * EVENTS_SAFE_SIZE], line[160];
    struct event_record e;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        snprintf(line, sizeof(line),
                 "@mon event seq=1 time=1 domain=1 vcpu=0 %s", lines[i]);
        must_parse(line, &e);
        event_describe(&e, &n, out);
        assert_true(strlen(out) > 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_event_line_gives_its_fields),
        cmocka_unit_test(parse_every_kind_needs_its_fields),
        cmocka_unit_test(parse_every_verb_needs_its_fields),
        cmocka_unit_test(parse_other_lines_are_no_records),
        cmocka_unit_test(parse_malformed_lines_are_refused),
        cmocka_unit_test(parse_unknown_keys_are_passed_over),
        cmocka_unit_test(parse_numbers_reach_64_bits),
        cmocka_unit_test(parse_texts_are_unescaped),
        cmocka_unit_test(parse_long_texts_are_refused_not_cut),
        cmocka_unit_test(source_any_cut_gives_the_same),
        cmocka_unit_test(source_endless_line_is_one_malformed_line),
        cmocka_unit_test(names_are_replaced_and_ignore_the_low_bits),
        cmocka_unit_test(names_flood_is_bounded),
        cmocka_unit_test(names_shown_are_safe),
        cmocka_unit_test(domains_are_found_by_name_and_number),
        cmocka_unit_test(timeline_makes_slices_of_each_vcpu),
        cmocka_unit_test(timeline_time_never_runs_back),
        cmocka_unit_test(timeline_too_many_vcpus_are_passed_over),
        cmocka_unit_test(summary_counts_what_is_missing_and_lost),
        cmocka_unit_test(filter_each_condition_alone),
        cmocka_unit_test(json_addresses_are_texts_and_texts_are_safe),
        cmocka_unit_test(describe_every_kind_says_something),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
