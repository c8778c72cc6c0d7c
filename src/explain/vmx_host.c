/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM entry: the host state that the next exit will load.
 *
 * Ref: Intel SDM Vol 3C, "VM Entries", "Checks on Host Control Registers,
 *      MSRs, and SSP", "Checks on Host Segment and Descriptor-Table
 *      Registers", "Checks Related to Address-Space Size".
 */

#include "vmx.h"

#define REGISTERS \
    VM_ENTRIES("2.2", "Checks on Host Control Registers, MSRs, and SSP")
#define SEGMENTS \
    VM_ENTRIES("2.3", "Checks on Host Segment and Descriptor-Table Registers")
#define SIZE VM_ENTRIES("2.4", "Checks Related to Address-Space Size")

#define CAUSE                                                              \
    "The hypervisor's own state was stored wrongly, or the structure was " \
    "filled on another processor and not refreshed."

/* clang-format off */
#define CANONICAL(name, of)                                                    \
    {.id = "VMX-HOST-" name, .manual = SEGMENTS,                               \
     .text = "The base must be canonical.", .cause = CAUSE,                    \
     .when = vmx_when_host64, .field = {of, XF_EXIT},                          \
     .test = EXPLAIN_CANONICAL}
#define SELECTOR(name, of)                                                     \
    {.id = "VMX-HOST-" name, .manual = SEGMENTS,                               \
     .text = "Host selectors must have RPL 0 and TI 0.", .cause = CAUSE,       \
     .field = {of}, .test = EXPLAIN_CLEAR, .mask = 7}

static const struct explain_rule rules[] = {
    {.id = "VMX-HOST-CR0", .manual = REGISTERS,
     .text = "Host CR0 must have PE, NE and PG.", .cause = CAUSE,
     .field = {XF_HOST_CR0}, .test = EXPLAIN_SET,
     .mask = CR0_PE | CR0_NE | CR0_PG},
    {.id = "VMX-HOST-CR4", .manual = REGISTERS,
     .text = "Host CR4 must have VMXE.", .cause = CAUSE,
     .field = {XF_HOST_CR4}, .test = EXPLAIN_SET, .mask = CR4_VMXE},
    {.id = "VMX-HOST-CR3", .manual = REGISTERS,
     .text = "Host CR3 must not exceed 52 address bits.", .cause = CAUSE,
     .field = {XF_HOST_CR3}, .test = EXPLAIN_CLEAR, .mask = ~0UL << 52},
    {.id = "VMX-HOST-SYSENTER-ESP", .manual = REGISTERS,
     .text = "Host SYSENTER_ESP must be canonical.", .cause = CAUSE,
     .field = {XF_HOST_SYSENTER_ESP}, .test = EXPLAIN_CANONICAL},
    {.id = "VMX-HOST-SYSENTER-EIP", .manual = REGISTERS,
     .text = "Host SYSENTER_EIP must be canonical.", .cause = CAUSE,
     .field = {XF_HOST_SYSENTER_EIP}, .test = EXPLAIN_CANONICAL},
    SELECTOR("CS", XF_HOST_CS),
    SELECTOR("SS", XF_HOST_SS),
    SELECTOR("DS", XF_HOST_DS),
    SELECTOR("ES", XF_HOST_ES),
    SELECTOR("FS", XF_HOST_FS),
    SELECTOR("GS", XF_HOST_GS),
    SELECTOR("TR", XF_HOST_TR),
    {.id = "VMX-HOST-CS-NULL", .manual = SEGMENTS,
     .text = "Host CS must not be 0.", .cause = CAUSE,
     .field = {XF_HOST_CS}, .test = EXPLAIN_NONZERO},
    {.id = "VMX-HOST-TR-NULL", .manual = SEGMENTS,
     .text = "Host TR must not be 0.", .cause = CAUSE,
     .field = {XF_HOST_TR}, .test = EXPLAIN_NONZERO},
    {.id = "VMX-HOST-SS-NULL", .manual = SEGMENTS,
     .text = "Host SS must not be 0 unless the host is 64-bit.",
     .cause = CAUSE, .when = vmx_when_host32,
     .field = {XF_HOST_SS, XF_EXIT}, .test = EXPLAIN_NONZERO},
    CANONICAL("FS-BASE", XF_HOST_FS_BASE),
    CANONICAL("GS-BASE", XF_HOST_GS_BASE),
    CANONICAL("TR-BASE", XF_HOST_TR_BASE),
    CANONICAL("GDTR-BASE", XF_HOST_GDTR_BASE),
    CANONICAL("IDTR-BASE", XF_HOST_IDTR_BASE),
    {.id = "VMX-HOST-PAE", .manual = SIZE,
     .text = "A 64-bit host must have CR4.PAE.", .cause = CAUSE,
     .when = vmx_when_host64, .field = {XF_HOST_CR4, XF_EXIT},
     .test = EXPLAIN_SET, .mask = CR4_PAE},
    {.id = "VMX-HOST-RIP", .manual = SIZE,
     .text = "The RIP of a 64-bit host must be canonical.", .cause = CAUSE,
     .when = vmx_when_host64, .field = {XF_HOST_RIP, XF_EXIT},
     .test = EXPLAIN_CANONICAL},
    {.id = "VMX-HOST-RIP-HIGH", .manual = SIZE,
     .text = "The RIP of a 32-bit host must have bits 63:32 clear.",
     .cause = CAUSE, .when = vmx_when_host32, .field = {XF_HOST_RIP, XF_EXIT},
     .test = EXPLAIN_CLEAR, .mask = HIGH_HALF},
    {.id = "VMX-HOST-IA32E", .manual = SIZE,
     .text = "A 32-bit host must not enter a guest in IA-32e mode.",
     .cause = "Host address-space size was lost from the exit controls.",
     .when = vmx_when_host32, .field = {XF_ENTRY, XF_EXIT},
     .test = EXPLAIN_CLEAR, .mask = ENTRY_IA32E},
};
/* clang-format on */

TABLE(vmx_host_table, rules);
