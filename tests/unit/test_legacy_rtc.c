/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real-time clock: formats and the calendar against the host's, updates,
 * alarm against a search second by second, flags and interrupts, CMOS bytes.
 * Sections named below are those of the Motorola MC146818A datasheet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "legacy_fixture.h"

#include "legacy/rtc_time.h"
#include "ravelin/legacy_rtc.h"

#define EPOCH 1700000000u /* 2023-11-14 22:13:20, a Tuesday */
#define SECOND 1000000000ull

#define B_SET 0x80u
#define PIE 0x40u
#define AIE 0x20u
#define UIE 0x10u
#define C_IRQ 0x80u
#define NS_PER_PERIOD_1024 976562u

static struct legacy_fixture f;
static struct legacy_rtc rtc;

static int start(void **state)
{
    (void)state;
    legacy_fixture_start(&f);
    legacy_rtc_init(&rtc, &f.host, EPOCH);
    return 0;
}

static uint8_t get(uint8_t index)
{
    legacy_rtc_write(&rtc, 0x70, index);
    return legacy_rtc_read(&rtc, 0x71);
}

static void put(uint8_t index, uint8_t value)
{
    legacy_rtc_write(&rtc, 0x70, index);
    legacy_rtc_write(&rtc, 0x71, value);
}

static unsigned bcd(unsigned n)
{
    return n / 10 << 4 | n % 10;
}

static void require_time(uint64_t epoch)
{
    time_t when = (time_t)epoch;
    struct tm tm;

    assert_non_null(gmtime_r(&when, &tm));
    assert_int_equal(get(RTC_SECONDS), bcd((unsigned)tm.tm_sec));
    assert_int_equal(get(RTC_MINUTES), bcd((unsigned)tm.tm_min));
    assert_int_equal(get(RTC_HOURS), bcd((unsigned)tm.tm_hour));
    assert_int_equal(get(RTC_WEEKDAY), tm.tm_wday + 1);
    assert_int_equal(get(RTC_DAY), bcd((unsigned)tm.tm_mday));
    assert_int_equal(get(RTC_MONTH), bcd((unsigned)tm.tm_mon + 1));
    assert_int_equal(get(RTC_YEAR), bcd((unsigned)tm.tm_year % 100));
    assert_int_equal(get(RTC_CENTURY), bcd((unsigned)tm.tm_year / 100 + 19));
}

/* ---- "Time, Calendar, and Alarm Locations" ---------------------------- */

static void time_starts_at_the_wall_clock(void **state)
{
    (void)state;
    require_time(EPOCH);
    assert_int_equal(get(RTC_A), 0x26);
    assert_int_equal(get(RTC_B), 0x02);
    assert_int_equal(get(RTC_D), 0x80);
}

static void calendar_agrees_with_the_host(void **state)
{
    static const uint64_t steps[] = {1,     59,      3600,     86399,   86400,
                                     86401, 2678400, 31536000, 31622400};
    uint64_t epoch = EPOCH;

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        uint64_t step = steps[i % ARRAY_SIZE(steps)];

        f.now += step * SECOND;
        epoch += step;
        require_time(epoch);
    }
    assert_true(epoch > 5000000000u); /* beyond 2100, not a leap year */
}

static void one_jump_equals_many_steps(void **state)
{
    (void)state;
    f.now += 7000000000ull * SECOND;
    require_time(EPOCH + 7000000000ull);
}

static void twelve_hour_format_marks_the_afternoon(void **state)
{
    static const uint8_t hours[24] = {
        0x12, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x10, 0x11,
        0x92, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91};

    (void)state;
    put(RTC_B, 0x80);
    put(RTC_HOURS, 0x12);
    put(RTC_MINUTES, 0);
    put(RTC_B, 0x00);
    for (unsigned i = 0; i < 24; i++) {
        assert_int_equal(get(RTC_HOURS), hours[i]);
        f.now += 3600 * SECOND;
    }
    assert_int_equal(get(RTC_DAY), 0x15);
}

