/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the virtual local APIC delivers and when: priorities, in service, held
 * back by TPR; and the errors it reports, also those of its own error
 * interrupt.
 */
#include "vlapic_fixture.h"

#include "ravelin/sched.h"

/* ---- Priorities ---- */

static void irq_set_is_delivered_highest_first(void **state)
{
    (void)state;
    vlapic_irq_set(v0, 0x40, false);
    vlapic_irq_set(v0, 0xf1, false);
    vlapic_irq_set(v0, 0x81, false);
    assert_int_equal(vlapic_irq_pending(v0), 0xf1);
    vlapic_irq_accept(v0, 0xf1);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    assert_int_equal(vlapic_mmio_read(v0, APIC_PPR), 0xf0);
    vlapic_mmio_write(v0, APIC_EOI, 0);
    assert_int_equal(vlapic_irq_pending(v0), 0x81);
}

static void irq_nested_higher_class_preempts(void **state)
{
    (void)state;
    vlapic_irq_set(v0, 0x41, false);
    vlapic_irq_accept(v0, 0x41);
    vlapic_irq_set(v0, 0x4f, false);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    vlapic_irq_set(v0, 0x50, false);
    assert_int_equal(vlapic_irq_pending(v0), 0x50);
    vlapic_irq_accept(v0, 0x50);
    assert_int_equal(vlapic_mmio_read(v0, APIC_ISR + 0x20), 1u << 1 | 1u << 16);
    vlapic_eoi(v0);
    assert_int_equal(vlapic_mmio_read(v0, APIC_ISR + 0x20), 1u << 1);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    vlapic_eoi(v0);
    assert_int_equal(vlapic_irq_pending(v0), 0x4f);
}

static void tpr_holds_back_its_class_and_below(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, APIC_TPR, 0x50);
    vlapic_irq_set(v0, 0x5f, false);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    assert_int_equal(vlapic_tpr_threshold(v0), 4);
    vlapic_irq_set(v0, 0x60, false);
    assert_int_equal(vlapic_irq_pending(v0), 0x60);
    assert_int_equal(vlapic_tpr_threshold(v0), -1);
    vlapic_irq_accept(v0, 0x60);
    vlapic_eoi(v0);
    vlapic_cr8_set(v0, 4);
    assert_int_equal(vlapic_irq_pending(v0), 0x5f);
    assert_int_equal(vlapic_tpr_threshold(v0), -1);
}

static void tpr_threshold_ignores_what_isr_blocks(void **state)
{
    (void)state;
    vlapic_irq_set(v0, 0x70, false);
    vlapic_irq_accept(v0, 0x70);
    vlapic_cr8_set(v0, 9);
    vlapic_irq_set(v0, 0x71, false);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    assert_int_equal(vlapic_tpr_threshold(v0), -1);
}

static void cr8_is_high_nibble_of_tpr(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, APIC_TPR, 0x5a);
    assert_int_equal(vlapic_cr8_get(v0), 5);
    assert_int_equal(vlapic_mmio_read(v0, APIC_PPR), 0x5a);
    vlapic_cr8_set(v0, 7);
    assert_int_equal(vlapic_mmio_read(v0, APIC_TPR), 0x70);
}

static void eoi_without_service_does_nothing(void **state)
{
    (void)state;
    vlapic_irq_set(v0, 0x33, false);
    for (unsigned i = 0; i < 1000; i++) {
        vlapic_mmio_write(v0, APIC_EOI, i);
    }
    assert_int_equal(vlapic_irq_pending(v0), 0x33);
}

static void irq_while_software_disabled_waits_for_enable(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, APIC_SVR, 0xff);
    vlapic_irq_set(v0, 0x93, false);
    assert_int_equal(vlapic_irq_pending(v0), -1);
    apic_on(v0);
    assert_int_equal(vlapic_irq_pending(v0), 0x93);
}

static void irq_set_wakes_blocked_vcpu(void **state)
{
    (void)state;
    vcpu_flags_set(v1, VCPU_BLOCKED);
    vlapic_irq_set(v1, 0x40, false);
    assert_int_equal(v1->flags & VCPU_BLOCKED, 0);
}

/* ---- Errors ---- */

static void error_interrupt_is_raised_once_per_latch(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_ERROR, 0xe1);
    apic_icr_send(v0, 0, APIC_TO_SELF | 1);
    assert_int_equal(apic_receivers_take(0xe1), 1);
    apic_icr_send(v0, 0, APIC_TO_SELF | 1);
    assert_int_equal(apic_receivers_take(0xe1), 0);
    assert_int_equal(apic_esr_take(v0), APIC_ESR_SEND_ILLEGAL);
    apic_icr_send(v0, 0, APIC_TO_SELF | 1);
    assert_int_equal(apic_receivers_take(0xe1), 1);
}

/* XSA-462: the error interrupt itself has an illegal vector. */
static void error_lvt_with_illegal_vector_does_not_recurse(void **state)
{
    (void)state;
    vlapic_mmio_write(v0, APIC_LVT_ERROR, 0x05);
    apic_icr_send(v0, 0, APIC_TO_SELF | 2);
    assert_int_equal(apic_esr_take(v0),
                     APIC_ESR_SEND_ILLEGAL | APIC_ESR_RECV_ILLEGAL);
    vlapic_irq_set(v0, 3, false);
    assert_int_equal(apic_esr_take(v0), APIC_ESR_RECV_ILLEGAL);
    assert_int_equal(vlapic_irq_pending(v0), -1);
}

static void illegal_vector_from_ioapic_is_receive_error(void **state)
{
    (void)state;
    vlapic_deliver(apic_domain, 2, false, APIC_MODE_FIXED, 9, false);
    assert_int_equal(apic_esr_take(v1), APIC_ESR_RECV_ILLEGAL);
    assert_int_equal(apic_esr_take(v0), 0);
}

static void esr_write_publishes_and_clears(void **state)
{
    (void)state;
    (void)vlapic_mmio_read(v0, 0x3f0);
    assert_int_equal(vlapic_mmio_read(v0, APIC_ESR), 0);
    assert_int_equal(apic_esr_take(v0), APIC_ESR_REGISTER);
    assert_int_equal(vlapic_mmio_read(v0, APIC_ESR), APIC_ESR_REGISTER);
    assert_int_equal(apic_esr_take(v0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        APIC_CASE(irq_set_is_delivered_highest_first),
        APIC_CASE(irq_nested_higher_class_preempts),
        APIC_CASE(tpr_holds_back_its_class_and_below),
        APIC_CASE(tpr_threshold_ignores_what_isr_blocks),
        APIC_CASE(cr8_is_high_nibble_of_tpr),
        APIC_CASE(eoi_without_service_does_nothing),
        APIC_CASE(irq_while_software_disabled_waits_for_enable),
        APIC_CASE(irq_set_wakes_blocked_vcpu),
        APIC_CASE(error_interrupt_is_raised_once_per_latch),
        APIC_CASE(error_lvt_with_illegal_vector_does_not_recurse),
        APIC_CASE(illegal_vector_from_ioapic_is_receive_error),
        APIC_CASE(esr_write_publishes_and_clears),
    };

    return group_run(tests, platform_amd_setup, platform_teardown);
}
