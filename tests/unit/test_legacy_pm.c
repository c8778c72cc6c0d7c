/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PIIX4's power management block: timer, its overflow, button, SCI, ACPI
 * mode, soft-off; every access that fits the block.
 * Sections named below are those of the Intel PIIX4 datasheet (290562).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "legacy_fixture.h"

#include "ravelin/legacy_pm.h"
#include "ravelin/legacy_rate.h"

#define STATUS 0u
#define ENABLE 2u
#define CONTROL 4u
#define TIMER 8u

#define HALF (1u << 23)

static struct legacy_fixture f;
static struct legacy_pm pm;

static int start(void **state)
{
    (void)state;
    legacy_fixture_start(&f);
    legacy_pm_init(&pm, &f.host);
    return 0;
}

static uint32_t get(unsigned offset, unsigned size)
{
    return legacy_pm_read(&pm, offset, size);
}

static void put(unsigned offset, unsigned size, uint32_t value)
{
    legacy_pm_write(&pm, offset, size, value);
}

static void ticks_reach(uint64_t n)
{
    f.now = clock_ns(n, LEGACY_PM_HZ);
}

/* "PMTMR" */
static void timer_counts_at_its_rate_and_wraps(void **state)
{
    (void)state;
    assert_int_equal(get(TIMER, 4), 0);
    f.now = 1000000000u;
    assert_int_equal(get(TIMER, 4), 3579545);
    ticks_reach((1u << 24) - 1);
    assert_int_equal(get(TIMER, 4), 0xffffff);
    ticks_reach(1u << 24);
    assert_int_equal(get(TIMER, 4), 0);
    f.now = 86400000000000u;
    assert_int_equal(get(TIMER, 4), 86400ull * 3579545 & 0xffffff);
    put(TIMER, 4, 1234567);
    assert_int_equal(get(TIMER, 4), 86400ull * 3579545 & 0xffffff);
}

static void timer_half_sets_its_flag(void **state)
{
    (void)state;
    ticks_reach(HALF - 1);
    assert_int_equal(get(STATUS, 2), 0);
    ticks_reach(HALF);
    assert_int_equal(get(STATUS, 2), 1);
    put(STATUS, 2, 0xfffe);
    assert_int_equal(get(STATUS, 2), 1);
    put(STATUS, 2, 1);
    assert_int_equal(get(STATUS, 2), 0);
    ticks_reach(2 * HALF);
    assert_int_equal(get(STATUS, 2), 1);
}

static void timer_interrupts_when_enabled(void **state)
{
    (void)state;
    put(ENABLE, 2, 1);
    assert_int_equal(legacy_pm_deadline(&pm), LEGACY_NEVER); /* no SCI */
    put(CONTROL, 2, 1);
    assert_int_equal(legacy_pm_deadline(&pm), clock_ns(HALF, LEGACY_PM_HZ));
    f.now = legacy_pm_deadline(&pm) - 1;
    legacy_pm_run(&pm);
    assert_false(f.line[9]);
    f.now++;
    legacy_pm_run(&pm);
    assert_true(f.line[9]);
    assert_int_equal(legacy_pm_deadline(&pm), LEGACY_NEVER);
    put(STATUS, 2, 1);
    assert_false(f.line[9]);
    assert_int_equal(legacy_pm_deadline(&pm),
                     clock_ns(2ull * HALF, LEGACY_PM_HZ));
}

/* "PMSTS", "PMEN" */
static void button_interrupts_and_is_cleared(void **state)
{
    (void)state;
    legacy_pm_button_press(&pm);
    assert_int_equal(get(STATUS, 2), 0x0100);
    assert_false(f.line[9]);
    put(ENABLE, 2, 0xffff);
    assert_int_equal(get(ENABLE, 2), 0x0521);
    assert_false(f.line[9]);
    legacy_pm_apm_write(&pm, 0xb2, LEGACY_PM_ACPI_ENABLE);
    assert_true(f.line[9]);
    put(STATUS + 1, 1, 0x01);
    assert_int_equal(get(STATUS, 2), 0);
    assert_false(f.line[9]);
}

static void button_leaves_other_flags(void **state)
{
    (void)state;
    ticks_reach(HALF);
    legacy_pm_button_press(&pm);
    legacy_pm_button_press(&pm);
    assert_int_equal(get(STATUS, 2), 0x0101);
}

