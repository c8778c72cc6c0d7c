/* SPDX-License-Identifier: MIT */
/*
 * hvm_op: parameters and services of HVM and PVH domains.
 */
#pragma once

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
