/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last instructions that the hypervisor saw of a vCPU, for crash dumps:
 * those it executed itself, and in debug builds every one that exited.
 *
 * Threat surface: addresses are the guest's; they are printed, and the bytes
 * there are read through guest_copy at the time of the dump.
 */
#pragma once

#include "ravelin/types.h"

struct vcpu;

#define TRAIL_LENGTH 16u

/* What a trail entry is about: an exit (enum vmexit_reason) or this. */
#define TRAIL_EMULATED 0xffu

struct trail_entry {
    uint64_t rip;
    uint64_t linear; /* of the same instruction */
    uint32_t repeats;
    uint8_t kind;
};

struct trail {
    struct trail_entry entry[TRAIL_LENGTH];
    uint32_t next;  /* place of the next entry */
    uint32_t count; /* valid entries, up to TRAIL_LENGTH */
};

/** Notes the instruction at RIP of `v`; an equal one before it is counted. Runs
 * on the CPU of `v`, takes no lock. */
void trail_note(struct vcpu *v, uint8_t kind);

/** Prints the trail of `v`, oldest first, with the bytes that stand there now.
 * `v` is on this CPU or runs nowhere. */
void trail_dump(struct vcpu *v);
