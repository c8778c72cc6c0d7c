/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI tables of a domain, read back as a guest reads them: from the RSDP
 * through addresses, lengths and checksums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/acpi_tables.h"
#include "ravelin/domain.h"
#include "ravelin/io_ports.h"
#include "ravelin/vioapic.h"
#include "ravelin/vlapic.h"

#define BASE 0xfeff0000UL
#define S5_END 47 /* header and the package of soft-off */

static uint8_t block[ACPI_BLOCK_MAX];
static size_t used;

static void build(unsigned vcpus, bool serial)
{
    const struct acpi_config config = {
        .base = BASE, .vcpus = vcpus, .serial_port = serial};

    memset(block, 0xcc, sizeof(block));
    used = acpi_tables_build(block, &config);
    assert_in_range(used, 36, ACPI_BLOCK_MAX);
}

static uint64_t field(const uint8_t *at, size_t offset, size_t n)
{
    uint64_t value = 0;

    memcpy(&value, at + offset, n);
    return value;
}

static uint8_t sum(const uint8_t *at, size_t n)
{
    uint8_t s = 0;

    while (n-- > 0) {
        s = (uint8_t)(s + *at++);
    }
    return s;
}

/* The table at a guest address: inside the block, right sum. */
static const uint8_t *table_at(uint64_t address, const char *signature)
{
    const uint8_t *t = block + (address - BASE);
    uint64_t length;

    assert_in_range(address, BASE, BASE + used - 36);
    assert_memory_equal(t, signature, 4);
    length = field(t, 4, 4);
    assert_true(address - BASE + length <= used);
    assert_int_equal(sum(t, length), 0);
    return t;
}

static const uint8_t *xsdt(void)
{
    assert_memory_equal(block, "RSD PTR ", 8);
    assert_int_equal(sum(block, 20), 0);
    assert_int_equal(sum(block, 36), 0);
    assert_int_equal(block[15], 2);
    assert_int_equal(field(block, 20, 4), 36);
    return table_at(field(block, 24, 8), "XSDT");
}

static const uint8_t *fadt(void)
{
    return table_at(field(xsdt(), 36, 8), "FACP");
}

static const uint8_t *madt(void)
{
    return table_at(field(xsdt(), 44, 8), "APIC");
}

static void build_tables_are_reachable_and_sealed(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= VCPU_COUNT_MAX; n++) {
        build(n, n % 2 == 0);
        assert_int_equal(field(xsdt(), 4, 4), 36 + 16);
        (void)fadt();
        (void)madt();
        (void)table_at(field(fadt(), 140, 8), "DSDT");
    }
}

static void build_fadt_is_hardware_reduced(void **state)
{
    const uint8_t *f;

    (void)state;
    build(2, false);
    f = fadt();
    assert_int_equal(field(f, 4, 4), 268);
    assert_int_equal(f[8], 5);
    assert_int_equal(field(f, 112, 4) & 1u << 20, 1u << 20);
    assert_int_equal(field(f, 109, 2), 0x24);
    assert_int_equal(field(f, 40, 4), field(f, 140, 8));
    for (unsigned i = 46; i < 109; i++) {
        assert_int_equal(f[i], 0); /* no PM blocks, no SCI */
    }
}

static void register_check(const uint8_t *gas, uint64_t port)
{
    assert_int_equal(gas[0], 1); /* system I/O */
    assert_int_equal(gas[1], 8);
    assert_int_equal(gas[2], 0);
    assert_int_equal(gas[3], 1); /* byte access */
    assert_int_equal(field(gas, 4, 8), port);
}

static void build_fadt_names_the_power_registers(void **state)
{
    const uint8_t *f;

    (void)state;
    build(1, false);
    f = fadt();
    assert_int_equal(field(f, 112, 4) & 1u << 10, 1u << 10);
    register_check(f + 116, IO_PORT_RESET);
    assert_int_equal(f[128], ACPI_RESET_VALUE);
    register_check(f + 244, IO_PORT_SLEEP_CONTROL);
    register_check(f + 256, IO_PORT_SLEEP_STATUS);
}

static void build_madt_lists_processors_with_their_apic_ids(void **state)
{
    const uint8_t *m;

    (void)state;
    build(5, false);
    m = madt();
    assert_int_equal(field(m, 36, 4), VLAPIC_MMIO_BASE);
    assert_int_equal(field(m, 40, 4), 0);
    assert_int_equal(field(m, 4, 4), 44 + 5 * 8);
    for (unsigned i = 0; i < 5; i++) {
        const uint8_t *e = m + 44 + i * 8;

        assert_int_equal(e[0], 0);
        assert_int_equal(e[1], 8);
        assert_int_equal(e[2], i);
        assert_int_equal(e[3], vlapic_id_of(i));
        assert_int_equal(field(e, 4, 4), 1);
    }
}

static void build_serial_port_adds_ioapic_and_device(void **state)
{
    const uint8_t *m;
    const uint8_t *d;

    (void)state;
    build(1, true);
    m = madt();
    assert_int_equal(field(m, 4, 4), 44 + 8 + 12);
    assert_int_equal(m[52], 1);
    assert_int_equal(m[53], 12);
    assert_int_equal(m[54], VIOAPIC_ID);
    assert_int_equal(field(m, 56, 4), VIOAPIC_MMIO_BASE);
    assert_int_equal(field(m, 60, 4), 0);
    d = table_at(field(fadt(), 140, 8), "DSDT");
    assert_int_equal(field(d, 4, 4), S5_END + 52);
    /* Scope and device say how long they are. */
    assert_int_equal(d[S5_END], 0x10);
    assert_int_equal(d[S5_END + 1], 51);
    assert_memory_equal(d + S5_END + 2, "\\_SB_\x5b\x82", 7);
    assert_int_equal(d[S5_END + 9], 43);
    assert_memory_equal(d + S5_END + 10, "COM1", 4);
}

static void build_dsdt_has_soft_off(void **state)
{
    const uint8_t *d;

    (void)state;
    build(1, false);
    d = table_at(field(fadt(), 140, 8), "DSDT");
    assert_int_equal(field(d, 4, 4), S5_END);
    assert_memory_equal(d + 36, "\x08_S5_\x12\x05\x02\x0a", 9);
    assert_int_equal(d[45], ACPI_SLEEP_TYPE_S5);
    assert_int_equal(d[46], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(build_tables_are_reachable_and_sealed),
        cmocka_unit_test(build_fadt_is_hardware_reduced),
        cmocka_unit_test(build_fadt_names_the_power_registers),
        cmocka_unit_test(build_madt_lists_processors_with_their_apic_ids),
        cmocka_unit_test(build_serial_port_adds_ioapic_and_device),
        cmocka_unit_test(build_dsdt_has_soft_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
