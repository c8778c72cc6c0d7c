/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM entry: activity, interruptibility, pending debug exceptions, PDPTEs.
 *
 * Ref: Intel SDM Vol 3C, "VM Entries", "Checks on Guest Non-Register State" and
 *      "Checks on Guest Page-Directory-Pointer-Table Entries".
 */

#include "vmx.h"

#define STATE VM_ENTRIES("3.1.5", "Checks on Guest Non-Register State")
#define PDPTES                                                          \
    VM_ENTRIES("3.1.6", "Checks on Guest Page-Directory-Pointer-Table " \
                        "Entries")

#define ACTIVITY_HLT 1u
#define ACTIVITY_MAX 3u
#define DEBUGCTL_BTF 2u
#define PENDING_BS (1UL << 14)
#define PENDING_MBZ (~0UL << 17 | 1UL << 15 | 1UL << 13 | 0xff0UL)
#define PDPTE_P 1u
#define PDPTE_MBZ (~0UL << 52 | 0x1e6UL)

static bool activity_unknown(const struct explain_snapshot *s,
                             unsigned seg rv_unused)
{
    return value(s, XF_ACTIVITY) > ACTIVITY_MAX;
}

static bool halted(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return value(s, XF_ACTIVITY) == ACTIVITY_HLT;
}

static bool blocked(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return value(s, XF_INTERRUPTIBILITY) & BLOCKED_SHADOW;
}

static bool blocked_twice(const struct explain_snapshot *s,
                          unsigned seg rv_unused)
{
    return has(s, XF_INTERRUPTIBILITY, BLOCKED_SHADOW);
}

static bool sti_blocked(const struct explain_snapshot *s,
                        unsigned seg rv_unused)
{
    return has(s, XF_INTERRUPTIBILITY, BLOCKED_BY_STI);
}

static bool interrupt(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return vmx_injects(s, EVENT_EXTINT);
}

static bool nmi(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return vmx_injects(s, EVENT_NMI);
}

static bool virtual_nmi(const struct explain_snapshot *s, unsigned seg)
{
    return nmi(s, seg) && has(s, XF_PIN, PIN_VIRTUAL_NMI);
}

static bool step_pending_matters(const struct explain_snapshot *s, unsigned seg)
{
    return blocked(s, seg) || halted(s, seg);
}

static bool step_pending_wrong(const struct explain_snapshot *s,
                               unsigned seg rv_unused)
{
    bool stepping =
        has(s, XF_RFLAGS, RFLAGS_TF) && !has(s, XF_DEBUGCTL, DEBUGCTL_BTF);

    return stepping != has(s, XF_PENDING_DEBUG, PENDING_BS);
}

static bool pdptes_loaded(const struct explain_snapshot *s,
                          unsigned seg rv_unused)
{
    return has_secondary(s, CPU2_EPT) && has(s, XF_CR0, CR0_PG) &&
           has(s, XF_CR4, CR4_PAE) && !vmx_when_ia32e(s, 0);
}

static bool pdpte_wrong(const struct explain_snapshot *s,
                        unsigned seg rv_unused)
{
    for (unsigned f = XF_PDPTE0; f <= XF_PDPTE3; f++) {
        if (explain_is_known(s, f) && (value(s, f) & PDPTE_P) &&
            (value(s, f) & PDPTE_MBZ)) {
            return true;
        }
    }
    return false;
}

#define SHADOW_CAUSE                                                       \
    "An instruction was emulated, or an event queued, without ending the " \
    "STI or MOV SS shadow."

