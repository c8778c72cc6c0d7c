/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual IO-APIC, 24 pins at guest-physical 0xfec00000. Only the hardware
 * domain has one: pin 4 carries its serial port. Other domains get events.
 *
 * Threat surface: redirection entries are the guest's; pins are raised by the
 * hypervisor from any CPU.
 */
#pragma once

#include "ravelin/domain.h"

#define VIOAPIC_MMIO_BASE 0xfec00000UL
#define VIOAPIC_MMIO_SIZE 0x1000UL
#define VIOAPIC_PIN_COUNT 24u
#define VIOAPIC_ID 1u /* odd: no local APIC has it */

/** Gives `d` an IO-APIC with all pins masked. 0; -ENOMEM; -EEXIST. */
int rv_must_check vioapic_create(struct domain *d);
/** Frees it; no vCPU of `d` runs. NULL-safe. */
void vioapic_destroy(struct domain *d);

uint32_t vioapic_mmio_read(struct domain *d, uint32_t offset);
void vioapic_mmio_write(struct domain *d, uint32_t offset, uint32_t value);

/** Sets the level of an input; any CPU may call. A rising edge on an
 * edge-triggered pin sends once; a high level-triggered pin sends until EOI
 * and again while it stays high. No IO-APIC or pin: ignored. */
void vioapic_irq_set(struct domain *d, unsigned pin, bool level);
/** EOI of a level-triggered vector by some local APIC of `d`. */
void vioapic_eoi(struct domain *d, uint8_t vector);
