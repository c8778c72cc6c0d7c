/* SPDX-License-Identifier: MIT */
/*
 * What the two domains of this test have in common.
 */
#ifndef MON_CR_WATCHED_H
#define MON_CR_WATCHED_H

#include "guest.h"
#include "watch.h"

/* Writes of the action FLOOD; the mark in RBX of REGISTERS. */
#define FLOOD 200u
#define MARK 0x1234

/* What the watched side does; a phase is a serial number and one of these. */
enum action {
    PHASE_NONE,
    PHASE_SELF,
    PHASE_CR0,
    PHASE_FAULTS,
    PHASE_SAME,
    PHASE_FLOOD,
    PHASE_RUN,
    PHASE_ONE,
    PHASE_DENY,
    PHASE_BP_OWN,
    PHASE_BP_ASYNC,
    PHASE_BP_INJECT,
    PHASE_BP_SKIP,
    PHASE_BP_AGAIN,
    PHASE_SOFT_INT,
    PHASE_MSR,
    PHASE_FILTER,
    PHASE_REGISTERS,
    PHASE_COUNT
};

/** Does what the watcher asks for until it says that it is over. */
void watched(void);

#endif
