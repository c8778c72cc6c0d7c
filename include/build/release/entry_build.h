/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Release builds: the processor alone judges an entry, and only instructions
 * that the hypervisor executes itself leave a trail.
 */
#pragma once

#include "ravelin/compiler.h"
#include "ravelin/types.h"

struct vcpu;

static inline bool entry_build_check(struct vcpu *v rv_unused)
{
    return true;
}
static inline void entry_build_note(struct vcpu *v rv_unused,
                                    uint8_t reason rv_unused)
{
}
static inline bool entry_build_option(const char *text rv_unused)
{
    return false;
}