static void late_creation_has_no_overflow(void **state)
{
    (void)state;
    ticks_reach(5ull * HALF + 7);
    legacy_pm_init(&pm, &f.host);
    assert_int_equal(get(STATUS, 2), 0);
    ticks_reach(6ull * HALF);
    legacy_pm_reset(&pm);
    assert_int_equal(get(STATUS, 2), 0);
}

static void acpi_mode_follows_the_apm_port(void **state)
{
    (void)state;
    assert_int_equal(get(CONTROL, 2) & 1, 0);
    legacy_pm_apm_write(&pm, 0xb3, 0x42);
    legacy_pm_apm_write(&pm, 0xb2, 0xf1);
    assert_int_equal(get(CONTROL, 2) & 1, 1);
    legacy_pm_apm_write(&pm, 0xb2, 0x55); /* means nothing */
    assert_int_equal(get(CONTROL, 2) & 1, 1);
    legacy_pm_apm_write(&pm, 0xb2, 0xf0);
    assert_int_equal(get(CONTROL, 2) & 1, 0);
    assert_int_equal(legacy_pm_apm_read(&pm, 0xb2), 0xf0);
    assert_int_equal(legacy_pm_apm_read(&pm, 0xb3), 0x42);
}

/* "PMCNTRL" */
static void soft_off_ends_the_domain(void **state)
{
    (void)state;
    put(CONTROL, 2, 0x2001);
    assert_int_equal(f.request_count[LEGACY_POWEROFF], 1);
    assert_int_equal(get(CONTROL, 2), 0x0001); /* enable reads as zero */
    put(CONTROL + 1, 1, 0x20);
    assert_int_equal(f.request_count[LEGACY_POWEROFF], 2);
    put(CONTROL, 4, 0x2000);
    assert_int_equal(f.request_count[LEGACY_POWEROFF], 3);
}

static void other_sleep_types_do_nothing(void **state)
{
    (void)state;
    for (uint32_t type = 1; type < 8; type++) {
        put(CONTROL, 2, 0x2001 | type << 10);
        assert_int_equal(get(CONTROL, 2), 0x0001 | type << 10);
    }
    put(CONTROL, 2, 0xffff & ~0x2000u);
    assert_int_equal(f.request_count[LEGACY_POWEROFF], 0);
}

static void every_access_sees_the_same_bytes(void **state)
{
    uint8_t bytes[LEGACY_PM_SIZE];

    (void)state;
    f.now = 123456789012345u;
    legacy_pm_button_press(&pm);
    put(ENABLE, 2, 0x0521);
    put(CONTROL, 2, 0x1c03);
    for (unsigned i = 0; i < LEGACY_PM_SIZE; i++) {
        bytes[i] = (uint8_t)get(i, 1);
    }
    for (unsigned size = 2; size <= 4; size *= 2) {
        for (unsigned at = 0; at + size <= LEGACY_PM_SIZE; at++) {
            uint32_t want = 0;

            for (unsigned i = size; i-- > 0;) {
                want = want << 8 | bytes[at + i];
            }
            assert_int_equal(get(at, size), want);
        }
    }
    for (unsigned i = 12; i < LEGACY_PM_SIZE; i++) {
        assert_int_equal(bytes[i], 0);
    }
}

static void reset_returns_to_legacy_mode(void **state)
{
    (void)state;
    put(ENABLE, 2, 0x0100);
    put(CONTROL, 2, 1);
    legacy_pm_apm_write(&pm, 0xb3, 0x42);
    legacy_pm_button_press(&pm);
    assert_true(f.line[9]);
    legacy_pm_reset(&pm);
    assert_int_equal(legacy_pm_apm_read(&pm, 0xb3), 0);
    assert_false(f.line[9]);
    assert_int_equal(get(STATUS, 4), 0);
    assert_int_equal(get(CONTROL, 4), 0);
}

#define CASE(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(timer_counts_at_its_rate_and_wraps),
        CASE(timer_half_sets_its_flag),
        CASE(timer_interrupts_when_enabled),
        CASE(button_interrupts_and_is_cleared),
        CASE(button_leaves_other_flags),
        CASE(late_creation_has_no_overflow),
        CASE(acpi_mode_follows_the_apm_port),
        CASE(soft_off_ends_the_domain),
        CASE(other_sleep_types_do_nothing),
        CASE(every_access_sees_the_same_bytes),
        CASE(reset_returns_to_legacy_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
