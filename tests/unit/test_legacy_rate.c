/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free-running clocks: conversion in both directions, and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ravelin/legacy_rate.h"

static uint32_t seed;

static uint32_t rnd(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void clock_conversions_are_exact_inverses(void **state)
{
    static const uint64_t rates[] = {1, 32768, 1193182, 3579545, 4000000000u};

    (void)state;
    seed = 5;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t hz = rates[i % ARRAY_SIZE(rates)];
        uint64_t n = (uint64_t)rnd(1u << 24) << (i % 12);
        uint64_t ns;

        if (n / hz > 15000000000ull) {
            continue;
        }
        ns = clock_ns(n, hz);
        assert_true(clock_ticks(ns, hz) >= n);
        assert_true(n == 0 || clock_ticks(ns - 1, hz) < n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_conversions_are_exact_inverses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
