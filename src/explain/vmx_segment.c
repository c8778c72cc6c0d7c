/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM entry: guest segment and descriptor-table registers. In virtual-8086 mode
 * the six code and data segments must be exactly what the mode implies; the
 * protected-mode rules do not apply then.
 *
 * Ref: Intel SDM Vol 3C, "VM Entries", "Checks on Guest Segment Registers" and
 *      "Checks on Guest Descriptor-Table Registers".
 */

#include "vmx.h"

#define SEGMENTS VM_ENTRIES("3.1.2", "Checks on Guest Segment Registers")
#define TABLES VM_ENTRIES("3.1.3", "Checks on Guest Descriptor-Table Registers")

#define TYPE_LDT 2u
#define TYPE_TSS16_BUSY 3u
#define TYPE_TSS32_BUSY 11u
#define TYPE_ACCESSED 1u
#define TYPE_WRITABLE 2u /* of data; of code: readable */
#define TYPE_CODE 8u
#define TYPE_CONFORMING 4u

/*
 * Who set VM? A guest that believes to be in protected mode did not run under
 * the vm86 stand-in for real mode; if IOPL is 3 as well, which that stand-in
 * always sets, the flags are most likely left over from it.
 */
static const char *v86_cause(const struct explain_snapshot *s)
{
    bool iopl3 = (value(s, XF_RFLAGS) >> 12 & 3) == 3;

    if (!explain_is_known(s, XF_CR0_SHADOW) ||
        !explain_is_known(s, XF_CR0_MASK) || !has(s, XF_CR0_MASK, CR0_PE)) {
        return NULL;
    }
    if (!has(s, XF_CR0_SHADOW, CR0_PE)) {
        return "The guest is in real mode (its CR0.PE reads 0), run as "
               "virtual-8086 code, while segments hold what that mode cannot "
               "express: limits or bases kept from protected mode (\"unreal\" "
               "mode). Such state has to be emulated until all segments fit.";
    }
    if (iopl3) {
        return "The guest is in protected mode (its CR0.PE reads 1) with "
               "protected-mode segments, but RFLAGS has VM and IOPL 3, the "
               "pair that running real mode as virtual-8086 code forces on: "
               "left over from real mode when the guest set CR0.PE or its "
               "segments were emulated, or VM was taken from an emulated "
               "IRET, POPF or task switch.";
    }
    return "The guest is in protected mode (its CR0.PE reads 1) with "
           "protected-mode segments: an emulated IRET, POPF or task switch "
           "took VM from a flags image without entering virtual-8086 mode.";
}

static bool v86_base_differs(const struct explain_snapshot *s, unsigned seg)
{
    return part(s, seg, EXPLAIN_BASE) != part(s, seg, EXPLAIN_SELECTOR) << 4;
}

static bool v86_limit_differs(const struct explain_snapshot *s, unsigned seg)
{
    return part(s, seg, EXPLAIN_LIMIT) != 0xffff;
}

static bool v86_attr_differs(const struct explain_snapshot *s, unsigned seg)
{
    return attr(s, seg) != AR_V86;
}

static bool ss_rpl_differs(const struct explain_snapshot *s, unsigned seg)
{
    return rpl(s, seg) != rpl(s, SEG_CS);
}

static bool restricted_not_v86(const struct explain_snapshot *s, unsigned seg)
{
    return vmx_when_not_v86(s, seg) && !is_unrestricted(s);
}

static bool restricted_usable(const struct explain_snapshot *s, unsigned seg)
{
    return vmx_when_usable(s, seg) && !is_unrestricted(s);
}

static bool code_type_wrong(const struct explain_snapshot *s, unsigned seg)
{
    unsigned type = ar_type(s, seg);
    bool code =
        (type & (TYPE_CODE | TYPE_ACCESSED)) == (TYPE_CODE | TYPE_ACCESSED);

    return !code &&
           !(is_unrestricted(s) && type == (TYPE_WRITABLE | TYPE_ACCESSED));
}

static bool stack_type_wrong(const struct explain_snapshot *s, unsigned seg)
{
    return ar_type(s, seg) != 3 && ar_type(s, seg) != 7;
}

