/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timer of the virtual local APIC on a clock that only the test moves: one
 * shot, periodic and TSC deadline; no setting costs the host more than a
 * bounded amount of work.
 */
#include "vlapic_fixture.h"

#include "arch/host.h"
#include "ravelin/msr_policy.h"

/* ---- Timer ---- */

static void timer_oneshot_fires_once_at_its_time(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0xec);
    vlapic_mmio_write(v0, APIC_TDCR, 0xb); /* by 1 */
    vlapic_mmio_write(v0, APIC_TMICT, 1000);
    platform_time_set(t + 400);
    assert_int_equal(vlapic_mmio_read(v0, APIC_TMCCT), 600);
    platform_time_set(t + 999);
    assert_false(apic_irr_has(v0, 0xec));
    platform_time_set(t + 1000);
    assert_int_equal(vlapic_mmio_read(v0, APIC_TMCCT), 0);
    assert_int_equal(apic_receivers_take(0xec), 1);
    platform_time_set(t + 100000);
    assert_int_equal(apic_receivers_take(0xec), 0);
    assert_int_equal(vlapic_mmio_read(v0, APIC_TMICT), 1000);
}

static void timer_divide_scales_the_count(void **state)
{
    static const struct {
        uint32_t reg;
        unsigned by;
    } codes[] = {{0, 2},  {1, 4},  {2, 8},     {3, 16},
                 {8, 32}, {9, 64}, {0xa, 128}, {0xb, 1}};

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0xec);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t t = platform_time();

        vlapic_mmio_write(v0, APIC_TDCR, codes[i].reg);
        vlapic_mmio_write(v0, APIC_TMICT, 50);
        platform_time_set(t + 50 * codes[i].by - 1);
        assert_int_equal(vlapic_mmio_read(v0, APIC_TMCCT), 1);
        assert_int_equal(apic_receivers_take(0xec), 0);
        platform_time_set(t + 50 * codes[i].by);
        assert_int_equal(apic_receivers_take(0xec), 1);
    }
}

static void timer_divide_change_keeps_the_count(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0xec);
    vlapic_mmio_write(v0, APIC_TDCR, 0xb);
    vlapic_mmio_write(v0, APIC_TMICT, 1000);
    platform_time_set(t + 500);
    vlapic_mmio_write(v0, APIC_TDCR, 0); /* by 2 */
    assert_int_equal(vlapic_mmio_read(v0, APIC_TMCCT), 500);
    platform_time_set(t + 1499);
    assert_int_equal(apic_receivers_take(0xec), 0);
    platform_time_set(t + 1500);
    assert_int_equal(apic_receivers_take(0xec), 1);
}

static void timer_periodic_repeats(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0x200ec);
    vlapic_mmio_write(v0, APIC_TDCR, 0xb);
    vlapic_mmio_write(v0, APIC_TMICT, 1000000);
    for (unsigned i = 1; i <= 5; i++) {
        platform_time_set(t + i * 1000000UL - 1);
        assert_int_equal(apic_receivers_take(0xec), 0);
        platform_time_set(t + i * 1000000UL);
        assert_int_equal(apic_receivers_take(0xec), 1);
    }
    vlapic_mmio_write(v0, APIC_TMICT, 0);
    platform_time_set(t + 9000000);
    assert_int_equal(apic_receivers_take(0xec), 0);
}

static void timer_periodic_missed_periods_collapse(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0x200ec);
    vlapic_mmio_write(v0, APIC_TDCR, 0xb);
    vlapic_mmio_write(v0, APIC_TMICT, 1000000);
    platform_time_set(t + 7500000);
    assert_int_equal(apic_receivers_take(0xec), 1);
    assert_int_equal(apic_receivers_take(0xec), 0);
    platform_time_set(t + 7999999);
    assert_int_equal(apic_receivers_take(0xec), 0);
    platform_time_set(t + 8000000); /* phase is kept */
    assert_int_equal(apic_receivers_take(0xec), 1);
}

static void timer_periodic_tiny_period_is_bounded(void **state)
{
    uint64_t t = platform_time();
    unsigned fired = 0;

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0x200ec);
    vlapic_mmio_write(v0, APIC_TDCR, 0xb);
    vlapic_mmio_write(v0, APIC_TMICT, 1);
    for (unsigned i = 0; i < 1000; i++) {
        platform_time_set(t += 1000);
        fired += apic_receivers_take(0xec);
    }
    assert_in_range(fired, 1, 11); /* 1 ms at 100 us each, and the first */
}

