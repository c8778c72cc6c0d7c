/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check before an entry, the explanation after a refused one, and the
 * trail of instructions that a dump prints.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "fake.h"
#include "ravelin/entry_check.h"
#include "ravelin/false_fault.h"
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

#define PF_FETCH 0x10u

/* A shutdown exit whose first fault was this #PF. */
static struct vcpu *shut_down(uint64_t rip, uint32_t error)
{
    struct vcpu *v = sound_vcpu();
    struct vcpu_event ev = {
        .valid = true,
        .vector = 14,
        .type = EVENT_EXCEPTION,
        .has_error = true,
        .error = error,
    };
    const struct vcpu_segment cs = {8, 0xa9b, UINT32_MAX, 0};
    struct vcpu_event old;

    hv->segment_set(v, SEG_CS, &cs);
    v->regs.rip = rip;
    (void)hv->event_take(v, &old);
    hv->event_inject(v, &ev);
    return v;
}

static void false_fault_of_a_mapped_fetch_is_repeated_a_few_times(void **state)
{
    (void)state;
    fake_play_tcg(true);
    for (unsigned i = 0; i < FALSE_FAULT_MAX; i++) {
        assert_true(triple_fault_is_false(shut_down(HC_ARG, PF_FETCH)));
        assert_false(hv->event_is_queued(hc_vcpu(HC_PLAIN, 0)));
    }
    assert_false(triple_fault_is_false(shut_down(HC_ARG, PF_FETCH)));
    assert_true(triple_fault_is_false(shut_down(HC_BUF, PF_FETCH)));
    fake_play_tcg(false);
}

static void false_fault_needs_the_emulator_and_a_mapping(void **state)
{
    struct vcpu *v = shut_down(HC_ARG, PF_FETCH);

    (void)state;
    assert_false(triple_fault_is_false(v));
    fake_play_tcg(true);
    assert_false(triple_fault_is_false(shut_down(HC_BAD, PF_FETCH)));
    v = shut_down(HC_ARG, PF_FETCH | 1);
    assert_false(triple_fault_is_false(v));
    assert_true(hv->event_is_queued(v));
    fake_play_tcg(false);
}

#define GATES 20u
#define EXTINT_VECTOR 18u

/* A shutdown exit of an entry that had an interrupt to deliver. */
static struct vcpu *shut_down_delivering(uint32_t idt_limit, uint8_t access)
{
    struct vcpu *v = shut_down(HC_ARG, 0);
    const struct vcpu_segment idt = {.base = HC_BUF, .limit = idt_limit};
    struct vcpu_event ev = {
        .valid = true,
        .vector = EXTINT_VECTOR,
        .type = EVENT_EXTINT,
    };
    uint8_t gates[GATES * 16] = {0};
    struct vcpu_event old;

    for (unsigned i = 0; i < GATES; i++) {
        gates[i * 16 + 5] = gates[i * 16 + 13] = access;
    }
    hc_put(HC_PLAIN, HC_BUF, gates, sizeof(gates));
    hv->segment_set(v, SEG_IDTR, &idt);
    (void)hv->event_take(v, &old);
    hv->event_inject(v, &ev);
    return v;
}

static void false_fault_of_a_delivery_keeps_the_event(void **state)
{
    struct vcpu *v = shut_down_delivering(UINT16_MAX, 0x8e);
    struct vcpu_event ev;

    (void)state;
    assert_false(triple_fault_is_false(v));
    fake_play_tcg(true);
    assert_true(triple_fault_is_false(v));
    assert_true(hv->event_take(v, &ev));
    assert_int_equal(ev.vector, EXTINT_VECTOR);
    assert_int_equal(ev.type, EVENT_EXTINT);
    fake_play_tcg(false);
}

static void false_fault_of_a_delivery_needs_its_gate(void **state)
{
    (void)state;
    fake_play_tcg(true);
    assert_false(triple_fault_is_false(shut_down_delivering(0, 0x8e)));
    assert_false(triple_fault_is_false(shut_down_delivering(UINT16_MAX, 0)));
    assert_true(hv->event_is_queued(hc_vcpu(HC_PLAIN, 0)));
    fake_play_tcg(false);
}

static void false_page_fault_is_repeated_a_few_times(void **state)
{
    struct vcpu *v = shut_down(HC_ARG, 0);

    (void)state;
    assert_false(delivery_fault_is_false(v, 0, gva(HC_BUF)));
    fake_play_tcg(true);
    assert_false(delivery_fault_is_false(v, 0, gva(HC_BAD)));
    assert_false(delivery_fault_is_false(v, 1, gva(HC_BUF)));
    for (unsigned i = 0; i < FALSE_FAULT_MAX; i++) {
        assert_true(delivery_fault_is_false(v, 0, gva(HC_BUF)));
    }
    assert_false(delivery_fault_is_false(v, 0, gva(HC_BUF)));
    fake_play_tcg(false);
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
        CASE(false_fault_of_a_mapped_fetch_is_repeated_a_few_times),
        CASE(false_fault_needs_the_emulator_and_a_mapping),
        CASE(false_fault_of_a_delivery_keeps_the_event),
        CASE(false_fault_of_a_delivery_needs_its_gate),
        CASE(false_page_fault_is_repeated_a_few_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
