/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM entry: guest control and debug registers, MSRs, RIP and RFLAGS.
 *
 * Ref: Intel SDM Vol 3C, "VM Entries", "Checks on Guest Control Registers,
 *      Debug Registers, and MSRs" and "Checks on Guest RIP, RFLAGS, and SSP".
 */

#include "vmx.h"

#define REGISTERS       \
    VM_ENTRIES("3.1.1", \
               "Checks on Guest Control Registers, Debug Registers, and MSRs")
#define FLAGS VM_ENTRIES("3.1.4", "Checks on Guest RIP, RFLAGS, and SSP")

/* LAM owns bits 62:61 of CR3; FRED bit 32 of CR4. */
#define CR3_MBZ (1UL << 63 | 0x1ffUL << 52)
#define CR4_MBZ (~0UL << 33)
#define DEBUGCTL_MBZ (~0UL << 16 | 0x38UL)
#define EFER_KNOWN (1UL | EFER_LME | EFER_LMA | 1UL << 11)
#define RFLAGS_MBZ (~0UL << 22 | 1UL << 15 | 1UL << 5 | 1UL << 3)

static bool paging(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_CR0, CR0_PG);
}

static bool cet(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_CR4, CR4_CET);
}

static bool load_pat(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_ENTRY, ENTRY_LOAD_PAT);
}

static bool load_efer(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_ENTRY, ENTRY_LOAD_EFER);
}

static bool efer_wrong(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    bool lma = has(s, XF_EFER, EFER_LMA);

    return lma != has(s, XF_ENTRY, ENTRY_IA32E) ||
           (paging(s, 0) && lma != has(s, XF_EFER, EFER_LME));
}

static bool not_code64(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return !vmx_when_ia32e(s, 0) || !(attr(s, SEG_CS) & AR_L);
}

static bool code64(const struct explain_snapshot *s, unsigned seg)
{
    return !not_code64(s, seg);
}

static bool v86_forbidden(const struct explain_snapshot *s,
                          unsigned seg rv_unused)
{
    return vmx_when_ia32e(s, 0) || !has(s, XF_CR0, CR0_PE);
}

static bool injecting_interrupt(const struct explain_snapshot *s,
                                unsigned seg rv_unused)
{
    return vmx_injects(s, EVENT_EXTINT);
}

#define UNCHECKED \
    "A guest's write was emulated without the check that gives #GP."

