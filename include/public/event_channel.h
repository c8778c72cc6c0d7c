/* SPDX-License-Identifier: MIT */
/*
 * event_channel_op: one-bit notifications between domains, from virtual
 * interrupts and between vCPUs. Two-level ports only.
 */
#pragma once

#include "public/xen.h"

#define EVTCHNOP_bind_interdomain 0
#define EVTCHNOP_bind_virq 1
#define EVTCHNOP_bind_pirq 2
#define EVTCHNOP_close 3
#define EVTCHNOP_send 4
#define EVTCHNOP_status 5
#define EVTCHNOP_alloc_unbound 6
#define EVTCHNOP_bind_ipi 7
#define EVTCHNOP_bind_vcpu 8
#define EVTCHNOP_unmask 9
#define EVTCHNOP_reset 10
#define EVTCHNOP_init_control 11
#define EVTCHNOP_expand_array 12
#define EVTCHNOP_set_priority 13

struct evtchn_alloc_unbound {
    uint16_t dom;
    uint16_t remote_dom;
    uint32_t port; /* out */
};

struct evtchn_bind_interdomain {
    uint16_t remote_dom;
    uint16_t _pad;
    uint32_t remote_port;
    uint32_t local_port; /* out */
};

struct evtchn_bind_virq {
    uint32_t virq;
    uint32_t vcpu;
    uint32_t port; /* out */
};

struct evtchn_bind_pirq {
    uint32_t pirq;
    uint32_t flags;
    uint32_t port; /* out */
};

struct evtchn_bind_ipi {
    uint32_t vcpu;
    uint32_t port; /* out */
};

struct evtchn_close {
    uint32_t port;
};

struct evtchn_send {
    uint32_t port;
};

#define EVTCHNSTAT_closed 0
#define EVTCHNSTAT_unbound 1
#define EVTCHNSTAT_interdomain 2
#define EVTCHNSTAT_pirq 3
#define EVTCHNSTAT_virq 4
#define EVTCHNSTAT_ipi 5
struct evtchn_status {
    uint16_t dom;
    uint16_t _pad;
    uint32_t port;
    uint32_t status; /* out, EVTCHNSTAT_* */
    uint32_t vcpu;   /* out */
    union {
        struct {
            uint16_t dom;
            uint16_t _pad;
        } unbound;
        struct {
            uint16_t dom;
            uint16_t _pad;
            uint32_t port;
        } interdomain;
        uint32_t pirq;
        uint32_t virq;
    } u;
};

struct evtchn_bind_vcpu {
    uint32_t port;
    uint32_t vcpu;
};

struct evtchn_unmask {
    uint32_t port;
};

struct evtchn_reset {
    uint16_t dom;
};