static void timer_masked_expiry_is_lost(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0x100ec);
    vlapic_mmio_write(v0, APIC_TDCR, 0xb);
    vlapic_mmio_write(v0, APIC_TMICT, 1000);
    platform_time_set(t + 2000);
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0xec);
    assert_int_equal(apic_receivers_take(0xec), 0);
}

static void timer_illegal_vector_is_an_error(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0x02);
    vlapic_mmio_write(v0, APIC_TMICT, 1);
    platform_time_set(t + 1000);
    assert_int_equal(apic_esr_take(v0), APIC_ESR_RECV_ILLEGAL);
}

static void tsc_deadline_fires_and_reads_zero_after(void **state)
{
    uint64_t t = platform_time();
    uint64_t tsc = arch_ns_to_tsc(t) + msr_tsc_offset(v0);
    uint64_t step = arch_ns_to_tsc(t + 10000) - arch_ns_to_tsc(t);

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0x400ec);
    apic_x2_write(v0, APIC_MSR_TSC_DEADLINE, tsc + step);
    assert_int_equal(apic_x2_read(v0, APIC_MSR_TSC_DEADLINE), tsc + step);
    vlapic_mmio_write(v0, APIC_TMICT, 5); /* ignored in this mode */
    assert_int_equal(vlapic_mmio_read(v0, APIC_TMCCT), 0);
    platform_time_set(t + 9999);
    assert_int_equal(apic_receivers_take(0xec), 0);
    platform_time_set(t + 10001);
    assert_int_equal(apic_receivers_take(0xec), 1);
    assert_int_equal(apic_x2_read(v0, APIC_MSR_TSC_DEADLINE), 0);
}

static void tsc_deadline_in_the_past_fires_at_once(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0x400ec);
    apic_x2_write(v0, APIC_MSR_TSC_DEADLINE, 1);
    platform_time_set(platform_time() + 1);
    assert_int_equal(apic_receivers_take(0xec), 1);
}

static void tsc_deadline_far_future_does_not_wrap(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0x400ec);
    apic_x2_write(v0, APIC_MSR_TSC_DEADLINE, UINT64_MAX);
    platform_time_set(t + 1000000000UL);
    assert_int_equal(apic_receivers_take(0xec), 0);
    apic_x2_write(v0, APIC_MSR_TSC_DEADLINE, 0);
    assert_int_equal(apic_x2_read(v0, APIC_MSR_TSC_DEADLINE), 0);
}

static void tsc_deadline_in_other_modes_is_ignored(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0xec);
    apic_x2_write(v0, APIC_MSR_TSC_DEADLINE, 5);
    assert_int_equal(apic_x2_read(v0, APIC_MSR_TSC_DEADLINE), 0);
}

static void timer_mode_change_disarms_deadline(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0x400ec);
    apic_x2_write(v0, APIC_MSR_TSC_DEADLINE,
                  arch_ns_to_tsc(t + 5000) + msr_tsc_offset(v0));
    vlapic_mmio_write(v0, APIC_LVT_TIMER, 0xec);
    platform_time_set(t + 100000);
    assert_int_equal(apic_receivers_take(0xec), 0);
    assert_int_equal(apic_x2_read(v0, APIC_MSR_TSC_DEADLINE), 0);
}

static void init_stops_the_timer(void **state)
{
    uint64_t t = platform_time();

    (void)state;
    vlapic_mmio_write(v1, APIC_LVT_TIMER, 0x200ec);
    vlapic_mmio_write(v1, APIC_TMICT, 1000);
    apic_icr_send(v0, 2, APIC_MODE(APIC_MODE_INIT) | 0x4000);
    vlapic_init_process(v1);
    platform_time_set(t + 100000);
    apic_on(v1);
    assert_false(apic_irr_has(v1, 0xec));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        APIC_CASE(timer_oneshot_fires_once_at_its_time),
        APIC_CASE(timer_divide_scales_the_count),
        APIC_CASE(timer_divide_change_keeps_the_count),
        APIC_CASE(timer_periodic_repeats),
        APIC_CASE(timer_periodic_missed_periods_collapse),
        APIC_CASE(timer_periodic_tiny_period_is_bounded),
        APIC_CASE(timer_masked_expiry_is_lost),
        APIC_CASE(timer_illegal_vector_is_an_error),
        APIC_CASE(tsc_deadline_fires_and_reads_zero_after),
        APIC_CASE(tsc_deadline_in_the_past_fires_at_once),
        APIC_CASE(tsc_deadline_far_future_does_not_wrap),
        APIC_CASE(tsc_deadline_in_other_modes_is_ignored),
        APIC_CASE(timer_mode_change_disarms_deadline),
        APIC_CASE(init_stops_the_timer),
    };

    return group_run(tests, platform_amd_setup, platform_teardown);
}
