/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters inside the hypervisor: what a monitor does not want to hear of costs
 * neither a slot nor a switch to it.
 */

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"

#include "monitor_internal.h"

static_assert(sizeof(struct monitor_filter) * RAVELIN_FILTER_KINDS <=
                  (size_t)PAGE_SIZE << MONITOR_FILTER_ORDER,
              "all filters of a domain");

#define NO_FILTER RAVELIN_FILTER_KINDS

/* Which filter an event has to pass, and whether it is about the bits that
 * changed rather than a value in a range. */
static const struct {
    uint8_t kind;
    bool is_mask;
} filter_of[RAVELIN_REASON_COUNT] = {
    [0] = {NO_FILTER, false},
    [RAVELIN_REASON_VIOLATION] = {RAVELIN_FILTER_PLACE, false},
    [RAVELIN_REASON_CR0] = {RAVELIN_FILTER_CR0, true},
    [RAVELIN_REASON_CR3] = {RAVELIN_FILTER_CR3, false},
    [RAVELIN_REASON_CR4] = {RAVELIN_FILTER_CR4, true},
    [RAVELIN_REASON_INT3] = {RAVELIN_FILTER_INT3, false},
    [RAVELIN_REASON_STEP] = {NO_FILTER, false},
    [RAVELIN_REASON_REQUEST] = {NO_FILTER, false},
    [RAVELIN_REASON_MSR] = {RAVELIN_FILTER_MSR, false},
    [RAVELIN_REASON_INJECT] = {NO_FILTER, false},
};

static uint64_t subject_of(const struct monitor_event *ev)
{
    switch (ev->reason) {
    case RAVELIN_REASON_CR3:
        return ev->value >> PAGE_SHIFT;
    case RAVELIN_REASON_INT3:
    case RAVELIN_REASON_MSR:
        return ev->gla;
    default:
        return ev->value;
    }
}

static bool in_ranges(const struct monitor_filter *f, uint64_t value)
{
    for (uint32_t i = 0; i < f->count; i++) {
        if (value >= f->range[i].first && value <= f->range[i].last) {
            return true;
        }
    }
    return false;
}

bool monitor_filter_passes(const struct monitor *m,
                           const struct monitor_event *ev)
{
    const struct monitor_filter *f = &m->filter[filter_of[ev->reason].kind];

    if (filter_of[ev->reason].is_mask) {
        return ((ev->value ^ ev->old) & f->range[0].first) != 0;
    }
    return in_ranges(f, subject_of(ev));
}

static int ranges_check(unsigned kind, const struct ravelin_range *ranges,
                        unsigned count)
{
    bool is_mask = kind == RAVELIN_FILTER_CR0 || kind == RAVELIN_FILTER_CR4;

    if (kind >= RAVELIN_FILTER_KINDS) {
        return -RV_EINVAL;
    }
    if (count > (is_mask ? 1u : RAVELIN_FILTER_MAX)) {
        return -RV_E2BIG;
    }
    for (unsigned i = 0; i < count && !is_mask; i++) {
        if (ranges[i].first > ranges[i].last) {
            return -RV_EINVAL;
        }
    }
    return 0;
}

/* The memory stays until the domain is freed: readers hold the lock. */
static int filters_create(struct monitor *m)
{
    struct monitor_filter *f;

    if (m->filter) {
        return 0;
    }
    f = pages_alloc(MONITOR_FILTER_ORDER);
    if (!f) {
        return -RV_ENOMEM;
    }
    m->filter = f;
    return 0;
}

static void reasons_update(struct monitor *m)
{
    m->filter_reasons = 0;
    for (unsigned i = 0; i < RAVELIN_REASON_COUNT; i++) {
        unsigned kind = filter_of[i].kind;

        if (kind != NO_FILTER && m->filter[kind].count != 0) {
            m->filter_reasons |= 1u << i;
        }
    }
}

int monitor_filter_set(struct monitor *m, unsigned kind,
                       const struct ravelin_range *ranges, unsigned count)
{
    int rc = ranges_check(kind, ranges, count);

    if (rc != 0) {
        return rc;
    }
    spin_lock(&m->lock);
    rc = m->state == MONITOR_ON ? filters_create(m) : -RV_ENOENT;
    if (rc == 0) {
        m->filter[kind].count = count;
        for (unsigned i = 0; i < count; i++) {
            m->filter[kind].range[i] = ranges[i];
        }
        reasons_update(m);
    }
    spin_unlock(&m->lock);
    if (rc == 0 && kind == RAVELIN_FILTER_MSR) {
        monitor_latch(m->domain); /* other registers exit now */
    }
    return rc;
}

bool monitor_msr_is_wanted(struct monitor *m, uint32_t msr)
{
    const struct monitor_filter *f;
    bool is = true;

    spin_lock(&m->lock);
    if (m->filter) {
        f = &m->filter[RAVELIN_FILTER_MSR];
        is = f->count == 0 || in_ranges(f, msr);
    }
    spin_unlock(&m->lock);
    return is;
}

void monitor_filters_clear(struct monitor *m)
{
    for (unsigned i = 0; m->filter && i < RAVELIN_FILTER_KINDS; i++) {
        m->filter[i].count = 0;
    }
    m->filter_reasons = 0;
}
