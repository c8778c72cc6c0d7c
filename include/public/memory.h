/* SPDX-License-Identifier: MIT */
/*
 * memory_op: what memory a domain has, and where special pages appear in it.
 */
#pragma once

#include "public/xen.h"

#define XENMEM_increase_reservation 0
#define XENMEM_decrease_reservation 1
#define XENMEM_maximum_ram_page 2
#define XENMEM_current_reservation 3
#define XENMEM_maximum_reservation 4
#define XENMEM_machphys_mfn_list 5
#define XENMEM_populate_physmap 6
#define XENMEM_add_to_physmap 7
#define XENMEM_memory_map 9
#define XENMEM_machine_memory_map 10
#define XENMEM_exchange 11
#define XENMEM_machphys_mapping 12
#define XENMEM_set_memory_map 13
#define XENMEM_maximum_gpfn 14
#define XENMEM_remove_from_physmap 15
#define XENMEM_claim_pages 24
#define XENMEM_add_to_physmap_batch 23
#define XENMEM_get_vnumainfo 26
#define XENMEM_reserved_device_memory_map 27
#define XENMEM_acquire_resource 28

#define XENMEMF_address_bits(x) (x)
#define XENMEMF_get_address_bits(x) ((x)&0xffu)
#define XENMEMF_populate_on_demand (1u << 16)
#define XENMEMF_exact_node_request (1u << 17)
#define XENMEMF_vnode (1u << 18)

struct xen_memory_reservation {
    XEN_GUEST_HANDLE(xen_pfn_t) extent_start;
    xen_ulong_t nr_extents;
    uint32_t extent_order;
    uint32_t mem_flags;
    uint16_t domid;
    uint16_t _pad[3];
};
struct compat_memory_reservation {
    COMPAT_GUEST_HANDLE(compat_pfn_t) extent_start;
    compat_ulong_t nr_extents;
    uint32_t extent_order;
    uint32_t mem_flags;
    uint16_t domid;
    uint16_t _pad;
};

struct xen_memory_domain {
    uint16_t domid;
};

#define XENMAPSPACE_shared_info 0
#define XENMAPSPACE_grant_table 1
#define XENMAPSPACE_gmfn 2
#define XENMAPSPACE_gmfn_range 3
#define XENMAPSPACE_gmfn_foreign 4
#define XENMAPSPACE_dev_mmio 5

struct xen_add_to_physmap {
    uint16_t domid;
    uint16_t size; /* gmfn_range: pages */
    uint32_t space;
    xen_ulong_t idx;
    xen_pfn_t gpfn;
};
struct compat_add_to_physmap {
    uint16_t domid;
    uint16_t size;
    uint32_t space;
    compat_ulong_t idx;
    compat_pfn_t gpfn;
};

struct xen_add_to_physmap_batch {
    uint16_t domid;
    uint16_t space;
    uint16_t size;
    union {
        uint16_t foreign_domid;
        uint16_t res0;
    } u;
    XEN_GUEST_HANDLE(xen_ulong_t) idxs;
    XEN_GUEST_HANDLE(xen_pfn_t) gpfns;
    XEN_GUEST_HANDLE(int) errs;
};
struct compat_add_to_physmap_batch {
    uint16_t domid;
    uint16_t space;
    uint16_t size;
    union {
        uint16_t foreign_domid;
        uint16_t res0;
    } u;
    COMPAT_GUEST_HANDLE(compat_ulong_t) idxs;
    COMPAT_GUEST_HANDLE(compat_pfn_t) gpfns;
    COMPAT_GUEST_HANDLE(int) errs;
};

struct xen_remove_from_physmap {
    uint16_t domid;
    uint16_t _pad[3];
    xen_pfn_t gpfn;
};
struct compat_remove_from_physmap {
    uint16_t domid;
    uint16_t _pad;
    compat_pfn_t gpfn;
};

struct xen_memory_map {
    uint32_t nr_entries; /* in: room; out: entries stored */
    uint32_t _pad;
    XEN_GUEST_HANDLE(void) buffer;
};
struct compat_memory_map {
    uint32_t nr_entries;
    COMPAT_GUEST_HANDLE(void) buffer;
};

struct xen_foreign_memory_map {
    uint16_t domid;
    uint16_t _pad[3];
    struct xen_memory_map map;
};
struct compat_foreign_memory_map {
    uint16_t domid;
    uint16_t _pad;
    struct compat_memory_map map;
};
