/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contents of MADT, FADT, HPET and the one object we need from the DSDT,
 * reduced to struct acpi_info. Numbers from the tables become array indices and
 * port numbers, so each is bounded here.
 * Ref: ACPI 6.4, 5.2.9 "Fixed ACPI Description Table", 5.2.12 "Multiple APIC
 *      Description Table", 7.4.2 "\_Sx States", 20.2 "AML Grammar Definition".
 */
#include "platform/acpi.h"

#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "platform/acpi_tables.h"
#include "platform/lapic.h"
#include "ravelin/string.h"

#define MADT_LAPIC_BASE 36u
#define MADT_ENTRIES 44u
#define MADT_ENTRY_MIN 2u

enum madt_type {
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_LAPIC_ADDRESS = 5,
    MADT_X2APIC = 9,
};

#define MADT_CPU_ENABLED 0x1u
#define MADT_POLARITY 0x3u
#define MADT_POLARITY_LOW 0x3u
#define MADT_TRIGGER 0xcu
#define MADT_TRIGGER_LEVEL 0xcu
#define MADT_BUS_ISA 0u

#define LAPIC_BASE_DEFAULT 0xfee00000u
#define XAPIC_ID_MAX 0xfeu

enum fadt_offset {
    FADT_DSDT = 40,
    FADT_SMI_COMMAND = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_PM1A_CONTROL = 64,
    FADT_PM1B_CONTROL = 68,
    FADT_PM_TIMER = 76,
    FADT_CENTURY = 108,
    FADT_FLAGS = 112,
    FADT_RESET = 116,
    FADT_RESET_VALUE = 128,
    FADT_X_DSDT = 140,
    FADT_X_PM1A_CONTROL = 172,
    FADT_X_PM1B_CONTROL = 184,
    FADT_X_PM_TIMER = 208,
};

#define FADT_FLAG_TIMER_32BIT (1u << 8)
#define FADT_FLAG_RESET (1u << 10)

/* Generic address structure. */
#define GAS_SPACE 0u
#define GAS_ADDRESS 4u
#define GAS_SPACE_MEMORY 0u
#define GAS_SPACE_IO 1u

#define HPET_ADDRESS 40u

#define AML_ZERO 0x00u
#define AML_ONE 0x01u
#define AML_NAME 0x08u
#define AML_BYTE 0x0au
#define AML_PACKAGE 0x12u

struct acpi_info acpi RV_RO_AFTER_INIT_DATA = {
    .lapic_base = {LAPIC_BASE_DEFAULT},
};

static void cpu_add(struct boot_info *info, uint32_t apic_id, uint32_t flags)
{
    if ((flags & MADT_CPU_ENABLED) == 0) {
        return;
    }
    /* The boot CPU is listed already, others may be twice. */
    for (unsigned i = 0; i < info->cpu_count; i++) {
        if (info->apic_id[i] == apic_id) {
            return;
        }
    }
    if (info->cpu_count >= info->options.cpu_limit ||
        (apic_id > XAPIC_ID_MAX && !lapic_is_x2())) {
        info->cpu_ignored++;
        return;
    }
    info->apic_id[info->cpu_count++] = apic_id;
}

static void ioapic_add(const struct acpi_table *t, uint32_t at)
{
    if (acpi.ioapic_count < ACPI_IOAPIC_COUNT_MAX) {
        acpi.ioapic[acpi.ioapic_count++] = (struct acpi_ioapic){
            .base = hpa(acpi_u32(t, at + 4)),
            .gsi_base = acpi_u32(t, at + 8),
        };
    }
}

static void override_add(const struct acpi_table *t, uint32_t at)
{
    uint8_t irq = acpi_u8(t, at + 3);
    uint16_t flags = acpi_u16(t, at + 8);

    if (acpi_u8(t, at + 2) == MADT_BUS_ISA && irq < ACPI_ISA_IRQ_COUNT) {
        acpi.isa_irq[irq] = (struct acpi_isa_irq){
            .gsi = acpi_u32(t, at + 4),
            .level = (flags & MADT_TRIGGER) == MADT_TRIGGER_LEVEL,
            .active_low = (flags & MADT_POLARITY) == MADT_POLARITY_LOW,
        };
    }
}

static void madt_entry(struct boot_info *info, const struct acpi_table *t,
                       uint32_t at)
{
    switch (acpi_u8(t, at)) {
    case MADT_LAPIC:
        cpu_add(info, acpi_u8(t, at + 3), acpi_u32(t, at + 4));
        break;
    case MADT_X2APIC:
        cpu_add(info, acpi_u32(t, at + 4), acpi_u32(t, at + 8));
        break;
    case MADT_IOAPIC:
        ioapic_add(t, at);
        break;
    case MADT_OVERRIDE:
        override_add(t, at);
        break;
    case MADT_LAPIC_ADDRESS:
        acpi.lapic_base = hpa(acpi_u64(t, at + 4));
        break;
    default:
        break;
    }
}

