/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI tables of a domain: RSDP, XSDT, FADT (hardware-reduced), MADT and
 * DSDT, built as one block that is copied to its place in guest memory.
 */
#pragma once

#include "ravelin/types.h"

/* A block is at most one page. */
#define ACPI_BLOCK_MAX 4096u

struct acpi_config {
    uint64_t base;    /* guest-physical address the block will have */
    unsigned vcpus;   /* 1 .. VCPU_COUNT_MAX */
    bool serial_port; /* IO-APIC, and COM1 at 0x3f8 with GSI 4 */
};

/**
 * Builds the block; the RSDP is at its start.
 *
 * @param block  ACPI_BLOCK_MAX bytes.
 * @return bytes used.
 * Ref: ACPI Specification 6.4, chapter 5 "ACPI Software Programming Model";
 *      20.2 "AML Grammar Definition" for the DSDT.
 */
size_t acpi_tables_build(void *block, const struct acpi_config *config);
