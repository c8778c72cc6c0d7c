/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain with firmware over the fake backend: what the builder puts where,
 * which port reaches which device, how interrupts get to the vCPU, resets.
 */
#include "legacy_platform_fixture.h"

#include "ravelin/serial_irq.h"
#include "ravelin/vioapic.h"

/* ---- The builder ---- */

static void legacy_build_manifest_rom_is_below_4g_and_below_1m(void **state)
{
    uint8_t got[16];

    (void)state;
    rom_fill("\xf4", 1);
    built();
    assert_int_equal(guest_phys_read(dom, got, gpa(0xfffffff0), 16), 0);
    assert_memory_equal(got, rom + 0xfff0, 16);
    assert_int_equal(guest_phys_read(dom, got, gpa(0xffff0), 16), 0);
    assert_memory_equal(got, rom + 0xfff0, 16);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(0xfffff)).type, P2M_RAM_RO);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(0xff)).type, P2M_RAM);
    assert_int_equal(v->regs.rip, 0xfff0);
    assert_int_equal(v->flags & VCPU_DOWN, 0);
}

static void legacy_build_manifest_bad_modules_are_refused(void **state)
{
    (void)state;
    info->module[0].size = 1000;
    assert_int_equal(build(1), -RV_EINVAL);
    core_domain_destroy(dom);
    strcpy(plan.firmware, "absent");
    assert_int_equal(build(1), -RV_ENOENT);
    core_domain_destroy(dom);
    strcpy(plan.firmware, "rom");
    strcpy(plan.disk, "absent");
    assert_int_equal(build(1), -RV_EINVAL);
}

static void legacy_build_manifest_other_vcpus_wait(void **state)
{
    (void)state;
    assert_int_equal(build(2), 0);
    assert_int_not_equal(dom->vcpu[1]->flags & VCPU_DOWN, 0);
    assert_int_equal(dom->vcpu[1]->apic_id, 1);
}

/* Whatever allocation fails, everything comes back. */
static void legacy_build_manifest_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    strcpy(plan.disk, "disk");
    module_add("disk", rom, ROM_BYTES);
    plan.console = MANIFEST_CONSOLE_SCREEN;
    plan.emulate = MANIFEST_EMULATE_REAL;
    for (int64_t n = 0;; n += 7) {
        struct domain_config config = {
            .name = "pc",
            .id = 1,
            .vcpu_count = 2,
            .max_pages = (MEMORY >> PAGE_SHIFT) + 512,
            .manifest = &plan,
        };
        uint64_t before;
        int rc;

        assert_int_equal(domain_create(&config, &dom), 0);
        before = frame_alloc_count();
        frame_pool_fail_after(n);
        rc = legacy_build_manifest(dom, &plan, info);
        frame_pool_fail_after(-1);
        core_domain_destroy(dom);
        dom = NULL;
        if (rc == 0 && frame_alloc_count() - before <= (uint64_t)n) {
            break;
        }
    }
}

/* ---- Ports ---- */

static void legacy_port_reaches_devices_by_width(void **state)
{
    uint32_t value = 0x12345678;

    (void)state;
    built();
    port_out(0x21, 1, 0x5a);
    assert_int_equal(port_in(0x21, 1), 0x5a);
    /* A word: both bytes, in order. */
    port_out(0x20, 2, 0xa50b);
    assert_int_equal(port_in(0x21, 1), 0xa5);
    /* Configuration space takes words as they are. */
    port_out(0xcf8, 4, 0x80000000);
    assert_int_equal(port_in(0xcfc, 4), 0x12378086);
    assert_int_equal(port_in(0xcfe, 2), 0x1237);
    /* Nobody at home. */
    assert_int_equal(legacy_port(v, 0x2e8, 1, true, &value), -RV_ENOENT);
    assert_int_equal(value, 0x12345678);
}

#define PORTS_MAX 10u

/* For each device of `without` every port at which it could be looked for, but
 * for the power management block, which has no place of its own. */
