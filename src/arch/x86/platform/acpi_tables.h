/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access to raw ACPI tables while the boot page tables are in place.
 */
#pragma once

#include "ravelin/types.h"

#define ACPI_HEADER_SIZE 36u

/* A table in memory, checked to be reachable for `length` bytes. */
struct acpi_table {
    const uint8_t *data;
    uint32_t length;
};

/** Little-endian field; 0 if it lies outside the table. */
uint8_t acpi_u8(const struct acpi_table *t, uint32_t offset);
uint16_t acpi_u16(const struct acpi_table *t, uint32_t offset);
uint32_t acpi_u32(const struct acpi_table *t, uint32_t offset);
uint64_t acpi_u64(const struct acpi_table *t, uint32_t offset);

/** The root pointer's address if `hint` is 0: looked for where PC firmware
 * puts it. 0 if there is none. */
hpa_t acpi_rsdp_find(hpa_t hint);
/** Table by signature, through RSDT or XSDT. False if absent or damaged. */
bool acpi_table_find(hpa_t rsdp, const char signature[4],
                     struct acpi_table *out);
/** Table at a known address; `checked`: verify the checksum too. */
bool acpi_table_open(hpa_t address, const char signature[4], bool checked,
                     struct acpi_table *out);
