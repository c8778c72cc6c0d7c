/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: one table (src/hypercall/table.def) names every operation, its
 * argument, the permission it needs and the errors it can return. Decode
 * functions read each guest byte once, validate and change nothing; invoke
 * functions act on their snapshot.
 *
 * Threat surface: numbers, arguments and everything they point to.
 */
#pragma once

#include "ravelin/domain.h"

/* The PERM column of the table. */
enum hypercall_perm {
    PERM_ANY,      /* every domain, on itself */
    PERM_CONTROL,  /* control domains */
    PERM_HARDWARE, /* the hardware domain */
    PERM_TARGET,   /* every domain on itself, control domains on others */
    PERM_MONITOR,  /* control domains and the target's monitor, on others */
};

struct hypercall_args {
    uint64_t arg[5];
    uint8_t perm;  /* enum hypercall_perm of the operation served */
    bool is_32bit; /* guest structures have the 32-bit layout */
};

/**
 * Serves one operation for `v`, this CPU's current vCPU.
 * @return the guest's result: 0 or positive, or a negative errno; or
 *         -ERESTART after the progress was put into `a->arg`: the call will be
 *         entered again with these arguments.
 */
typedef long (*hypercall_fn)(struct vcpu *v, struct hypercall_args *a);

/**
 * Runs the hypercall in v->regs: number in RAX, result to RAX, RIP advanced
 * unless the call is to be continued. -EPERM from user or real mode; -ENOSYS
 * for numbers and sub-operations that are not in the table; -EPERM when the
 * table asks for a role the caller lacks.
 */
void hypercall_dispatch(struct vcpu *v, const struct vmexit *exit);

/** Fills the guest's hypercall page: 128 stubs of 32 bytes. 0; -EFAULT no RAM
 * frame of the domain at `g`. */
int rv_must_check hypercall_page_write(struct domain *d, gfn_t g);

/** Prints the table with permissions, one operation a line. */
void hypercall_table_print(void (*line)(void *ctx, const char *text),
                           void *ctx);
/** Name of a hypercall, for dumps; NULL if there is none. */
const char *hypercall_name(uint64_t number);

/** What XENVER_commandline tells control domains; kept by reference. */
void hypercall_commandline_set(const char *cmdline);