static const struct {
    uint32_t device;
    uint16_t port[PORTS_MAX]; /* 0: no more */
} device_ports[] = {
    {MANIFEST_DEV_PIC, {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1}},
    {MANIFEST_DEV_DEBUG_PORT, {0x402, 0x80, 0xed, 0xe9}},
    {MANIFEST_DEV_PIT, {0x40, 0x41, 0x42, 0x43, 0x61}},
    {MANIFEST_DEV_RTC, {0x70, 0x71}},
    {MANIFEST_DEV_UART,
     {0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff}},
    {MANIFEST_DEV_KEYBOARD, {0x60, 0x64, 0x92}},
    {MANIFEST_DEV_SCREEN, {0x3b0, 0x3c0, 0x3d4, 0x3df, 0x1ce, 0x1d0}},
    {MANIFEST_DEV_PM_TIMER, {0xb2, 0xb3, 0xae00, 0xae13, 0xafe0, 0xafe3}},
    {MANIFEST_DEV_PCI, {0xcf8, 0xcf9, 0xcfb, 0xcfc, 0xcff}},
    {MANIFEST_DEV_IDE,
     {0x1f0, 0x1f1, 0x1f7, 0x3f6, 0x170, 0x171, 0x177, 0x376}},
    {MANIFEST_DEV_FW_CFG, {0x510, 0x511, 0x514, 0x51b}},
};

/* Whether a port of a device answers, in both directions and each width. */
static void require_port(uint16_t port, bool is_there)
{
    int expected = is_there ? 0 : -RV_ENOENT;

    for (unsigned size = 1; size <= 4; size *= 2) {
        uint32_t value = 0x12345678;

        assert_int_equal(legacy_port(v, port, size, true, &value), expected);
        value = is_there ? value : 0;
        assert_int_equal(legacy_port(v, port, size, false, &value), expected);
    }
}

static void legacy_port_each_device_can_be_left_out(void **state)
{
    (void)state;
    for (unsigned out = 0; out < ARRAY_SIZE(device_ports); out++) {
        plan.without = device_ports[out].device;
        built();
        for (unsigned i = 0; i < ARRAY_SIZE(device_ports); i++) {
            const uint16_t *port = device_ports[i].port;

            for (unsigned n = 0; n < PORTS_MAX && port[n] != 0; n++) {
                require_port(port[n], i != out);
            }
        }
        core_domain_destroy(dom);
        dom = NULL;
    }
}

static void legacy_port_without_any_device_all_are_empty(void **state)
{
    (void)state;
    plan.without = UINT32_MAX;
    built();
    for (unsigned port = 0; port <= UINT16_MAX; port++) {
        uint32_t value = 0;

        assert_int_equal(legacy_port(v, (uint16_t)port, 1, true, &value),
                         -RV_ENOENT);
        assert_int_equal(legacy_port(v, (uint16_t)port, 4, false, &value),
                         -RV_ENOENT);
    }
}

static void legacy_port_power_off_ends_the_domain(void **state)
{
    (void)state;
    built();
    port_out(0xcf8, 4, 0x80000b40);
    port_out(0xcfc, 4, 0x601);
    port_out(0xcf8, 4, 0x80000b80);
    port_out(0xcfc, 4, 1);
    port_out(0x604, 2, 0x2000);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
    assert_int_equal(dom->shutdown_code, SHUTDOWN_POWEROFF);
}

static void legacy_port_power_management_begins_at_its_base(void **state)
{
    uint32_t value = 0;

    (void)state;
    built();
    port_out(0xcf8, 4, 0x80000b40);
    port_out(0xcfc, 4, 0x601);
    port_out(0xcf8, 4, 0x80000b80);
    port_out(0xcfc, 4, 1);
    assert_int_equal(legacy_port(v, 0x63f, 1, true, &value), 0);
    assert_int_equal(legacy_port(v, 0x640, 1, true, &value), -RV_ENOENT);
    assert_int_equal(legacy_port(v, 0x5ff, 1, true, &value), -RV_ENOENT);
    assert_int_equal(legacy_port(v, 0x5ff, 4, true, &value), -RV_ENOENT);
}

