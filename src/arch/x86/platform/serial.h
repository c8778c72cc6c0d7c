/* SPDX-License-Identifier: BSD-2-Clause */
/* The first serial port (COM1), a 16550. */
#pragma once

#include "ravelin/console.h"

/** Sets the line to 115200 8N1 with FIFOs. False if there is no port. */
bool serial_init(void);
/** Wakes the CPU that input arrives at, through the I/O APIC. */
void serial_interrupt_init(void);

extern const struct serial_port_ops serial_port;