static bool data_type_wrong(const struct explain_snapshot *s, unsigned seg)
{
    unsigned type = ar_type(s, seg);

    return !(type & TYPE_ACCESSED) ||
           ((type & TYPE_CODE) && !(type & TYPE_WRITABLE));
}

static bool code_dpl_wrong(const struct explain_snapshot *s, unsigned seg)
{
    unsigned dpl = ar_dpl(s, seg);

    if (!(ar_type(s, seg) & TYPE_CODE)) {
        return dpl != 0;
    }
    if (ar_type(s, seg) & TYPE_CONFORMING) {
        return dpl > ar_dpl(s, SEG_SS);
    }
    return dpl != ar_dpl(s, SEG_SS);
}

static bool stack_dpl_wrong(const struct explain_snapshot *s, unsigned seg)
{
    return ar_dpl(s, seg) != rpl(s, seg);
}

static bool data_dpl_wrong(const struct explain_snapshot *s, unsigned seg)
{
    bool conforming = (ar_type(s, seg) & (TYPE_CODE | TYPE_CONFORMING)) ==
                      (TYPE_CODE | TYPE_CONFORMING);

    return !conforming && ar_dpl(s, seg) < rpl(s, seg);
}

static bool limit_disagrees(const struct explain_snapshot *s, unsigned seg)
{
    uint64_t limit = part(s, seg, EXPLAIN_LIMIT);

    if (attr(s, seg) & AR_G) {
        return (limit & 0xfff) != 0xfff;
    }
    return limit & 0xfff00000;
}

static bool ia32e_code64(const struct explain_snapshot *s, unsigned seg)
{
    return vmx_when_ia32e(s, seg) && vmx_when_not_v86(s, seg) &&
           (attr(s, seg) & AR_L);
}

static bool task_type_wrong(const struct explain_snapshot *s, unsigned seg)
{
    unsigned type = ar_type(s, seg);

    return type != TYPE_TSS32_BUSY &&
           !(type == TYPE_TSS16_BUSY && !vmx_when_ia32e(s, seg));
}

static bool ldt_type_wrong(const struct explain_snapshot *s, unsigned seg)
{
    return ar_type(s, seg) != TYPE_LDT;
}

#define V86_CAUSE                                                          \
    "RFLAGS.VM was set without loading the segments as virtual-8086 mode " \
    "does, or segments were loaded as in protected mode while it was set."
#define LOADED                                                              \
    "A segment register was loaded by emulation without the checks or the " \
    "cached attributes that the processor applies."

