/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt of the machine's serial port on its way to the domain that owns
 * the port: noted when it arrives, delivered from the CPU loop.
 */
#pragma once

#include "ravelin/types.h"

/** The interrupt arrived at this CPU, which will take a turn of its loop before
 * it runs a guest again. Any context. */
void serial_irq_note(void);
/** Raises pin 4 of the owner's IO-APIC if an interrupt was noted; without an
 * owner nothing. CPU loop, no lock held. */
void serial_irq_poll(void);