static void legacy_port_string_firmware_reads_many_bytes(void **state)
{
    uint8_t got[4];

    (void)state;
    built();
    port_out(0x510, 2, 0);
    assert_int_equal(legacy_port_string(v, 0x511, 1, true, got, 4), 4);
    assert_memory_equal(got, "QEMU", 4);
    assert_int_equal(legacy_port_string(v, 0x60, 1, true, got, 4), 0);
}

/* ---- Interrupts ---- */

static void legacy_intr_timer_comes_through_lint0(void **state)
{
    (void)state;
    built();
    timer_start();
    /* The control word has raised the timer's output, which is an edge. */
    assert_int_equal(vcpu_irq_accept(v), 0x20);
    port_out(0x20, 1, 0x20);
    assert_false(legacy_intr_is_pending(v));
    platform_time_set(platform_time() + 2000000);
    assert_true(legacy_intr_is_pending(v));
    assert_true(vcpu_irq_is_pending(v));

    /* Closed by the guest, the request stays at the 8259. */
    vlapic_mmio_write(v, 0xf0, 0x1ff);
    vlapic_mmio_write(v, 0x350, 0x10700);
    assert_false(vcpu_irq_is_pending(v));
    vlapic_mmio_write(v, 0x350, 0x700);
    assert_int_equal(vcpu_irq_accept(v), 0x20);
    assert_false(legacy_intr_is_pending(v));
}

static void legacy_intr_others_get_none(void **state)
{
    (void)state;
    assert_int_equal(build(2), 0);
    timer_start();
    platform_time_set(platform_time() + 2000000);
    assert_true(legacy_intr_is_pending(v));
    assert_false(legacy_intr_is_pending(dom->vcpu[1]));
}

/* Lines still reach the IO-APIC, and LINT0 stays low whatever is due. */
static void legacy_intr_without_8259s_comes_from_the_ioapic(void **state)
{
    (void)state;
    plan.without = MANIFEST_DEV_PIC;
    built();
    vlapic_mmio_write(v, 0xf0, 0x1ff);
    vlapic_mmio_write(v, 0x350, 0x700);
    port_out(0x43, 1, 0x34);
    port_out(0x40, 1, 0xa9);
    port_out(0x40, 1, 0x04);
    platform_time_set(platform_time() + 20000000);
    assert_false(legacy_intr_is_pending(v));
    assert_false(vcpu_irq_is_pending(v));
    vioapic_mmio_write(dom, 0x00, 0x10 + 2 * 2);
    vioapic_mmio_write(dom, 0x10, 0x51);
    platform_time_set(platform_time() + 2000000);
    assert_false(legacy_intr_is_pending(v));
    assert_true(vcpu_irq_is_pending(v));
    assert_int_equal(vcpu_irq_accept(v), 0x51);
}

/* The machine's serial line is nothing to a domain with a port of its own,
 * whatever the level of that. */
static void legacy_intr_of_the_machines_serial_port_is_not_its_own(void **state)
{
    (void)state;
    built();
    vlapic_mmio_write(v, 0xf0, 0x1ff);
    vioapic_mmio_write(dom, 0x00, 0x10 + 2 * 4);
    vioapic_mmio_write(dom, 0x10, 0x8000 | 0x54);
    serial_irq_note();
    serial_irq_poll();
    assert_false(vcpu_irq_is_pending(v));
    port_out(0x3fc, 1, 0x08);
    port_out(0x3f9, 1, 0x02); /* the transmitter is empty */
    assert_int_equal(vcpu_irq_accept(v), 0x54);
    serial_irq_note();
    serial_irq_poll();
    vlapic_mmio_write(v, 0xb0, 0);
    assert_int_equal(vcpu_irq_accept(v), 0x54); /* its line is still high */
}

