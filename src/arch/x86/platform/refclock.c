/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PM timer, the HPET and counter 2 of the PIT as counters to read. All are
 * only read (the PIT is started), none interrupts. Trusted hardware, but any
 * of them may be missing or stuck, which the caller finds out.
 * Ref: ACPI 6.4, 4.8.2.1 "Power Management Timer"; IA-PC HPET 1.0a, 2.3.
 */
#include "platform/refclock.h"

#include "boot/boot.h"
#include "cpu/regs.h"
#include "platform/acpi.h"

#define PM_TIMER_HZ 3579545u
#define PIT_HZ 1193182u

#define HPET_SIZE 0x400u
#define HPET_PERIOD 0x004u /* femtoseconds per tick */
#define HPET_CONFIG 0x010u
#define HPET_CONFIG_ENABLE 0x1u
#define HPET_COUNTER 0x0f0u
#define HPET_PERIOD_MAX 100000000u
#define FS_PER_S 1000000000000000UL

#define PIT_COUNTER2 0x42u
#define PIT_COMMAND 0x43u
#define PIT_LATCH2 0x80u
#define PIT_MODE2_COUNTER2 0xb4u /* both bytes, rate generator, binary */
#define PORT_B 0x61u
#define PORT_B_GATE2 0x1u
#define PORT_B_SPEAKER 0x2u

static volatile uint8_t *hpet;

static uint32_t pm_timer_read(void)
{
    return inl(acpi.pm_timer_port);
}

static bool pm_timer_get(struct refclock *out)
{
    if (acpi.pm_timer_port == 0) {
        return false;
    }
    *out = (struct refclock){
        .name = "PM timer",
        .hz = PM_TIMER_HZ,
        .mask = acpi.pm_timer_is_32bit ? 0xffffffffu : 0xffffffu,
        .read = pm_timer_read,
    };
    return true;
}

static volatile uint32_t *hpet_register(uint32_t offset)
{
    return (volatile uint32_t *)(hpet + offset);
}

static uint32_t hpet_read(void)
{
    return *hpet_register(HPET_COUNTER);
}

static bool hpet_get(struct refclock *out)
{
    uint32_t period;

    if (acpi.hpet_base.v == 0) {
        return false;
    }
    if (hpet == NULL) {
        hpet = mmio_map(acpi.hpet_base, HPET_SIZE);
    }
    period = *hpet_register(HPET_PERIOD);
    if (period == 0 || period > HPET_PERIOD_MAX) {
        return false;
    }
    *hpet_register(HPET_CONFIG) |= HPET_CONFIG_ENABLE;
    *out = (struct refclock){
        .name = "HPET",
        .hz = FS_PER_S / period,
        .mask = 0xffffffffu,
        .read = hpet_read,
    };
    return true;
}

/* Counts down; negated to count up. */
static uint32_t pit_read(void)
{
    uint32_t low;

    outb(PIT_COMMAND, PIT_LATCH2);
    low = inb(PIT_COUNTER2);
    return -(low | ((uint32_t)inb(PIT_COUNTER2) << 8));
}

static bool pit_get(struct refclock *out)
{
    uint8_t port_b = inb(PORT_B) & (uint8_t)~PORT_B_SPEAKER;

    outb(PORT_B, port_b & (uint8_t)~PORT_B_GATE2);
    outb(PIT_COMMAND, PIT_MODE2_COUNTER2);
    outb(PIT_COUNTER2, 0);
    outb(PIT_COUNTER2, 0);
    outb(PORT_B, port_b | PORT_B_GATE2);
    *out = (struct refclock){
        .name = "PIT",
        .hz = PIT_HZ,
        .mask = 0xffffu,
        .read = pit_read,
    };
    return true;
}

bool refclock_get(unsigned index, struct refclock *out)
{
    static bool (*const get[])(struct refclock * out) = {
        pm_timer_get,
        hpet_get,
        pit_get,
    };

    /* Skips what this machine lacks, so that indices have no gaps. */
    for (size_t i = 0; i < ARRAY_SIZE(get); i++) {
        if (get[i](out) && index-- == 0) {
            return true;
        }
    }
    return false;
}