static void madt_parse(struct boot_info *info, const struct acpi_table *t)
{
    uint32_t at = MADT_ENTRIES;

    acpi.lapic_base = hpa(acpi_u32(t, MADT_LAPIC_BASE));
    while (at + MADT_ENTRY_MIN <= t->length) {
        uint8_t length = acpi_u8(t, at + 1);

        if (length < MADT_ENTRY_MIN) {
            break;
        }
        madt_entry(info, t, at);
        at += length;
    }
}

/* I/O port from an old 32-bit field or, if that is 0, its extended twin. */
static uint16_t fadt_port(const struct acpi_table *t, uint32_t old,
                          uint32_t extended)
{
    uint64_t port = acpi_u32(t, old);

    if (port == 0 && acpi_u8(t, extended + GAS_SPACE) == GAS_SPACE_IO) {
        port = acpi_u64(t, extended + GAS_ADDRESS);
    }
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static void fadt_parse(const struct acpi_table *t)
{
    uint32_t flags = acpi_u32(t, FADT_FLAGS);
    uint8_t space = acpi_u8(t, FADT_RESET + GAS_SPACE);

    acpi.pm_timer_port = fadt_port(t, FADT_PM_TIMER, FADT_X_PM_TIMER);
    acpi.pm_timer_is_32bit = (flags & FADT_FLAG_TIMER_32BIT) != 0;
    acpi.pm1a_control = fadt_port(t, FADT_PM1A_CONTROL, FADT_X_PM1A_CONTROL);
    acpi.pm1b_control = fadt_port(t, FADT_PM1B_CONTROL, FADT_X_PM1B_CONTROL);
    acpi.smi_command = (uint16_t)acpi_u32(t, FADT_SMI_COMMAND);
    acpi.acpi_enable = acpi_u8(t, FADT_ACPI_ENABLE);
    acpi.century_register = acpi_u8(t, FADT_CENTURY);
    if ((flags & FADT_FLAG_RESET) != 0 && space <= GAS_SPACE_IO) {
        acpi.reset.is_io = space == GAS_SPACE_IO;
        acpi.reset.address = acpi_u64(t, FADT_RESET + GAS_ADDRESS);
        acpi.reset_value = acpi_u8(t, FADT_RESET_VALUE);
    }
}

/* An AML integer below 256 at *at, which moves behind it. */
static bool aml_byte(const struct acpi_table *t, uint32_t *at, uint8_t *out)
{
    uint8_t op = acpi_u8(t, (*at)++);

    if (op == AML_ZERO || op == AML_ONE) {
        *out = op;
        return true;
    }
    *out = acpi_u8(t, (*at)++);
    return op == AML_BYTE;
}

/* `at` is behind the name: PackageOp, length, element count, elements. */
static bool s5_package(const struct acpi_table *t, uint32_t at)
{
    if (acpi_u8(t, at) != AML_PACKAGE) {
        return false;
    }
    /* The first length byte tells in its top bits how many follow. */
    at += 2 + (acpi_u8(t, at + 1) >> 6);
    if (acpi_u8(t, at++) < 2) {
        return false;
    }
    return aml_byte(t, &at, &acpi.s5_type_a) &&
           aml_byte(t, &at, &acpi.s5_type_b);
}

static void s5_search(const struct acpi_table *t)
{
    const uint8_t *p = t->data;

    for (uint32_t at = ACPI_HEADER_SIZE; at + 8 < t->length; at++) {
        if (p[at] != '_' || memcmp(&p[at], "_S5_", 4) != 0) {
            continue;
        }
        /* The name follows NameOp, with or without a root prefix. */
        if (p[at - 1] == AML_NAME ||
            (p[at - 1] == '\\' && p[at - 2] == AML_NAME)) {
            acpi.s5_valid = s5_package(t, at + 4);
            return;
        }
    }
}

static void dsdt_parse(const struct acpi_table *fadt)
{
    struct acpi_table dsdt;
    uint64_t address = acpi_u64(fadt, FADT_X_DSDT);

    if (address == 0) {
        address = acpi_u32(fadt, FADT_DSDT);
    }
    if (acpi_table_open(hpa(address), "DSDT", false, &dsdt)) {
        s5_search(&dsdt);
    }
}

void acpi_init(struct boot_info *info)
{
    struct acpi_table t;

    for (unsigned irq = 0; irq < ACPI_ISA_IRQ_COUNT; irq++) {
        acpi.isa_irq[irq].gsi = irq;
    }
    info->apic_id[0] = lapic_boot_id();
    info->cpu_count = 1;
    info->rsdp = acpi_rsdp_find(info->rsdp);
    if (info->rsdp.v == 0) {
        return;
    }
    if (acpi_table_find(info->rsdp, "APIC", &t)) {
        acpi.present = true;
        madt_parse(info, &t);
    }
    if (acpi_table_find(info->rsdp, "FACP", &t)) {
        acpi.present = true;
        fadt_parse(&t);
        dsdt_parse(&t);
    }
    if (acpi_table_find(info->rsdp, "HPET", &t)) {
        acpi.hpet_base = hpa(acpi_u64(&t, HPET_ADDRESS + GAS_ADDRESS));
    }
}
