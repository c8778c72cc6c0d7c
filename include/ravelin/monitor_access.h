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

/* ---- Copies of hypercalls ---------------------------------------------- */

/*
 * What a hypercall copies from or to its caller's memory is an access like
 * those of instructions. A copy that a right forbids fails; when the handler
 * has undone what it had begun and holds no lock any more, the monitor is told,
 * and the hypercall is executed once more, as an instruction would be.
 */

/** A handler is about to serve `v`, whose domain has a monitor's state. */
void monitor_call_begin(struct vcpu *v);
/** What it does from now on is not what it was asked for: a copy that is
 * stopped does not have it executed again. Also without a monitor. */
void monitor_call_commit(struct vcpu *v);
/**
 * It has returned; no lock is held, and what it stored as progress is in the
 * registers. True: a copy was stopped and the call has to be executed again
 * from there, now or after an answer. False: what it returned is its result.
 */
bool rv_must_check monitor_call_end(struct vcpu *v);
/**
 * A copy for `v` from or to its memory at `gla` is impossible, maybe for a
 * right only. True: that it is, and it may be done all the same, at *at. False:
 * not now. May be called with locks held, and outside hypercalls, where it is
 * always false.
 */
bool rv_must_check monitor_copy_permits(struct vcpu *v, gva_t gla,
                                        uint8_t access, gpa_t *at);

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
