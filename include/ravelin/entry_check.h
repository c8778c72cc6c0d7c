/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries that the processor refuses or would refuse: the domain ends, and the
 * log says which rule of the manual its state breaks.
 */
#pragma once

#include "ravelin/types.h"

struct vcpu;

/** After a refused entry of `v`: explains it and crashes the domain. */
void entry_refused(struct vcpu *v);

/**
 * Debug builds, before an entry: tries the rules on the state of `v`.
 * @return false with the domain crashed if one is broken.
 */
bool entry_is_sound(struct vcpu *v);

/**
 * Debug builds: sets what is to be broken from the command line, as
 * `off` (no check before entries), `DOMAIN:FAULT`, which spoils the state of
 * that domain's first vCPU once, at its entry number ENTRY_BREAK_AFTER, or
 * `off,DOMAIN:FAULT`.
 * @return false if the text is neither.
 */
bool entry_check_option(const char *text);

#define ENTRY_BREAK_AFTER 100u
