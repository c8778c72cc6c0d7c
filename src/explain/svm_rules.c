/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conditions under which VMRUN ends with VMEXIT_INVALID.
 *
 * Ref: AMD APM Vol 2, 15.5.1 "Basic Operation" (canonicalization and
 *      consistency checks), 15.20 "Event Injection", 15.25 "Nested Paging".
 * Field layouts: APM Vol 2 Appendix B.
 */

#include "rule.h"

#define CHECKS                                                         \
    "AMD APM Vol 2, 15.5.1 \"Basic Operation\", canonicalization and " \
    "consistency checks"
#define INJECTION "AMD APM Vol 2, 15.20 \"Event Injection\""
#define NESTED "AMD APM Vol 2, 15.25.4 \"Nested Paging and VMRUN/#VMEXIT\""

/* Reserved bits: EFER of every processor with SVM; physical addresses have at
 * most 52 bits. */
#define EFER_MBZ (~0UL << 22 | 1UL << 19 | 1UL << 16 | 1UL << 9)
#define ADDRESS_MBZ (~0UL << 52)
#define SEG_L 0x200u
#define SEG_DB 0x400u
#define INTERCEPT_VMRUN 1u
#define NP_ENABLE 1u

static bool long_paging(const struct explain_snapshot *s,
                        unsigned seg rv_unused)
{
    return has(s, XF_EFER, EFER_LME) && has(s, XF_CR0, CR0_PG);
}

static bool long_pae_paging(const struct explain_snapshot *s, unsigned seg)
{
    return long_paging(s, seg) && has(s, XF_CR4, CR4_PAE);
}

static bool nested(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_NP_CONTROL, NP_ENABLE);
}

static bool cet(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_CR4, CR4_CET);
}

static bool nw_without_cd(const struct explain_snapshot *s,
                          unsigned seg rv_unused)
{
    return has(s, XF_CR0, CR0_NW) && !has(s, XF_CR0, CR0_CD);
}

static bool code_l_and_d(const struct explain_snapshot *s, unsigned seg)
{
    return (attr(s, seg) & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB);
}

static bool injecting(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_EVENT_INJ, EVENT_VALID);
}

static bool event_type_reserved(const struct explain_snapshot *s,
                                unsigned seg rv_unused)
{
    unsigned type = event_type(value(s, XF_EVENT_INJ));

    return type == 1 || type > EVENT_SOFT_INT;
}

static bool injecting_exception(const struct explain_snapshot *s, unsigned seg)
{
    return injecting(s, seg) &&
           event_type(value(s, XF_EVENT_INJ)) == EVENT_EXCEPTION;
}

static bool not_an_exception(const struct explain_snapshot *s,
                             unsigned seg rv_unused)
{
    unsigned vector = event_vector(value(s, XF_EVENT_INJ));

    return vector > 31 || vector == 2;
}

