/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State of a vCPU as a value: collected from one of the public formats,
 * checked against the processor's rules as a whole, and only then loaded. What
 * passes the check can always be entered.
 *
 * Threat surface: every field may come from a guest or a control domain.
 */
#pragma once

#include "public/hvm/hvm_vcpu.h"
#include "public/hvm/save.h"
#include "ravelin/domain.h"

struct vcpu_state {
    uint64_t gpr[REG_COUNT];
    uint64_t rip;
    uint64_t rflags;
    uint64_t creg[CREG_COUNT];
    struct vcpu_segment seg[SEG_COUNT];
};

/** The state after INIT with debug registers, PAT and XCR0 as at reset. */
void vcpu_state_init(struct vcpu_state *s);
/**
 * Would the processor accept `s` in a vCPU of `d`?
 * @return 0; -EINVAL.
 * Ref: AMD APM Vol 2 15.5.1 "Canonicalization and Consistency Checks";
 *      Intel SDM Vol 3C "Checks on the Guest State Area".
 */
int rv_must_check vcpu_state_check(const struct domain *d,
                                   const struct vcpu_state *s);
/** Loads a checked state; `v` is down or paused and runs nowhere. */
void vcpu_state_load(struct vcpu *v, const struct vcpu_state *s);
/** Reads the state of `v`, which is current here, or runs nowhere. */
void vcpu_state_read(const struct vcpu *v, struct vcpu_state *s);

/** VCPUOP_initialise's format. 0; -EINVAL reserved field set, bad mode. */
int rv_must_check vcpu_state_from_context(struct vcpu_state *s,
                                          const struct vcpu_hvm_context *ctx);

/** The CPU record of the save format; the reserved fields are ignored, as in
 * files written elsewhere. Vector registers are separate. */
void vcpu_state_from_record(struct vcpu_state *s, const struct hvm_hw_cpu *rec);
void vcpu_state_to_record(const struct vcpu_state *s, struct hvm_hw_cpu *rec);