/* clang-format off */
static const struct explain_rule rules[] = {
    {.id = "VMX-CR0-FIXED", .manual = REGISTERS,
     .text = "Without unrestricted guest, CR0 must have PE and PG.",
     .cause = "A guest in real mode or without paging was entered as it is: "
              "its CR0 has to be kept in the read shadow.",
     .when = vmx_when_restricted, .field = {XF_CR0, XF_CPU, XF_CPU2},
     .test = EXPLAIN_SET, .mask = CR0_PE | CR0_PG},
    {.id = "VMX-CR0-NE", .manual = REGISTERS,
     .text = "CR0 must have NE.",
     .cause = "The guest cleared NE and the host does not own the bit.",
     .field = {XF_CR0}, .test = EXPLAIN_SET, .mask = CR0_NE},
    {.id = "VMX-CR0-HIGH", .manual = REGISTERS,
     .text = "CR0 bits 63:32 must be 0.", .cause = UNCHECKED,
     .field = {XF_CR0}, .test = EXPLAIN_CLEAR, .mask = HIGH_HALF},
    {.id = "VMX-CR0-PG-PE", .manual = REGISTERS,
     .text = "With CR0.PG 1, CR0.PE must be 1.",
     .cause = "CR0 was loaded with PG and without PE.",
     .when = paging, .field = {XF_CR0}, .test = EXPLAIN_SET, .mask = CR0_PE},
    {.id = "VMX-CR4-VMXE", .manual = REGISTERS,
     .text = "CR4 must have VMXE.",
     .cause = "The guest's CR4 was stored without the bits of the host.",
     .field = {XF_CR4}, .test = EXPLAIN_SET, .mask = CR4_VMXE},
    {.id = "VMX-CR4-HIGH", .manual = REGISTERS,
     .text = "Reserved bits of CR4 must be 0; all above bit 32 are.",
     .cause = UNCHECKED,
     .field = {XF_CR4}, .test = EXPLAIN_CLEAR, .mask = CR4_MBZ},
    {.id = "VMX-CR4-CET-WP", .manual = REGISTERS,
     .text = "With CR4.CET 1, CR0.WP must be 1.",
     .cause = "WP was cleared, or CET set, without looking at the other.",
     .when = cet, .field = {XF_CR0, XF_CR4}, .test = EXPLAIN_SET,
     .mask = CR0_WP},
    {.id = "VMX-CR3-MBZ", .manual = REGISTERS,
     .text = "Bits 63 and 60:52 of CR3 must be 0.",
     .cause = "Bit 63 of a PCID load (no flush) was stored, or the value is "
              "not an address at all.",
     .field = {XF_CR3}, .test = EXPLAIN_CLEAR, .mask = CR3_MBZ},
    {.id = "VMX-IA32E-PG", .manual = REGISTERS,
     .text = "In IA-32e mode, CR0 must have PG.",
     .cause = "The entry control stayed set when the guest left long mode.",
     .when = vmx_when_ia32e, .field = {XF_CR0, XF_ENTRY},
     .test = EXPLAIN_SET, .mask = CR0_PG},
    {.id = "VMX-IA32E-PAE", .manual = REGISTERS,
     .text = "In IA-32e mode, CR4 must have PAE.",
     .cause = "PAE was cleared in long mode without the check that gives #GP.",
     .when = vmx_when_ia32e, .field = {XF_CR4, XF_ENTRY},
     .test = EXPLAIN_SET, .mask = CR4_PAE},
    {.id = "VMX-IA32E-PCIDE", .manual = REGISTERS,
     .text = "Outside IA-32e mode, CR4 must not have PCIDE.",
     .cause = "The guest left long mode and kept PCIDE, or set it before.",
     .when = vmx_when_not_ia32e, .field = {XF_CR4, XF_ENTRY},
     .test = EXPLAIN_CLEAR, .mask = CR4_PCIDE},
    {.id = "VMX-DEBUGCTL", .manual = REGISTERS,
     .text = "When it is loaded, reserved bits of DEBUGCTL (5:3, 63:16) must "
             "be 0.",
     .cause = UNCHECKED, .when = vmx_when_load_debug,
     .field = {XF_DEBUGCTL, XF_ENTRY}, .test = EXPLAIN_CLEAR,
     .mask = DEBUGCTL_MBZ},
    {.id = "VMX-DR7-HIGH", .manual = REGISTERS,
     .text = "When it is loaded, DR7 must have bits 63:32 clear.",
     .cause = UNCHECKED, .when = vmx_when_load_debug,
     .field = {XF_DR7, XF_ENTRY}, .test = EXPLAIN_CLEAR, .mask = HIGH_HALF},
    {.id = "VMX-SYSENTER-ESP", .manual = REGISTERS,
     .text = "SYSENTER_ESP must be canonical.", .cause = UNCHECKED,
     .field = {XF_SYSENTER_ESP}, .test = EXPLAIN_CANONICAL},
    {.id = "VMX-SYSENTER-EIP", .manual = REGISTERS,
     .text = "SYSENTER_EIP must be canonical.", .cause = UNCHECKED,
     .field = {XF_SYSENTER_EIP}, .test = EXPLAIN_CANONICAL},
    {.id = "VMX-PAT", .manual = REGISTERS,
     .text = "When it is loaded, each byte of PAT must be a memory type: 0, "
             "1, 4, 5, 6 or 7.",
     .cause = UNCHECKED, .when = load_pat, .field = {XF_PAT, XF_ENTRY},
     .test = EXPLAIN_PAT},
    {.id = "VMX-EFER-RESERVED", .manual = REGISTERS,
     .text = "When it is loaded, EFER may have SCE, LME, LMA and NXE only.",
     .cause = UNCHECKED " SVME and the bits above are AMD's.",
     .when = load_efer, .field = {XF_EFER, XF_ENTRY},
     .test = EXPLAIN_CLEAR, .mask = ~EFER_KNOWN},
    {.id = "VMX-EFER-LMA", .manual = REGISTERS,
     .text = "When EFER is loaded, LMA must equal the IA-32e entry control "
             "and, with paging, LME.",
     .cause = "EFER, CR0.PG and the entry control were not updated together "
              "when the guest entered or left long mode.",
     .when = load_efer, .field = {XF_EFER, XF_ENTRY, XF_CR0},
     .test = EXPLAIN_CUSTOM, .broken = efer_wrong},
    {.id = "VMX-RIP-HIGH", .manual = FLAGS,
     .text = "Outside 64-bit code, RIP must have bits 63:32 clear.",
     .cause = "An emulated jump or an advanced RIP was not cut to the width "
              "of the code segment.",
     .when = not_code64,
     .field = {XF_RIP, XF_ENTRY, XF_SEGMENT(SEG_CS, EXPLAIN_ATTR)},
     .test = EXPLAIN_CLEAR, .mask = HIGH_HALF},
    {.id = "VMX-RIP-CANONICAL", .manual = FLAGS,
     .text = "In 64-bit code, RIP must be canonical.",
     .cause = "An emulated jump did not check its target.",
     .when = code64,
     .field = {XF_RIP, XF_ENTRY, XF_SEGMENT(SEG_CS, EXPLAIN_ATTR)},
     .test = EXPLAIN_CANONICAL},
    {.id = "VMX-RFLAGS-RESERVED", .manual = FLAGS,
     .text = "Reserved bits of RFLAGS (63:22, 15, 5, 3) must be 0.",
     .cause = "A flags image was loaded by emulation without its mask.",
     .field = {XF_RFLAGS}, .test = EXPLAIN_CLEAR, .mask = RFLAGS_MBZ},
    {.id = "VMX-RFLAGS-ONE", .manual = FLAGS,
     .text = "Bit 1 of RFLAGS must be 1.",
     .cause = "RFLAGS was stored as 0 or from an image without its fixed bit.",
     .field = {XF_RFLAGS}, .test = EXPLAIN_SET, .mask = 2},
    {.id = "VMX-RFLAGS-VM", .manual = FLAGS,
     .text = "RFLAGS.VM must be 0 in IA-32e mode and with CR0.PE 0.",
     .cause = "VM was left over from before a mode switch.",
     .when = v86_forbidden, .field = {XF_RFLAGS, XF_CR0, XF_ENTRY},
     .test = EXPLAIN_CLEAR, .mask = RFLAGS_VM},
    {.id = "VMX-RFLAGS-IF", .manual = FLAGS,
     .text = "RFLAGS.IF must be 1 while an external interrupt is injected.",
     .cause = "An interrupt was injected without waiting for the window, or "
              "RFLAGS changed after it was queued.",
     .when = injecting_interrupt, .field = {XF_RFLAGS, XF_ENTRY_INFO},
     .test = EXPLAIN_SET, .mask = RFLAGS_IF},
};
/* clang-format on */

TABLE(vmx_register_table, rules);
