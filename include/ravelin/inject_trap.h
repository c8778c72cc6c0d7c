/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traps that a monitor has put into a vCPU when it next runs.
 *
 * Threat surface: vector, error code and address come from a monitor; they are
 * checked against what the architecture can deliver.
 */
#pragma once

#include "ravelin/domain.h"

struct trap_request {
    uint8_t vector; /* 0 .. 31 */
    bool has_error;
    uint32_t error;
    uint64_t cr2; /* #PF */
};

/**
 * Has `v` take a trap before it executes its next instruction. Its fate is told
 * to the monitor's ring as RAVELIN_REASON_INJECT. Any CPU, no lock held.
 * @return 0; -EINVAL no exception of this number, an error code where there is
 *         none, or none where there is one; -EBUSY one is waiting already;
 *         -ENOMEM.
 */
int rv_must_check trap_inject(struct vcpu *v, const struct trap_request *req);
