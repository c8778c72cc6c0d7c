/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O APICs: all inputs are masked at boot, so that no device a firmware left
 * running interrupts us; single ones are routed on request.
 * Ref: Intel 82093AA data sheet, 3.0 "Register Description".
 */
#include "platform/ioapic.h"

#include "boot/boot.h"
#include "cpu/percpu.h"
#include "platform/acpi.h"

#define IOAPIC_SIZE 0x20u
#define REG_SELECT 0x00u
#define REG_WINDOW 0x10u
#define IOAPIC_VERSION 0x01u
#define IOAPIC_REDIRECT 0x10u

#define REDIRECT_ACTIVE_LOW (1u << 13)
#define REDIRECT_LEVEL (1u << 15)
#define REDIRECT_MASKED (1u << 16)
#define XAPIC_ID_MAX 0xfeu

struct ioapic {
    volatile uint8_t *registers;
    uint32_t gsi_base;
    uint32_t input_count;
};

static struct ioapic ioapics[ACPI_IOAPIC_COUNT_MAX] RV_RO_AFTER_INIT = {0};

static uint32_t ioapic_read(const struct ioapic *io, uint32_t index)
{
    *(volatile uint32_t *)(io->registers + REG_SELECT) = index;
    return *(volatile uint32_t *)(io->registers + REG_WINDOW);
}

static void ioapic_write(const struct ioapic *io, uint32_t index,
                         uint32_t value)
{
    *(volatile uint32_t *)(io->registers + REG_SELECT) = index;
    *(volatile uint32_t *)(io->registers + REG_WINDOW) = value;
}

static void redirect_set(const struct ioapic *io, uint32_t input, uint32_t low,
                         uint32_t high)
{
    ioapic_write(io, IOAPIC_REDIRECT + 2 * input, REDIRECT_MASKED);
    ioapic_write(io, IOAPIC_REDIRECT + 2 * input + 1, high);
    ioapic_write(io, IOAPIC_REDIRECT + 2 * input, low);
}

void ioapic_init(void)
{
    for (unsigned i = 0; i < acpi.ioapic_count; i++) {
        struct ioapic *io = &ioapics[i];

        io->registers = mmio_map(acpi.ioapic[i].base, IOAPIC_SIZE);
        io->gsi_base = acpi.ioapic[i].gsi_base;
        io->input_count = ((ioapic_read(io, IOAPIC_VERSION) >> 16) & 0xff) + 1;
        for (uint32_t n = 0; n < io->input_count; n++) {
            redirect_set(io, n, REDIRECT_MASKED, 0);
        }
    }
}

bool ioapic_route_isa(unsigned irq, unsigned vector, uint32_t apic_id)
{
    const struct acpi_isa_irq *isa = &acpi.isa_irq[irq];
    uint32_t low = vector;

    /* Without interrupt remapping the destination has eight bits. */
    if (apic_id > XAPIC_ID_MAX) {
        return false;
    }
    low |= isa->level ? REDIRECT_LEVEL : 0;
    low |= isa->active_low ? REDIRECT_ACTIVE_LOW : 0;
    for (unsigned i = 0; i < acpi.ioapic_count; i++) {
        const struct ioapic *io = &ioapics[i];

        if (isa->gsi - io->gsi_base < io->input_count) {
            redirect_set(io, isa->gsi - io->gsi_base, low, apic_id << 24);
            return true;
        }
    }
    return false;
}
