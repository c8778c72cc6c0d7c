/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages whose rights a monitor has restricted, and the way on for a guest that
 * wanted one it does not have: its vCPU executes one instruction with the page
 * open to it alone, and without noticing.
 *
 * Threat surface: the guest chooses when, by which access and by which
 * instruction, and may change the instruction meanwhile. What it can win by
 * that is to see the trap flag of a step; it never gets past the page with
 * more than the instruction that was permitted.
 */
#pragma once

#include "ravelin/domain.h"

/**
 * A memory exit on RAM of the domain. True: settled (told to the monitor,
 * permitted, or there was nothing to it any more); the vCPU tries again when it
 * next enters. False: it is the type of the page that forbids it.
 */
bool rv_must_check monitor_access_exit(struct vcpu *v,
                                       const struct vmexit *exit);
/**
 * The emulator wants to access RAM of the domain that a right forbids. True:
 * it may (this once); false: the monitor was told, give up for now.
 */
bool rv_must_check monitor_access_emulated(struct vcpu *v, gva_t at,
                                           uint8_t access, bool user);

/* ---- One step (v->stepping) -------------------------------------------- */

/** vmentry_attend(), before events: true if they must wait for the step. */
bool rv_must_check monitor_step_holds(struct vcpu *v);
/** Before guest mode, where locks may be taken. False: take another turn. */
bool rv_must_check monitor_step_prepare(struct vcpu *v);
/** In guest mode's bracket. False: the map has changed, take another turn. */
bool rv_must_check monitor_step_arm(struct vcpu *v);
/** Right after the exit: the guest's registers are its own again; *exit may
 * become VMEXIT_NONE. */
void monitor_step_disarm(struct vcpu *v, struct vmexit *exit);
/** After the exit was handled: is the step over? */
void monitor_step_settle(struct vcpu *v);
/** The vCPU's state was replaced (INIT, reset). */
void monitor_step_cancel(struct vcpu *v);
