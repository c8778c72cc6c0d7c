/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who ran when: slices of time between two writes of CR3 on a virtual CPU. A
 * slice belongs to the address space that was loaded; kernel threads and the
 * idle loop borrow it (they write no CR3), so their time is in it.
 */
#pragma once

#include "events.h"

#define TIMELINE_LANES_MAX 256u

struct event_slice {
    uint32_t domain;
    uint32_t vcpu;
    uint64_t base; /* of the CR3 value */
    uint64_t start, end;
};

/* One virtual CPU. */
struct timeline_lane {
    uint32_t domain;
    uint32_t vcpu;
    uint64_t time; /* of the last event; never runs back */
    uint64_t since;
    uint64_t base;
    bool is_running; /* base and since are known */
};

struct timeline {
    void (*on_slice)(void *ctx, const struct event_slice *slice);
    void *ctx;
    size_t lane_count;
    uint64_t last; /* latest time of all */
    uint64_t disorder_count;
    struct timeline_lane lane[TIMELINE_LANES_MAX];
};

/**
 * Takes an EV_EVENT record. Times that run back on a virtual CPU are counted
 * and taken as the time before them.
 *
 * @return the event's time, or 0 if there are too many virtual CPUs to follow.
 */
uint64_t timeline_take(struct timeline *t, const struct event_record *e);

/** Ends the slices that are still open at the latest time seen. */
void timeline_finish(struct timeline *t);
