/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power management registers. The timer is computed from the time, its
 * overflow flag when somebody looks; a deadline exists only while an overflow
 * would interrupt, which is every 2.3 seconds at most. Of the sleep types only
 * soft-off does something.
 *
 * Threat surface: offsets, sizes and values are the guest's; every combination
 * that fits the block is defined.
 * Ref: Intel PIIX4 datasheet (290562), "PMSTS", "PMEN", "PMCNTRL", "PMTMR".
 */
#include "ravelin/legacy_pm.h"

#include "ravelin/legacy_rate.h"

#define REG_EVENT 0u /* status, enable */
#define REG_CONTROL 4u
#define REG_TIMER 8u

#define EVENT_TIMER 0x0001u
#define EVENT_BUTTON 0x0100u
#define STATUS_CLEARED 0x8d31u /* by writing ones */
#define ENABLE_MASK 0x0521u    /* timer, global, button, clock */

#define CONTROL_SCI 0x0001u
#define CONTROL_MASK 0x1c03u /* sleep type, bus master reload, SCI */
#define SLEEP_TYPE_SHIFT 10
#define SLEEP_TYPE_MASK 7u
#define SLEEP_ENABLE 0x2000u

#define TIMER_MASK 0xffffffu
#define TIMER_HALF_SHIFT 23 /* the flag follows bit 23 */

static uint64_t pm_now(const struct legacy_pm *pm)
{
    return pm->host->now_ns(pm->host->ctx);
}

/* Changes of bit 23 so far. */
static uint64_t halves(uint64_t ns)
{
    return clock_ticks(ns, LEGACY_PM_HZ) >> TIMER_HALF_SHIFT;
}

static void settle(struct legacy_pm *pm, uint64_t now)
{
    if (halves(now) != halves(pm->settled_ns)) {
        pm->status |= EVENT_TIMER;
    }
    pm->settled_ns = now;
}

static void interrupt_update(struct legacy_pm *pm)
{
    bool sci = (pm->control & CONTROL_SCI) != 0;
    bool level = sci && (pm->status & pm->enable) != 0;

    if (level != pm->is_raised) {
        pm->is_raised = level;
        pm->host->irq_set(pm->host->ctx, LEGACY_PM_SCI_IRQ, level);
    }
    pm->alarm_ns = LEGACY_NEVER;
    if (sci && !level && (pm->enable & EVENT_TIMER) != 0) {
        pm->alarm_ns = clock_ns(
            (halves(pm->settled_ns) + 1) << TIMER_HALF_SHIFT, LEGACY_PM_HZ);
    }
}

uint64_t legacy_pm_deadline(const struct legacy_pm *pm)
{
    return pm->alarm_ns;
}

void legacy_pm_run(struct legacy_pm *pm)
{
    settle(pm, pm_now(pm));
    interrupt_update(pm);
}

void legacy_pm_button_press(struct legacy_pm *pm)
{
    settle(pm, pm_now(pm));
    pm->status |= EVENT_BUTTON;
    interrupt_update(pm);
}

/* ---- Register block --------------------------------------------------- */

static uint32_t register_read(const struct legacy_pm *pm, unsigned reg)
{
    switch (reg) {
    case REG_EVENT:
        return pm->status | (uint32_t)pm->enable << 16;
    case REG_CONTROL:
        return pm->control;
    case REG_TIMER:
        return (uint32_t)clock_ticks(pm->settled_ns, LEGACY_PM_HZ) & TIMER_MASK;
    default:
        return 0; /* general purpose and device events: none */
    }
}

uint32_t legacy_pm_read(struct legacy_pm *pm, unsigned offset, unsigned size)
{
    unsigned reg = offset & ~3u;
    uint64_t value;

    settle(pm, pm_now(pm));
    interrupt_update(pm);
    value = register_read(pm, reg) | (uint64_t)register_read(pm, reg + 4) << 32;
    value >>= 8 * (offset & 3u);
    return (uint32_t)(value & UINT32_MAX >> (32 - 8 * size));
}

static void control_write(struct legacy_pm *pm, uint16_t value)
{
    unsigned type = value >> SLEEP_TYPE_SHIFT & SLEEP_TYPE_MASK;

    pm->control = value & CONTROL_MASK;
    if ((value & SLEEP_ENABLE) != 0 && type == LEGACY_PM_S5_TYPE) {
        pm->host->request(pm->host->ctx, LEGACY_POWEROFF);
    }
}

static uint16_t byte_put(uint16_t word, unsigned high, uint8_t byte)
{
    return (uint16_t)(high != 0 ? (word & 0x00ffu) | byte << 8
                                : (word & 0xff00u) | byte);
}

static void byte_write(struct legacy_pm *pm, unsigned offset, uint8_t byte)
{
    unsigned high = offset & 1u;

    switch (offset & ~1u) {
    case REG_EVENT:
        pm->status &= (uint16_t) ~(byte_put(0, high, byte) & STATUS_CLEARED);
        break;
    case REG_EVENT + 2:
        pm->enable = byte_put(pm->enable, high, byte) & ENABLE_MASK;
        break;
    case REG_CONTROL:
        control_write(pm, byte_put(pm->control, high, byte));
        break;
    default:
        break;
    }
}

void legacy_pm_write(struct legacy_pm *pm, unsigned offset, unsigned size,
                     uint32_t value)
{
    settle(pm, pm_now(pm));
    for (unsigned i = 0; i < size; i++) {
        byte_write(pm, offset + i, (uint8_t)(value >> (8 * i)));
    }
    interrupt_update(pm);
}

/* ---- APM -------------------------------------------------------------- */

uint8_t legacy_pm_apm_read(struct legacy_pm *pm, uint16_t port)
{
    return pm->apm[port & 1u];
}

/* There is no SMI; what its handler would do for ACPI happens at once. */
void legacy_pm_apm_write(struct legacy_pm *pm, uint16_t port, uint8_t value)
{
    pm->apm[port & 1u] = value;
    if (port != LEGACY_PM_APM) {
        return;
    }
    settle(pm, pm_now(pm));
    if (value == LEGACY_PM_ACPI_ENABLE) {
        pm->control |= CONTROL_SCI;
    } else if (value == LEGACY_PM_ACPI_DISABLE) {
        pm->control &= (uint16_t)~CONTROL_SCI;
    }
    interrupt_update(pm);
}

void legacy_pm_reset(struct legacy_pm *pm)
{
    pm->status = 0;
    pm->enable = 0;
    pm->control = 0;
    pm->apm[0] = 0;
    pm->apm[1] = 0;
    pm->settled_ns = pm_now(pm);
    interrupt_update(pm);
}

void legacy_pm_init(struct legacy_pm *pm, const struct legacy_host *host)
{
    *pm = (struct legacy_pm){.host = host};
    legacy_pm_reset(pm);
}
