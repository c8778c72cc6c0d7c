/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends and restarts of the machine beyond arch/host.h. */
#pragma once

#include "ravelin/types.h"

/** Port for debug exits; 0: none. */
void power_debug_exit_set(uint16_t port);
/** Maps the ACPI reset register if it is memory. */
void power_init(void);
/** Writes `code` to the debug exit port if there is one. Returns if that does
 * not end the machine. Any context. */
void power_debug_exit(unsigned code);