static void binary_format_counts_in_binary(void **state)
{
    (void)state;
    put(RTC_B, 0x86);
    put(RTC_HOURS, 23);
    put(RTC_MINUTES, 59);
    put(RTC_SECONDS, 58);
    put(RTC_DAY, 28);
    put(RTC_MONTH, 2);
    put(RTC_YEAR, 24);
    put(RTC_CENTURY, 20);
    put(RTC_B, 0x06);
    f.now += 3 * SECOND;
    assert_int_equal(get(RTC_SECONDS), 1);
    assert_int_equal(get(RTC_HOURS), 0);
    assert_int_equal(get(RTC_DAY), 29);
    f.now += 86400 * SECOND;
    assert_int_equal(get(RTC_MONTH), 3);
    assert_int_equal(get(RTC_DAY), 1);
}

/* Nonsense in the registers stays until the next update, then is in range. */
static void nonsense_is_brought_into_range(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        put(RTC_B, (uint8_t)(0x80 | (value & 6)));
        for (uint8_t i = 0; i < 10; i++) {
            put(i, (uint8_t)value);
        }
        assert_int_equal(get(RTC_MONTH), value);
        put(RTC_B, (uint8_t)(value & 6));
        f.now += 86400 * SECOND;
        (void)get(RTC_SECONDS);
        put(RTC_B, 0x82);
        assert_true(rtc.cmos[RTC_MONTH] != 0 && rtc.cmos[RTC_MONTH] <= 0x12);
        assert_true(rtc.cmos[RTC_DAY] != 0 && rtc.cmos[RTC_DAY] <= 0x31);
        assert_true(rtc.cmos[RTC_WEEKDAY] - 1u < 7);
    }
}

/* ---- "Update Cycle", "Divider Control" -------------------------------- */

static void set_bit_freezes_the_time(void **state)
{
    (void)state;
    put(RTC_B, B_SET | UIE | 2);
    assert_int_equal(get(RTC_B), B_SET | 2); /* UIE cleared */
    f.now += 5 * SECOND;
    require_time(EPOCH);
    assert_int_equal(get(RTC_C), 0x40);
    put(RTC_B, 2);
    f.now += SECOND;
    require_time(EPOCH + 1);
}

static void update_in_progress_precedes_the_second(void **state)
{
    (void)state;
    f.now = SECOND - 2228001;
    assert_int_equal(get(RTC_A) & 0x80, 0);
    f.now = SECOND - 2228000;
    assert_int_equal(get(RTC_A), 0xa6);
    f.now = SECOND - 1;
    assert_int_equal(get(RTC_A), 0xa6);
    assert_int_equal(get(RTC_SECONDS), 0x20);
    f.now = SECOND;
    assert_int_equal(get(RTC_A), 0x26);
    assert_int_equal(get(RTC_SECONDS), 0x21);
    put(RTC_B, B_SET | 2);
    f.now = 2 * SECOND - 1;
    assert_int_equal(get(RTC_A), 0x26);
}

static void divider_reset_stops_and_restarts_half_a_second_early(void **state)
{
    (void)state;
    put(RTC_A, 0x76);
    f.now += 10 * SECOND + 123456789;
    require_time(EPOCH);
    assert_int_equal(get(RTC_C), 0);
    put(RTC_A, 0x26);
    f.now += 499999999;
    require_time(EPOCH);
    f.now += 1;
    require_time(EPOCH + 1);
    f.now += SECOND;
    require_time(EPOCH + 2);
}

/* ---- "Interrupts" ----------------------------------------------------- */

static void flags_are_set_without_enables(void **state)
{
    (void)state;
    f.now += SECOND;
    assert_int_equal(get(RTC_C), 0x50);
    assert_int_equal(get(RTC_C), 0);
    assert_false(f.line[8]);
    assert_int_equal(legacy_rtc_deadline(&rtc), LEGACY_NEVER);
}

static void update_ended_interrupts_each_second_once_read(void **state)
{
    (void)state;
    f.now += 300000000;
    put(RTC_A, 0x20);
    (void)get(RTC_C);
    put(RTC_B, UIE | 2);
    assert_int_equal(legacy_rtc_deadline(&rtc), SECOND);
    f.now = SECOND;
    legacy_rtc_run(&rtc);
    assert_true(f.line[8]);
    assert_int_equal(legacy_rtc_deadline(&rtc), LEGACY_NEVER);
    f.now = 3 * SECOND + 5;
    assert_int_equal(get(RTC_C), C_IRQ | UIE);
    assert_false(f.line[8]);
    assert_int_equal(legacy_rtc_deadline(&rtc), 4 * SECOND);
}

