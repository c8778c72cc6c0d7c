/* SPDX-License-Identifier: MIT */
/*
 * hvm_op: parameters and services of HVM and PVH domains.
 */
#pragma once

#include <stddef.h>

#include "public/xen.h"

#define HVMOP_set_param 0
#define HVMOP_get_param 1
struct xen_hvm_param {
    uint16_t domid;
    uint16_t pad;
    uint32_t index; /* HVM_PARAM_* */
    uint64_t value;
};

#define HVMOP_flush_tlbs 5

#define HVMOP_pagetable_dying 9

#define HVMOP_get_time 10
struct xen_hvm_get_time {
    uint64_t now; /* out */
};

/* Rights of the domain's instructions on a page. rx2rw: read and execute until
 * the first write, then read and write. default: those of new pages. */
#define HVMMEM_access_n 0
#define HVMMEM_access_r 1
#define HVMMEM_access_w 2
#define HVMMEM_access_rw 3
#define HVMMEM_access_x 4
#define HVMMEM_access_rx 5
#define HVMMEM_access_wx 6
#define HVMMEM_access_rwx 7
#define HVMMEM_access_rx2rw 8
#define HVMMEM_access_default 9
#define HVMMEM_access_PFN_DEFAULT (~0ULL)

#define HVMOP_set_mem_access 12
struct xen_hvm_set_mem_access {
    uint16_t domid;
    uint16_t hvmmem_access; /* HVMMEM_access_* */
    uint32_t nr;            /* frames; ignored for the default */
    uint64_t first_pfn;     /* or PFN_DEFAULT: the default of new pages */
};

#define HVMOP_get_mem_access 13
struct xen_hvm_get_mem_access {
    uint16_t domid;
    uint16_t hvmmem_access; /* out */
    uint16_t pad[2];
    uint64_t pfn; /* or PFN_DEFAULT */
};

#define HVMOP_inject_trap 14
struct xen_hvm_inject_trap {
    uint16_t domid;
    uint16_t pad;
    uint32_t vcpuid;
    uint32_t trap;       /* vector, 0 to 31 */
    uint32_t error_code; /* or HVMOP_TRAP_no_error */
    uint64_t cr2;        /* page faults */
};
#define HVMOP_TRAP_no_error 0xffffffffu

#define HVMOP_get_mem_type 15
#define HVMMEM_ram_rw 0
#define HVMMEM_ram_ro 1
#define HVMMEM_mmio_dm 2
struct xen_hvm_get_mem_type {
    uint16_t domid;
    uint16_t mem_type; /* out */
    uint16_t pad[2];
    uint64_t pfn;
};

#define HVMOP_set_evtchn_upcall_vector 23
struct xen_hvm_evtchn_upcall_vector {
    uint32_t vcpu;
    uint8_t vector;
    uint8_t _pad[3];
};

#define HVMOP_guest_request_vm_event 24
#define HVMOP_altp2m 25

#define HVM_OP_ABI(what) _Static_assert(what, "hvm_op layout: " #what)
HVM_OP_ABI(sizeof(struct xen_hvm_set_mem_access) == 16);
HVM_OP_ABI(offsetof(struct xen_hvm_set_mem_access, first_pfn) == 8);
HVM_OP_ABI(sizeof(struct xen_hvm_get_mem_access) == 16);
HVM_OP_ABI(offsetof(struct xen_hvm_inject_trap, vcpuid) == 4);
HVM_OP_ABI(offsetof(struct xen_hvm_inject_trap, trap) == 8);
HVM_OP_ABI(offsetof(struct xen_hvm_inject_trap, error_code) == 12);
HVM_OP_ABI(offsetof(struct xen_hvm_inject_trap, cr2) == 16);
#undef HVM_OP_ABI
