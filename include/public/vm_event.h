/* SPDX-License-Identifier: MIT */
/*
 * The second format of memory events: vm_event, version 7, for tools that know
 * this one. Set-up, ring page and channel as for mem_event (mem_event.h); which
 * of the two a ring has is the watched domain's `monitor-abi` in the manifest.
 * What to listen to is set by XEN_DOMCTL_monitor_op.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define VM_EVENT_INTERFACE_VERSION 7u

#define VM_EVENT_FLAG_VCPU_PAUSED (1u << 0)
/* Responses. Others than these are refused: the vCPU goes on waiting. */
#define VM_EVENT_FLAG_EMULATE (1u << 2)
#define VM_EVENT_FLAG_DENY (1u << 6)
#define VM_EVENT_FLAG_SET_REGISTERS (1u << 8) /* gpr, rip, rflags */
/* Permits the access that raised a MEM_ACCESS event this once; p2midx is
 * ignored, there is one view of memory. */
#define VM_EVENT_FLAG_FAST_SINGLESTEP (1u << 11)

#define VM_EVENT_REASON_UNKNOWN 0u
#define VM_EVENT_REASON_MEM_ACCESS 1u
#define VM_EVENT_REASON_WRITE_CTRLREG 4u
#define VM_EVENT_REASON_MOV_TO_MSR 5u
#define VM_EVENT_REASON_SOFTWARE_BREAKPOINT 6u
#define VM_EVENT_REASON_SINGLESTEP 7u
#define VM_EVENT_REASON_GUEST_REQUEST 8u
#define VM_EVENT_REASON_INTERRUPT 12u /* what became of an injected trap */

#define VM_EVENT_X86_CR0 0u
#define VM_EVENT_X86_CR3 1u
#define VM_EVENT_X86_CR4 2u
#define VM_EVENT_X86_XCR0 3u

#define MEM_ACCESS_R (1u << 0)
#define MEM_ACCESS_W (1u << 1)
#define MEM_ACCESS_X (1u << 2)
#define MEM_ACCESS_GLA_VALID (1u << 3)
#define MEM_ACCESS_FAULT_WITH_GLA (1u << 4)
#define MEM_ACCESS_FAULT_IN_GPT (1u << 5)

/* Limit (bits 0 to 19; in pages if G is set), attributes (bits 20 to 31). */
typedef uint32_t vm_event_selector_t;

struct vm_event_regs_x86 {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags;
    uint64_t dr6, dr7;
    uint64_t rip;
    uint64_t cr0, cr2, cr3, cr4;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t msr_efer, msr_star, msr_lstar;
    uint64_t gdtr_base;
    uint64_t npt_base;    /* 0 */
    uint64_t vmtrace_pos; /* ~0 */
    uint32_t cs_base, ss_base, ds_base, es_base;
    uint64_t fs_base, gs_base;
    vm_event_selector_t cs, ss, ds, es, fs, gs;
    uint64_t shadow_gs;
    uint16_t gdtr_limit;
    uint16_t cs_sel, ss_sel, ds_sel, es_sel, fs_sel, gs_sel;
    uint16_t _pad;
};

struct vm_event_mem_access {
    uint64_t gfn;
    uint64_t offset;
    uint64_t gla;
    uint32_t flags; /* MEM_ACCESS_* */
    uint32_t _pad;
};
struct vm_event_write_ctrlreg {
    uint32_t index; /* VM_EVENT_X86_* */
    uint32_t _pad;
    uint64_t new_value;
    uint64_t old_value;
};
struct vm_event_mov_to_msr {
    uint64_t msr;
    uint64_t new_value;
    uint64_t old_value;
};
struct vm_event_singlestep {
    uint64_t gfn;
};
struct vm_event_debug {
    uint64_t gfn;
    uint64_t pending_dbg;
    uint32_t insn_length;
    uint8_t type; /* 6: software exception */
    uint8_t _pad[3];
};
struct vm_event_interrupt_x86 {
    uint32_t vector;
    uint32_t type;
    uint32_t error_code;
    uint32_t _pad;
    uint64_t cr2;
};

struct vm_event_st {
    uint32_t version;
    uint32_t flags;
    uint32_t reason;
    uint32_t vcpu_id;
    uint16_t altp2m_idx; /* 0 */
    uint16_t _pad[3];
    union {
        struct vm_event_mem_access mem_access;
        struct vm_event_write_ctrlreg write_ctrlreg;
        struct vm_event_mov_to_msr mov_to_msr;
        struct vm_event_singlestep singlestep;
        struct vm_event_debug software_breakpoint;
        struct vm_event_interrupt_x86 interrupt;
    } u;
    struct vm_event_regs_x86 regs;
};
typedef struct vm_event_st vm_event_request_t;
typedef struct vm_event_st vm_event_response_t;
#define VM_EVENT_RING_SIZE 8u

#define VM_EVENT_ABI(what) _Static_assert(what, "vm_event layout: " #what)
VM_EVENT_ABI(sizeof(struct vm_event_regs_x86) == 344);
VM_EVENT_ABI(sizeof(struct vm_event_st) == 400);
VM_EVENT_ABI(offsetof(struct vm_event_st, u) == 24);
VM_EVENT_ABI(offsetof(struct vm_event_st, regs) == 56);
#undef VM_EVENT_ABI
