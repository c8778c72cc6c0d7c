/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups of tests whose end counts: the framework prints that a group's
 * tear-down has failed, but reports success. Leaks are found there, so it is
 * run as a case of its own.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ravelin/compiler.h"

/** As _cmocka_run_group_tests(), and `teardown` as one more case, "group_end".
 * @return how many failed. */
int group_run_cases(const char *name, const struct CMUnitTest *tests, size_t n,
                    CMFixtureFunction setup, CMFixtureFunction teardown);

/** The same for an array, which gives the group its name. */
#define group_run(tests, setup, teardown) \
    group_run_cases(#tests, tests, ARRAY_SIZE(tests), setup, teardown)
