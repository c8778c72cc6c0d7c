/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration space: what a BIOS finds, what it may change.
 * Ref: PCI Local Bus Specification 3.0, 3.2.2.3.2 and 6.1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "legacy_fixture.h"
#include "ravelin/legacy_pci.h"

#define ALL 0xffu

static struct legacy_fixture fake;
static struct legacy_pci pci;

static int case_start(void **state)
{
    (void)state;
    legacy_pci_init(&pci, legacy_fixture_start(&fake), ALL);
    return 0;
}

static void address(unsigned bus, unsigned device, unsigned function,
                    unsigned offset)
{
    legacy_pci_write(&pci, LEGACY_PCI_ADDRESS, 4,
                     0x80000000u | bus << 16 | device << 11 | function << 8 |
                         (offset & 0xfcu));
}

static uint32_t config_read(unsigned device, unsigned function, unsigned offset,
                            unsigned size)
{
    address(0, device, function, offset);
    return legacy_pci_read(&pci, (uint16_t)(LEGACY_PCI_DATA + (offset & 3u)),
                           size);
}

static void config_write(unsigned device, unsigned function, unsigned offset,
                         unsigned size, uint32_t value)
{
    address(0, device, function, offset);
    legacy_pci_write(&pci, (uint16_t)(LEGACY_PCI_DATA + (offset & 3u)), size,
                     value);
}

static void address_reads_back_without_reserved_bits(void **state)
{
    (void)state;
    legacy_pci_write(&pci, LEGACY_PCI_ADDRESS, 4, 0xffffffff);
    assert_int_equal(legacy_pci_read(&pci, LEGACY_PCI_ADDRESS, 4), 0x80fffffc);
    legacy_pci_write(&pci, LEGACY_PCI_ADDRESS, 4, 0x80000800);
    /* Narrower writes are ordinary ports, not this register. */
    legacy_pci_write(&pci, LEGACY_PCI_ADDRESS, 1, 0x55);
    legacy_pci_write(&pci, LEGACY_PCI_ADDRESS, 2, 0x5555);
    legacy_pci_write(&pci, LEGACY_PCI_ADDRESS + 2, 2, 0x5555);
    assert_int_equal(legacy_pci_read(&pci, LEGACY_PCI_ADDRESS, 4), 0x80000800);
    assert_int_equal(legacy_pci_read(&pci, LEGACY_PCI_ADDRESS, 1), 0xff);
    assert_int_equal(legacy_pci_read(&pci, LEGACY_PCI_ADDRESS + 2, 2), 0xffff);
}

static void functions_are_where_a_bios_looks(void **state)
{
    (void)state;
    assert_int_equal(config_read(0, 0, 0, 4), 0x12378086);
    assert_int_equal(config_read(1, 0, 0, 4), 0x70008086);
    assert_int_equal(config_read(1, 1, 0, 4), 0x70108086);
    assert_int_equal(config_read(1, 3, 0, 4), 0x71138086);
    assert_int_equal(config_read(0, 0, 0x0a, 2), 0x0600);
    assert_int_equal(config_read(1, 0, 0x0a, 2), 0x0601);
    assert_int_equal(config_read(1, 1, 0x0a, 2), 0x0101);
    assert_int_equal(config_read(1, 3, 0x0a, 2), 0x0680);
    /* Only the ISA bridge's header says that there are more functions. */
    assert_int_equal(config_read(0, 0, 0x0e, 1), 0);
    assert_int_equal(config_read(1, 0, 0x0e, 1), 0x80);
}

static void absent_functions_read_as_ones(void **state)
{
    unsigned found = 0;

    (void)state;
    for (unsigned device = 0; device < 32; device++) {
        for (unsigned function = 0; function < 8; function++) {
            found += config_read(device, function, 0, 4) != 0xffffffff;
        }
    }
    assert_int_equal(found, 4);
    for (unsigned bus = 1; bus < 256; bus++) {
        address(bus, 0, 0, 0);
        assert_int_equal(legacy_pci_read(&pci, LEGACY_PCI_DATA, 4), 0xffffffff);
    }
    /* Without the enable bit the data port is not there. */
    legacy_pci_write(&pci, LEGACY_PCI_ADDRESS, 4, 0);
    assert_int_equal(legacy_pci_read(&pci, LEGACY_PCI_DATA, 4), 0xffffffff);
    assert_int_equal(legacy_pci_read(&pci, LEGACY_PCI_DATA + 1, 1), 0xff);
}

static void functions_can_be_left_out_but_for_the_host_bridge(void **state)
{
    (void)state;
    legacy_pci_init(&pci, &fake.host, 1u << LEGACY_PCI_ISA);
    assert_int_equal(config_read(0, 0, 0, 4), 0x12378086);
    assert_int_equal(config_read(1, 0, 0, 4), 0x70008086);
    assert_int_equal(config_read(1, 1, 0, 4), 0xffffffff);
    assert_int_equal(config_read(1, 3, 0, 4), 0xffffffff);
    config_write(1, 3, 0x80, 1, 1);
    assert_int_equal(legacy_pci_pm_base(&pci), 0);
}

static void identity_cannot_be_written(void **state)
{
    (void)state;
    for (unsigned offset = 0; offset < 4; offset += 4) {
        config_write(1, 1, offset, 4, 0);
        config_write(1, 1, 8, 4, 0xffffffff);
    }
    assert_int_equal(config_read(1, 1, 0, 4), 0x70108086);
    assert_int_equal(config_read(1, 1, 8, 4), 0x01010000);
}

