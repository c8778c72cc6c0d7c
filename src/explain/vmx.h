/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tables of VMX rules share: control bits, and the questions that
 * decide whether a rule applies.
 * Ref: Intel SDM Vol 3C, chapters "Virtual Machine Control Structures" and
 *      "VM Entries". Chapter numbers move between revisions, the numbers
 *      below a chapter and the titles do not: "n" stands for the chapter.
 */
#pragma once

#include "rule.h"

#define VM_ENTRIES(section, title) \
    "Intel SDM Vol 3C, \"VM Entries\", n." section " \"" title "\""

#define PIN_EXTINT (1UL << 0)
#define PIN_NMI (1UL << 3)
#define PIN_VIRTUAL_NMI (1UL << 5)
#define PIN_POSTED (1UL << 7)
#define CPU_TPR_SHADOW (1UL << 21)
#define CPU_NMI_WINDOW (1UL << 22)
#define CPU_SECONDARY (1UL << 31)
#define CPU2_APIC_ACCESS (1UL << 0)
#define CPU2_EPT (1UL << 1)
#define CPU2_X2APIC (1UL << 4)
#define CPU2_VPID (1UL << 5)
#define CPU2_UNRESTRICTED (1UL << 7)
#define CPU2_APIC_REGISTERS (1UL << 8)
#define CPU2_INTR_DELIVERY (1UL << 9)
#define CPU2_PML (1UL << 17)
#define CPU2_MODE_BASED_EXEC (1UL << 22)
#define ENTRY_LOAD_DEBUG (1UL << 2)
#define ENTRY_IA32E (1UL << 9)
#define ENTRY_TO_SMM (1UL << 10)
#define ENTRY_END_DUAL (1UL << 11)
#define ENTRY_LOAD_PAT (1UL << 14)
#define ENTRY_LOAD_EFER (1UL << 15)
#define EXIT_HOST_64 (1UL << 9)
#define EXIT_ACK (1UL << 15)

#define AR_TYPE 0xfu
#define AR_S 0x10u
#define AR_P 0x80u
#define AR_RESERVED 0xfffe0f00u
#define AR_L 0x2000u
#define AR_DB 0x4000u
#define AR_G 0x8000u
#define AR_UNUSABLE 0x10000u
#define AR_V86 0xf3u

#define BLOCKED_BY_STI (1UL << 0)
#define BLOCKED_BY_MOV_SS (1UL << 1)
#define BLOCKED_BY_NMI (1UL << 3)
#define BLOCKED_SHADOW (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)

#define VECTOR_NMI 2u

static inline unsigned ar_type(const struct explain_snapshot *s, unsigned seg)
{
    return attr(s, seg) & AR_TYPE;
}

static inline unsigned ar_dpl(const struct explain_snapshot *s, unsigned seg)
{
    return attr(s, seg) >> 5 & 3;
}

static inline unsigned rpl(const struct explain_snapshot *s, unsigned seg)
{
    return part(s, seg, EXPLAIN_SELECTOR) & 3;
}

/** Secondary controls count only if they are turned on. */
static inline bool has_secondary(const struct explain_snapshot *s,
                                 uint64_t bits)
{
    return has(s, XF_CPU, CPU_SECONDARY) && has(s, XF_CPU2, bits);
}

static inline bool is_unrestricted(const struct explain_snapshot *s)
{
    return has_secondary(s, CPU2_UNRESTRICTED);
}

/* Predicates: the second argument is the segment asked about, if any. */
bool vmx_when_v86(const struct explain_snapshot *s, unsigned seg);
bool vmx_when_not_v86(const struct explain_snapshot *s, unsigned seg);
/** Not vm86, and the segment is usable. */
bool vmx_when_usable(const struct explain_snapshot *s, unsigned seg);
/** LDTR, TR: in vm86 mode as well. */
bool vmx_when_system_usable(const struct explain_snapshot *s, unsigned seg);
bool vmx_when_restricted(const struct explain_snapshot *s, unsigned seg);
bool vmx_when_ia32e(const struct explain_snapshot *s, unsigned seg);
bool vmx_when_not_ia32e(const struct explain_snapshot *s, unsigned seg);
bool vmx_when_load_debug(const struct explain_snapshot *s, unsigned seg);
bool vmx_when_injecting(const struct explain_snapshot *s, unsigned seg);
bool vmx_when_host64(const struct explain_snapshot *s, unsigned seg);
bool vmx_when_host32(const struct explain_snapshot *s, unsigned seg);

/** Does the entry inject an event of this type? */
bool vmx_injects(const struct explain_snapshot *s, unsigned type);

extern const struct explain_table vmx_control_table;
extern const struct explain_table vmx_host_table;
extern const struct explain_table vmx_register_table;
extern const struct explain_table vmx_segment_table;
extern const struct explain_table vmx_state_table;
