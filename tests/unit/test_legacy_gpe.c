/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * General-purpose events: none, ever.
 * Ref: ACPI 5.0, 4.8.4.1 "General-Purpose Event Register Blocks".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ravelin/legacy_gpe.h"

static struct legacy_gpe gpe;

static int case_start(void **state)
{
    (void)state;
    memset(&gpe, 0xa5, sizeof(gpe));
    legacy_gpe_reset(&gpe);
    return 0;
}

static void no_event_is_pending(void **state)
{
    (void)state;
    for (uint16_t port = 0xafe0; port < 0xafe2; port++) {
        legacy_gpe_write(&gpe, port, 0xff);
        assert_int_equal(legacy_gpe_read(&gpe, port), 0);
    }
}

static void enable_bits_are_kept(void **state)
{
    (void)state;
    assert_int_equal(legacy_gpe_read(&gpe, 0xafe2), 0);
    legacy_gpe_write(&gpe, 0xafe2, 0x06);
    legacy_gpe_write(&gpe, 0xafe3, 0x81);
    assert_int_equal(legacy_gpe_read(&gpe, 0xafe2), 0x06);
    assert_int_equal(legacy_gpe_read(&gpe, 0xafe3), 0x81);
    assert_int_equal(legacy_gpe_read(&gpe, 0xafe0), 0);
    legacy_gpe_reset(&gpe);
    assert_int_equal(legacy_gpe_read(&gpe, 0xafe3), 0);
}

static void no_slot_is_ejected(void **state)
{
    (void)state;
    for (uint16_t port = LEGACY_GPE_SLOT_PORT;
         port < LEGACY_GPE_SLOT_PORT + LEGACY_GPE_SLOT_PORT_COUNT; port++) {
        legacy_gpe_write(&gpe, port, 0xff);
        assert_int_equal(legacy_gpe_read(&gpe, port), 0);
    }
}

#define CASE(f) cmocka_unit_test_setup(f, case_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(no_event_is_pending),
        CASE(enable_bits_are_kept),
        CASE(no_slot_is_ejected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