static void periodic_rates_are_those_of_the_table(void **state)
{
    (void)state;
    put(RTC_B, PIE | 2);
    for (unsigned rate = 1; rate < 16; rate++) {
        unsigned hz = rate < 3 ? 256 >> (rate - 1) : 32768 >> (rate - 1);
        unsigned count = 0;
        uint64_t end;

        put(RTC_A, (uint8_t)(0x20 | rate));
        (void)get(RTC_C);
        f.now = (f.now / SECOND + 1) * SECOND;
        (void)get(RTC_C);
        end = f.now + SECOND;
        while (legacy_rtc_deadline(&rtc) <= end) {
            assert_true(legacy_rtc_deadline(&rtc) > f.now);
            f.now = legacy_rtc_deadline(&rtc);
            legacy_rtc_run(&rtc);
            assert_true(f.line[8]);
            assert_int_equal(get(RTC_C) & ~0x30, C_IRQ | PIE);
            count++;
        }
        assert_int_equal(count, hz);
    }
    put(RTC_A, 0x20);
    assert_int_equal(legacy_rtc_deadline(&rtc), LEGACY_NEVER);
}

static void unread_flag_holds_back_the_next_interrupt(void **state)
{
    (void)state;
    put(RTC_B, PIE | 2);
    f.now += NS_PER_PERIOD_1024 + 1;
    legacy_rtc_run(&rtc);
    assert_int_equal(f.rise_count[8], 1);
    f.now += 100 * SECOND;
    legacy_rtc_run(&rtc);
    assert_int_equal(f.rise_count[8], 1);
}

static void enabling_with_flag_set_interrupts_at_once(void **state)
{
    (void)state;
    f.now += 2 * SECOND;
    assert_false(f.line[8]);
    put(RTC_B, UIE | 2);
    assert_true(f.line[8]);
    put(RTC_B, 2);
    assert_false(f.line[8]);
}

/* ---- "Alarm" ---------------------------------------------------------- */

static bool matches(uint32_t t, const uint8_t at[3])
{
    const unsigned now[3] = {t % 60, t / 60 % 60, t / 3600};

    for (unsigned i = 0; i < 3; i++) {
        if (at[i] < 0xc0 && at[i] != bcd(now[i])) {
            return false;
        }
    }
    return true;
}

static void alarm_delta_agrees_with_a_search(void **state)
{
    static const uint8_t values[3][5] = {{0x00, 0x59, 0x20, 0xff, 0xc0},
                                         {0x00, 0x59, 0x13, 0xff, 0x60},
                                         {0x00, 0x23, 0x22, 0xff, 0x24}};

    (void)state;
    for (unsigned i = 0; i < 125; i++) {
        const uint8_t at[3] = {values[0][i % 5], values[1][i / 5 % 5],
                               values[2][i / 25]};
        uint32_t now = 22 * 3600 + 13 * 60 + 20;
        uint32_t want = 0;

        for (uint32_t d = 1; d <= 86400 && want == 0; d++) {
            want = matches((now + d) % 86400, at) ? d : 0;
        }
        rtc.cmos[RTC_SECONDS_ALARM] = at[0];
        rtc.cmos[RTC_MINUTES_ALARM] = at[1];
        rtc.cmos[RTC_HOURS_ALARM] = at[2];
        assert_int_equal(rtc_alarm_delta(rtc.cmos), want);
    }
}

static void alarm_interrupts_at_its_time_and_every_day(void **state)
{
    (void)state;
    put(RTC_HOURS_ALARM, 0x22);
    put(RTC_MINUTES_ALARM, 0x14);
    put(RTC_SECONDS_ALARM, 0x00);
    put(RTC_B, AIE | 2);
    assert_int_equal(legacy_rtc_deadline(&rtc), 40 * SECOND);
    f.now = 40 * SECOND;
    legacy_rtc_run(&rtc);
    assert_int_equal(get(RTC_C) & (C_IRQ | AIE), C_IRQ | AIE);
    assert_int_equal(legacy_rtc_deadline(&rtc), (86400 + 40) * SECOND);
}

