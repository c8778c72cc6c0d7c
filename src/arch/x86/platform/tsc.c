/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calibration and time. The TSC is sampled together with a reference clock
 * twice, some milliseconds apart; only the two samples must be sharp, so in
 * between the CPU spins without touching devices. Emulators run the clocks at
 * odd ratios (one instruction per nanosecond, or 10 MHz TSCs): all arithmetic
 * holds from 1 MHz to 100 GHz.
 */
#include "platform/tsc.h"

#include "arch/host.h"
#include "arch/startup.h"
#include "arch_inline.h"
#include "cpu/percpu.h"
#include "platform/lapic.h"
#include "platform/refclock.h"
#include "ravelin/log.h"
#include "ravelin/panic.h"

/* 1/100 s: a PM timer tick (0.28 us) is then 28 ppm. */
#define WINDOWS_PER_S 100u
#define SPIN_ITERATIONS 1000u
/* Spins without reaching the window's end: the clock does not run. */
#define SPINS_MAX 200000u
#define SAMPLE_TRIES 5u

#define KHZ_MIN 1000u
#define KHZ_MAX 100000000u
#define NS_PER_MS 1000000UL

static uint64_t base RV_RO_AFTER_INIT = 0;
static uint32_t khz RV_RO_AFTER_INIT = 0;
static uint32_t lapic_khz RV_RO_AFTER_INIT = 0;
static uint64_t ns_per_tick RV_RO_AFTER_INIT = 0;  /* 32.32 */
static uint64_t ticks_per_ns RV_RO_AFTER_INIT = 0; /* 32.32 */
static const char *reference_name RV_RO_AFTER_INIT_DATA = "none";

static uint64_t wait_ticks; /* boot CPU only */

struct sample {
    uint64_t tsc;
    uint32_t reference;
    uint32_t lapic;
};

void tsc_init(uint64_t tsc)
{
    base = tsc;
}

/* The sharpest of a few attempts to read both clocks at one time. */
static struct sample sample_take(const struct refclock *clock)
{
    struct sample best = {0};
    uint64_t best_width = UINT64_MAX;

    for (unsigned i = 0; i < SAMPLE_TRIES; i++) {
        uint64_t before = arch_tsc_read();
        uint32_t reference = clock->read();
        uint64_t width = arch_tsc_read() - before;

        if (width < best_width) {
            best_width = width;
            best.tsc = before + width / 2;
            best.reference = reference;
            best.lapic = lapic_timer_calibrate_read();
        }
    }
    return best;
}

static void spin(void)
{
    for (unsigned i = 0; i < SPIN_ITERATIONS; i++) {
        compiler_barrier();
    }
}

/* Spins until the clock has moved by `ticks`; false if it does not. */
static bool window_wait(const struct refclock *clock, uint32_t start,
                        uint32_t ticks)
{
    for (unsigned i = 0; i < SPINS_MAX; i++) {
        spin();
        if (((clock->read() - start) & clock->mask) >= ticks) {
            return true;
        }
    }
    return false;
}

static bool calibrate_with(const struct refclock *clock)
{
    struct sample first;
    struct sample last;
    uint64_t elapsed;
    uint64_t tsc_khz;
    uint64_t timer_khz;

    lapic_timer_calibrate_start();
    first = sample_take(clock);
    if (!window_wait(clock, first.reference,
                     (uint32_t)(clock->hz / WINDOWS_PER_S))) {
        return false;
    }
    last = sample_take(clock);
    elapsed = (last.reference - first.reference) & clock->mask;
    tsc_khz = (last.tsc - first.tsc) * clock->hz / elapsed / 1000;
    timer_khz =
        (uint64_t)(last.lapic - first.lapic) * clock->hz / elapsed / 1000;
    if (tsc_khz < KHZ_MIN || tsc_khz > KHZ_MAX || timer_khz == 0) {
        return false;
    }
    khz = (uint32_t)tsc_khz;
    lapic_khz = (uint32_t)timer_khz;
    reference_name = clock->name;
    return true;
}

void tsc_calibrate(void)
{
    uint64_t start = arch_tsc_read();
    struct refclock clock;

    for (unsigned i = 0; khz == 0; i++) {
        if (!refclock_get(i, &clock)) {
            panic("no clock to calibrate the TSC with");
        }
        if (!calibrate_with(&clock)) {
            log_warn("%s does not run, trying another clock", clock.name);
        }
    }
    ns_per_tick = (NS_PER_MS << 32) / khz;
    ticks_per_ns = ((uint64_t)khz << 32) / NS_PER_MS;
    tsc_wait_account(arch_tsc_read() - start);
}

uint32_t tsc_lapic_khz(void)
{
    return lapic_khz;
}

const char *tsc_reference_name(void)
{
    return reference_name;
}

uint64_t tsc_read_aligned(void)
{
    return arch_tsc_read() + this_x86_cpu()->tsc_offset;
}

uint64_t arch_time_ns(void)
{
    return arch_tsc_to_ns(tsc_read_aligned());
}

uint32_t arch_tsc_khz(void)
{
    return khz;
}

uint64_t arch_tsc_to_ns(uint64_t tsc)
{
    return scale_32_32(tsc - base, ns_per_tick);
}

uint64_t arch_ns_to_tsc(uint64_t ns)
{
    return base + scale_32_32(ns, ticks_per_ns);
}

uint64_t arch_boot_wait_ticks(void)
{
    return wait_ticks;
}

void tsc_wait_account(uint64_t ticks)
{
    wait_ticks += ticks;
}

void tsc_delay_us(uint64_t us)
{
    uint64_t start = arch_tsc_read();
    uint64_t ticks = us * khz / 1000;

    while (arch_tsc_read() - start < ticks) {
        cpu_relax();
    }
    tsc_wait_account(arch_tsc_read() - start);
}
