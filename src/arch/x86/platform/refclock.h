/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free-running counters of known frequency, to measure the TSC against.
 */
#pragma once

#include "ravelin/types.h"

struct refclock {
    const char *name;
    uint64_t hz;
    uint32_t mask; /* the counter wraps at this */
    uint32_t (*read)(void);
};

/**
 * The `index`-th reference clock of this machine, best first, made ready.
 *
 * @return false if there are no more.
 */
bool refclock_get(unsigned index, struct refclock *out);
