/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What reading or writing each kind of MSR does. Values that go into the
 * vCPU's hardware state are checked here so far that loading them can neither
 * fault the host nor break VM entry.
 *
 * Threat surface: 64-bit values of the guest.
 */
#include "arch/backend.h"
#include "arch/host.h"
#include "ravelin/cpuid_policy.h"
#include "ravelin/errno.h"
#include "ravelin/guest_copy.h"
#include "ravelin/hypercall.h"
#include "ravelin/time_info.h"
#include "ravelin/vlapic.h"

#include "msr_private.h"
#include "vlapic_private.h"

#define EFER_LME (1UL << 8)
#define EFER_LMA (1UL << 10)
#define EFER_NXE (1UL << 11)
#define CR0_PG (1UL << 31)

#define MISC_ENABLE_FAST_STRINGS (1UL << 0)
#define MISC_ENABLE_BTS_UNAVAILABLE (1UL << 11)
#define MISC_ENABLE_PEBS_UNAVAILABLE (1UL << 12)
#define MISC_ENABLE_FIXED \
    (MISC_ENABLE_BTS_UNAVAILABLE | MISC_ENABLE_PEBS_UNAVAILABLE)

struct msr_state *msr_state_of(const struct vcpu *v)
{
    return &v->vlapic->msr;
}

/* ---- Constants ---- */

int msr_const_read(struct vcpu *v rv_unused, const struct msr_rule *rule,
                   uint32_t index rv_unused, uint64_t *value)
{
    *value = rule->arg;
    return 0;
}

int msr_ignore_write(struct vcpu *v rv_unused,
                     const struct msr_rule *rule rv_unused,
                     uint32_t index rv_unused, uint64_t value rv_unused)
{
    return 0;
}

int msr_same_write(struct vcpu *v rv_unused, const struct msr_rule *rule,
                   uint32_t index rv_unused, uint64_t value)
{
    return value == rule->arg ? 0 : -RV_EINVAL;
}

int msr_microcode_read(struct vcpu *v rv_unused,
                       const struct msr_rule *rule rv_unused,
                       uint32_t index rv_unused, uint64_t *value)
{
    uint64_t revision = cpuid_host_microcode();

    /* Intel keeps it in the upper half. */
    *value = cpuid_policy_vendor(v->domain) == CPUID_VENDOR_INTEL
                 ? revision << 32
                 : revision;
    return 0;
}

/* Ratio of the TSC to 100 MHz; no turbo, no faulting. */
int msr_platform_info_read(struct vcpu *v rv_unused,
                           const struct msr_rule *rule rv_unused,
                           uint32_t index rv_unused, uint64_t *value)
{
    *value = (uint64_t)(arch_tsc_khz() / 100000u & 0xffu) << 8;
    return 0;
}

int msr_misc_enable_read(struct vcpu *v, const struct msr_rule *rule rv_unused,
                         uint32_t index rv_unused, uint64_t *value)
{
    *value = msr_state_of(v)->misc_enable | MISC_ENABLE_FIXED;
    return 0;
}

/* Only fast strings can be switched; what is fixed may be written back. */
int msr_misc_enable_write(struct vcpu *v, const struct msr_rule *rule rv_unused,
                          uint32_t index rv_unused, uint64_t value)
{
    if ((value & ~(MISC_ENABLE_FIXED | MISC_ENABLE_FAST_STRINGS)) != 0) {
        return -RV_EINVAL;
    }
    msr_state_of(v)->misc_enable = value & MISC_ENABLE_FAST_STRINGS;
    return 0;
}

/* ---- State the backend holds ---- */

static bool address_is_canonical(uint64_t a)
{
    return (uint64_t)((int64_t)(a << 16) >> 16) == a;
}

int msr_creg_read(struct vcpu *v, const struct msr_rule *rule,
                  uint32_t index rv_unused, uint64_t *value)
{
    *value = hv->creg_get(v, (enum vcpu_creg)rule->arg);
    return 0;
}

int msr_creg_write(struct vcpu *v, const struct msr_rule *rule,
                   uint32_t index rv_unused, uint64_t value)
{
    hv->creg_set(v, (enum vcpu_creg)rule->arg, value);
    return 0;
}

int msr_creg32_write(struct vcpu *v, const struct msr_rule *rule,
                     uint32_t index, uint64_t value)
{
    if (value >> 32 != 0) {
        return -RV_EINVAL;
    }
    return msr_creg_write(v, rule, index, value);
}

int msr_creg_address_write(struct vcpu *v, const struct msr_rule *rule,
                           uint32_t index, uint64_t value)
{
    if (!address_is_canonical(value)) {
        return -RV_EINVAL;
    }
    return msr_creg_write(v, rule, index, value);
}

