/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of MSRs a guest has, sorted by index, and the lookup in it. What
 * the backend lets the guest touch without an exit (system call registers, FS
 * and GS base) is here as well, for emulated accesses and for backends that
 * intercept it.
 *
 * Threat surface: index and value of RDMSR and WRMSR. Everything not listed is
 * #GP, performance counters and machine-check banks among it.
 * Ref: Intel SDM Vol 4; AMD APM Vol 2 appendix A "MSR Cross-Reference".
 */
#include "ravelin/msr_policy.h"

#include "ravelin/cpuid_policy.h"
#include "ravelin/errno.h"

#include "msr_private.h"

/* clang-format off */
static const struct msr_rule rules[] = {
    {0x00000000, 0x00000001, msr_const_read, msr_ignore_write, 0,
     "P5_MC_ADDR_TYPE", MSR_ALL},
    {0x00000010, 0x00000010, msr_tsc_read, msr_tsc_write, 0, "TSC", MSR_ALL},
    {0x00000017, 0x00000017, msr_const_read, NULL, 0, "PLATFORM_ID",
     MSR_INTEL},
    {0x0000001b, 0x0000001b, msr_vlapic_read, msr_vlapic_write, 0,
     "APIC_BASE", MSR_ALL},
    {0x0000003a, 0x0000003a, msr_const_read, NULL, 1, "FEATURE_CONTROL",
     MSR_INTEL}, /* locked, nothing enabled */
    {0x0000003b, 0x0000003b, msr_tsc_adjust_read, msr_tsc_adjust_write, 0,
     "TSC_ADJUST", MSR_ALL},
    {0x00000079, 0x00000079, NULL, msr_ignore_write, 0, "UCODE_WRITE",
     MSR_INTEL},
    {0x0000008b, 0x0000008b, msr_microcode_read, msr_ignore_write, 0,
     "UCODE_REV", MSR_ALL},
    {0x000000ce, 0x000000ce, msr_platform_info_read, NULL, 0, "PLATFORM_INFO",
     MSR_INTEL},
    {0x000000fe, 0x000000fe, msr_const_read, NULL, MSR_MTRR_CAP_VALUE,
     "MTRR_CAP", MSR_ALL},
    {0x00000174, 0x00000174, msr_creg_read, msr_creg32_write,
     CREG_SYSENTER_CS, "SYSENTER_CS", MSR_ALL},
    {0x00000175, 0x00000175, msr_creg_read, msr_creg_address_write,
     CREG_SYSENTER_ESP, "SYSENTER_ESP", MSR_ALL},
    {0x00000176, 0x00000176, msr_creg_read, msr_creg_address_write,
     CREG_SYSENTER_EIP, "SYSENTER_EIP", MSR_ALL},
    {0x00000179, 0x00000179, msr_const_read, NULL, 0, "MCG_CAP", MSR_ALL},
    {0x0000017a, 0x0000017a, msr_const_read, msr_same_write, 0, "MCG_STATUS",
     MSR_ALL},
    {0x000001a0, 0x000001a0, msr_misc_enable_read, msr_misc_enable_write, 0,
     "MISC_ENABLE", MSR_INTEL},
    {0x000001d9, 0x000001d9, msr_const_read, msr_same_write, 0, "DEBUGCTL",
     MSR_ALL},
    {0x000001db, 0x000001de, msr_const_read, NULL, 0, "LAST_BRANCH", MSR_ALL},
    {0x00000200, 0x0000020f, mtrr_read, mtrr_write, 0, "MTRR_PHYS", MSR_ALL},
    {0x00000250, 0x00000250, mtrr_read, mtrr_write, 0, "MTRR_FIX64K",
     MSR_ALL},
    {0x00000258, 0x00000259, mtrr_read, mtrr_write, 0, "MTRR_FIX16K",
     MSR_ALL},
    {0x00000268, 0x0000026f, mtrr_read, mtrr_write, 0, "MTRR_FIX4K", MSR_ALL},
    {0x00000277, 0x00000277, msr_creg_read, msr_pat_write, CREG_PAT, "PAT",
     MSR_ALL},
    {0x000002ff, 0x000002ff, mtrr_read, mtrr_write, 0, "MTRR_DEF_TYPE",
     MSR_ALL},
    {0x000006e0, 0x000006e0, msr_vlapic_read, msr_vlapic_write, 0,
     "TSC_DEADLINE", MSR_ALL},
    {0x00000800, 0x00000bff, msr_vlapic_read, msr_vlapic_write, 0, "X2APIC",
     MSR_ALL},
    {0x40000000, 0x40000000, msr_const_read, msr_hypercall_page_write, 0,
     "HYPERCALL_PAGE", MSR_ALL},
    {0xc0000080, 0xc0000080, msr_creg_read, msr_efer_write, CREG_EFER, "EFER",
     MSR_ALL},
    {0xc0000081, 0xc0000081, msr_creg_read, msr_creg_write, CREG_STAR, "STAR",
     MSR_ALL},
    {0xc0000082, 0xc0000082, msr_creg_read, msr_creg_address_write,
     CREG_LSTAR, "LSTAR", MSR_ALL},
    {0xc0000083, 0xc0000083, msr_creg_read, msr_creg_address_write,
     CREG_CSTAR, "CSTAR", MSR_ALL},
    {0xc0000084, 0xc0000084, msr_creg_read, msr_creg32_write, CREG_SFMASK,
     "SFMASK", MSR_ALL},
    {0xc0000100, 0xc0000100, msr_segment_read, msr_segment_write, SEG_FS,
     "FS_BASE", MSR_ALL},
    {0xc0000101, 0xc0000101, msr_segment_read, msr_segment_write, SEG_GS,
     "GS_BASE", MSR_ALL},
    {0xc0000102, 0xc0000102, msr_creg_read, msr_creg_address_write,
     CREG_KERNEL_GS_BASE, "KERNEL_GS_BASE", MSR_ALL},
    {0xc0000103, 0xc0000103, msr_creg_read, msr_creg32_write, CREG_TSC_AUX,
     "TSC_AUX", MSR_ALL},
    {0xc0010010, 0xc0010010, msr_const_read, msr_same_write, 0, "SYSCFG",
     MSR_AMD},
    {0xc0010015, 0xc0010015, msr_const_read, msr_ignore_write, 1UL << 24,
     "HWCR", MSR_AMD}, /* the TSC counts at the P0 frequency */
    {0xc001001a, 0xc001001a, msr_const_read, msr_same_write, 0, "TOP_MEM",
     MSR_AMD},
    {0xc001001d, 0xc001001d, msr_const_read, msr_same_write, 0, "TOP_MEM2",
     MSR_AMD},
    {0xc001001f, 0xc001001f, msr_const_read, msr_ignore_write, 0, "NB_CFG",
     MSR_AMD},
    {0xc0010020, 0xc0010020, NULL, msr_ignore_write, 0, "PATCH_LOADER",
     MSR_AMD},
    {0xc0010055, 0xc0010055, msr_const_read, msr_ignore_write, 0,
     "INT_PENDING", MSR_AMD},
    {0xc0010058, 0xc0010058, msr_const_read, msr_same_write, 0,
     "MMIO_CFG_BASE", MSR_AMD},
    {0xc0010061, 0xc0010061, msr_const_read, NULL, 0, "PSTATE_LIMIT",
     MSR_AMD},
    {0xc0010062, 0xc0010062, msr_const_read, msr_ignore_write, 0,
     "PSTATE_CTRL", MSR_AMD},
    {0xc0010063, 0xc0010063, msr_const_read, NULL, 0, "PSTATE_STATUS",
     MSR_AMD},
    {0xc0010064, 0xc001006b, msr_const_read, NULL, 0, "PSTATE", MSR_AMD},
    {0xc0010114, 0xc0010114, msr_const_read, msr_ignore_write, 0x18, "VM_CR",
     MSR_AMD}, /* SVM disabled and locked */
    {0xc0011020, 0xc0011020, msr_const_read, msr_ignore_write, 0, "LS_CFG",
     MSR_AMD},
    {0xc0011021, 0xc0011021, msr_const_read, msr_ignore_write, 0, "IC_CFG",
     MSR_AMD},
    {0xc0011022, 0xc0011022, msr_const_read, msr_ignore_write, 0, "DC_CFG",
     MSR_AMD},
    {0xc0011023, 0xc0011023, msr_const_read, msr_ignore_write, 0, "TW_CFG",
     MSR_AMD},
    {0xc0011029, 0xc0011029, msr_const_read, msr_ignore_write, 2, "DE_CFG",
     MSR_AMD}, /* LFENCE is serialising */
    {0xc001102a, 0xc001102a, msr_const_read, msr_ignore_write, 0, "BU_CFG2",
     MSR_AMD},
};
/* clang-format on */

