/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISA interrupt lines reach both kinds of controllers.
 * Ref: Intel "MultiProcessor Specification" 1.4, 3.6.2.3 "Symmetric I/O Mode".
 */
#include "platform_fixture.h"

#include "legacy_fixture.h"
#include "ravelin/legacy_irq.h"
#include "ravelin/legacy_pic.h"
#include "ravelin/vioapic.h"
#include "ravelin/vlapic.h"

#define VECTOR 0x40u

static struct domain *dom;
static struct legacy_fixture fake;
static struct legacy_pic pic;
static struct legacy_irq irqs;

static void pic_setup(uint16_t command, uint16_t data, uint8_t base,
                      uint8_t cascade)
{
    legacy_pic_write(&pic, command, 0x11);
    legacy_pic_write(&pic, data, base);
    legacy_pic_write(&pic, data, cascade);
    legacy_pic_write(&pic, data, 0x01);
    legacy_pic_write(&pic, data, 0x00);
}

static int case_start(void **state)
{
    (void)state;
    platform_cpuid_use(CPUID_VENDOR_AMD);
    dom = platform_domain(1, 0);
    assert_int_equal(vioapic_create(dom), 0);
    platform_vcpu_up(dom->vcpu[0]);
    vlapic_mmio_write(dom->vcpu[0], 0xf0, 0x1ff);
    legacy_pic_init(&pic, legacy_fixture_start(&fake));
    pic_setup(0x20, 0x21, 0x20, 0x04);
    pic_setup(0xa0, 0xa1, 0x28, 0x02);
    irqs = (struct legacy_irq){.domain = dom, .pic = &pic};
    return 0;
}

static int case_end(void **state)
{
    (void)state;
    vioapic_destroy(dom);
    platform_domain_destroy(dom);
    return 0;
}

/* Edge-triggered, to vCPU 0. */
static void pin_open(unsigned pin)
{
    vioapic_mmio_write(dom, 0, 0x10 + pin * 2 + 1);
    vioapic_mmio_write(dom, 0x10, 0);
    vioapic_mmio_write(dom, 0, 0x10 + pin * 2);
    vioapic_mmio_write(dom, 0x10, VECTOR + pin);
}

static void lines_reach_the_8259s(void **state)
{
    (void)state;
    legacy_irq_set(&irqs, 4, true);
    assert_true(legacy_pic_intr_is_pending(&pic));
    assert_int_equal(legacy_pic_intr_accept(&pic), 0x24);
    legacy_irq_set(&irqs, 0, true);
    assert_int_equal(legacy_pic_intr_accept(&pic), 0x20);
    legacy_pic_write(&pic, 0x20, 0x20);
    legacy_pic_write(&pic, 0x20, 0x20);
    legacy_irq_set(&irqs, 14, true);
    assert_int_equal(legacy_pic_intr_accept(&pic), 0x2e);
}

static void lines_reach_the_io_apic(void **state)
{
    (void)state;
    for (unsigned line = 0; line < LEGACY_IRQ_COUNT; line++) {
        unsigned pin = line == 0 ? 2 : line;

        if (line == LEGACY_IRQ_CASCADE) {
            continue;
        }
        pin_open(pin);
        legacy_irq_set(&irqs, line, true);
        assert_int_equal(vlapic_irq_pending(dom->vcpu[0]), VECTOR + pin);
        vlapic_irq_accept(dom->vcpu[0], (uint8_t)(VECTOR + pin));
        vlapic_mmio_write(dom->vcpu[0], 0xb0, 0);
        legacy_irq_set(&irqs, line, false);
        assert_int_equal(vlapic_irq_pending(dom->vcpu[0]), -1);
    }
}

static void a_level_that_stays_makes_no_second_edge(void **state)
{
    (void)state;
    pin_open(5);
    legacy_irq_set(&irqs, 5, true);
    vlapic_irq_accept(dom->vcpu[0], VECTOR + 5);
    vlapic_mmio_write(dom->vcpu[0], 0xb0, 0);
    legacy_irq_set(&irqs, 5, true);
    assert_int_equal(vlapic_irq_pending(dom->vcpu[0]), -1);
    legacy_irq_set(&irqs, 5, false);
    legacy_irq_set(&irqs, 5, true);
    assert_int_equal(vlapic_irq_pending(dom->vcpu[0]), VECTOR + 5);
}

static void cascade_and_unknown_lines_are_ignored(void **state)
{
    (void)state;
    pin_open(2);
    legacy_irq_set(&irqs, LEGACY_IRQ_CASCADE, true);
    legacy_irq_set(&irqs, 16, true);
    legacy_irq_set(&irqs, 32, true);
    assert_int_equal(irqs.level, 0);
    assert_int_equal(vlapic_irq_pending(dom->vcpu[0]), -1);
    assert_false(legacy_pic_intr_is_pending(&pic));
}

static void reset_lowers_all_lines(void **state)
{
    (void)state;
    legacy_irq_set(&irqs, 1, true);
    legacy_irq_set(&irqs, 15, true);
    legacy_irq_reset(&irqs);
    assert_int_equal(irqs.level, 0);
    assert_false(legacy_pic_intr_is_pending(&pic));
}

static void either_controller_may_be_absent(void **state)
{
    (void)state;
    irqs.pic = NULL;
    legacy_irq_set(&irqs, 4, true);
    assert_false(legacy_pic_intr_is_pending(&pic));
    irqs.pic = &pic;
    vioapic_destroy(dom);
    legacy_irq_set(&irqs, 5, true);
    assert_true(legacy_pic_intr_is_pending(&pic));
    assert_int_equal(vioapic_create(dom), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, case_start, case_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lines_reach_the_8259s),
        CASE(lines_reach_the_io_apic),
        CASE(a_level_that_stays_makes_no_second_edge),
        CASE(cascade_and_unknown_lines_are_ignored),
        CASE(reset_lowers_all_lines),
        CASE(either_controller_may_be_absent),
    };

    return group_run(tests, platform_setup, platform_teardown);
}
