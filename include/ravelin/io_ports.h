/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports at which the hypervisor itself answers: the ACPI registers by which a
 * guest ends or restarts itself. The domain's FADT names them.
 */
#pragma once

#include "ravelin/domain.h"

/* Ref: ACPI 5.1, 4.8.3.7 "Sleep Control and Status Registers" and 4.8.3.6
 * "Reset Register". Each is one byte. */
#define IO_PORT_SLEEP_CONTROL 0x600u
#define IO_PORT_SLEEP_STATUS 0x601u
#define IO_PORT_RESET 0x602u

#define ACPI_SLEEP_TYPE_S5 5u
#define ACPI_RESET_VALUE 1u

/**
 * Performs one port access of a guest to a device of its platform.
 *
 * @param v      current on this CPU; its domain may be shut down afterwards.
 * @param size   1, 2 or 4 bytes; only single bytes reach a register.
 * @param in     direction.
 * @param value  written value, or where the read one goes (zero-extended).
 * @return 0; -ENOENT no device there, *value untouched.
 */
int rv_must_check io_port_dispatch(struct vcpu *v, uint16_t port, unsigned size,
                                   bool in, uint32_t *value);
