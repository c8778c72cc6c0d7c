/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254: registers, latches, read-back, port 0x61, and what becomes of
 * channel 0's edges as interrupts: exact times, the rate limit, ticks that are
 * made up for. Sections named below are those of the Intel 8254 datasheet
 * (231164).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "legacy_fixture.h"

#include "ravelin/legacy_pit.h"
#include "ravelin/legacy_rate.h"

static struct legacy_fixture f;
static struct legacy_pit pit;

static int start(void **state)
{
    (void)state;
    legacy_fixture_start(&f);
    f.now = 5000000000u;
    legacy_pit_init(&pit, &f.host);
    return 0;
}

/* ---- Registers -------------------------------------------------------- */

static void out(uint16_t port, uint8_t value)
{
    legacy_pit_write(&pit, port, value);
}

static uint8_t in(uint16_t port)
{
    return legacy_pit_read(&pit, port);
}

/* Time goes on to the first nanosecond of the tick `n` from the present one. */
static void ticks_pass(uint64_t n)
{
    f.now = clock_ns(clock_ticks(f.now, LEGACY_PIT_HZ) + n, LEGACY_PIT_HZ);
}

static void program(unsigned channel, unsigned mode, uint16_t count)
{
    out(0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1));
    out((uint16_t)(0x40 + channel), (uint8_t)count);
    out((uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
}

static uint16_t count_read(unsigned channel)
{
    uint8_t low;

    out(0x43, (uint8_t)(channel << 6));
    low = in((uint16_t)(0x40 + channel));
    return (uint16_t)(in((uint16_t)(0x40 + channel)) << 8 | low);
}

/* "Counter Latch Command" */
static void latch_holds_the_count_until_read(void **state)
{
    (void)state;
    program(0, 2, 1000);
    ticks_pass(1);
    assert_int_equal(count_read(0), 1000);
    out(0x43, 0x00);
    ticks_pass(100);
    out(0x43, 0x00); /* ignored: one is latched */
    assert_int_equal(in(0x40), 1000 & 0xff);
    assert_int_equal(in(0x40), 1000 >> 8);
    assert_int_equal(count_read(0), 900);
}

static void access_modes_read_their_bytes(void **state)
{
    (void)state;
    out(0x43, 0x54); /* channel 1, low byte, mode 2 */
    out(0x41, 0x80);
    ticks_pass(2);
    assert_int_equal(in(0x41), 0x7f);
    assert_int_equal(in(0x41), 0x7f);
    out(0x43, 0x64); /* high byte: the count is 0x8000 */
    out(0x41, 0x80);
    ticks_pass(2);
    assert_int_equal(in(0x41), 0x7f);
    out(0x43, 0x40);
    assert_int_equal(in(0x41), 0x7f);
    program(1, 2, 0x1234);
    ticks_pass(1);
    assert_int_equal(in(0x41), 0x34);
    assert_int_equal(in(0x41), 0x12);
    assert_int_equal(in(0x41), 0x34);
}

static void count_zero_is_the_largest(void **state)
{
    (void)state;
    program(0, 2, 0);
    ticks_pass(1);
    assert_int_equal(count_read(0), 0);
    ticks_pass(1);
    assert_int_equal(count_read(0), 0xffff);
    ticks_pass(65534);
    assert_int_equal(count_read(0), 1);
    ticks_pass(1);
    assert_int_equal(count_read(0), 0);
}

static void bcd_counts_in_decimal(void **state)
{
    (void)state;
    out(0x43, 0x31);
    out(0x40, 0x00);
    out(0x40, 0x10);
    ticks_pass(2);
    assert_int_equal(count_read(0), 0x0999);
    ticks_pass(1000);
    assert_int_equal(count_read(0), 0x9999);
}

/* "Read-Back Command" */
static void read_back_latches_status_then_count(void **state)
{
    (void)state;
    program(0, 3, 500);
    program(2, 4, 77);
    out(0x43, 0xc2); /* count and status of channel 0 */
    assert_int_equal(in(0x40), 0x80 | 0x40 | 0x36);
    (void)in(0x40);
    (void)in(0x40);
    ticks_pass(1);
    out(0x43, 0xc2);
    ticks_pass(77);
    assert_int_equal(in(0x40), 0x80 | 0x36);
    assert_int_equal(in(0x40), 500 & 0xff);
    assert_int_equal(in(0x40), 500 >> 8);
    ticks_pass(200);
    out(0x43, 0xe2 | 0x08); /* status of 0 and 2 */
    assert_int_equal(in(0x40), 0x36);
    assert_int_equal(in(0x42), 0x80 | 0x38); /* gate low, loaded */
    out(0x43, 0xd8);                         /* count of 2 */
    assert_int_equal(in(0x42), 77);
    assert_int_equal(in(0x42), 0);
}

static void null_count_stays_until_mode_2_reloads(void **state)
{
    (void)state;
    program(0, 2, 100);
    ticks_pass(10);
    out(0x40, 50);
    out(0x40, 0);
    out(0x43, 0xe2);
    assert_int_equal(in(0x40) & 0x40, 0x40);
    ticks_pass(91);
    assert_int_equal(count_read(0), 50);
    out(0x43, 0xe2);
    assert_int_equal(in(0x40) & 0x40, 0);
}

static void control_port_reads_ones(void **state)
{
    (void)state;
    assert_int_equal(in(0x43), 0xff);
}

/* Reads follow the time without an error that grows. */
static void counts_are_exact_after_a_day(void **state)
{
    (void)state;
    uint64_t begin;

    ticks_pass(1);
    program(0, 2, 10007);
    begin = clock_ticks(f.now, LEGACY_PIT_HZ) + 1;
    f.now += 86400u * 1000000000ull + 12345;
    uint64_t passed = clock_ticks(f.now, LEGACY_PIT_HZ) - begin;

    assert_int_equal(count_read(0), 10007 - passed % 10007);
}

/* ---- Port 0x61 -------------------------------------------------------- */

static void port61_gates_channel_2_and_shows_its_output(void **state)
{
    (void)state;
    out(0x61, 0x00);
    program(2, 0, 1000);
    assert_int_equal(in(0x61) & 0x20, 0);
    ticks_pass(5000);
    assert_int_equal(in(0x61) & 0x20, 0); /* gate is low */
    assert_int_equal(count_read(2), 1000);
    out(0x61, 0x01);
    ticks_pass(999);
    assert_int_equal(in(0x61) & 0x21, 0x01);
    ticks_pass(1);
    assert_int_equal(in(0x61) & 0x21, 0x21);
}

static void port61_keeps_four_bits_and_toggles_refresh(void **state)
{
    unsigned toggles = 0;
    uint8_t last;

    (void)state;
    out(0x61, 0xff);
    assert_int_equal(in(0x61) & 0xcf, 0x0f);
    last = in(0x61) & 0x10;
    for (unsigned i = 0; i < 1000; i++) {
        f.now += 1000;
        toggles += (in(0x61) & 0x10) != last;
        last = in(0x61) & 0x10;
    }
    assert_in_range(toggles, 65, 67); /* 1 ms / 15.09 us */
}

/* ---- Interrupts ------------------------------------------------------- */

/* Runs at each deadline up to `until`; returns interrupts. */
static unsigned run_until(uint64_t until)
{
    unsigned before = f.rise_count[0];

    while (legacy_pit_deadline(&pit) <= until) {
        f.now = rv_max(f.now, legacy_pit_deadline(&pit));
        legacy_pit_run(&pit);
        assert_true(legacy_pit_deadline(&pit) > f.now);
    }
    f.now = until;
    return f.rise_count[0] - before;
}

static void reset_state_has_no_deadline(void **state)
{
    (void)state;
    assert_int_equal(legacy_pit_deadline(&pit), LEGACY_NEVER);
    assert_int_equal(in(0x40), 0);
    f.now += 1000000;
    legacy_pit_run(&pit);
    assert_false(f.line[0]);
}

static void mode_2_interrupts_at_exact_times(void **state)
{
    uint64_t begin;

    (void)state;
    ticks_pass(1);
    program(0, 2, 1193);
    begin = clock_ticks(f.now, LEGACY_PIT_HZ) + 1;
    for (unsigned i = 1; i <= 5000; i++) {
        uint64_t due = clock_ns(begin + 1193ull * i, LEGACY_PIT_HZ);
        unsigned before = f.rise_count[0];

        assert_int_equal(legacy_pit_deadline(&pit), due);
        f.now = due;
        legacy_pit_run(&pit);
        assert_int_equal(f.rise_count[0], before + 1);
    }
}

static void bios_default_ticks_18_times_a_second(void **state)
{
    (void)state;
    program(0, 3, 0);
    assert_int_equal(run_until(f.now + 60000000000u), 1092);
}

static void mode_0_raises_once_and_lowers_when_rewritten(void **state)
{
    (void)state;
    program(0, 0, 5000);
    assert_false(f.line[0]);
    assert_int_equal(run_until(f.now + 1000000000u), 1);
    assert_true(f.line[0]);
    out(0x40, 100); /* first byte: output low */
    assert_false(f.line[0]);
    out(0x40, 0);
    assert_int_equal(run_until(f.now + 1000000000u), 1);
    assert_int_equal(legacy_pit_deadline(&pit), LEGACY_NEVER);
}

static void mode_4_interrupts_once_after_the_strobe(void **state)
{
    uint64_t written;

    (void)state;
    ticks_pass(1);
    program(0, 4, 3000);
    written = clock_ticks(f.now, LEGACY_PIT_HZ);
    f.rise_count[0] = 0;
    assert_int_equal(legacy_pit_deadline(&pit),
                     clock_ns(written + 1 + 3000 + 1, LEGACY_PIT_HZ));
    assert_int_equal(run_until(f.now + 1000000000u), 1);
}

static void gate_triggered_modes_never_interrupt_on_channel_0(void **state)
{
    (void)state;
    program(0, 1, 100);
    assert_int_equal(legacy_pit_deadline(&pit), LEGACY_NEVER);
    program(0, 5, 100);
    assert_int_equal(legacy_pit_deadline(&pit), LEGACY_NEVER);
}

static void rate_is_limited_whatever_the_count(void **state)
{
    (void)state;
    for (uint16_t count = 1; count < 100; count += 7) {
        program(0, 2, count);
        assert_in_range(run_until(f.now + 1000000000u), 9900, 10000);
    }
}

/* One interrupt per run, whatever was missed. */
static void late_run_makes_up_for_missed_ticks(void **state)
{
    unsigned before;

    (void)state;
    program(0, 2, 11932); /* 100 Hz */
    (void)run_until(f.now + 20000000u);
    before = f.rise_count[0];
    f.now += 100000000u; /* the machine was busy for ten ticks */
    legacy_pit_run(&pit);
    assert_int_equal(f.rise_count[0], before + 1);
    (void)run_until(f.now + 200000000u);
    assert_in_range(f.rise_count[0] - before, 30, 31);
}

static void owed_ticks_are_bounded(void **state)
{
    (void)state;
    program(0, 2, 11932);
    f.now += 3600000000000u;
    unsigned got = run_until(f.now + 1000000000u);

    assert_in_range(got, 100 + LEGACY_PIT_OWED_MAX, 102 + LEGACY_PIT_OWED_MAX);
}

static void untaken_tick_is_owed_and_repeated(void **state)
{
    unsigned before;

    (void)state;
    program(0, 2, 11932);
    (void)run_until(f.now + 15000000u);
    f.is_waiting = true; /* interrupts are off in the guest */
    before = f.rise_count[0];
    (void)run_until(f.now + 50000000u);
    assert_int_equal(f.rise_count[0], before);
    assert_int_equal(pit.owed, 5);
    f.is_waiting = false;
    (void)run_until(f.now + 50000000u);
    assert_int_equal(f.rise_count[0] - before, 10);
    assert_int_equal(pit.owed, 0);
}

static void new_program_forgets_what_was_owed(void **state)
{
    (void)state;
    program(0, 2, 11932);
    f.is_waiting = true;
    (void)run_until(f.now + 500000000u);
    assert_int_equal(pit.owed, LEGACY_PIT_OWED_MAX);
    program(0, 2, 11932);
    assert_int_equal(pit.owed, 0);
}

static void other_channels_do_not_disturb_channel_0(void **state)
{
    uint64_t due;

    (void)state;
    program(0, 2, 11932);
    due = legacy_pit_deadline(&pit);
    program(1, 2, 18);
    program(2, 3, 1193);
    out(0x61, 3);
    assert_int_equal(legacy_pit_deadline(&pit), due);
}

static void early_run_does_nothing(void **state)
{
    uint64_t due;
    unsigned before;

    (void)state;
    program(0, 2, 11932);
    due = legacy_pit_deadline(&pit);
    before = f.rise_count[0];
    f.now = due - 1;
    legacy_pit_run(&pit);
    assert_int_equal(f.rise_count[0], before);
    assert_int_equal(legacy_pit_deadline(&pit), due);
}

static void reset_stops_everything(void **state)
{
    (void)state;
    program(0, 2, 11932);
    f.is_waiting = true;
    (void)run_until(f.now + 50000000u);
    assert_true(f.line[0]);
    out(0x61, 3);
    legacy_pit_reset(&pit);
    assert_false(f.line[0]);
    assert_int_equal(legacy_pit_deadline(&pit), LEGACY_NEVER);
    assert_int_equal(pit.owed, 0);
    assert_int_equal(in(0x61) & 0x0f, 0);
}

static void control_word_forgets_latches_and_new_counts(void **state)
{
    (void)state;
    program(0, 2, 1000);
    ticks_pass(5);
    out(0x40, 0xf4); /* 500, for the next period */
    out(0x40, 0x01);
    out(0x43, 0xc2);
    out(0x43, 0x34);
    out(0x40, 0x58); /* 600 */
    out(0x40, 0x02);
    ticks_pass(1);
    assert_int_equal(in(0x40), 0x58);
    assert_int_equal(in(0x40), 0x02);
    out(0x43, 0xe2);
    assert_int_equal(in(0x40), 0xb4); /* loaded: no null count */
    ticks_pass(600);
    assert_int_equal(count_read(0), 600);
}

#define CASE(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(latch_holds_the_count_until_read),
        CASE(access_modes_read_their_bytes),
        CASE(count_zero_is_the_largest),
        CASE(bcd_counts_in_decimal),
        CASE(read_back_latches_status_then_count),
        CASE(null_count_stays_until_mode_2_reloads),
        CASE(control_port_reads_ones),
        CASE(counts_are_exact_after_a_day),
        CASE(port61_gates_channel_2_and_shows_its_output),
        CASE(port61_keeps_four_bits_and_toggles_refresh),
        CASE(reset_state_has_no_deadline),
        CASE(mode_2_interrupts_at_exact_times),
        CASE(bios_default_ticks_18_times_a_second),
        CASE(mode_0_raises_once_and_lowers_when_rewritten),
        CASE(mode_4_interrupts_once_after_the_strobe),
        CASE(gate_triggered_modes_never_interrupt_on_channel_0),
        CASE(rate_is_limited_whatever_the_count),
        CASE(late_run_makes_up_for_missed_ticks),
        CASE(owed_ticks_are_bounded),
        CASE(untaken_tick_is_owed_and_repeated),
        CASE(new_program_forgets_what_was_owed),
        CASE(other_channels_do_not_disturb_channel_0),
        CASE(early_run_does_nothing),
        CASE(reset_stops_everything),
        CASE(control_word_forgets_latches_and_new_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
