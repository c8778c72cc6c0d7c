/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses that leave a guest's RAM: devices of its platform, or the empty bus,
 * where reads give all ones and writes are lost, as on a real machine.
 */
#pragma once

#include "ravelin/domain.h"
#include "ravelin/emul.h"

/** VMEXIT_MEMORY and VMEXIT_IO of this CPU's current vCPU. */
void memory_exit_handle(struct vcpu *v, const struct vmexit *exit);
void io_exit_handle(struct vcpu *v, const struct vmexit *exit);

/** One access of 1, 2, 4 or 8 bytes to a device or the empty bus. */
void device_mmio(struct vcpu *v, gpa_t addr, unsigned size, bool write,
                 uint64_t *value);
/** One port access of 1, 2 or 4 bytes. */
void device_port(struct vcpu *v, uint16_t port, unsigned size, bool in,
                 uint32_t *value);

/** Executes the decoded instruction at RIP in the emulator, if it can: as
 * emul_exec(); exceptions are queued. Only for instructions that change
 * nothing but general registers, flags, data segments, memory and RIP. */
enum emul_result vcpu_emulate_try(struct vcpu *v, const struct emul_insn *insn);
/** The same; the domain crashes if the emulator cannot. */
void vcpu_emulate(struct vcpu *v, const struct emul_insn *insn);
