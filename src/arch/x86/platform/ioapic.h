/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O APICs: which device interrupt goes to which CPU. */
#pragma once

#include "ravelin/types.h"

/** Maps all I/O APICs and masks every input. Boot CPU, once. */
void ioapic_init(void);
/**
 * Sends an ISA interrupt to one CPU, wired as the MADT says.
 *
 * @return false if no I/O APIC has that input.
 */
bool rv_must_check ioapic_route_isa(unsigned irq, unsigned vector,
                                    uint32_t apic_id);
