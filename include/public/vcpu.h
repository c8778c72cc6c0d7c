/* SPDX-License-Identifier: MIT */
/*
 * vcpu_op: bringing up vCPUs, their timers and the areas they share with the
 * hypervisor.
 */
#pragma once

#include "public/xen.h"

#define VCPUOP_initialise 0 /* struct vcpu_hvm_context */
#define VCPUOP_up 1
#define VCPUOP_down 2
#define VCPUOP_is_up 3

#define VCPUOP_get_runstate_info 4
struct vcpu_runstate_info {
    int32_t state; /* RUNSTATE_* */
    uint32_t _pad;
    uint64_t state_entry_time; /* ns */
    uint64_t time[4];          /* ns in each state */
};
struct compat_vcpu_runstate_info {
    int32_t state;
    compat_u64 state_entry_time;
    compat_u64 time[4];
};
static_assert(sizeof(struct vcpu_runstate_info) == 48, "vcpu_runstate_info");
static_assert(sizeof(struct compat_vcpu_runstate_info) == 44,
              "vcpu_runstate_info, 32-bit");
#define XEN_RUNSTATE_UPDATE (1ULL << 63)
#define RUNSTATE_running 0
#define RUNSTATE_runnable 1
#define RUNSTATE_blocked 2
#define RUNSTATE_offline 3

#define VCPUOP_register_runstate_memory_area 5
struct vcpu_register_runstate_memory_area {
    union {
        XEN_GUEST_HANDLE(vcpu_runstate_info_t) h;
        uint64_t p;
    } addr;
};

#define VCPUOP_set_periodic_timer 6
#define VCPUOP_stop_periodic_timer 7
struct vcpu_set_periodic_timer {
    uint64_t period_ns;
};

#define VCPUOP_set_singleshot_timer 8
#define VCPUOP_stop_singleshot_timer 9
struct vcpu_set_singleshot_timer {
    uint64_t timeout_abs_ns;
    uint32_t flags;
    uint32_t _pad;
};
struct compat_vcpu_set_singleshot_timer {
    compat_u64 timeout_abs_ns;
    uint32_t flags;
};
#define VCPU_SSHOTTMR_future (1u << 0)

#define VCPUOP_register_vcpu_info 10
struct vcpu_register_vcpu_info {
    uint64_t mfn; /* guest frame */
    uint32_t offset;
    uint32_t rsvd;
};

#define VCPUOP_send_nmi 11

#define VCPUOP_get_physid 12
struct vcpu_get_physid {
    uint64_t phys_id;
};

#define VCPUOP_register_vcpu_time_memory_area 13
struct vcpu_register_time_memory_area {
    union {
        XEN_GUEST_HANDLE(vcpu_time_info_t) h;
        uint64_t p;
    } addr;
};
