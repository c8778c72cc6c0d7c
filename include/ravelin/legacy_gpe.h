/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * General-purpose events and the slots' hot-plug registers, where the ACPI
 * tables of a BIOS for the PIIX4 expect them. Nothing is ever plugged; but an
 * absent block would read as ones, which means "all slots were pulled out".
 *
 * Threat surface: port and value are the guest's.
 * Ref: ACPI 5.0, 4.8.4.1 "General-Purpose Event Register Blocks"; QEMU,
 *      docs/specs/acpi_pci_hotplug.
 */
#pragma once

#include "ravelin/types.h"

#define LEGACY_GPE_PORT 0xafe0u
#define LEGACY_GPE_PORT_COUNT 4u
#define LEGACY_GPE_SLOT_PORT 0xae00u
#define LEGACY_GPE_SLOT_PORT_COUNT 20u

/* Protected by the platform's lock. */
struct legacy_gpe {
    uint8_t enable[LEGACY_GPE_PORT_COUNT / 2];
};

void legacy_gpe_reset(struct legacy_gpe *gpe);
/** Bytes at both ranges; zero but for the enable registers. */
uint8_t legacy_gpe_read(const struct legacy_gpe *gpe, uint16_t port);
void legacy_gpe_write(struct legacy_gpe *gpe, uint16_t port, uint8_t value);