static void base_addresses_have_no_size(void **state)
{
    static const unsigned functions[][2] = {{0, 0}, {1, 0}, {1, 1}, {1, 3}};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(functions); i++) {
        for (unsigned bar = 0x10; bar <= 0x30; bar += 4) {
            config_write(functions[i][0], functions[i][1], bar, 4, 0xffffffff);
            assert_int_equal(
                config_read(functions[i][0], functions[i][1], bar, 4), 0);
        }
    }
}

static void shadow_registers_keep_what_is_written(void **state)
{
    (void)state;
    assert_int_equal(config_read(0, 0, 0x59, 1), 0);
    config_write(0, 0, 0x59, 1, 0xff);
    assert_int_equal(config_read(0, 0, 0x59, 1), 0x30);
    /* As two words that also hold neighbours. */
    config_write(0, 0, 0x58, 4, 0x33333000);
    config_write(0, 0, 0x5c, 4, 0x11223333);
    assert_int_equal(config_read(0, 0, 0x58, 4), 0x33333000);
    assert_int_equal(config_read(0, 0, 0x5c, 4), 0x11223333);
    assert_int_equal(config_read(0, 0, 0x72, 1), 0x02);
}

static void interrupt_routing_is_stored(void **state)
{
    (void)state;
    assert_int_equal(config_read(1, 0, 0x60, 4), 0x80808080);
    config_write(1, 0, 0x61, 1, 0x0b);
    config_write(1, 0, 0x62, 2, 0xff0a);
    assert_int_equal(config_read(1, 0, 0x60, 4), 0x8f0a0b80);
    config_write(1, 1, 0x3c, 1, 14);
    assert_int_equal(config_read(1, 1, 0x3c, 4), 14);
}

static void power_management_ports_follow_the_registers(void **state)
{
    (void)state;
    assert_int_equal(legacy_pci_pm_base(&pci), 0);
    config_write(1, 3, 0x40, 4, 0x0000b001);
    assert_int_equal(legacy_pci_pm_base(&pci), 0);
    config_write(1, 3, 0x80, 1, 1);
    assert_int_equal(legacy_pci_pm_base(&pci), 0xb000);
    config_write(1, 3, 0x40, 4, 0xffffffff);
    assert_int_equal(config_read(1, 3, 0x40, 4), 0x0000ffc1);
    assert_int_equal(legacy_pci_pm_base(&pci), 0xffc0);
    config_write(1, 3, 0x80, 1, 0xfe);
    assert_int_equal(legacy_pci_pm_base(&pci), 0);
    /* No system management interrupt will come for writes to 0xb2. */
    assert_int_equal(config_read(1, 3, 0x58, 4) & 0x02000000, 0x02000000);
    config_write(1, 3, 0x58, 4, 0);
    assert_int_equal(config_read(1, 3, 0x58, 4), 0x02000000);
}

static void data_port_never_leaves_its_word(void **state)
{
    (void)state;
    address(0, 1, 0, 0x60);
    assert_int_equal(legacy_pci_read(&pci, LEGACY_PCI_DATA + 3, 2), 0xff80);
    assert_int_equal(legacy_pci_read(&pci, LEGACY_PCI_DATA + 2, 4), 0xffff8080);
    legacy_pci_write(&pci, LEGACY_PCI_DATA + 3, 4, 0x01010101);
    assert_int_equal(config_read(1, 0, 0x60, 4), 0x01808080);
    assert_int_equal(config_read(1, 0, 0x64, 4), 0);
}

static void reset_control_resets_at_the_rising_edge(void **state)
{
    (void)state;
    legacy_pci_write(&pci, LEGACY_PCI_RESET, 1, 0x02);
    assert_int_equal(fake.request_count[LEGACY_RESET], 0);
    assert_int_equal(legacy_pci_read(&pci, LEGACY_PCI_RESET, 1), 0x02);
    legacy_pci_write(&pci, LEGACY_PCI_RESET, 1, 0x06);
    legacy_pci_write(&pci, LEGACY_PCI_RESET, 1, 0x06);
    assert_int_equal(fake.request_count[LEGACY_RESET], 1);
    legacy_pci_write(&pci, LEGACY_PCI_RESET, 1, 0xf9);
    legacy_pci_write(&pci, LEGACY_PCI_RESET, 1, 0x04);
    assert_int_equal(fake.request_count[LEGACY_RESET], 2);
}

static void reset_restores_every_register(void **state)
{
    static struct legacy_pci before;

    (void)state;
    memcpy(&before, &pci, sizeof(pci));
    for (unsigned i = 0; i < 4; i++) {
        static const unsigned functions[][2] = {{0, 0}, {1, 0}, {1, 1}, {1, 3}};

        for (unsigned offset = 0; offset < 256; offset += 4) {
            config_write(functions[i][0], functions[i][1], offset, 4,
                         0xa5a5a5a5);
        }
    }
    assert_memory_not_equal(before.space, pci.space, sizeof(pci.space));
    legacy_pci_reset(&pci);
    assert_memory_equal(&before, &pci, sizeof(pci));
}

#define CASE(f) cmocka_unit_test_setup(f, case_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(address_reads_back_without_reserved_bits),
        CASE(functions_are_where_a_bios_looks),
        CASE(absent_functions_read_as_ones),
        CASE(functions_can_be_left_out_but_for_the_host_bridge),
        CASE(identity_cannot_be_written),
        CASE(base_addresses_have_no_size),
        CASE(shadow_registers_keep_what_is_written),
        CASE(interrupt_routing_is_stored),
        CASE(power_management_ports_follow_the_registers),
        CASE(data_port_never_leaves_its_word),
        CASE(reset_control_resets_at_the_rising_edge),
        CASE(reset_restores_every_register),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
