/* SPDX-License-Identifier: MIT */
/*
 * Memory events: what a domain does with its control registers, breakpoints
 * and protected pages, told to a monitor over a shared ring and an event
 * channel. One page holds the ring; request and response have one layout.
 *
 * Set-up, by a control domain or the monitor named for the domain:
 *   1. put a page of the watched domain's RAM into HVM_PARAM_MONITOR_RING_PFN;
 *   2. map it (XENMEM_add_to_physmap_batch, space gmfn_foreign);
 *   3. XEN_DOMCTL_mem_event_op, mode ACCESS, op ENABLE. From here on the page
 *      is no longer in the watched domain's memory, and is initialised;
 *   4. bind to the port returned with EVTCHNOP_bind_interdomain;
 *   5. say what to listen for: HVM_PARAM_MEMORY_EVENT_*, HVMOP_set_mem_access.
 * Every request takes a response, also those that paused nobody: a slot of the
 * ring is free again when its response has been taken. Send on the channel
 * after putting responses.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MEM_EVENT_TYPE_SHARED 0
#define MEM_EVENT_TYPE_PAGING 1
#define MEM_EVENT_TYPE_ACCESS 2

/* The vCPU waits for the response. A response must carry the flag, and is
 * refused unless this vCPU waits. */
#define MEM_EVENT_FLAG_VCPU_PAUSED (1u << 0)
/* Bits 8 to 15 of a response are RAVELIN_ANSWER_* (ravelin_monitor.h). */

#define MEM_EVENT_REASON_UNKNOWN 0
#define MEM_EVENT_REASON_VIOLATION 1
#define MEM_EVENT_REASON_CR0 2
#define MEM_EVENT_REASON_CR3 3
#define MEM_EVENT_REASON_CR4 4
#define MEM_EVENT_REASON_INT3 5
/* With this bit: RAVELIN_REASON_*; gfn, offset, gla are its value, old, gla. */
#define MEM_EVENT_REASON_OWN 0x80

/* `rights` word: rwx of the access, is gla valid. Bits 4 to 15 are the low
 * twelve bits of the event's sequence number: a gap means lost events. */
#define MEM_EVENT_ACCESS_R (1u << 0)
#define MEM_EVENT_ACCESS_W (1u << 1)
#define MEM_EVENT_ACCESS_X (1u << 2)
#define MEM_EVENT_GLA_VALID (1u << 3)
#define MEM_EVENT_SEQUENCE_SHIFT 4

struct mem_event_st {
    uint16_t type;
    uint16_t flags;
    uint32_t vcpu_id;
    uint64_t gfn;    /* VIOLATION, INT3: frame; CRx: the new value */
    uint64_t offset; /* in the frame */
    uint64_t gla;
    uint32_t p2mt; /* HVMMEM_* of the frame, VIOLATION */
    /* One 16-bit word of bit fields: access_r:1, access_w:1, access_x:1,
     * gla_valid:1, available:12. */
    uint16_t rights;
    uint16_t reason;
};
typedef struct mem_event_st mem_event_request_t;
typedef struct mem_event_st mem_event_response_t;

/* The standard shared ring over it: 64 slots in the page. */
struct mem_event_sring {
    uint32_t req_prod;
    uint32_t req_event;
    uint32_t rsp_prod;
    uint32_t rsp_event;
    uint8_t pad[48];
    struct mem_event_st ring[];
};
#define MEM_EVENT_RING_SIZE 64u

/* The XEN_DOMCTL_mem_event_op structure is in public/domctl.h. */

/* HVM parameters MEMORY_EVENT_*: mode, and send only if the value changed. */
#define HVMPME_MODE_MASK (3u << 0)
#define HVMPME_mode_disabled 0u
#define HVMPME_mode_async 1u
#define HVMPME_mode_sync 2u
#define HVMPME_onchangeonly (1u << 2)

#define MEM_EVENT_ABI(what) _Static_assert(what, "mem_event layout: " #what)
MEM_EVENT_ABI(sizeof(struct mem_event_st) == 40);
MEM_EVENT_ABI(offsetof(struct mem_event_st, vcpu_id) == 4);
MEM_EVENT_ABI(offsetof(struct mem_event_st, gfn) == 8);
MEM_EVENT_ABI(offsetof(struct mem_event_st, offset) == 16);
MEM_EVENT_ABI(offsetof(struct mem_event_st, gla) == 24);
MEM_EVENT_ABI(offsetof(struct mem_event_st, p2mt) == 32);
MEM_EVENT_ABI(offsetof(struct mem_event_st, rights) == 36);
MEM_EVENT_ABI(offsetof(struct mem_event_st, reason) == 38);
MEM_EVENT_ABI(offsetof(struct mem_event_sring, ring) == 64);
#undef MEM_EVENT_ABI
