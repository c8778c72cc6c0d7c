/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking for one rule among the findings of a check.
 */
#pragma once

#include <string.h>

#include "ravelin/explain.h"

/** For explain_check(): `ctx` is the address of the name that is looked for,
 * which becomes NULL when it is found. */
static inline void finding_find(void *ctx, const struct explain_finding *f)
{
    const char **want = ctx;

    if (*want && strcmp(*want, f->rule->id) == 0) {
        *want = NULL;
    }
}
