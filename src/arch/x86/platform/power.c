/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Soft-off and restart. A configured debug exit port wins over ACPI, since its
 * user wants the exit code; every further way is tried until one works.
 * Ref: ACPI 6.4, 4.8.3.2 "PM1 Control Registers", 4.8.3.6 "Reset Register".
 */
#include "platform/power.h"

#include "arch/host.h"
#include "boot/boot.h"
#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "platform/acpi.h"
#include "ravelin/console.h"
#include "ravelin/log.h"

#define PM1_SCI_ENABLE 0x0001u
#define PM1_SLEEP_TYPE_SHIFT 10u
#define PM1_SLEEP_TYPE 0x1c00u
#define PM1_SLEEP_ENABLE 0x2000u
#define ENABLE_POLLS 300000u

#define RESET_PORT 0xcf9u
#define RESET_COLD 0x02u
#define RESET_COLD_GO 0x06u
#define KEYBOARD_PORT 0x64u
#define KEYBOARD_RESET 0xfeu
#define SETTLE_POLLS 100000u

static uint16_t debug_exit_port RV_RO_AFTER_INIT = 0;
static volatile uint8_t *reset_register RV_RO_AFTER_INIT = NULL;

void power_debug_exit_set(uint16_t port)
{
    debug_exit_port = port;
}

void power_init(void)
{
    if (acpi.reset.address != 0 && !acpi.reset.is_io) {
        reset_register = mmio_map(hpa(acpi.reset.address), 1);
    }
}

void power_debug_exit(unsigned code)
{
    if (debug_exit_port != 0) {
        outl(debug_exit_port, code);
    }
}

/* Hands the power registers from the firmware to us, if that is yet to do. */
static void acpi_mode_enter(void)
{
    if ((inw(acpi.pm1a_control) & PM1_SCI_ENABLE) != 0 ||
        acpi.smi_command == 0 || acpi.acpi_enable == 0) {
        return;
    }
    outb(acpi.smi_command, acpi.acpi_enable);
    for (unsigned i = 0; i < ENABLE_POLLS; i++) {
        if (inw(acpi.pm1a_control) & PM1_SCI_ENABLE) {
            return;
        }
    }
}

static void sleep_enter(uint16_t port, uint8_t type)
{
    uint16_t control = inw(port) & (uint16_t)~PM1_SLEEP_TYPE;

    control |= (uint16_t)((type << PM1_SLEEP_TYPE_SHIFT) & PM1_SLEEP_TYPE);
    outw(port, control | PM1_SLEEP_ENABLE);
}

static void acpi_poweroff(void)
{
    if (!acpi.s5_valid || acpi.pm1a_control == 0) {
        return;
    }
    acpi_mode_enter();
    sleep_enter(acpi.pm1a_control, acpi.s5_type_a);
    if (acpi.pm1b_control != 0) {
        sleep_enter(acpi.pm1b_control, acpi.s5_type_b);
    }
}

static rv_noreturn void halt_forever(void)
{
    for (;;) {
        __asm__ volatile("cli; hlt" ::: "memory");
    }
}

static void settle(void)
{
    for (unsigned i = 0; i < SETTLE_POLLS; i++) {
        cpu_relax();
    }
}

void machine_poweroff(unsigned code)
{
    log_info("machine off, code %u", code);
    console_flush();
    interrupts_off();
    power_debug_exit(code);
    acpi_poweroff();
    settle();
    log_error("power-off failed; it is safe to switch the machine off");
    console_flush();
    halt_forever();
}

static void acpi_reset(void)
{
    if (reset_register != NULL) {
        *reset_register = acpi.reset_value;
    } else if (acpi.reset.address != 0 && acpi.reset.address <= UINT16_MAX) {
        outb((uint16_t)acpi.reset.address, acpi.reset_value);
    }
}

/* An empty IDT turns the next exception into a triple fault. */
static void triple_fault(void)
{
    struct rv_packed {
        uint16_t limit;
        uint64_t base;
    } none = {0, 0};

    __asm__ volatile("lidt %0; int3" : : "m"(none) : "memory");
}

void machine_reboot(void)
{
    log_info("machine restarts");
    console_flush();
    interrupts_off();
    acpi_reset();
    settle();
    outb(RESET_PORT, RESET_COLD);
    outb(RESET_PORT, RESET_COLD_GO);
    settle();
    outb(KEYBOARD_PORT, KEYBOARD_RESET);
    settle();
    triple_fault();
    halt_forever();
}