/* ---- Reset ---- */

static void legacy_attend_reset_starts_everything_again(void **state)
{
    uint64_t resets;

    (void)state;
    rom_fill("\xf4", 1);
    built();
    resets = fake_vcpu(v)->reset_count;
    port_out(0x21, 1, 0x5a);
    assert_int_equal(guest_phys_clear(dom, gpa(0xf0000), 16), 0);
    v->regs.rip = 0x1234;
    port_out(0x64, 1, 0xfe);
    assert_true(v->attention);
    legacy_attend(v);
    assert_int_equal(fake_vcpu(v)->reset_count, resets + 1);
    assert_int_equal(v->regs.rip, 0xfff0);
    assert_int_equal(v->flags & VCPU_DOWN, 0);
    assert_int_not_equal(port_in(0x21, 1), 0x5a);

    uint8_t first;

    assert_int_equal(guest_phys_read(dom, &first, gpa(0xf0000), 1), 0);
    assert_int_equal(first, 0xf4);
    assert_int_equal(dom->state, DOMAIN_RUNNING);
}

static void legacy_attend_reset_brings_back_no_left_out_device(void **state)
{
    uint32_t value = 0;

    (void)state;
    plan.without = MANIFEST_DEV_PIC | MANIFEST_DEV_DEBUG_PORT;
    built();
    port_out(0x64, 1, 0xfe);
    legacy_attend(v);
    assert_int_equal(v->regs.rip, 0xfff0);
    assert_int_equal(legacy_port(v, 0x21, 1, true, &value), -RV_ENOENT);
    assert_int_equal(legacy_port(v, 0x402, 1, true, &value), -RV_ENOENT);
}

static void legacy_attend_reset_of_an_enlightened_guest_ends_it(void **state)
{
    (void)state;
    built();
    dom->shared_info_gfn = gfn(3);
    port_out(0x92, 1, 1);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
    assert_int_equal(dom->shutdown_code, SHUTDOWN_REBOOT);
}

/* ---- Halting ---- */

static void vcpu_halt_with_interrupts_closed_is_the_end(void **state)
{
    (void)state;
    assert_int_equal(build(2), 0);
    vcpu_flags_clear(dom->vcpu[1], VCPU_DOWN);
    v->regs.rflags = 2;
    vcpu_halt(v);
    assert_int_not_equal(v->flags & VCPU_DOWN, 0);
    assert_int_equal(dom->state, DOMAIN_BUILDING);
    dom->vcpu[1]->regs.rflags = 2;
    vcpu_halt(dom->vcpu[1]);
    assert_int_equal(dom->state, DOMAIN_SHUTDOWN);
    assert_int_equal(dom->shutdown_code, SHUTDOWN_POWEROFF);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(legacy_build_manifest_rom_is_below_4g_and_below_1m),
        CASE(legacy_build_manifest_bad_modules_are_refused),
        CASE(legacy_build_manifest_other_vcpus_wait),
        CASE(legacy_build_manifest_out_of_memory_leaks_nothing),
        CASE(legacy_port_reaches_devices_by_width),
        CASE(legacy_port_each_device_can_be_left_out),
        CASE(legacy_port_without_any_device_all_are_empty),
        CASE(legacy_port_power_off_ends_the_domain),
        CASE(legacy_port_power_management_begins_at_its_base),
        CASE(legacy_port_string_firmware_reads_many_bytes),
        CASE(legacy_intr_timer_comes_through_lint0),
        CASE(legacy_intr_others_get_none),
        CASE(legacy_intr_without_8259s_comes_from_the_ioapic),
        CASE(legacy_intr_of_the_machines_serial_port_is_not_its_own),
        CASE(legacy_attend_reset_starts_everything_again),
        CASE(legacy_attend_reset_brings_back_no_left_out_device),
        CASE(legacy_attend_reset_of_an_enlightened_guest_ends_it),
        CASE(vcpu_halt_with_interrupts_closed_is_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