int msr_pat_write(struct vcpu *v, const struct msr_rule *rule, uint32_t index,
                  uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned type = value >> (8 * i) & 0xffu;

        /* UC, WC, WT, WP, WB, UC- */
        if (type > 7 || (0xf3u >> type & 1u) == 0) {
            return -RV_EINVAL;
        }
    }
    return msr_creg_write(v, rule, index, value);
}

int msr_efer_write(struct vcpu *v, const struct msr_rule *rule rv_unused,
                   uint32_t index rv_unused, uint64_t value)
{
    uint64_t old = hv->creg_get(v, CREG_EFER);

    value = (value & ~EFER_LMA) | (old & EFER_LMA);
    if ((value & ~(cpuid_policy_efer_mask(v->domain) | EFER_LMA)) != 0) {
        return -RV_EINVAL;
    }
    if (((value ^ old) & EFER_LME) != 0 &&
        (hv->creg_get(v, CREG_CR0) & CR0_PG) != 0) {
        return -RV_EINVAL;
    }
    if (value == old) {
        return 0;
    }
    hv->creg_set(v, CREG_EFER, value);
    if (((value ^ old) & EFER_NXE) != 0) {
        walk_cache_flush(v); /* bit 63 of the entries changed its meaning */
    }
    return 0;
}

int msr_segment_read(struct vcpu *v, const struct msr_rule *rule,
                     uint32_t index rv_unused, uint64_t *value)
{
    struct vcpu_segment s;

    hv->segment_get(v, (enum seg_index)rule->arg, &s);
    *value = s.base;
    return 0;
}

int msr_segment_write(struct vcpu *v, const struct msr_rule *rule,
                      uint32_t index rv_unused, uint64_t value)
{
    struct vcpu_segment s;

    if (!address_is_canonical(value)) {
        return -RV_EINVAL;
    }
    hv->segment_get(v, (enum seg_index)rule->arg, &s);
    s.base = value;
    hv->segment_set(v, (enum seg_index)rule->arg, &s);
    return 0;
}

/* ---- Time ---- */

uint64_t msr_tsc_offset(const struct vcpu *v)
{
    return v->domain->tsc_offset + msr_state_of(v)->tsc_adjust;
}

static void tsc_adjust_set(struct vcpu *v, uint64_t adjust)
{
    msr_state_of(v)->tsc_adjust = adjust;
    hv->tsc_offset_set(v, msr_tsc_offset(v));
    vlapic_tsc_changed(v);
}

int msr_tsc_read(struct vcpu *v, const struct msr_rule *rule rv_unused,
                 uint32_t index rv_unused, uint64_t *value)
{
    *value = arch_tsc_read() + msr_tsc_offset(v);
    return 0;
}

/* Writing the TSC moves IA32_TSC_ADJUST by the same amount. */
int msr_tsc_write(struct vcpu *v, const struct msr_rule *rule rv_unused,
                  uint32_t index rv_unused, uint64_t value)
{
    tsc_adjust_set(v, value - arch_tsc_read() - v->domain->tsc_offset);
    return 0;
}

int msr_tsc_adjust_read(struct vcpu *v, const struct msr_rule *rule rv_unused,
                        uint32_t index rv_unused, uint64_t *value)
{
    *value = msr_state_of(v)->tsc_adjust;
    return 0;
}

int msr_tsc_adjust_write(struct vcpu *v, const struct msr_rule *rule rv_unused,
                         uint32_t index rv_unused, uint64_t value)
{
    tsc_adjust_set(v, value);
    return 0;
}

/* ---- Others' registers ---- */

int msr_vlapic_read(struct vcpu *v, const struct msr_rule *rule rv_unused,
                    uint32_t index, uint64_t *value)
{
    return vlapic_msr_read(v, index, value);
}

int msr_vlapic_write(struct vcpu *v, const struct msr_rule *rule rv_unused,
                     uint32_t index, uint64_t value)
{
    return vlapic_msr_write(v, index, value);
}

/* Bits 0-11: which of the pages; there is one. */
int msr_hypercall_page_write(struct vcpu *v,
                             const struct msr_rule *rule rv_unused,
                             uint32_t index rv_unused, uint64_t value)
{
    gfn_t at = gpa_to_gfn(gpa(value));

    if ((value & ~PAGE_MASK) != 0) {
        return -RV_EINVAL;
    }
    /* No way round what a monitor forbids. */
    if ((p2m_lookup(&v->domain->p2m, at).access & ACCESS_WRITE) == 0 ||
        hypercall_page_write(v->domain, at) != 0) {
        return -RV_EINVAL;
    }
    domain_abi_latch(v->domain, hv->code_bits_get(v) != 64);
    return 0;
}
