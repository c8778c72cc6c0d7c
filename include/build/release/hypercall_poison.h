/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Release builds: argument registers keep their values. The debug twin in
 * ../debug overwrites them.
 */
#pragma once

#include "arch/backend.h"
#include "ravelin/compiler.h"

static inline void hypercall_poison(struct vcpu_regs *regs rv_unused,
                                    const uint8_t reg[5] rv_unused,
                                    unsigned count rv_unused,
                                    bool is_32bit rv_unused)
{
}
