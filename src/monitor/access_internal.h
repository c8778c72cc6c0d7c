/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files about page rights and steps.
 */
#pragma once

#include "ravelin/domain.h"
#include "ravelin/emul_insn.h"

/* ---- access.c ---------------------------------------------------------- */

/* An access that the rights of a page forbid. */
struct violation {
    gpa_t at;
    uint8_t access;
    uint8_t mode; /* rights of the page */
    gva_t gla;
    bool gla_valid;
    bool table_walk;
    bool hypercall;    /* a copy made for one */
    bool always_async; /* told, but nobody waits */
    uint8_t insn_len;
};

/** Tells the monitor; where nobody listens the page gets its rights back.
 * Returns whether the vCPU may go on with the access at once. */
bool violation_tell(struct vcpu *v, const struct violation *x);
/** A page that waits for its first write, and this is one: it gets its new
 * rights. False: it is none. */
bool violation_convert(struct vcpu *v, const struct violation *x);

/* ---- access_gla.c ------------------------------------------------------ */

/**
 * The linear address behind a memory exit of an instruction, found by looking
 * at it. False if it cannot be told; *len: length of the instruction, if known.
 */
bool rv_must_check access_gla_find(struct vcpu *v, const struct vmexit *exit,
                                   gva_t *gla, uint8_t *len);

/* ---- step.c ------------------------------------------------------------ */

/** Permits an access for one step, which begins if none is under way. */
void monitor_step_permit(struct vcpu *v, gpa_t at, uint8_t access);
/** Does the step under way permit it? */
bool monitor_step_permits(const struct vcpu *v, gfn_t g, uint8_t access);
/** Can the step under way take no page more than it has? */
bool monitor_step_is_full(const struct vcpu *v);
/** The map has more than the step's view of it. */
void monitor_step_refresh(struct vcpu *v);

/* ---- step_insn.c ------------------------------------------------------- */

/** Must `insn` be done by us, because a step would show or lose something? */
bool step_insn_is_special(const struct emul_insn *insn);
/** Does it replace the trap flag? */
bool step_insn_loads_flags(const struct emul_insn *insn);
/** Executes the instruction at RIP in the emulator. False: it cannot; nothing
 * has changed. */
bool rv_must_check step_insn_emulate(struct vcpu *v);
enum step_syscall {
    STEP_SYSCALL_DONE,      /* it was one, and is executed */
    STEP_SYSCALL_OTHER,     /* a defined instruction is there (now) */
    STEP_SYSCALL_UNDEFINED, /* nothing that a processor would execute */
};
/** Executes SYSCALL or SYSRET at RIP, which was made to fault. */
enum step_syscall rv_must_check step_insn_syscall(struct vcpu *v);
