/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The work of 'ravelin events': sources, filter, views and exports together.
 */
#pragma once

#include "events_export.h"
#include "options.h"

#define EVENTS_EXPORTS_MAX 8u

struct events_filter {
    const char *domain; /* name or number; NULL: all */
    uint32_t kinds;     /* bit n: enum event_kind n */
    bool has_cr3, has_vcpu;
    uint64_t cr3, vcpu;
    const char *process; /* part of a name; NULL: all */
    uint64_t since;      /* ns */
    uint64_t until;      /* ns; 0: no limit */
};

struct events_options {
    struct common_options common;
    const char *what;
    const char *monitor;
    bool follow;
    bool summary_only;
    bool strict;
    struct events_filter filter;
    size_t export_count;
    const char *export[EVENTS_EXPORTS_MAX];
};

/** @return an exit code. */
int events_run(const struct events_options *o);

/** Whether the filter lets a record pass. Only events and names' loads are
 * filtered by kind; everything else follows domain and time. */
bool events_filter_pass(const struct events_filter *f,
                        const struct event_names *names,
                        const struct event_record *e);
