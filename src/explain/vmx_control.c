/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM entry: the control fields, as far as they contradict one another. Which
 * bits a processor supports stands in its capability MSRs, not in a dump.
 *
 * Ref: Intel SDM Vol 3C, "VM Entries", "Checks on VMX Controls".
 */

#include "vmx.h"

#define EXECUTION VM_ENTRIES("2.1.1", "VM-Execution Control Fields")
#define ENTRY VM_ENTRIES("2.1.3", "VM-Entry Control Fields")

#define TYPE_RESERVED 1u
#define TYPE_OTHER 7u
#define VECTORS_WITH_ERROR \
    (1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 17)
#define VECTOR_CP 21u

static bool no_nmi_exiting(const struct explain_snapshot *s,
                           unsigned seg rv_unused)
{
    return !has(s, XF_PIN, PIN_NMI);
}

static bool no_virtual_nmi(const struct explain_snapshot *s,
                           unsigned seg rv_unused)
{
    return !has(s, XF_PIN, PIN_VIRTUAL_NMI);
}

static bool no_tpr_shadow(const struct explain_snapshot *s,
                          unsigned seg rv_unused)
{
    return !has(s, XF_CPU, CPU_TPR_SHADOW) && has_secondary(s, 0);
}

static bool tpr_threshold_used(const struct explain_snapshot *s,
                               unsigned seg rv_unused)
{
    return has(s, XF_CPU, CPU_TPR_SHADOW) &&
           !has_secondary(s, CPU2_INTR_DELIVERY);
}

static bool x2apic(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has_secondary(s, CPU2_X2APIC);
}

static bool interrupt_delivery(const struct explain_snapshot *s,
                               unsigned seg rv_unused)
{
    return has_secondary(s, CPU2_INTR_DELIVERY);
}

static bool posted(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_PIN, PIN_POSTED);
}

static bool posted_lacks(const struct explain_snapshot *s,
                         unsigned seg rv_unused)
{
    return !has_secondary(s, CPU2_INTR_DELIVERY) || !has(s, XF_EXIT, EXIT_ACK);
}

static bool vpid(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has_secondary(s, CPU2_VPID);
}

static bool ept(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has_secondary(s, CPU2_EPT);
}

static bool eptp_wrong(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    uint64_t eptp = value(s, XF_EPTP);
    unsigned memtype = eptp & 7;
    unsigned levels = (eptp >> 3 & 7) + 1;

    return (memtype != 0 && memtype != 6) || (levels != 4 && levels != 5) ||
           (eptp & 0xf00) || eptp >> 52;
}

static bool needs_ept(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has_secondary(s, CPU2_UNRESTRICTED) || has_secondary(s, CPU2_PML) ||
           has_secondary(s, CPU2_MODE_BASED_EXEC);
}

static bool type_wrong(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return event_type(value(s, XF_ENTRY_INFO)) == TYPE_RESERVED;
}

static bool vector_wrong(const struct explain_snapshot *s,
                         unsigned seg rv_unused)
{
    uint64_t info = value(s, XF_ENTRY_INFO);
    unsigned vector = event_vector(info);

    switch (event_type(info)) {
    case EVENT_NMI:
        return vector != VECTOR_NMI;
    case EVENT_EXCEPTION:
        return vector > 31;
    case TYPE_OTHER:
        return vector != 0;
    default:
        return false;
    }
}

/* #CP has an error code on processors that know it; it may or may not here. */
static bool error_flag_wrong(const struct explain_snapshot *s,
                             unsigned seg rv_unused)
{
    uint64_t info = value(s, XF_ENTRY_INFO);
    unsigned vector = event_vector(info);
    bool wanted = event_type(info) == EVENT_EXCEPTION && vector < 32 &&
                  (VECTORS_WITH_ERROR >> vector & 1) &&
                  (!is_unrestricted(s) || has(s, XF_CR0, CR0_PE));

    if (event_type(info) == EVENT_EXCEPTION && vector == VECTOR_CP) {
        return false;
    }
    return wanted != ((info & EVENT_HAS_ERROR) != 0);
}

