/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of 40 bytes. What the layout has no place for (old values, registers,
 * counters) is left out; the low bits of the sequence number are in the bits it
 * keeps free, so that a listener can see a gap.
 */

#include "ravelin/guest_copy.h"
#include "ring_shared.h"

static const uint16_t reason_of[RAVELIN_REASON_COUNT] = {
    [RAVELIN_REASON_VIOLATION] = MEM_EVENT_REASON_VIOLATION,
    [RAVELIN_REASON_CR0] = MEM_EVENT_REASON_CR0,
    [RAVELIN_REASON_CR3] = MEM_EVENT_REASON_CR3,
    [RAVELIN_REASON_CR4] = MEM_EVENT_REASON_CR4,
    [RAVELIN_REASON_INT3] = MEM_EVENT_REASON_INT3,
    [RAVELIN_REASON_STEP] = MEM_EVENT_REASON_OWN | RAVELIN_REASON_STEP,
    [RAVELIN_REASON_REQUEST] = MEM_EVENT_REASON_OWN | RAVELIN_REASON_REQUEST,
    [RAVELIN_REASON_MSR] = MEM_EVENT_REASON_OWN | RAVELIN_REASON_MSR,
    [RAVELIN_REASON_INJECT] = MEM_EVENT_REASON_OWN | RAVELIN_REASON_INJECT,
};

static bool has_place(uint16_t reason)
{
    return reason == RAVELIN_REASON_VIOLATION || reason == RAVELIN_REASON_INT3;
}

static bool mem_event_put(struct monitor *m, const struct vcpu *v rv_unused,
                          const struct monitor_record *rec)
{
    const struct ravelin_event *ev = &rec->event;
    bool pauses = (ev->flags & RAVELIN_EVENT_PAUSED) != 0;
    struct mem_event_st out = {
        .type = MEM_EVENT_TYPE_ACCESS,
        .flags = pauses ? MEM_EVENT_FLAG_VCPU_PAUSED : 0,
        .vcpu_id = ev->vcpu,
        .gfn = ev->value,
        .gla = ev->gla,
        .p2mt = rec->page_type,
        .rights =
            (uint16_t)(((ev->flags >> 1) & 7) |
                       (ev->flags & RAVELIN_EVENT_GLA ? MEM_EVENT_GLA_VALID
                                                      : 0) |
                       ev->sequence << MEM_EVENT_SEQUENCE_SHIFT),
        .reason = reason_of[ev->reason],
    };

    if (has_place(ev->reason)) {
        out.gfn = ev->value >> PAGE_SHIFT;
        out.offset = ev->value & ~PAGE_MASK;
    } else if (out.reason & MEM_EVENT_REASON_OWN) {
        out.offset = ev->old;
    }
    return shared_ring_put(m, &out, pauses);
}

/* A response without the flag only gives its slot back. */
static void response_take(struct monitor *m, const void *slot)
{
    struct mem_event_st rsp;

    guest_page_read(&rsp, slot, sizeof(rsp));
    if (rsp.flags & MEM_EVENT_FLAG_VCPU_PAUSED) {
        monitor_answer(m, rsp.vcpu_id, rsp.flags & ~MEM_EVENT_FLAG_VCPU_PAUSED);
    } else if (rsp.flags != 0) {
        m->refused++;
    }
}

static int mem_event_take(struct monitor *m)
{
    return shared_ring_take(m, response_take);
}

const struct monitor_format monitor_format_mem_event = {
    .init = shared_ring_init,
    .room = shared_ring_room,
    .put = mem_event_put,
    .take = mem_event_take,
    .tell = shared_ring_tell,
};
