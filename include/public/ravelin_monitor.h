/* SPDX-License-Identifier: MIT */
/*
 * Ravelin's own interface for monitors: hypercall monitor_op. Beside what the
 * mem_event ABI can do it has a ring in the monitor's own memory, sequence
 * numbers and loss counters in every event, per-vCPU answers, filters inside
 * the hypervisor, all registers and the raw exit information on request.
 *
 * First argument: the operation; second: its structure, unless said otherwise.
 * Callers are control
 * domains and the monitor that the manifest names for the target; -EPERM for
 * all others and for everybody on himself. Reserved and pad fields are 0.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Addresses of the caller in structures: 64 bits, also in 32-bit callers. */
#ifdef __XEN_PUBLIC_XEN_H__ /* with the reference headers of the ABI */
#define RAVELIN_HANDLE uint64_t
#else
#include "public/xen.h"
#define RAVELIN_HANDLE struct xen_guest_handle
#endif

#define __HYPERVISOR_ravelin_monitor_op 55
#define RAVELIN_MONITOR_VERSION 1u

/* ---- What can happen --------------------------------------------------- */

/* 0 to 5 as MEM_EVENT_REASON_*. */
#define RAVELIN_REASON_VIOLATION 1u /* a right that a page lacks was wanted */
#define RAVELIN_REASON_CR0 2u
#define RAVELIN_REASON_CR3 3u
#define RAVELIN_REASON_CR4 4u
#define RAVELIN_REASON_INT3 5u
#define RAVELIN_REASON_STEP 6u    /* one instruction was executed */
#define RAVELIN_REASON_REQUEST 7u /* HVMOP_guest_request_vm_event */
#define RAVELIN_REASON_MSR 8u     /* WRMSR to a listed register */
#define RAVELIN_REASON_INJECT 9u  /* what became of an injected trap */
#define RAVELIN_REASON_COUNT 10u

#define RAVELIN_EVENT_PAUSED (1u << 0) /* the vCPU waits for an answer */
#define RAVELIN_EVENT_READ (1u << 1)   /* VIOLATION: kinds of access */
#define RAVELIN_EVENT_WRITE (1u << 2)
#define RAVELIN_EVENT_EXEC (1u << 3)
#define RAVELIN_EVENT_GLA (1u << 4)   /* gla is valid */
#define RAVELIN_EVENT_WALK (1u << 5)  /* by the guest's page-table walk */
#define RAVELIN_EVENT_REGS (1u << 6)  /* raw[] and regs are filled */
#define RAVELIN_EVENT_FULL (1u << 7)  /* it had to wait for a free slot */
#define RAVELIN_EVENT_CPL_SHIFT 8     /* two bits */
#define RAVELIN_EVENT_BITS_SHIFT 10   /* two bits: code width 16 << n */
#define RAVELIN_EVENT_LENGTH_SHIFT 12 /* four bits: instruction, 0 unknown */
/* VIOLATION: by a hypercall that copies from or to the page. It has had no
 * effect yet, and is executed once more after the answer. */
#define RAVELIN_EVENT_HYPERCALL (1u << 16)

struct ravelin_segment {
    uint16_t selector;
    uint16_t attr; /* bits 0-7: type, S, DPL, P; 8-11: AVL, L, D/B, G */
    uint32_t limit;
    uint64_t base;
};

