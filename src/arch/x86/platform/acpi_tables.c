/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding and bounding ACPI tables. The firmware is trusted not to be hostile,
 * but tables are known to lie about lengths and pointers: everything is checked
 * against what the boot page tables map, and read through bounded accessors.
 * Ref: ACPI 6.4, 5.2.5 "Root System Description Pointer", 5.2.6 "System
 *      Description Table Header".
 */
#include "platform/acpi_tables.h"

#include "arch_inline.h"
#include "boot/boot.h"
#include "ravelin/string.h"

#define RSDP_V1_SIZE 20u
#define RSDP_REVISION 15u
#define RSDP_RSDT 16u
#define RSDP_XSDT 24u
#define RSDP_ALIGN 16u

#define EBDA_POINTER 0x40eu
#define EBDA_SIZE 0x400u
#define BIOS_START 0xe0000u
#define BIOS_END 0x100000u

#define TABLE_LENGTH 4u
#define TABLE_SIZE_MAX 0x400000u

static bool sum_is_zero(const uint8_t *p, size_t size)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + p[i]);
    }
    return sum == 0;
}

static bool field_fits(const struct acpi_table *t, uint32_t offset,
                       uint32_t size)
{
    return offset <= t->length && size <= t->length - offset;
}

uint8_t acpi_u8(const struct acpi_table *t, uint32_t offset)
{
    return field_fits(t, offset, 1) ? t->data[offset] : 0;
}

#define ACPI_READER(name, type)                              \
    type name(const struct acpi_table *t, uint32_t offset)   \
    {                                                        \
        type value = 0;                                      \
                                                             \
        if (field_fits(t, offset, sizeof(value))) {          \
            memcpy(&value, t->data + offset, sizeof(value)); \
        }                                                    \
        return value;                                        \
    }

ACPI_READER(acpi_u16, uint16_t)
ACPI_READER(acpi_u32, uint32_t)
ACPI_READER(acpi_u64, uint64_t)

static hpa_t rsdp_scan(uint64_t start, uint64_t end)
{
    const uint8_t *p = loader_data(start, end - start);

    for (uint64_t a = start; a + RSDP_V1_SIZE <= end; a += RSDP_ALIGN) {
        /* One character first: thousands of places are looked at. */
        if (*p == 'R' && memcmp(p, "RSD PTR ", 8) == 0 &&
            sum_is_zero(p, RSDP_V1_SIZE)) {
            return hpa(a);
        }
        p += RSDP_ALIGN;
    }
    return hpa(0);
}

hpa_t acpi_rsdp_find(hpa_t hint)
{
    const void *pointer = loader_data(EBDA_POINTER, sizeof(uint16_t));
    uint16_t segment;
    hpa_t found = hint;

    if (found.v == 0) {
        memcpy(&segment, pointer, sizeof(segment));
        if (segment != 0) {
            found = rsdp_scan((uint64_t)segment << 4,
                              ((uint64_t)segment << 4) + EBDA_SIZE);
        }
    }
    if (found.v == 0) {
        found = rsdp_scan(BIOS_START, BIOS_END);
    }
    return found;
}

bool acpi_table_open(hpa_t address, const char signature[4], bool checked,
                     struct acpi_table *out)
{
    const uint8_t *p = loader_data(address.v, ACPI_HEADER_SIZE);
    uint32_t length;

    if (p == NULL || memcmp(p, signature, 4) != 0) {
        return false;
    }
    memcpy(&length, p + TABLE_LENGTH, sizeof(length));
    if (length < ACPI_HEADER_SIZE || length > TABLE_SIZE_MAX ||
        loader_data(address.v, length) == NULL) {
        return false;
    }
    *out = (struct acpi_table){.data = p, .length = length};
    return !checked || sum_is_zero(p, length);
}

static bool root_search(const struct acpi_table *root, uint32_t entry_size,
                        const char signature[4], struct acpi_table *out)
{
    for (uint32_t at = ACPI_HEADER_SIZE; at + entry_size <= root->length;
         at += entry_size) {
        uint64_t address = entry_size == sizeof(uint64_t) ? acpi_u64(root, at)
                                                          : acpi_u32(root, at);

        if (acpi_table_open(hpa(address), signature, true, out)) {
            return true;
        }
    }
    return false;
}

bool acpi_table_find(hpa_t rsdp, const char signature[4],
                     struct acpi_table *out)
{
    struct acpi_table pointer = {
        .data = loader_data(rsdp.v, RSDP_XSDT + sizeof(uint64_t)),
        .length = RSDP_XSDT + sizeof(uint64_t),
    };
    struct acpi_table root;

    if (pointer.data == NULL) {
        return false;
    }
    if (acpi_u8(&pointer, RSDP_REVISION) >= 2 &&
        acpi_table_open(hpa(acpi_u64(&pointer, RSDP_XSDT)), "XSDT", true,
                        &root)) {
        return root_search(&root, sizeof(uint64_t), signature, out);
    }
    if (acpi_table_open(hpa(acpi_u32(&pointer, RSDP_RSDT)), "RSDT", true,
                        &root)) {
        return root_search(&root, sizeof(uint32_t), signature, out);
    }
    return false;
}
