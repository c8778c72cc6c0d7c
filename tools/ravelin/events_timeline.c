/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slices from CR3 events. The state is bounded: one lane for each virtual CPU
 * seen, up to a limit.
 */
#include "events_timeline.h"

static struct timeline_lane *lane_find(struct timeline *t, uint32_t domain,
                                       uint32_t vcpu)
{
    struct timeline_lane *lane;

    for (size_t i = 0; i < t->lane_count; i++) {
        if (t->lane[i].domain == domain && t->lane[i].vcpu == vcpu) {
            return &t->lane[i];
        }
    }
    if (t->lane_count == TIMELINE_LANES_MAX) {
        return NULL;
    }
    lane = &t->lane[t->lane_count++];
    *lane = (struct timeline_lane){.domain = domain, .vcpu = vcpu};
    return lane;
}

static void slice_end(struct timeline *t, struct timeline_lane *lane,
                      uint64_t end)
{
    const struct event_slice slice = {lane->domain, lane->vcpu, lane->base,
                                      lane->since, end};

    if (lane->is_running && end > lane->since) {
        t->on_slice(t->ctx, &slice);
    }
    lane->since = end;
}

uint64_t timeline_take(struct timeline *t, const struct event_record *e)
{
    struct timeline_lane *lane = lane_find(t, (uint32_t)e->number[EN_DOMAIN],
                                           (uint32_t)e->number[EN_VCPU]);
    uint64_t now = e->number[EN_TIME];

    if (lane == NULL) {
        return 0;
    }
    if (now < lane->time) {
        t->disorder_count++;
        now = lane->time;
    }
    lane->time = now;
    if (now > t->last) {
        t->last = now;
    }
    if (e->kind == EK_CR3) {
        uint64_t base = event_cr3_base(e->number[EN_NEW]);

        if (!lane->is_running || base != lane->base) {
            slice_end(t, lane, now);
            lane->base = base;
            lane->is_running = true;
        }
    }
    return now;
}

void timeline_finish(struct timeline *t)
{
    for (size_t i = 0; i < t->lane_count; i++) {
        slice_end(t, &t->lane[i], t->last);
    }
}
