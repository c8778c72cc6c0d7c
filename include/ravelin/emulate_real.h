/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real mode run by the emulator: a vCPU of a domain that asks for it executes
 * in slices inside the hypervisor while CR0.PE is clear, and goes back to the
 * processor in protected mode. Interrupts, devices, MSRs and control registers
 * are those it has natively.
 *
 * Threat surface: code and state are the guest's; a slice is bounded in
 * instructions and nothing is kept across slices but decoded instructions,
 * whose bytes are compared at each use.
 */
#pragma once

#include "ravelin/domain.h"

struct emulation;

/** Makes room for decoded instructions of `v`. 0; -ENOMEM. */
int rv_must_check emulation_create(struct vcpu *v);
/** NULL-safe. */
void emulation_destroy(struct vcpu *v);

/** Does `v`, whose domain emulates real mode, need the emulator now? */
static inline bool emulate_real_is_due(const struct vcpu *v)
{
    return (v->paging.cr0 & 1u) == 0;
}
/** Runs one slice of `v`, current on this CPU, and polls for interrupts of the
 * machine. What is due is delivered first. */
void emulate_real_run(struct vcpu *v);
