/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration space of a legacy domain, mechanism #1, one bus. Its
 * functions are those that a BIOS for the i440FX looks for: host bridge, ISA
 * bridge, IDE, power management. Configuration registers are storage behind
 * write masks; what they would switch on a real board is always on.
 *
 * Threat surface: the address register and all data are the guest's; both are
 * bounded at each use.
 * Ref: PCI Local Bus Specification 3.0, 3.2.2.3.2 "Software Generation of
 *      Configuration Transactions"; Intel 290549 "82440FX PCIset"; Intel 290562
 *      "82371AB PIIX4", 290550 "82371SB PIIX3".
 */
#pragma once

#include "ravelin/legacy_host.h"

#define LEGACY_PCI_ADDRESS 0xcf8u
#define LEGACY_PCI_RESET 0xcf9u
#define LEGACY_PCI_DATA 0xcfcu
#define LEGACY_PCI_PORT_COUNT 8u /* from 0xcf8 */

/* Order of the functions in the table and of the bits that choose them. */
enum legacy_pci_function {
    LEGACY_PCI_HOST, /* 00.0, always there */
    LEGACY_PCI_ISA,  /* 01.0 */
    LEGACY_PCI_IDE,  /* 01.1 */
    LEGACY_PCI_PM,   /* 01.3 */
    LEGACY_PCI_FUNCTION_COUNT
};

/* Protected by the platform's lock. */
struct legacy_pci {
    const struct legacy_host *host;
    uint32_t functions;    /* bit per enum legacy_pci_function */
    uint32_t address;      /* port 0xcf8 */
    uint8_t reset_control; /* port 0xcf9 */
    uint8_t space[LEGACY_PCI_FUNCTION_COUNT][256];
};

/** `functions`: bit per enum legacy_pci_function that is there. */
void legacy_pci_init(struct legacy_pci *pci, const struct legacy_host *host,
                     uint32_t functions);
/** All registers to their values at power-on. */
void legacy_pci_reset(struct legacy_pci *pci);

/** Access of `size` 1, 2 or 4 bytes to ports 0xcf8..0xcff; all ones where
 * nothing answers. Port 0xcf9 asks the host for LEGACY_RESET. */
uint32_t legacy_pci_read(struct legacy_pci *pci, uint16_t port, unsigned size);
void legacy_pci_write(struct legacy_pci *pci, uint16_t port, unsigned size,
                      uint32_t value);

/** First port of the 64 power management ports, as the guest placed them; 0
 * while they are switched off or the function is absent. */
uint16_t legacy_pci_pm_base(const struct legacy_pci *pci);
