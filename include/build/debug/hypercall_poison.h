/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug builds: the argument registers of a finished hypercall are overwritten,
 * so that a guest which relies on them is found early. The ABI says that they
 * are clobbered.
 */
#pragma once

#include "arch/backend.h"

#define HYPERCALL_POISON_64 0xdeadbeefdeadf00dULL
#define HYPERCALL_POISON_32 0xdeadf00dULL

static inline void hypercall_poison(struct vcpu_regs *regs,
                                    const uint8_t reg[5], unsigned count,
                                    bool is_32bit)
{
    for (unsigned i = 0; i < count; i++) {
        regs->gpr[reg[i]] =
            is_32bit ? HYPERCALL_POISON_32 : HYPERCALL_POISON_64;
    }
}
