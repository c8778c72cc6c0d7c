/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows and handlers of the MSR table. A handler gets its row, so that one
 * function serves many registers that differ in a number only.
 */
#pragma once

#include "ravelin/msr_policy.h"

#include "msr_state.h"

struct msr_rule;

/* 0, or -EINVAL for #GP(0). */
typedef int (*msr_read_fn)(struct vcpu *v, const struct msr_rule *rule,
                           uint32_t index, uint64_t *value);
typedef int (*msr_write_fn)(struct vcpu *v, const struct msr_rule *rule,
                            uint32_t index, uint64_t value);

/* Whose processors have it. */
enum msr_vendor { MSR_ALL, MSR_INTEL, MSR_AMD };

/* One range of indexes; NULL handlers: that direction is #GP. */
struct msr_rule {
    uint32_t first;
    uint32_t last;
    msr_read_fn read;
    msr_write_fn write;
    uint64_t arg; /* the handler's: a constant, a creg, a mask */
    const char *name;
    uint8_t vendor; /* enum msr_vendor */
};

struct msr_state *msr_state_of(const struct vcpu *v);

int msr_const_read(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
                   uint64_t *value);
/** Accepts and drops any value: the register has no effect on this machine. */
int msr_ignore_write(struct vcpu *v, const struct msr_rule *rule,
                     uint32_t index, uint64_t value);
/** Accepts what the register reads (arg), refuses everything else. */
int msr_same_write(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
                   uint64_t value);
/** arg = enum vcpu_creg. */
int msr_creg_read(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
                  uint64_t *value);
int msr_creg_write(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
                   uint64_t value);
/** The same, 32 bits wide. */
int msr_creg32_write(struct vcpu *v, const struct msr_rule *rule,
                     uint32_t index, uint64_t value);
/** The same, for registers that hold a linear address. */
int msr_creg_address_write(struct vcpu *v, const struct msr_rule *rule,
                           uint32_t index, uint64_t value);
int msr_pat_write(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
                  uint64_t value);
int msr_efer_write(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
                   uint64_t value);
/** Bases of FS and GS; arg = enum seg_index. */
int msr_segment_read(struct vcpu *v, const struct msr_rule *rule,
                     uint32_t index, uint64_t *value);
int msr_segment_write(struct vcpu *v, const struct msr_rule *rule,
                      uint32_t index, uint64_t value);
int msr_vlapic_read(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
                    uint64_t *value);
int msr_vlapic_write(struct vcpu *v, const struct msr_rule *rule,
                     uint32_t index, uint64_t value);
int msr_tsc_read(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
                 uint64_t *value);
int msr_tsc_write(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
                  uint64_t value);
int msr_tsc_adjust_read(struct vcpu *v, const struct msr_rule *rule,
                        uint32_t index, uint64_t *value);
int msr_tsc_adjust_write(struct vcpu *v, const struct msr_rule *rule,
                         uint32_t index, uint64_t value);
int msr_misc_enable_read(struct vcpu *v, const struct msr_rule *rule,
                         uint32_t index, uint64_t *value);
int msr_misc_enable_write(struct vcpu *v, const struct msr_rule *rule,
                          uint32_t index, uint64_t value);
int msr_microcode_read(struct vcpu *v, const struct msr_rule *rule,
                       uint32_t index, uint64_t *value);
int msr_platform_info_read(struct vcpu *v, const struct msr_rule *rule,
                           uint32_t index, uint64_t *value);
int msr_hypercall_page_write(struct vcpu *v, const struct msr_rule *rule,
                             uint32_t index, uint64_t value);

/* msr_mtrr.c */
int mtrr_read(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
              uint64_t *value);
int mtrr_write(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
               uint64_t value);
#define MSR_MTRR_CAP_VALUE (MTRR_VARIABLE_COUNT | 1u << 8 | 1u << 10)
