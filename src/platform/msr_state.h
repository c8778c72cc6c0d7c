/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs of one vCPU that exist only as numbers: memory types, which nested
 * paging overrides, and the guest's own shift of its TSC.
 */
#pragma once

#include "ravelin/types.h"

#define MTRR_VARIABLE_COUNT 8u
#define MTRR_FIXED_COUNT 11u

struct msr_state {
    uint64_t tsc_adjust; /* IA32_TSC_ADJUST, two's complement */
    uint64_t misc_enable;
    uint64_t mtrr_def_type;
    uint64_t mtrr_variable[MTRR_VARIABLE_COUNT * 2]; /* base, mask, ... */
    uint64_t mtrr_fixed[MTRR_FIXED_COUNT];
};

/** Power-up values. */
void msr_state_reset(struct msr_state *s);