static void alarm_in_a_long_pause_sets_its_flag(void **state)
{
    (void)state;
    put(RTC_HOURS_ALARM, 0x23);
    put(RTC_MINUTES_ALARM, 0xff);
    put(RTC_SECONDS_ALARM, 0x30);
    (void)get(RTC_C);
    f.now = 2800 * SECOND;
    assert_int_equal(get(RTC_C) & AIE, 0);
    f.now = 2900 * SECOND;
    assert_int_equal(get(RTC_C) & AIE, AIE);
}

/* ---- Registers and memory --------------------------------------------- */

static void flags_gather_until_they_are_read(void **state)
{
    (void)state;
    put(RTC_HOURS_ALARM, 0x22);
    put(RTC_MINUTES_ALARM, 0x14);
    put(RTC_SECONDS_ALARM, 0x00);
    (void)get(RTC_C);
    f.now = 41 * SECOND;
    (void)get(RTC_A);
    f.now = 41 * SECOND + 500000000;
    (void)get(RTC_A);
    f.now = 45 * SECOND;
    assert_int_equal(get(RTC_C), 0x70);
}

static void late_creation_starts_at_the_present_time(void **state)
{
    (void)state;
    f.now = 100 * SECOND + 300000000;
    legacy_rtc_init(&rtc, &f.host, EPOCH);
    assert_int_equal(rtc.cmos[RTC_MINUTES], 0x15);
    assert_int_equal(get(RTC_C), 0);
    require_time(EPOCH + 100);
    f.now += 699999999;
    require_time(EPOCH + 100);
    f.now += 1;
    require_time(EPOCH + 101);
}

static void day_zero_counts_as_the_first(void **state)
{
    (void)state;
    put(RTC_DAY, 0x00);
    f.now += 86400 * SECOND;
    assert_int_equal(get(RTC_DAY), 0x02);
    put(RTC_DAY, 0x99);
    f.now += 86400 * SECOND;
    assert_int_equal(get(RTC_DAY), 0x02);
}

static void status_c_and_d_cannot_be_written(void **state)
{
    (void)state;
    put(RTC_C, 0xff);
    put(RTC_D, 0x00);
    assert_int_equal(get(RTC_C), 0);
    assert_int_equal(get(RTC_D), 0x80);
    put(RTC_A, 0xa6);
    assert_int_equal(get(RTC_A), 0x26);
}

static void index_bit_7_is_the_nmi_mask(void **state)
{
    (void)state;
    legacy_rtc_write(&rtc, 0x70, 0x8f);
    assert_true(rtc.is_nmi_masked);
    legacy_rtc_write(&rtc, 0x71, 0x0a);
    assert_int_equal(get(0x0f), 0x0a);
    assert_false(rtc.is_nmi_masked);
    assert_int_equal(legacy_rtc_read(&rtc, 0x70), 0xff);
}

static void memory_keeps_what_is_written(void **state)
{
    (void)state;
    for (unsigned i = 0x0e; i < 0x80; i++) {
        if (i != RTC_CENTURY) {
            put((uint8_t)i, (uint8_t)(i * 3));
        }
    }
    f.now += 100 * SECOND;
    for (unsigned i = 0x0e; i < 0x80; i++) {
        if (i != RTC_CENTURY) {
            assert_int_equal(get((uint8_t)i), (uint8_t)(i * 3));
        }
    }
}