/* The x2APIC range, hot because of EOI and ICR, is found without a search. */
static const struct msr_rule x2apic_rule = {
    0x800, 0xbff, msr_vlapic_read, msr_vlapic_write, 0, "X2APIC", MSR_ALL};

static const struct msr_rule *rule_search(uint32_t index)
{
    unsigned low = 0;
    unsigned high = ARRAY_SIZE(rules);

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (index > rules[middle].last) {
            low = middle + 1;
        } else if (index < rules[middle].first) {
            high = middle;
        } else {
            return &rules[middle];
        }
    }
    return NULL;
}

static const struct msr_rule *rule_find(const struct vcpu *v, uint32_t index)
{
    const struct msr_rule *rule;

    if (index >> 10 == 0x800u >> 10) {
        return &x2apic_rule;
    }
    rule = rule_search(index);
    if (rule == NULL || rule->vendor == MSR_ALL) {
        return rule;
    }
    if (cpuid_policy_vendor(v->domain) !=
        (rule->vendor == MSR_AMD ? CPUID_VENDOR_AMD : CPUID_VENDOR_INTEL)) {
        return NULL;
    }
    return rule;
}

int msr_policy_read(struct vcpu *v, uint32_t index, uint64_t *value)
{
    const struct msr_rule *rule = rule_find(v, index);

    if (rule == NULL || rule->read == NULL) {
        return -RV_EINVAL;
    }
    return rule->read(v, rule, index, value);
}

int msr_policy_write(struct vcpu *v, uint32_t index, uint64_t value)
{
    const struct msr_rule *rule = rule_find(v, index);

    if (rule == NULL || rule->write == NULL) {
        return -RV_EINVAL;
    }
    return rule->write(v, rule, index, value);
}

const char *msr_policy_name(uint32_t index)
{
    const struct msr_rule *rule = rule_search(index);

    return rule != NULL ? rule->name : NULL;
}
