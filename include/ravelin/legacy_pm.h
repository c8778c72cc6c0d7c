/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power management as the PIIX4 has it: PM1 event and control registers, the
 * 24-bit timer, and the APM ports 0xb2-0xb3 by which ACPI mode is entered.
 * Where the register block is in I/O space is for PCI configuration or the
 * platform to say.
 * Ref: Intel PIIX4 datasheet (290562), "Power Management I/O Space Registers";
 *      ACPI 4.7.3 "Fixed Hardware Feature Control Bits".
 */
#pragma once

#include "ravelin/legacy_host.h"

#define LEGACY_PM_HZ 3579545u
#define LEGACY_PM_SCI_IRQ 9u
#define LEGACY_PM_BASE 0x600u
#define LEGACY_PM_SIZE 64u
#define LEGACY_PM_APM 0xb2u /* and 0xb3 */
/* SLP_TYP of soft-off; the DSDT's _S5 must say the same. */
#define LEGACY_PM_S5_TYPE 0u
/* Values of port 0xb2, for the FADT. */
#define LEGACY_PM_ACPI_ENABLE 0xf1u
#define LEGACY_PM_ACPI_DISABLE 0xf0u

struct legacy_pm {
    uint16_t status; /* PM1_STS, timer bit as of `settled_ns` */
    uint16_t enable;
    uint16_t control;
    uint8_t apm[2]; /* control, status */
    bool is_raised;
    uint64_t settled_ns;
    uint64_t alarm_ns; /* next overflow, if it is to interrupt */
    const struct legacy_host *host;
};

/** Legacy mode, all registers zero. */
void legacy_pm_init(struct legacy_pm *pm, const struct legacy_host *host);
void legacy_pm_reset(struct legacy_pm *pm);

/** Register block: `offset` 0..63 from the base address, `size` 1, 2 or 4,
 * not beyond the block. */
uint32_t legacy_pm_read(struct legacy_pm *pm, unsigned offset, unsigned size);
void legacy_pm_write(struct legacy_pm *pm, unsigned offset, unsigned size,
                     uint32_t value);
/** Ports 0xb2 and 0xb3; one byte. */
uint8_t legacy_pm_apm_read(struct legacy_pm *pm, uint16_t port);
void legacy_pm_apm_write(struct legacy_pm *pm, uint16_t port, uint8_t value);

/** The power button is pressed. */
void legacy_pm_button_press(struct legacy_pm *pm);

/** When legacy_pm_run() is due, ns; LEGACY_NEVER. May change with every call
 * into the device. */
uint64_t legacy_pm_deadline(const struct legacy_pm *pm);
/** Does what is due; harmless when nothing is. */
void legacy_pm_run(struct legacy_pm *pm);
