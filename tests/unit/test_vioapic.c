/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual IO-APIC: its registers, edge and level pins, and the serial
 * port's interrupt, which reaches its owner through it.
 */
#include "vlapic_fixture.h"

#include "ravelin/errno.h"
#include "ravelin/mmio.h"
#include "ravelin/serial_irq.h"
#include "ravelin/vioapic.h"

static void ioapic_reg_write(uint32_t reg, uint32_t value)
{
    vioapic_mmio_write(apic_domain, 0, reg);
    vioapic_mmio_write(apic_domain, 0x10, value);
}

static uint32_t ioapic_reg_read(uint32_t reg)
{
    vioapic_mmio_write(apic_domain, 0, reg);
    return vioapic_mmio_read(apic_domain, 0x10);
}

static void ioapic_registers_have_reset_values(void **state)
{
    uint64_t value = 4;

    (void)state;
    assert_int_equal(vioapic_create(apic_domain), 0);
    assert_int_equal(vioapic_create(apic_domain), -RV_EEXIST);
    assert_int_equal(ioapic_reg_read(1), 0x00170011);
    assert_int_equal(ioapic_reg_read(0), VIOAPIC_ID << 24);
    assert_int_equal(ioapic_reg_read(0x10), 0x10000);
    assert_int_equal(ioapic_reg_read(0x3f), 0);
    assert_int_equal(ioapic_reg_read(0x40), 0); /* beyond the last pin */
    assert_int_equal(ioapic_reg_read(0xff), 0);
    ioapic_reg_write(0x40, 0xffffffff);
    assert_int_equal(mmio_dispatch(v0, gpa(VIOAPIC_MMIO_BASE), 4, true, &value),
                     0);
    assert_int_equal(vioapic_mmio_read(apic_domain, 0), 4);
}

static void ioapic_edge_sends_once_per_rise(void **state)
{
    (void)state;
    assert_int_equal(vioapic_create(apic_domain), 0);
    ioapic_reg_write(0x10 + 2 * 4 + 1, 2u << 24);
    ioapic_reg_write(0x10 + 2 * 4, 0x34);
    vioapic_irq_set(apic_domain, 4, true);
    assert_int_equal(apic_receivers_take(0x34), 0x2);
    vioapic_irq_set(apic_domain, 4, true);
    assert_int_equal(apic_receivers_take(0x34), 0);
    vioapic_irq_set(apic_domain, 4, false);
    vioapic_irq_set(apic_domain, 4, true);
    assert_int_equal(apic_receivers_take(0x34), 0x2);
}

/* The serial port's interrupt: for its owner only, once for all that came. */
static void serial_irq_reaches_the_owner_of_the_port(void **state)
{
    (void)state;
    serial_irq_note();
    serial_irq_poll(); /* nobody owns it */
    assert_int_equal(vioapic_create(apic_domain), 0);
    ioapic_reg_write(0x10 + 2 * 4 + 1, 2u << 24);
    ioapic_reg_write(0x10 + 2 * 4, 0x34);
    serial_irq_poll();
    assert_int_equal(apic_receivers_take(0x34), 0);
    for (unsigned i = 0; i < 2; i++) {
        this_cpu()->resched = false;
        serial_irq_note();
        serial_irq_note();
        assert_true(this_cpu()->resched);
        serial_irq_poll();
        assert_int_equal(apic_receivers_take(0x34), 0x2);
        serial_irq_poll();
        assert_int_equal(apic_receivers_take(0x34), 0);
    }
}

static void ioapic_level_repeats_until_low(void **state)
{
    (void)state;
    assert_int_equal(vioapic_create(apic_domain), 0);
    ioapic_reg_write(0x10 + 2 * 9 + 1, 0);
    ioapic_reg_write(0x10 + 2 * 9, 0x8000 | 0x39);
    vioapic_irq_set(apic_domain, 9, true);
    assert_int_equal(ioapic_reg_read(0x10 + 2 * 9), 0xc039);
    assert_int_equal(vlapic_irq_pending(v0), 0x39);
    vlapic_irq_accept(v0, 0x39);
    assert_int_equal(vlapic_mmio_read(v0, APIC_TMR + 0x10), 1u << 25);
    vioapic_irq_set(apic_domain, 9, true); /* in service: not sent again */
    assert_false(apic_irr_has(v0, 0x39));
    vlapic_mmio_write(v0, APIC_EOI, 0); /* still high: sent again */
    assert_int_equal(vlapic_irq_pending(v0), 0x39);
    vlapic_irq_accept(v0, 0x39);
    vioapic_irq_set(apic_domain, 9, false);
    vlapic_mmio_write(v0, APIC_EOI, 0);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    assert_int_equal(ioapic_reg_read(0x10 + 2 * 9), 0x8039);
}

static void ioapic_masked_pin_sends_nothing(void **state)
{
    (void)state;
    assert_int_equal(vioapic_create(apic_domain), 0);
    ioapic_reg_write(0x10 + 2 * 4, 0x10034);
    vioapic_irq_set(apic_domain, 4, true);
    vioapic_irq_set(apic_domain, 24, true);
    vioapic_irq_set(apic_domain, 4000, true);
    assert_int_equal(apic_receivers_take(0x34), 0);
    /* A level-triggered pin that is high sends when it is unmasked. */
    ioapic_reg_write(0x10 + 2 * 4, 0x8034);
    assert_int_equal(apic_receivers_take(0x34), 0x1);
}

static void ioapic_absent_requests_are_ignored(void **state)
{
    (void)state;
    vioapic_irq_set(apic_domain, 4, true);
    vioapic_eoi(apic_domain, 0x34);
    assert_null(apic_domain->vioapic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        APIC_CASE(ioapic_registers_have_reset_values),
        APIC_CASE(ioapic_edge_sends_once_per_rise),
        APIC_CASE(serial_irq_reaches_the_owner_of_the_port),
        APIC_CASE(ioapic_level_repeats_until_low),
        APIC_CASE(ioapic_masked_pin_sends_nothing),
        APIC_CASE(ioapic_absent_requests_are_ignored),
    };

    return group_run(tests, platform_amd_setup, platform_teardown);
}
