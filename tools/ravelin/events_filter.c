/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which records the user wants.
 */
#include <string.h>

#include "events_run.h"

static bool is_process(const struct events_filter *f,
                       const struct event_names *names,
                       const struct event_record *e)
{
    const char *name;

    if (e->kind != EK_CR3) {
        return true;
    }
    if (f->has_cr3 &&
        event_cr3_base(e->number[EN_NEW]) != event_cr3_base(f->cr3)) {
        return false;
    }
    if (f->process == NULL) {
        return true;
    }
    name = event_names_find(names, (uint32_t)e->number[EN_DOMAIN],
                            e->number[EN_NEW]);
    return name != NULL && strstr(name, f->process) != NULL;
}

static bool is_in_time(const struct events_filter *f,
                       const struct event_record *e)
{
    uint64_t time = e->number[EN_TIME];

    return !event_has(e, EN_TIME) ||
           (time >= f->since && (f->until == 0 || time <= f->until));
}

bool events_filter_pass(const struct events_filter *f,
                        const struct event_names *names,
                        const struct event_record *e)
{
    if (f->domain != NULL && event_has(e, EN_DOMAIN) &&
        event_names_domain_find(names, f->domain) !=
            (long)e->number[EN_DOMAIN]) {
        return false;
    }
    if (!is_in_time(f, e)) {
        return false;
    }
    if (e->verb == EV_BYTES) {
        return (f->kinds & (1u << EK_ACCESS)) != 0;
    }
    if (e->verb != EV_EVENT) {
        return true;
    }
    return (f->kinds & (1u << e->kind)) != 0 &&
           (!f->has_vcpu || e->number[EN_VCPU] == f->vcpu) &&
           is_process(f, names, e);
}
