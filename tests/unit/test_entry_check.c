/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check before an entry, the explanation after a refused one, and the
 * trail of instructions that a dump prints.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "fake.h"
#include "ravelin/entry_check.h"
#include "ravelin/trail.h"
#include "ravelin/vmexit.h"

#define CR0_PG_NW_PE 0xa0000011UL

/* A machine for each test: a domain crashes only once. */
static int fresh(void **state)
{
    return hc_setup(state);
}

static struct vcpu *sound_vcpu(void)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);

    fixture_console_clear();
    return v;
}

static void is_sound_ordinary_state_passes_silently(void **state)
{
    struct vcpu *v = sound_vcpu();

    (void)state;
    assert_true(entry_is_sound(v));
    assert_string_equal(fixture_console_text(), "");
    assert_false(v->domain->crash_reported);
}

static void is_sound_broken_rule_crashes_and_names_it(void **state)
{
    struct vcpu *v = sound_vcpu();
    const char *text;

    (void)state;
    hv->creg_set(v, CREG_CR0, CR0_PG_NW_PE);
    assert_false(entry_is_sound(v));
    text = fixture_console_text();
    assert_non_null(strstr(text, "SVM-CR0-NW"));
    assert_non_null(strstr(text, "15.5.1"));
    assert_non_null(strstr(text, "CR0 00000000a0000011"));
    assert_non_null(strstr(text, "breaks 1 rule"));
    assert_true(v->domain->crash_reported);
    assert_int_equal(v->domain->shutdown_code, SHUTDOWN_CRASH);
}

static void refused_without_a_known_reason_says_so(void **state)
{
    struct vcpu *v = sound_vcpu();

    (void)state;
    entry_refused(v);
    assert_non_null(strstr(fixture_console_text(), "no known rule is broken"));
    assert_true(v->domain->crash_reported);
}

static void option_words_are_understood_or_refused(void **state)
{
    (void)state;
    assert_false(entry_check_option(""));
    assert_false(entry_check_option("d1"));
    assert_false(entry_check_option("d1:"));
    assert_false(entry_check_option("d1:no-such-fault"));
    assert_false(entry_check_option("offd1:cr0-nw,"));
    assert_false(entry_check_option(
        "a-name-that-is-longer-than-any-domain-may-have:cr0-nw"));
}

static void trail_repeats_are_counted_and_the_oldest_is_lost(void **state)
{
    struct vcpu *v = sound_vcpu();
    const char *text, *first;

    (void)state;
    for (unsigned i = 0; i < TRAIL_LENGTH + 3; i++) {
        v->regs.rip = 0x1000 + i;
        trail_note(v, VMEXIT_CPUID);
        trail_note(v, VMEXIT_CPUID);
    }
    assert_int_equal(v->trail.count, TRAIL_LENGTH);
    trail_dump(v);
    text = fixture_console_text();
    assert_null(strstr(text, "rip 0000000000001002 "));
    first = strstr(text, "rip 0000000000001003 cpuid        x2:");
    assert_non_null(first);
    assert_true(strstr(text, "rip 0000000000001012 ") > first);
}

static void trail_same_place_of_another_kind_is_another_entry(void **state)
{
    struct vcpu *v = sound_vcpu();

    (void)state;
    trail_note(v, VMEXIT_MEMORY);
    trail_note(v, TRAIL_EMULATED);
    assert_int_equal(v->trail.count, 2);
    trail_dump(v);
    assert_non_null(strstr(fixture_console_text(), " emulated     x1:"));
}

static void trail_without_notes_prints_nothing(void **state)
{
    struct vcpu *v = sound_vcpu();

    (void)state;
    trail_dump(v);
    assert_string_equal(fixture_console_text(), "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, hc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(is_sound_ordinary_state_passes_silently),
        CASE(is_sound_broken_rule_crashes_and_names_it),
        CASE(refused_without_a_known_reason_says_so),
        CASE(option_words_are_understood_or_refused),
        CASE(trail_repeats_are_counted_and_the_oldest_is_lost),
        CASE(trail_same_place_of_another_kind_is_another_entry),
        CASE(trail_without_notes_prints_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
