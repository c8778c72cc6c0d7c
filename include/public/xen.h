/* SPDX-License-Identifier: MIT */
/*
 * Guest ABI, common part: hypercall numbers, domain ids, the shared pages.
 * Names and layouts are those of the Xen interface as of version 4.17; every
 * field has an explicit width, so one header describes 64-bit callers
 * (struct x) and 32-bit callers (struct compat_x) at the same time. A compat
 * twin exists only where the layouts differ.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifndef static_assert
#define static_assert _Static_assert
#endif

/* A guest pointer inside a structure. It is a number: nothing here or in the
 * hypervisor can dereference it. */
struct xen_guest_handle {
    uint64_t gva;
};
struct compat_guest_handle {
    uint32_t gva;
};
#define XEN_GUEST_HANDLE(type) struct xen_guest_handle
#define COMPAT_GUEST_HANDLE(type) struct compat_guest_handle

typedef uint64_t xen_ulong_t;
typedef uint64_t xen_pfn_t;
typedef uint32_t compat_ulong_t;
typedef uint32_t compat_pfn_t;
/* The i386 ABI aligns 64-bit integers to four bytes. */
typedef uint64_t compat_u64 __attribute__((aligned(4)));

typedef uint8_t xen_domain_handle_t[16];

#define __HYPERVISOR_set_trap_table 0
#define __HYPERVISOR_mmu_update 1
#define __HYPERVISOR_platform_op 7
#define __HYPERVISOR_memory_op 12
#define __HYPERVISOR_multicall 13
#define __HYPERVISOR_set_timer_op 15
#define __HYPERVISOR_xen_version 17
#define __HYPERVISOR_console_io 18
#define __HYPERVISOR_grant_table_op 20
#define __HYPERVISOR_vm_assist 21
#define __HYPERVISOR_iret 23
#define __HYPERVISOR_vcpu_op 24
#define __HYPERVISOR_xsm_op 27
#define __HYPERVISOR_nmi_op 28
#define __HYPERVISOR_sched_op 29
#define __HYPERVISOR_event_channel_op 32
#define __HYPERVISOR_physdev_op 33
#define __HYPERVISOR_hvm_op 34
#define __HYPERVISOR_sysctl 35
#define __HYPERVISOR_domctl 36
#define __HYPERVISOR_tmem_op 38
#define __HYPERVISOR_argo_op 39
#define __HYPERVISOR_dm_op 41
#define __HYPERVISOR_arch_0 48

/* Virtual interrupts. V: one per vCPU, G: one receiver. */
#define VIRQ_TIMER 0   /* V: a timer expired */
#define VIRQ_DEBUG 1   /* V */
#define VIRQ_CONSOLE 2 /* G: input on the hypervisor's console */
#define VIRQ_DOM_EXC 3 /* G: some domain changed its state */
#define VIRQ_ARGO 11   /* G: message arrived */
#define NR_VIRQS 24

#define CONSOLEIO_write 0
#define CONSOLEIO_read 1

#define VMASST_CMD_enable 0
#define VMASST_CMD_disable 1
#define VMASST_TYPE_runstate_update_flag 5

#ifndef DOMID_FIRST_RESERVED
#define DOMID_FIRST_RESERVED 0x7ff0u
#define DOMID_SELF 0x7ff0u
#define DOMID_INVALID 0x7ff4u
#endif
#define DOMID_IO 0x7ff1u
#define DOMID_XEN 0x7ff2u
#define DOMID_MASK 0x7fffu

#define XEN_LEGACY_MAX_VCPUS 32
#define EVTCHN_2L_NR_CHANNELS 4096
#define COMPAT_EVTCHN_2L_NR_CHANNELS 1024

/* One clock sample. `version` is odd while the fields change. */
struct vcpu_time_info {
    uint32_t version;
    uint32_t pad0;
    uint64_t tsc_timestamp;
    uint64_t system_time; /* ns at tsc_timestamp */
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags;
    uint8_t pad1[2];
};
static_assert(sizeof(struct vcpu_time_info) == 32, "vcpu_time_info");
#define XEN_PVCLOCK_TSC_STABLE_BIT (1u << 0)
#define XEN_PVCLOCK_GUEST_STOPPED (1u << 1)

struct arch_vcpu_info {
    uint64_t cr2;
    uint64_t pad;
};
struct compat_arch_vcpu_info {
    uint32_t cr2;
    uint32_t pad[5];
};

struct vcpu_info {
    uint8_t evtchn_upcall_pending;
    uint8_t evtchn_upcall_mask;
    uint8_t pad0[6];
    uint64_t evtchn_pending_sel;
    struct arch_vcpu_info arch;
    struct vcpu_time_info time;
};
struct compat_vcpu_info {
    uint8_t evtchn_upcall_pending;
    uint8_t evtchn_upcall_mask;
    uint8_t pad0[2];
    uint32_t evtchn_pending_sel;
    struct compat_arch_vcpu_info arch;
    struct vcpu_time_info time;
};
static_assert(sizeof(struct vcpu_info) == 64, "vcpu_info");
static_assert(sizeof(struct compat_vcpu_info) == 64, "vcpu_info, 32-bit");

struct arch_shared_info {
    uint64_t max_pfn;
    uint64_t pfn_to_mfn_frame_list_list;
    uint64_t nmi_reason;
    uint64_t p2m_cr3;
    uint64_t p2m_vaddr;
    uint64_t p2m_generation;
};
struct compat_arch_shared_info {
    uint32_t max_pfn;
    uint32_t pfn_to_mfn_frame_list_list;
    uint32_t nmi_reason;
    uint32_t p2m_cr3;
    uint32_t p2m_vaddr;
    uint32_t p2m_generation;
    uint32_t wc_sec_hi;
};

/* The page every domain shares with the hypervisor. */
struct shared_info {
    struct vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
    uint64_t evtchn_pending[64];
    uint64_t evtchn_mask[64];
    uint32_t wc_version;
    uint32_t wc_sec;
    uint32_t wc_nsec;
    uint32_t wc_sec_hi;
    struct arch_shared_info arch;
};
struct compat_shared_info {
    struct compat_vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
    uint32_t evtchn_pending[32];
    uint32_t evtchn_mask[32];
    uint32_t wc_version;
    uint32_t wc_sec;
    uint32_t wc_nsec;
    struct compat_arch_shared_info arch;
};
static_assert(offsetof(struct shared_info, wc_version) == 3072, "shared_info");
static_assert(offsetof(struct compat_shared_info, wc_version) == 2304,
              "shared_info, 32-bit");

/* start_info flags */
#define SIF_PRIVILEGED (1u << 0)
#define SIF_INITDOMAIN (1u << 1)

/* A bit map behind a pointer, same layout for both kinds of caller. */
struct xenctl_bitmap {
    XEN_GUEST_HANDLE(uint8) bitmap;
    uint32_t nr_bits;
    uint32_t _pad;
};
