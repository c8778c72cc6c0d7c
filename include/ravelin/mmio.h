/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest-physical ranges behind which the hypervisor itself answers: local
 * APIC and, for the hardware domain, IO-APIC.
 */
#pragma once

#include "ravelin/domain.h"

/**
 * Performs one access of a guest to a device of its platform.
 *
 * @param v      current on this CPU; its instruction has been decoded.
 * @param addr   guest-physical address.
 * @param len    1, 2, 4 or 8 bytes.
 * @param write  direction.
 * @param value  written value, or where the read one goes (zero-extended).
 * @return 0; -ENOENT no device there, *value untouched; -EINVAL bad `len`.
 */
int rv_must_check mmio_dispatch(struct vcpu *v, gpa_t addr, unsigned len,
                                bool write, uint64_t *value);