/* clang-format off */
static const struct explain_rule rules[] = {
    {.id = "VMX-ACTIVITY", .manual = STATE,
     .text = "The activity state must be 0 to 3.",
     .cause = "The field was never initialised.",
     .field = {XF_ACTIVITY}, .test = EXPLAIN_CUSTOM,
     .broken = activity_unknown},
    {.id = "VMX-ACTIVITY-HLT", .manual = STATE,
     .text = "The activity state must not be HLT unless SS has DPL 0.",
     .cause = "The vCPU was woken or moved to user code and still counts as "
              "halted.",
     .when = halted, .segments = SEG(SS), .parts = PART(ATTR),
     .field = {XF_ACTIVITY}, .test = EXPLAIN_CLEAR, .mask = 0x60},
    {.id = "VMX-ACTIVITY-BLOCKED", .manual = STATE,
     .text = "While STI or MOV SS blocks, the activity state must be active.",
     .cause = SHADOW_CAUSE, .when = blocked,
     .field = {XF_ACTIVITY, XF_INTERRUPTIBILITY}, .test = EXPLAIN_CLEAR,
     .mask = 0xffffffff},
    {.id = "VMX-BLOCK-RESERVED", .manual = STATE,
     .text = "Bits 31:5 of the interruptibility state must be 0.",
     .cause = "The field was never initialised.",
     .field = {XF_INTERRUPTIBILITY}, .test = EXPLAIN_CLEAR,
     .mask = 0xffffffe0},
    {.id = "VMX-BLOCK-TWICE", .manual = STATE,
     .text = "Blocking by STI and by MOV SS must not both be 1.",
     .cause = SHADOW_CAUSE, .field = {XF_INTERRUPTIBILITY},
     .test = EXPLAIN_CUSTOM, .broken = blocked_twice},
    {.id = "VMX-BLOCK-STI", .manual = STATE,
     .text = "Blocking by STI needs RFLAGS.IF.",
     .cause = "IF was cleared by an emulated instruction or an event that did "
              "not end the shadow.",
     .when = sti_blocked, .field = {XF_RFLAGS, XF_INTERRUPTIBILITY},
     .test = EXPLAIN_SET, .mask = RFLAGS_IF},
    {.id = "VMX-BLOCK-INTERRUPT", .manual = STATE,
     .text = "While an external interrupt is injected, neither STI nor MOV SS "
             "may block.",
     .cause = SHADOW_CAUSE, .when = interrupt,
     .field = {XF_INTERRUPTIBILITY, XF_ENTRY_INFO}, .test = EXPLAIN_CLEAR,
     .mask = BLOCKED_SHADOW},
    {.id = "VMX-BLOCK-NMI", .manual = STATE,
     .text = "While an NMI is injected, MOV SS must not block.",
     .cause = SHADOW_CAUSE, .when = nmi,
     .field = {XF_INTERRUPTIBILITY, XF_ENTRY_INFO}, .test = EXPLAIN_CLEAR,
     .mask = BLOCKED_BY_MOV_SS},
    {.id = "VMX-BLOCK-VIRTUAL-NMI", .manual = STATE,
     .text = "With virtual NMIs, an NMI must not be injected while NMIs are "
             "blocked.",
     .cause = "A second NMI was injected before the IRET of the first.",
     .when = virtual_nmi, .field = {XF_INTERRUPTIBILITY, XF_ENTRY_INFO, XF_PIN},
     .test = EXPLAIN_CLEAR, .mask = BLOCKED_BY_NMI},
    {.id = "VMX-PENDING-RESERVED", .manual = STATE,
     .text = "Reserved bits of the pending debug exceptions (11:4, 13, 15, "
             "63:17) must be 0.",
     .cause = "DR6 was copied with its fixed ones.",
     .field = {XF_PENDING_DEBUG}, .test = EXPLAIN_CLEAR, .mask = PENDING_MBZ},
    {.id = "VMX-PENDING-STEP", .manual = STATE,
     .text = "While STI or MOV SS blocks or the vCPU is halted, a pending "
             "single step (BS) must agree with RFLAGS.TF and DEBUGCTL.BTF.",
     .cause = "The guest steps through STI or MOV SS and the hypervisor has "
              "entered it again without queueing the step.",
     .when = step_pending_matters,
     .field = {XF_PENDING_DEBUG, XF_RFLAGS, XF_DEBUGCTL, XF_INTERRUPTIBILITY,
               XF_ACTIVITY},
     .test = EXPLAIN_CUSTOM, .broken = step_pending_wrong},
    {.id = "VMX-PDPTE", .manual = PDPTES,
     .text = "With EPT and PAE paging, present PDPTEs must have no reserved "
             "bit.",
     .cause = "PDPTEs were not reloaded after a write to CR3, or the guest's "
              "own tables are wrong.",
     .when = pdptes_loaded, .field = {XF_CR0, XF_CR4, XF_ENTRY, XF_CPU,
                                      XF_CPU2},
     .test = EXPLAIN_CUSTOM, .broken = pdpte_wrong},
};
/* clang-format on */

TABLE(vmx_state_table, rules);
