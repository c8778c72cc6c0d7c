/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor itself needs to know from ACPI: processors and interrupt
 * controllers (MADT), power registers and the PM timer (FADT), the soft-off
 * value (DSDT), the HPET. Read once at boot; no AML is ever executed.
 */
#pragma once

#include "ravelin/boot_info.h"
#include "ravelin/types.h"

#define ACPI_IOAPIC_COUNT_MAX 16u
#define ACPI_ISA_IRQ_COUNT 16u

struct acpi_ioapic {
    hpa_t base;
    uint32_t gsi_base;
};

/* How an ISA interrupt is wired. */
struct acpi_isa_irq {
    uint32_t gsi;
    bool level;
    bool active_low;
};

struct acpi_register {
    bool is_io;       /* else memory */
    uint64_t address; /* 0: absent */
};

struct acpi_info {
    bool present;

    hpa_t lapic_base;
    unsigned ioapic_count;
    struct acpi_ioapic ioapic[ACPI_IOAPIC_COUNT_MAX];
    struct acpi_isa_irq isa_irq[ACPI_ISA_IRQ_COUNT];

    uint16_t pm_timer_port; /* 0: absent */
    bool pm_timer_is_32bit;
    uint16_t pm1a_control; /* 0: absent */
    uint16_t pm1b_control;
    uint16_t smi_command;
    uint8_t acpi_enable;
    bool s5_valid;
    uint8_t s5_type_a;
    uint8_t s5_type_b;
    struct acpi_register reset;
    uint8_t reset_value;
    uint8_t century_register; /* in CMOS; 0: absent */

    hpa_t hpet_base; /* 0: absent */
};

extern struct acpi_info acpi;

/**
 * Fills `acpi`, and the CPU list of `info` (boot CPU first). Without usable
 * tables the machine has one CPU. Runs on the boot page tables.
 */
void acpi_init(struct boot_info *info);
