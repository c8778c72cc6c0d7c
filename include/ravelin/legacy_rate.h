/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free-running clocks of legacy devices, counted from arch_time_ns() == 0 and
 * never accumulated, so that no rounding error grows. Both directions are
 * exact: clock_ns(clock_ticks(t)) <= t, and clock_ns(n) is the first
 * nanosecond at which clock_ticks() reads n.
 */
#pragma once

#include "ravelin/types.h"

#define LEGACY_NS_PER_S 1000000000UL

/** Whole ticks of a clock of `hz` (1 .. 2^32) in `ns`. */
static inline uint64_t clock_ticks(uint64_t ns, uint64_t hz)
{
    return ns / LEGACY_NS_PER_S * hz +
           ns % LEGACY_NS_PER_S * hz / LEGACY_NS_PER_S;
}

/** First nanosecond of tick `n`; n / hz below 500 years. */
static inline uint64_t clock_ns(uint64_t n, uint64_t hz)
{
    return n / hz * LEGACY_NS_PER_S + (n % hz * LEGACY_NS_PER_S + hz - 1) / hz;
}
