/* SPDX-License-Identifier: MIT */
/*
 * Argo: V4V's successor in the Xen ABI, on the same hypercall number. Served to
 * domains whose manifest entry chooses it. Layouts are those of the Xen
 * interface as of version 4.17; rx_ptr and tx_ptr want atomic accesses, as in
 * V4V.
 */
#pragma once

#include "public/xen.h"

#define XEN_ARGO_DOMID_ANY 0x7ff4u
#define XEN_ARGO_MAX_RING_SIZE 0x1000000ULL
#define XEN_ARGO_MAXIOV 8u
#define XEN_ARGO_MSG_SLOT_SIZE 0x10

typedef uint32_t xen_argo_port_t;
typedef uint64_t xen_argo_gfn_t;

struct xen_argo_iov {
    XEN_GUEST_HANDLE(uint8) iov_hnd;
    uint32_t iov_len;
    uint32_t pad;
};
struct compat_argo_iov {
    COMPAT_GUEST_HANDLE(uint8) iov_hnd;
    uint32_t iov_len;
    uint32_t pad;
};

struct xen_argo_addr {
    xen_argo_port_t aport;
    uint16_t domain_id;
    uint16_t pad;
};

struct xen_argo_send_addr {
    struct xen_argo_addr src;
    struct xen_argo_addr dst;
};

struct xen_argo_ring {
    uint32_t rx_ptr;
    uint32_t tx_ptr;
    uint8_t reserved[56];
    uint8_t ring[];
};

struct xen_argo_register_ring {
    xen_argo_port_t aport;
    uint16_t partner_id;
    uint16_t pad;
    uint32_t len;
};

struct xen_argo_unregister_ring {
    xen_argo_port_t aport;
    uint16_t partner_id;
    uint16_t pad;
};

#define XEN_ARGO_RING_EXISTS (1u << 0)
#define XEN_ARGO_RING_SHARED (1u << 1)
#define XEN_ARGO_RING_EMPTY (1u << 2)
#define XEN_ARGO_RING_SUFFICIENT (1u << 3)
#define XEN_ARGO_RING_EMSGSIZE (1u << 4)
#define XEN_ARGO_RING_EBUSY (1u << 5)

struct xen_argo_ring_data_ent {
    struct xen_argo_addr ring;
    uint16_t flags;
    uint16_t pad;
    uint32_t space_required;
    uint32_t max_message_size;
};

struct xen_argo_ring_data {
    uint32_t nent;
    uint32_t pad;
    struct xen_argo_ring_data_ent data[];
};

struct xen_argo_ring_message_header {
    uint32_t len;
    struct xen_argo_addr source;
    uint32_t message_type;
    uint8_t data[];
};

#define XEN_ARGO_OP_register_ring 1
#define XEN_ARGO_REGISTER_FLAG_FAIL_EXIST 0x1
#define XEN_ARGO_OP_unregister_ring 2
#define XEN_ARGO_OP_sendv 3
#define XEN_ARGO_OP_notify 4