struct ravelin_registers {
    uint64_t gpr[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8 .. r15 */
    uint64_t rip;
    uint64_t rflags;
    uint64_t cr0;
    uint64_t cr2;
    uint64_t cr3;
    uint64_t cr4;
    uint64_t efer;
    uint64_t dr6;
    uint64_t dr7;
    uint64_t star;
    uint64_t lstar;
    uint64_t cstar;
    uint64_t sfmask;
    uint64_t kernel_gs_base;
    uint64_t sysenter_cs;
    uint64_t sysenter_esp;
    uint64_t sysenter_eip;
    struct ravelin_segment seg[10]; /* es cs ss ds fs gs ldtr tr gdtr idtr */
};

/*
 * One event. By reason:
 *   CRx        value: new, old: old
 *   INT3       gla: linear address, value: guest-physical address
 *   VIOLATION  value: guest-physical address; gla if RAVELIN_EVENT_GLA; old:
 *              rights the page has (HVMMEM_access_* number)
 *   STEP       gla: linear address of the next instruction
 *   MSR        value: new, old: old, gla: number of the register
 *   INJECT     value: vector, old: RAVELIN_INJECT_*, gla: the other vector
 */
struct ravelin_event {
    uint32_t sequence; /* of the watched domain's events, from 1, lost ones
                          included */
    uint32_t lost;     /* events lost so far */
    uint16_t reason;
    uint16_t vcpu;
    uint32_t flags;
    uint64_t time_ns; /* system time of the watched domain */
    uint64_t value;
    uint64_t old;
    uint64_t gla;
    uint64_t cr3; /* in force after the event */
    uint64_t rip; /* CRx: behind the instruction; INT3, VIOLATION: at it */
};

struct ravelin_event_full {
    struct ravelin_event event;
    uint64_t raw[3]; /* exit code and two words of information (SVM) */
    struct ravelin_registers regs;
};

/* `old` of RAVELIN_REASON_INJECT. */
#define RAVELIN_INJECT_DELIVERED 0u /* on its way, alone */
#define RAVELIN_INJECT_MERGED 1u    /* took the place of a benign event */
#define RAVELIN_INJECT_DOUBLE 2u    /* became a double fault */
#define RAVELIN_INJECT_TRIPLE 3u    /* would have ended the domain: dropped */
#define RAVELIN_INJECT_DROPPED 4u   /* the vCPU or the right to do so is gone */

/* ---- The ring ---------------------------------------------------------- */

/* What a paused vCPU shall do. 0: go on where it stands (INT3, VIOLATION: at
 * the same instruction, once more). */
#define RAVELIN_ANSWER_STEP (1u << 8) /* VIOLATION: permit it this once */
#define RAVELIN_ANSWER_EMULATE                                                \
    (1u << 9)                            /* VIOLATION: the same, by emulation \
                                          */
#define RAVELIN_ANSWER_DENY (1u << 10)   /* CRx: the old value comes back */
#define RAVELIN_ANSWER_INJECT (1u << 11) /* INT3: the guest gets its #BP */
#define RAVELIN_ANSWER_SKIP (1u << 12)   /* INT3: go on behind it */
#define RAVELIN_ANSWER_MASK 0x1f00u

struct ravelin_answer {
    uint32_t sequence; /* of the event answered; write it last */
    uint32_t flags;    /* RAVELIN_ANSWER_* */
};

/*
 * First page of the ring; `event_count` events follow from the second page on,
 * each `event_size` bytes, none across a page. Indices run freely; slot =
 * index & (event_count - 1). The hypervisor never reads what it has written.
 */
struct ravelin_ring {
    /* Written once, at attach. */
    uint32_t magic;
    uint32_t version;
    uint32_t event_size;
    uint32_t event_count; /* a power of two */
    uint32_t vcpu_count;  /* of the watched domain */
    uint32_t pad0[11];
    /* Written by the hypervisor. */
    uint32_t prod;     /* events put */
    uint32_t state;    /* RAVELIN_RING_* */
    uint32_t lost;     /* events lost so far: no room */
    uint32_t refused;  /* answers nobody had asked for */
    uint32_t filtered; /* events that the filters kept back */
    uint32_t queued;   /* vCPUs that wait for room: send after taking events */
    uint32_t pad1[10];
    /* Written by the monitor. */
    uint32_t cons;   /* events taken */
    uint32_t wanted; /* notify when prod passes this: normally cons + 1 */
    uint32_t pad2[14];
    uint32_t pad3[16];
    /* Written by the monitor, one for each vCPU; then send on the port. */
    struct ravelin_answer answer[32];
};
#define RAVELIN_RING_MAGIC 0x4e4f4d52u /* "RMON" */
#define RAVELIN_RING_ON 1u
#define RAVELIN_RING_OVER 2u   /* detached, or the watched domain is gone */
#define RAVELIN_RING_FAILED 3u /* `cons` made no sense */

/* ---- Operations -------------------------------------------------------- */

/* No structure. Returns RAVELIN_MONITOR_VERSION. */
#define RAVELIN_MONITOR_version 0

/*
 * Puts the ring into frames of the caller and connects a port. The frames stay
 * the caller's, pinned until detach.
 * -EBUSY: somebody is attached; -EINVAL: sizes; -ENOENT: a frame is no RAM of
 * the caller; -ENOSPC, -ENOMEM: no port, no memory.
 */
#define RAVELIN_MONITOR_attach 1
struct ravelin_monitor_attach {
    uint16_t domid;
    uint16_t pad;
    uint32_t version;    /* in: RAVELIN_MONITOR_VERSION */
    uint32_t event_size; /* in: 64 or 512 (with registers) */
    uint32_t page_count; /* in: 1 + a power of two, at most 65 */
    uint32_t port;       /* out: an event channel of the caller, bound */
    uint32_t vcpu_count; /* out */
    RAVELIN_HANDLE gfns; /* page_count numbers, u64 each */
};
#define RAVELIN_MONITOR_PAGES_MAX 65u

/* Ends it: nothing is intercepted any more, waiting vCPUs go on. -ENOENT:
 * nothing is attached. Works on rings of either kind. */
#define RAVELIN_MONITOR_detach 2
struct ravelin_monitor_target {
    uint16_t domid;
    uint16_t pad[3];
};

/*
 * Listens to a reason, or no longer. In force on all vCPUs when the call
 * returns. Modes as HVMPME_*; the HVM parameters are the same setting.
 * -ENOENT: nothing is attached; -EINVAL: reason, mode; -EOPNOTSUPP: a reason
 * that this machine cannot report.
 */
#define RAVELIN_MONITOR_listen 3
struct ravelin_monitor_listen {
    uint16_t domid;
    uint16_t reason; /* CR0, CR3, CR4, INT3, STEP, REQUEST, MSR */
    uint32_t mode;   /* HVMPME_* */
};

/*
 * Replaces a filter. An event that a filter of its reason does not let pass
 * costs the guest its exit and nothing else: it takes no sequence number.
 * Without entries everything passes. -ENOENT: nothing is attached; -E2BIG:
 * more entries than RAVELIN_FILTER_MAX; -EINVAL: kind, first above last.
 */
#define RAVELIN_MONITOR_filter 4
struct ravelin_monitor_filter {
    uint16_t domid;
    uint16_t kind; /* RAVELIN_FILTER_* */
    uint32_t count;
    RAVELIN_HANDLE ranges; /* count of them */
};
struct ravelin_range {
    uint64_t first;
    uint64_t last; /* included */
};
#define RAVELIN_FILTER_CR3 0   /* new CR3 >> 12 of CR3 events */
#define RAVELIN_FILTER_CR0 1   /* one entry; first: bits that must change */
#define RAVELIN_FILTER_CR4 2   /* likewise */
#define RAVELIN_FILTER_INT3 3  /* linear addresses of INT3 */
#define RAVELIN_FILTER_PLACE 4 /* guest-physical addresses of VIOLATION */
#define RAVELIN_FILTER_MSR 5   /* register numbers that are listened to */
#define RAVELIN_FILTER_KINDS 6
#define RAVELIN_FILTER_MAX 64u

#define RAVELIN_MONITOR_status 5
struct ravelin_monitor_status {
    uint16_t domid;
    uint16_t state;      /* out: RAVELIN_RING_*, 0: nothing attached */
    uint32_t vcpu_count; /* out */
    uint64_t sequence;   /* out: events so far, lost ones included */
    uint64_t lost;       /* out: async events that found no room */
    uint64_t refused;    /* out: answers nobody had asked for */
    uint64_t filtered;   /* out: events kept back by filters */
    uint64_t delayed;    /* out: sync events that had to wait for room */
    uint64_t waiting;    /* out: mask of vCPUs that wait for an answer */
    uint64_t page_count; /* out: RAM frames of the domain */
};

/* Takes answers and frees slots now, as sending on the port does. Struct
 * ravelin_monitor_target. */
#define RAVELIN_MONITOR_resume 6

/* The registers of a vCPU that waits for an answer, or whose domain is paused.
 * -ENOENT: no such vCPU; -EBUSY: it runs. set: -EINVAL for values that the
 * processor would refuse; control registers, EFER and segments are read-only
 * (only gpr, rip, rflags, dr6, dr7 and cr2 are taken). */
#define RAVELIN_MONITOR_registers_get 7
#define RAVELIN_MONITOR_registers_set 8
struct ravelin_monitor_registers {
    uint16_t domid;
    uint16_t vcpu;
    uint32_t pad;
    struct ravelin_registers regs;
};

/* Copies between a buffer of the caller and guest-physical memory of the
 * target; length at most 64 KiB. -EFAULT: no RAM there, or a bad buffer. */
#define RAVELIN_MONITOR_memory_read 9
#define RAVELIN_MONITOR_memory_write 10
struct ravelin_monitor_memory {
    uint16_t domid;
    uint16_t pad;
    uint32_t length;
    uint64_t gpa;
    RAVELIN_HANDLE buffer;
};
#define RAVELIN_MONITOR_MEMORY_MAX 65536u

/*
 * Takes answers as `resume` does, then waits until the ring's port is pending
 * or the time has come: one call instead of two. No structure: second argument
 * the target, third the absolute system time in ns, 0 for none (32-bit callers:
 * low half, and the high half as fourth). -ENOENT: the caller is not attached.
 * Clear the port's pending bit, set `wanted` and look at `prod` before.
 */
#define RAVELIN_MONITOR_wait 11

#define RAVELIN_ABI(what) _Static_assert(what, "monitor layout: " #what)
RAVELIN_ABI(sizeof(struct ravelin_segment) == 16);
RAVELIN_ABI(sizeof(struct ravelin_registers) == 424);
RAVELIN_ABI(sizeof(struct ravelin_event) == 64);
RAVELIN_ABI(offsetof(struct ravelin_event, value) == 24);
RAVELIN_ABI(sizeof(struct ravelin_event_full) == 512);
RAVELIN_ABI(offsetof(struct ravelin_event_full, regs) == 88);
RAVELIN_ABI(offsetof(struct ravelin_ring, prod) == 64);
RAVELIN_ABI(offsetof(struct ravelin_ring, cons) == 128);
RAVELIN_ABI(offsetof(struct ravelin_ring, answer) == 256);
RAVELIN_ABI(sizeof(struct ravelin_ring) == 512);
RAVELIN_ABI(sizeof(struct ravelin_monitor_attach) == 32);
RAVELIN_ABI(sizeof(struct ravelin_monitor_target) == 8);
RAVELIN_ABI(sizeof(struct ravelin_monitor_listen) == 8);
RAVELIN_ABI(sizeof(struct ravelin_monitor_filter) == 16);
RAVELIN_ABI(sizeof(struct ravelin_monitor_status) == 64);
RAVELIN_ABI(sizeof(struct ravelin_monitor_registers) == 432);
RAVELIN_ABI(sizeof(struct ravelin_monitor_memory) == 24);
#undef RAVELIN_ABI