/* clang-format off */
static const struct explain_rule rules[] = {
    {.id = "VMX-V86-BASE", .manual = SEGMENTS,
     .text = "In virtual-8086 mode the base of a segment must be its selector "
             "times 16.",
     .cause = V86_CAUSE, .cause_find = v86_cause, .when = vmx_when_v86,
     .segments = CODE_DATA_SEGS, .parts = PART(SELECTOR) | PART(BASE),
     .field = {XF_RFLAGS}, .test = EXPLAIN_CUSTOM, .broken = v86_base_differs},
    {.id = "VMX-V86-LIMIT", .manual = SEGMENTS,
     .text = "In virtual-8086 mode the limit of a segment must be 0000ffff.",
     .cause = V86_CAUSE, .cause_find = v86_cause, .when = vmx_when_v86,
     .segments = CODE_DATA_SEGS, .parts = PART(LIMIT),
     .field = {XF_RFLAGS}, .test = EXPLAIN_CUSTOM, .broken = v86_limit_differs},
    {.id = "VMX-V86-ATTR", .manual = SEGMENTS,
     .text = "In virtual-8086 mode the access rights of a segment must be "
             "000f3: present, DPL 3, accessed writable data.",
     .cause = V86_CAUSE, .cause_find = v86_cause, .when = vmx_when_v86,
     .segments = CODE_DATA_SEGS, .parts = PART(ATTR),
     .field = {XF_RFLAGS}, .test = EXPLAIN_CUSTOM, .broken = v86_attr_differs},
    {.id = "VMX-SEG-TR-TI", .manual = SEGMENTS,
     .text = "TR must be selected from the GDT (TI = 0).",
     .cause = LOADED, .segments = SEG(TR), .parts = PART(SELECTOR),
     .test = EXPLAIN_CLEAR, .mask = 4},
    {.id = "VMX-SEG-LDTR-TI", .manual = SEGMENTS,
     .text = "A usable LDTR must be selected from the GDT (TI = 0).",
     .cause = LOADED, .when = vmx_when_system_usable, .segments = SEG(LDTR),
     .parts = PART(SELECTOR) | PART(ATTR), .test = EXPLAIN_CLEAR, .mask = 4},
    {.id = "VMX-SEG-SS-RPL", .manual = SEGMENTS,
     .text = "Without unrestricted guest, SS and CS must have the same RPL.",
     .cause = "CS and SS come from different moments of a mode switch or a "
              "change of privilege level.",
     .when = restricted_not_v86, .segments = SEG(SS), .parts = PART(SELECTOR),
     .field = {XF_SEGMENT(SEG_CS, EXPLAIN_SELECTOR), XF_RFLAGS, XF_CPU,
               XF_CPU2},
     .test = EXPLAIN_CUSTOM, .broken = ss_rpl_differs},
    {.id = "VMX-SEG-BASE-CANONICAL", .manual = SEGMENTS,
     .text = "The bases of TR, FS and GS must be canonical.",
     .cause = "A base was written through an MSR without the check that gives "
              "#GP.",
     .segments = SEG(TR) | SEG(FS) | SEG(GS), .parts = PART(BASE),
     .test = EXPLAIN_CANONICAL},
    {.id = "VMX-SEG-LDTR-CANONICAL", .manual = SEGMENTS,
     .text = "The base of a usable LDTR must be canonical.",
     .cause = LOADED, .when = vmx_when_system_usable, .segments = SEG(LDTR),
     .parts = PART(BASE), .field = {XF_SEGMENT(SEG_LDTR, EXPLAIN_ATTR)},
     .test = EXPLAIN_CANONICAL},
    {.id = "VMX-SEG-CS-BASE", .manual = SEGMENTS,
     .text = "The base of CS must have bits 63:32 clear.",
     .cause = LOADED, .segments = SEG(CS), .parts = PART(BASE),
     .test = EXPLAIN_CLEAR, .mask = HIGH_HALF},
    {.id = "VMX-SEG-DATA-BASE", .manual = SEGMENTS,
     .text = "The bases of usable SS, DS and ES must have bits 63:32 clear.",
     .cause = LOADED, .when = vmx_when_usable,
     .segments = SEG(SS) | SEG(DS) | SEG(ES), .parts = PART(BASE),
     .field = {XF_RFLAGS}, .test = EXPLAIN_CLEAR, .mask = HIGH_HALF},
    {.id = "VMX-SEG-CS-TYPE", .manual = SEGMENTS,
     .text = "CS must be accessed code (type 9, 11, 13 or 15), or accessed "
             "writable data (3) with unrestricted guest.",
     .cause = "Real-mode segment state, which has a data segment in CS, on a "
              "processor or a setting without unrestricted guest; or CS was "
              "loaded without setting its accessed bit.",
     .when = vmx_when_not_v86, .segments = SEG(CS), .parts = PART(ATTR),
     .field = {XF_RFLAGS, XF_CPU, XF_CPU2},
     .test = EXPLAIN_CUSTOM, .broken = code_type_wrong},
    {.id = "VMX-SEG-SS-TYPE", .manual = SEGMENTS,
     .text = "A usable SS must be accessed writable data (type 3 or 7).",
     .cause = LOADED, .when = vmx_when_usable, .segments = SEG(SS),
     .parts = PART(ATTR), .field = {XF_RFLAGS},
     .test = EXPLAIN_CUSTOM, .broken = stack_type_wrong},
    {.id = "VMX-SEG-DATA-TYPE", .manual = SEGMENTS,
     .text = "A usable DS, ES, FS or GS must be accessed and, if it is code, "
             "readable.",
     .cause = LOADED, .when = vmx_when_usable, .segments = DATA_SEGS,
     .parts = PART(ATTR), .field = {XF_RFLAGS},
     .test = EXPLAIN_CUSTOM, .broken = data_type_wrong},
    {.id = "VMX-SEG-S", .manual = SEGMENTS,
     .text = "Usable code and data segments must have S = 1.",
     .cause = LOADED, .when = vmx_when_usable, .segments = CODE_DATA_SEGS,
     .parts = PART(ATTR), .field = {XF_RFLAGS}, .test = EXPLAIN_SET,
     .mask = AR_S},
    {.id = "VMX-SEG-CS-DPL", .manual = SEGMENTS,
     .text = "CS must have the DPL of SS, at most that if it is conforming, 0 "
             "if it is data.",
     .cause = "CS and SS come from different moments of a mode switch or a "
              "change of privilege level.",
     .when = vmx_when_not_v86, .segments = SEG(CS), .parts = PART(ATTR),
     .field = {XF_SEGMENT(SEG_SS, EXPLAIN_ATTR), XF_RFLAGS},
     .test = EXPLAIN_CUSTOM, .broken = code_dpl_wrong},
    {.id = "VMX-SEG-SS-DPL", .manual = SEGMENTS,
     .text = "Without unrestricted guest, SS must have DPL = RPL.",
     .cause = "A mode switch left a real-mode selector beside protected-mode "
              "attributes in SS, or the other way round.",
     .when = restricted_not_v86, .segments = SEG(SS),
     .parts = PART(SELECTOR) | PART(ATTR),
     .field = {XF_RFLAGS, XF_CPU, XF_CPU2},
     .test = EXPLAIN_CUSTOM, .broken = stack_dpl_wrong},
    {.id = "VMX-SEG-DATA-DPL", .manual = SEGMENTS,
     .text = "Without unrestricted guest, a usable DS, ES, FS or GS that is "
             "not conforming code must have DPL >= RPL.",
     .cause = LOADED " Real-mode selectors carry arbitrary low bits.",
     .when = restricted_usable, .segments = DATA_SEGS,
     .parts = PART(SELECTOR) | PART(ATTR),
     .field = {XF_RFLAGS, XF_CPU, XF_CPU2},
     .test = EXPLAIN_CUSTOM, .broken = data_dpl_wrong},
    {.id = "VMX-SEG-P", .manual = SEGMENTS,
     .text = "Usable code and data segments must be present.",
     .cause = LOADED, .when = vmx_when_usable, .segments = CODE_DATA_SEGS,
     .parts = PART(ATTR), .field = {XF_RFLAGS}, .test = EXPLAIN_SET,
     .mask = AR_P},
    {.id = "VMX-SEG-RESERVED", .manual = SEGMENTS,
     .text = "Reserved bits of the access rights (11:8, 31:17) of usable "
             "segments must be 0.",
     .cause = "Attributes in the layout of SVM, where bits 8-11 are AVL, L, "
              "D/B and G, were stored without conversion.",
     .when = vmx_when_usable, .segments = CODE_DATA_SEGS, .parts = PART(ATTR),
     .field = {XF_RFLAGS}, .test = EXPLAIN_CLEAR, .mask = AR_RESERVED},
    {.id = "VMX-SEG-CS-DB", .manual = SEGMENTS,
     .text = "In IA-32e mode, CS must not have both L and D/B.",
     .cause = "Long mode was entered while CS had L and D/B, or a descriptor "
              "with both was loaded by emulation.",
     .when = ia32e_code64, .segments = SEG(CS), .parts = PART(ATTR),
     .field = {XF_RFLAGS, XF_ENTRY}, .test = EXPLAIN_CLEAR, .mask = AR_DB},
    {.id = "VMX-SEG-G", .manual = SEGMENTS,
     .text = "With G = 1 limit bits 11:0 must all be 1; with G = 0 limit bits "
             "31:20 must all be 0.",
     .cause = "A limit was stored in units of pages, or G without it.",
     .when = vmx_when_usable, .segments = CODE_DATA_SEGS,
     .parts = PART(ATTR) | PART(LIMIT), .field = {XF_RFLAGS},
     .test = EXPLAIN_CUSTOM, .broken = limit_disagrees},
    {.id = "VMX-SEG-TR-TYPE", .manual = SEGMENTS,
     .text = "TR must be a busy TSS: type 11, or 3 (16-bit) outside IA-32e "
             "mode.",
     .cause = "LTR or a task switch was emulated without setting the busy bit, "
              "or TR was never set up.",
     .segments = SEG(TR), .parts = PART(ATTR), .field = {XF_ENTRY},
     .test = EXPLAIN_CUSTOM, .broken = task_type_wrong},
    {.id = "VMX-SEG-TR-S", .manual = SEGMENTS,
     .text = "TR must be a system segment (S = 0).",
     .cause = LOADED, .segments = SEG(TR), .parts = PART(ATTR),
     .test = EXPLAIN_CLEAR, .mask = AR_S},
    {.id = "VMX-SEG-TR-P", .manual = SEGMENTS,
     .text = "TR must be present.",
     .cause = LOADED, .segments = SEG(TR), .parts = PART(ATTR),
     .test = EXPLAIN_SET, .mask = AR_P},
    {.id = "VMX-SEG-TR-RESERVED", .manual = SEGMENTS,
     .text = "TR must be usable, and reserved bits of its access rights 0.",
     .cause = "TR was never loaded: outside real mode a guest has none after "
              "reset, the hypervisor has to provide one.",
     .segments = SEG(TR), .parts = PART(ATTR), .test = EXPLAIN_CLEAR,
     .mask = AR_RESERVED | AR_UNUSABLE},
    {.id = "VMX-SEG-SYSTEM-G", .manual = SEGMENTS,
     .text = "TR and a usable LDTR: with G = 1 limit bits 11:0 must all be 1; "
             "with G = 0 limit bits 31:20 must all be 0.",
     .cause = "A limit was stored in units of pages, or G without it.",
     .when = vmx_when_system_usable, .segments = SEG(TR) | SEG(LDTR),
     .parts = PART(ATTR) | PART(LIMIT),
     .test = EXPLAIN_CUSTOM, .broken = limit_disagrees},
    {.id = "VMX-SEG-LDTR-TYPE", .manual = SEGMENTS,
     .text = "A usable LDTR must have type 2 (LDT).",
     .cause = "A null LDTR was stored as usable.",
     .when = vmx_when_system_usable, .segments = SEG(LDTR),
     .parts = PART(ATTR), .test = EXPLAIN_CUSTOM, .broken = ldt_type_wrong},
    {.id = "VMX-SEG-LDTR-S", .manual = SEGMENTS,
     .text = "A usable LDTR must be a system segment (S = 0) without reserved "
             "bits.",
     .cause = LOADED, .when = vmx_when_system_usable, .segments = SEG(LDTR),
     .parts = PART(ATTR), .test = EXPLAIN_CLEAR, .mask = AR_S | AR_RESERVED},
    {.id = "VMX-SEG-LDTR-P", .manual = SEGMENTS,
     .text = "A usable LDTR must be present.",
     .cause = "A null LDTR was stored as usable.",
     .when = vmx_when_system_usable, .segments = SEG(LDTR),
     .parts = PART(ATTR), .test = EXPLAIN_SET, .mask = AR_P},
    {.id = "VMX-TABLE-BASE", .manual = TABLES,
     .text = "The bases of GDTR and IDTR must be canonical.",
     .cause = "LGDT or LIDT was emulated without the check that gives #GP.",
     .segments = SEG(GDTR) | SEG(IDTR), .parts = PART(BASE),
     .test = EXPLAIN_CANONICAL},
    {.id = "VMX-TABLE-LIMIT", .manual = TABLES,
     .text = "The limits of GDTR and IDTR must have bits 31:16 clear.",
     .cause = "A limit was not cut to 16 bits.",
     .segments = SEG(GDTR) | SEG(IDTR), .parts = PART(LIMIT),
     .test = EXPLAIN_CLEAR, .mask = 0xffff0000},
};
/* clang-format on */

TABLE(vmx_segment_table, rules);