static void config_tells_memory_boot_order_and_cpus(void **state)
{
    const struct legacy_cmos_config config = {
        .memory_below_4g = 256u << 20,
        .memory_above_4g = 3ull << 30,
        .boot = {3, 2, 1},
        .vcpu_count = 4,
    };
    unsigned sum = 0;

    (void)state;
    legacy_rtc_byte_set(&rtc, 0x0f, 0x11); /* not in the sum */
    legacy_rtc_byte_set(&rtc, 0x10, 0x44);
    legacy_rtc_byte_set(&rtc, 0x2d, 0x81);
    legacy_rtc_config(&rtc, &config);
    assert_int_equal(get(0x15) | get(0x16) << 8, 640);
    assert_int_equal(get(0x17) | get(0x18) << 8, 65535);
    assert_int_equal(get(0x30) | get(0x31) << 8, 65535);
    assert_int_equal(get(0x34) | get(0x35) << 8, 240 * 16);
    assert_int_equal(get(0x5b) | get(0x5c) << 8 | get(0x5d) << 16, 3 << 14);
    assert_int_equal(get(0x3d), 0x23);
    assert_int_equal(get(0x38), 0x11);
    assert_int_equal(get(0x5f), 3);
    for (uint8_t i = 0x10; i <= 0x2d; i++) {
        sum += get(i);
    }
    assert_int_equal(get(0x2e) << 8 | get(0x2f), sum);
}

static void config_of_a_small_domain_does_not_wrap(void **state)
{
    const struct legacy_cmos_config config = {.memory_below_4g = 512u << 10,
                                              .is_signature_checked = true};

    (void)state;
    legacy_rtc_config(&rtc, &config);
    assert_int_equal(get(0x15) | get(0x16) << 8, 512);
    assert_int_equal(get(0x17) | get(0x18) << 8, 0);
    assert_int_equal(get(0x34) | get(0x35) << 8, 0);
    assert_int_equal(get(0x38), 0);
    assert_int_equal(get(0x5f), 0);
    legacy_rtc_byte_set(&rtc, RTC_B, 0xff);
    legacy_rtc_byte_set(&rtc, RTC_CENTURY, 0xff);
    legacy_rtc_byte_set(&rtc, 0x80, 0xff);
    assert_int_equal(get(RTC_B), 2);
    assert_int_equal(get(RTC_CENTURY), 0x20);
}

static void reset_stops_interrupts_and_keeps_time(void **state)
{
    (void)state;
    put(RTC_B, 0x7a);
    put(0x40, 0x77);
    f.now += 5 * SECOND;
    legacy_rtc_run(&rtc);
    assert_true(f.line[8]);
    legacy_rtc_reset(&rtc);
    assert_false(f.line[8]);
    assert_int_equal(get(RTC_B), 2);
    assert_int_equal(get(RTC_C), 0);
    assert_int_equal(get(0x40), 0x77);
    require_time(EPOCH + 5);
    assert_int_equal(legacy_rtc_deadline(&rtc), LEGACY_NEVER);
}

static void clock_that_goes_back_changes_nothing(void **state)
{
    (void)state;
    f.now = 10 * SECOND;
    require_time(EPOCH + 10);
    f.now = 9 * SECOND;
    require_time(EPOCH + 10);
    f.now = 11 * SECOND;
    require_time(EPOCH + 11);
}

#define CASE(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(time_starts_at_the_wall_clock),
        CASE(calendar_agrees_with_the_host),
        CASE(one_jump_equals_many_steps),
        CASE(twelve_hour_format_marks_the_afternoon),
        CASE(binary_format_counts_in_binary),
        CASE(nonsense_is_brought_into_range),
        CASE(set_bit_freezes_the_time),
        CASE(update_in_progress_precedes_the_second),
        CASE(divider_reset_stops_and_restarts_half_a_second_early),
        CASE(flags_are_set_without_enables),
        CASE(update_ended_interrupts_each_second_once_read),
        CASE(periodic_rates_are_those_of_the_table),
        CASE(unread_flag_holds_back_the_next_interrupt),
        CASE(enabling_with_flag_set_interrupts_at_once),
        CASE(alarm_delta_agrees_with_a_search),
        CASE(alarm_interrupts_at_its_time_and_every_day),
        CASE(alarm_in_a_long_pause_sets_its_flag),
        CASE(flags_gather_until_they_are_read),
        CASE(late_creation_starts_at_the_present_time),
        CASE(day_zero_counts_as_the_first),
        CASE(status_c_and_d_cannot_be_written),
        CASE(index_bit_7_is_the_nmi_mask),
        CASE(memory_keeps_what_is_written),
        CASE(config_tells_memory_boot_order_and_cpus),
        CASE(config_of_a_small_domain_does_not_wrap),
        CASE(reset_stops_interrupts_and_keeps_time),
        CASE(clock_that_goes_back_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
