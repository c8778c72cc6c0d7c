/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug builds: every entry is checked against the manual's rules beforehand,
 * every exit is noted in the vCPU's trail. The release twin does neither.
 */
#pragma once

#include "ravelin/entry_check.h"
#include "ravelin/trail.h"

static inline bool entry_build_check(struct vcpu *v)
{
    return entry_is_sound(v);
}
static inline void entry_build_note(struct vcpu *v, uint8_t reason)
{
    trail_note(v, reason);
}
static inline bool entry_build_option(const char *text)
{
    return entry_check_option(text);
}
