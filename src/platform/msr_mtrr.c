/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory type range registers: kept and checked as the processor would, but
 * without effect, because RAM of a domain is write-back in the nested tables
 * and the guest's PAT alone may weaken that. Guests want to find them in the
 * state firmware leaves: enabled, everything write-back.
 *
 * Threat surface: values of the guest; nothing is derived from them.
 * Ref: Intel SDM Vol 3 "Memory Type Range Registers (MTRRs)"; AMD APM Vol 2
 *      7.7.
 */
#include "ravelin/cpuid_policy.h"
#include "ravelin/errno.h"
#include "ravelin/string.h"

#include "msr_private.h"

#define MTRR_PHYS_FIRST 0x200u
#define MTRR_DEF_TYPE 0x2ffu
#define MTRR_DEF_TYPE_FIXED (1UL << 10)
#define MTRR_DEF_TYPE_ENABLE (1UL << 11)
#define MTRR_MASK_VALID (1UL << 11)
#define MEMORY_TYPE_WB 6u

void msr_state_reset(struct msr_state *s)
{
    memset(s, 0, sizeof(*s));
    s->mtrr_def_type =
        MTRR_DEF_TYPE_ENABLE | MTRR_DEF_TYPE_FIXED | MEMORY_TYPE_WB;
    memset(s->mtrr_fixed, MEMORY_TYPE_WB, sizeof(s->mtrr_fixed));
}

/* UC, WC, WT, WP, WB. */
static bool type_is_valid(unsigned type)
{
    return type < 8 && (0x73u >> type & 1u) != 0;
}

/* 0x250 -> 0; 0x258, 0x259 -> 1, 2; 0x268 .. 0x26f -> 3 .. 10. */
static unsigned fixed_slot(uint32_t index)
{
    if (index == 0x250u) {
        return 0;
    }
    return index < 0x268u ? index - 0x258u + 1 : index - 0x268u + 3;
}

static uint64_t *mtrr_slot(struct vcpu *v, uint32_t index)
{
    struct msr_state *s = msr_state_of(v);

    if (index == MTRR_DEF_TYPE) {
        return &s->mtrr_def_type;
    }
    if (index - MTRR_PHYS_FIRST < MTRR_VARIABLE_COUNT * 2) {
        return &s->mtrr_variable[index - MTRR_PHYS_FIRST];
    }
    return &s->mtrr_fixed[fixed_slot(index)];
}

int mtrr_read(struct vcpu *v, const struct msr_rule *rule rv_unused,
              uint32_t index, uint64_t *value)
{
    *value = *mtrr_slot(v, index);
    return 0;
}

static bool fixed_is_valid(uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        if (!type_is_valid(value >> (8 * i) & 0xffu)) {
            return false;
        }
    }
    return true;
}

static bool variable_is_valid(const struct vcpu *v, uint32_t index,
                              uint64_t value)
{
    uint64_t frames =
        ((1UL << cpuid_policy_phys_bits(v->domain)) - 1) & PAGE_MASK;

    if ((index & 1u) != 0) {
        return (value & ~(frames | MTRR_MASK_VALID)) == 0;
    }
    return (value & ~(frames | 0xffu)) == 0 && type_is_valid(value & 0xffu);
}

static bool def_type_is_valid(uint64_t value)
{
    return (value & ~(MTRR_DEF_TYPE_ENABLE | MTRR_DEF_TYPE_FIXED | 0xffu)) ==
               0 &&
           type_is_valid(value & 0xffu);
}

int mtrr_write(struct vcpu *v, const struct msr_rule *rule rv_unused,
               uint32_t index, uint64_t value)
{
    bool valid;

    if (index == MTRR_DEF_TYPE) {
        valid = def_type_is_valid(value);
    } else if (index - MTRR_PHYS_FIRST < MTRR_VARIABLE_COUNT * 2) {
        valid = variable_is_valid(v, index, value);
    } else {
        valid = fixed_is_valid(value);
    }
    if (!valid) {
        return -RV_EINVAL;
    }
    *mtrr_slot(v, index) = value;
    return 0;
}
