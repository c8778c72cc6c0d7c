/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control-register writes on a guest's behalf, checked as the processor would
 * check them, and the exits that lead to them.
 */
#pragma once

#include "ravelin/domain.h"

/**
 * Load a control register of `v` (current here, or down).
 * @return 0; -EINVAL: the guest gets #GP(0), nothing has changed.
 */
int rv_must_check cr0_write(struct vcpu *v, uint64_t value);
int rv_must_check cr3_write(struct vcpu *v, uint64_t value);
int rv_must_check cr4_write(struct vcpu *v, uint64_t value);
/** The same for register `cr`, 0, 3, 4 or 8; others are refused. */
int rv_must_check cr_write(struct vcpu *v, unsigned cr, uint64_t value);

/** Undoes the last write of CR0, CR3 or CR4 of `v`, current here, which had
 * succeeded; a domain for which that is impossible meanwhile is crashed. */
void cr_write_back(struct vcpu *v, unsigned cr, uint64_t old);

/** VMEXIT_CR, VMEXIT_DR and VMEXIT_XSETBV of this CPU's current vCPU. */
void dr_exit_handle(struct vcpu *v, const struct vmexit *exit);
void cr_exit_handle(struct vcpu *v, const struct vmexit *exit);
void xsetbv_exit_handle(struct vcpu *v, const struct vmexit *exit);
