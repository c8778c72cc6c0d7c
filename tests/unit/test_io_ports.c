/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports of a domain's platform: what ends a domain, what must not.
 */
#include "platform_fixture.h"

#include "ravelin/errno.h"
#include "ravelin/io_ports.h"

#define S5 (1u << 5 | ACPI_SLEEP_TYPE_S5 << 2)

static struct domain *dom;

static int case_start(void **state)
{
    (void)state;
    platform_cpuid_use(CPUID_VENDOR_AMD);
    dom = platform_domain(1, 0);
    return 0;
}

static int case_end(void **state)
{
    (void)state;
    platform_domain_destroy(dom);
    return 0;
}

static int out(uint16_t port, unsigned size, uint32_t value)
{
    return io_port_dispatch(dom->vcpu[0], port, size, false, &value);
}

static void soft_off_ends_the_domain(void **state)
{
    (void)state;
    assert_int_equal(out(IO_PORT_SLEEP_CONTROL, 1, S5), 0);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
    assert_int_equal(dom->shutdown_code, SHUTDOWN_POWEROFF);
}

static void reset_restarts_the_domain(void **state)
{
    (void)state;
    assert_int_equal(out(IO_PORT_RESET, 1, ACPI_RESET_VALUE), 0);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
    assert_int_equal(dom->shutdown_code, SHUTDOWN_REBOOT);
}

static void other_values_do_nothing(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        if ((value & 0x3c) != S5) {
            assert_int_equal(out(IO_PORT_SLEEP_CONTROL, 1, value), 0);
        }
        if (value != ACPI_RESET_VALUE) {
            assert_int_equal(out(IO_PORT_RESET, 1, value), 0);
        }
        assert_int_equal(out(IO_PORT_SLEEP_STATUS, 1, value), 0);
    }
    assert_int_equal(dom->state, DOMAIN_BUILDING);
}

static void wide_accesses_reach_nothing(void **state)
{
    (void)state;
    assert_int_equal(out(IO_PORT_SLEEP_CONTROL, 2, S5), -RV_ENOENT);
    assert_int_equal(out(IO_PORT_SLEEP_CONTROL, 4, S5), -RV_ENOENT);
    assert_int_equal(out(IO_PORT_SLEEP_CONTROL - 1, 2, S5 << 8), -RV_ENOENT);
    assert_int_equal(dom->state, DOMAIN_BUILDING);
}

static void other_ports_are_not_there(void **state)
{
    unsigned found = 0;

    (void)state;
    for (uint32_t port = 0; port <= UINT16_MAX; port++) {
        uint32_t value = 0xabcd;

        if (io_port_dispatch(dom->vcpu[0], (uint16_t)port, 1, true, &value)) {
            assert_int_equal(value, 0xabcd);
            assert_int_equal(out((uint16_t)port, 1, S5), -RV_ENOENT);
        } else {
            assert_int_equal(value, 0);
            found++;
        }
    }
    assert_int_equal(found, 3);
    assert_int_equal(dom->state, DOMAIN_BUILDING);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, case_start, case_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(soft_off_ends_the_domain),  CASE(reset_restarts_the_domain),
        CASE(other_values_do_nothing),   CASE(wide_accesses_reach_nothing),
        CASE(other_ports_are_not_there),
    };

    return group_run(tests, platform_setup, platform_teardown);
}