static const struct explain_rule rules[] = {
    {.id = "SVM-EFER-SVME",
     .manual = CHECKS,
     .text = "EFER.SVME must be 1.",
     .cause = "A guest's write to EFER reached the VMCB without SVME added.",
     .field = {XF_EFER},
     .test = EXPLAIN_SET,
     .mask = EFER_SVME},
    {.id = "SVM-EFER-MBZ",
     .manual = CHECKS,
     .text = "Reserved bits of EFER must be 0.",
     .cause = "A guest's write to EFER was not checked.",
     .field = {XF_EFER},
     .test = EXPLAIN_CLEAR,
     .mask = EFER_MBZ},
    {.id = "SVM-CR0-NW",
     .manual = CHECKS,
     .text = "CR0.NW must not be 1 while CR0.CD is 0.",
     .cause = "MOV CR0 was emulated without the check that gives #GP.",
     .field = {XF_CR0},
     .test = EXPLAIN_CUSTOM,
     .broken = nw_without_cd},
    {.id = "SVM-CR0-HIGH",
     .manual = CHECKS,
     .text = "CR0 bits 63:32 must be 0.",
     .cause = "MOV CR0 was emulated without the check that gives #GP.",
     .field = {XF_CR0},
     .test = EXPLAIN_CLEAR,
     .mask = HIGH_HALF},
    {.id = "SVM-CR3-MBZ",
     .manual = CHECKS,
     .text = "Reserved bits of CR3 must be 0; an address ends at bit 51.",
     .cause = "Bit 63 of a PCID load (no flush) was stored, or the value is "
              "not an address at all.",
     .field = {XF_CR3},
     .test = EXPLAIN_CLEAR,
     .mask = ADDRESS_MBZ},
    {.id = "SVM-CR4-MBZ",
     .manual = CHECKS,
     .text = "Reserved bits of CR4 must be 0; all above bit 31 are.",
     .cause = "MOV CR4 was emulated without the check that gives #GP.",
     .field = {XF_CR4},
     .test = EXPLAIN_CLEAR,
     .mask = HIGH_HALF},
    {.id = "SVM-DR6-HIGH",
     .manual = CHECKS,
     .text = "DR6 bits 63:32 must be 0.",
     .cause = "MOV DR6 was emulated without the check that gives #GP.",
     .field = {XF_DR6},
     .test = EXPLAIN_CLEAR,
     .mask = HIGH_HALF},
    {.id = "SVM-DR7-HIGH",
     .manual = CHECKS,
     .text = "DR7 bits 63:32 must be 0.",
     .cause = "MOV DR7 was emulated without the check that gives #GP.",
     .field = {XF_DR7},
     .test = EXPLAIN_CLEAR,
     .mask = HIGH_HALF},
    {.id = "SVM-LONG-PAE",
     .manual = CHECKS,
     .text = "With EFER.LME and CR0.PG both 1, CR4.PAE must be 1.",
     .cause = "Paging was turned on, or PAE off, without the checks of long "
              "mode activation.",
     .when = long_paging,
     .field = {XF_CR4, XF_CR0, XF_EFER},
     .test = EXPLAIN_SET,
     .mask = CR4_PAE},
    {.id = "SVM-LONG-PE",
     .manual = CHECKS,
     .text = "With EFER.LME and CR0.PG both 1, CR0.PE must be 1.",
     .cause = "CR0 was loaded with PG and without PE.",
     .when = long_paging,
     .field = {XF_CR0, XF_EFER},
     .test = EXPLAIN_SET,
     .mask = CR0_PE},
    {.id = "SVM-LONG-CS",
     .manual = CHECKS,
     .text = "In long mode with paging, CS.L and CS.D must not both be 1.",
     .cause = "A code segment descriptor with both bits was loaded by "
              "emulation, or long mode was entered while CS had L set.",
     .when = long_pae_paging,
     .segments = SEG(CS),
     .parts = PART(ATTR),
     .field = {XF_EFER, XF_CR0, XF_CR4},
     .test = EXPLAIN_CUSTOM,
     .broken = code_l_and_d},
    {.id = "SVM-CET-WP",
     .manual = CHECKS,
     .text = "With CR4.CET 1, CR0.WP must be 1.",
     .cause = "WP was cleared, or CET set, without looking at the other.",
     .when = cet,
     .field = {XF_CR0, XF_CR4},
     .test = EXPLAIN_SET,
     .mask = CR0_WP},
    {.id = "SVM-INTERCEPT-VMRUN",
     .manual = CHECKS,
     .text = "The intercept of VMRUN must be set.",
     .cause = "The intercepts were rebuilt without those that are mandatory.",
     .field = {XF_INTERCEPTS2},
     .test = EXPLAIN_SET,
     .mask = INTERCEPT_VMRUN},
    {.id = "SVM-IOPM-RANGE",
     .manual = CHECKS,
     .text = "The I/O permission map must lie inside physical memory's range.",
     .cause = "A virtual address was stored, or the map was never set.",
     .field = {XF_IOPM},
     .test = EXPLAIN_CLEAR,
     .mask = ADDRESS_MBZ},
    {.id = "SVM-MSRPM-RANGE",
     .manual = CHECKS,
     .text = "The MSR permission map must lie inside physical memory's range.",
     .cause = "A virtual address was stored, or the map was never set.",
     .field = {XF_MSRPM},
     .test = EXPLAIN_CLEAR,
     .mask = ADDRESS_MBZ},
    {.id = "SVM-ASID",
     .manual = CHECKS,
     .text = "The ASID must not be 0, which is the host's.",
     .cause = "The vCPU ran before an ASID was assigned on this processor.",
     .field = {XF_ASID},
     .test = EXPLAIN_NONZERO},
    {.id = "SVM-EVENT-TYPE",
     .manual = INJECTION,
     .text = "An injected event must have type 0, 2, 3 or 4.",
     .cause = "An event type of VMX (5, 6) or a corrupted EXITINTINFO was "
              "stored in EVENTINJ.",
     .when = injecting,
     .field = {XF_EVENT_INJ},
     .test = EXPLAIN_CUSTOM,
     .broken = event_type_reserved},
    {.id = "SVM-EVENT-VECTOR",
     .manual = INJECTION,
     .text = "An injected exception must have a vector of 0 to 31, but not 2.",
     .cause = "An interrupt or an NMI was injected with the type of an "
              "exception.",
     .when = injecting_exception,
     .field = {XF_EVENT_INJ},
     .test = EXPLAIN_CUSTOM,
     .broken = not_an_exception},
    {.id = "SVM-NCR3-MBZ",
     .manual = NESTED,
     .text = "With nested paging, reserved bits of nCR3 must be 0.",
     .cause = "The root of the nested tables is not a physical address.",
     .when = nested,
     .field = {XF_N_CR3, XF_NP_CONTROL},
     .test = EXPLAIN_CLEAR,
     .mask = ADDRESS_MBZ},
    {.id = "SVM-GPAT",
     .manual = NESTED,
     .text = "With nested paging, each byte of G_PAT must be a memory type: "
             "0, 1, 4, 5, 6 or 7.",
     .cause = "A guest's write to the PAT MSR was not checked.",
     .when = nested,
     .field = {XF_PAT, XF_NP_CONTROL},
     .test = EXPLAIN_PAT},
};

static TABLE(svm_table, rules);

const struct explain_rules explain_svm = {"SVM VMRUN", 1, {&svm_table}};
