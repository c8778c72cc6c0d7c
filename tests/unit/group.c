/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See group.h.
 */
#include "group.h"

static CMFixtureFunction group_teardown;

static void group_end(void **state)
{
    assert_int_equal(group_teardown(state), 0);
}

int group_run_cases(const char *name, const struct CMUnitTest *tests, size_t n,
                    CMFixtureFunction setup, CMFixtureFunction teardown)
{
    const struct CMUnitTest end[] = {cmocka_unit_test(group_end)};
    int failed = _cmocka_run_group_tests(name, tests, n, setup, NULL);

    group_teardown = teardown;
    return failed + _cmocka_run_group_tests(name, end, 1, NULL, NULL);
}