static bool with_error(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_ENTRY_INFO, EVENT_VALID | EVENT_HAS_ERROR);
}

static bool software_event(const struct explain_snapshot *s,
                           unsigned seg rv_unused)
{
    return vmx_injects(s, EVENT_SOFT_INT) || vmx_injects(s, EVENT_SOFT_EXC) ||
           vmx_injects(s, EVENT_PRIV_SOFT_EXC);
}

static bool length_wrong(const struct explain_snapshot *s,
                         unsigned seg rv_unused)
{
    return value(s, XF_ENTRY_LENGTH) > 15;
}

#define CONTROLS_CAUSE                                                        \
    "The controls were computed without the dependency between them, or one " \
    "was changed later alone."

/* clang-format off */
static const struct explain_rule rules[] = {
    {.id = "VMX-CTL-VIRTUAL-NMI", .manual = EXECUTION,
     .text = "Virtual NMIs need NMI exiting.",
     .cause = CONTROLS_CAUSE, .when = no_nmi_exiting, .field = {XF_PIN},
     .test = EXPLAIN_CLEAR, .mask = PIN_VIRTUAL_NMI},
    {.id = "VMX-CTL-NMI-WINDOW", .manual = EXECUTION,
     .text = "NMI-window exiting needs virtual NMIs.",
     .cause = CONTROLS_CAUSE, .when = no_virtual_nmi,
     .field = {XF_CPU, XF_PIN}, .test = EXPLAIN_CLEAR, .mask = CPU_NMI_WINDOW},
    {.id = "VMX-CTL-TPR-SHADOW", .manual = EXECUTION,
     .text = "x2APIC mode, APIC-register virtualization and virtual-interrupt "
             "delivery need the TPR shadow.",
     .cause = CONTROLS_CAUSE, .when = no_tpr_shadow, .field = {XF_CPU2, XF_CPU},
     .test = EXPLAIN_CLEAR,
     .mask = CPU2_X2APIC | CPU2_APIC_REGISTERS | CPU2_INTR_DELIVERY},
    {.id = "VMX-CTL-TPR-THRESHOLD", .manual = EXECUTION,
     .text = "With a TPR shadow and no virtual-interrupt delivery, bits 31:4 "
             "of the TPR threshold must be 0.",
     .cause = "A whole TPR (0-255) was stored where its class (0-15) belongs.",
     .when = tpr_threshold_used, .field = {XF_TPR_THRESHOLD, XF_CPU, XF_CPU2},
     .test = EXPLAIN_CLEAR, .mask = 0xfffffff0},
    {.id = "VMX-CTL-X2APIC", .manual = EXECUTION,
     .text = "Virtualizing x2APIC mode excludes virtualizing APIC accesses.",
     .cause = "The guest switched its APIC mode and only one of the controls "
              "followed.",
     .when = x2apic, .field = {XF_CPU2, XF_CPU}, .test = EXPLAIN_CLEAR,
     .mask = CPU2_APIC_ACCESS},
    {.id = "VMX-CTL-DELIVERY", .manual = EXECUTION,
     .text = "Virtual-interrupt delivery needs external-interrupt exiting.",
     .cause = CONTROLS_CAUSE, .when = interrupt_delivery,
     .field = {XF_PIN, XF_CPU, XF_CPU2}, .test = EXPLAIN_SET,
     .mask = PIN_EXTINT},
    {.id = "VMX-CTL-POSTED", .manual = EXECUTION,
     .text = "Posted interrupts need virtual-interrupt delivery and "
             "acknowledging interrupts on exit.",
     .cause = CONTROLS_CAUSE, .when = posted,
     .field = {XF_PIN, XF_CPU, XF_CPU2, XF_EXIT},
     .test = EXPLAIN_CUSTOM, .broken = posted_lacks},
    {.id = "VMX-CTL-VPID", .manual = EXECUTION,
     .text = "With VPID enabled, it must not be 0, which is the host's.",
     .cause = "The vCPU ran before a VPID was assigned.",
     .when = vpid, .field = {XF_VPID, XF_CPU, XF_CPU2},
     .test = EXPLAIN_NONZERO},
    {.id = "VMX-CTL-EPTP", .manual = EXECUTION,
     .text = "With EPT enabled, the EPT pointer must have memory type 0 or 6, "
             "4 or 5 levels and no reserved bit.",
     .cause = "The root address was stored without its low bits, or before "
              "the tables existed.",
     .when = ept, .field = {XF_EPTP, XF_CPU, XF_CPU2},
     .test = EXPLAIN_CUSTOM, .broken = eptp_wrong},
    {.id = "VMX-CTL-NEEDS-EPT", .manual = EXECUTION,
     .text = "Unrestricted guest, page-modification logging and mode-based "
             "execute control need EPT.",
     .cause = CONTROLS_CAUSE, .when = needs_ept, .field = {XF_CPU2, XF_CPU},
     .test = EXPLAIN_SET, .mask = CPU2_EPT},
    {.id = "VMX-CTL-SMM", .manual = ENTRY,
     .text = "Outside system-management mode, entry to SMM and deactivation "
             "of dual-monitor treatment must be 0.",
     .cause = "The entry controls were not built from the capability MSR.",
     .field = {XF_ENTRY}, .test = EXPLAIN_CLEAR,
     .mask = ENTRY_TO_SMM | ENTRY_END_DUAL},
    {.id = "VMX-EVENT-TYPE", .manual = ENTRY,
     .text = "The type of an injected event must not be 1.",
     .cause = "Interruption information was copied from elsewhere unchecked.",
     .when = vmx_when_injecting, .field = {XF_ENTRY_INFO},
     .test = EXPLAIN_CUSTOM, .broken = type_wrong},
    {.id = "VMX-EVENT-VECTOR", .manual = ENTRY,
     .text = "An injected NMI must have vector 2, an exception 0 to 31, type "
             "7 vector 0.",
     .cause = "An interrupt was injected with the type of an exception, or a "
              "type changed alone.",
     .when = vmx_when_injecting, .field = {XF_ENTRY_INFO},
     .test = EXPLAIN_CUSTOM, .broken = vector_wrong},
    {.id = "VMX-EVENT-ERROR-FLAG", .manual = ENTRY,
     .text = "An error code must be delivered with exceptions 8, 10-14 and 17 "
             "(with unrestricted guest only if CR0.PE is 1), and with nothing "
             "else.",
     .cause = "An exception of real mode was injected as in protected mode, or "
              "without its error code in protected mode.",
     .when = vmx_when_injecting,
     .field = {XF_ENTRY_INFO, XF_CR0, XF_CPU, XF_CPU2},
     .test = EXPLAIN_CUSTOM, .broken = error_flag_wrong},
    {.id = "VMX-EVENT-RESERVED", .manual = ENTRY,
     .text = "Bits 30:12 of the interruption information must be 0.",
     .cause = "Exit information (bit 12: NMI unblocking) was reinjected as it "
              "was.",
     .when = vmx_when_injecting, .field = {XF_ENTRY_INFO},
     .test = EXPLAIN_CLEAR, .mask = 0x7ffff000},
    {.id = "VMX-EVENT-ERROR", .manual = ENTRY,
     .text = "Bits 31:16 of a delivered error code must be 0.",
     .cause = "An error code was sign-extended or never set.",
     .when = with_error, .field = {XF_ENTRY_ERROR, XF_ENTRY_INFO},
     .test = EXPLAIN_CLEAR, .mask = 0xffff0000},
    {.id = "VMX-EVENT-LENGTH", .manual = ENTRY,
     .text = "The instruction length of a software event must be at most 15.",
     .cause = "The length was not set for this injection.",
     .when = software_event, .field = {XF_ENTRY_LENGTH, XF_ENTRY_INFO},
     .test = EXPLAIN_CUSTOM, .broken = length_wrong},
};
/* clang-format on */

TABLE(vmx_control_table, rules);
