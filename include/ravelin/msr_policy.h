/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest may read and write by RDMSR and WRMSR: one table of index
 * ranges with a handler each. What is not in the table does not exist (#GP).
 *
 * Threat surface: index and value are the guest's. No handler passes a value
 * on to a physical MSR.
 */
#pragma once

#include "ravelin/domain.h"

/**
 * @param v  current on this CPU, or down.
 * @return 0 with *value; -EINVAL: #GP(0).
 */
int rv_must_check msr_policy_read(struct vcpu *v, uint32_t index,
                                  uint64_t *value);
/** @return 0; -EINVAL: #GP(0), nothing has changed. */
int rv_must_check msr_policy_write(struct vcpu *v, uint32_t index,
                                   uint64_t value);

/** Guest TSC = host TSC + this (the domain's offset plus what the guest added
 * by IA32_TSC_ADJUST or by writing its TSC). */
uint64_t msr_tsc_offset(const struct vcpu *v);

/** Names an MSR of the table for dumps; NULL if it is not in it. */
const char *msr_policy_name(uint32_t index);
