/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a log of events amounts to: how many of each kind, who ran how long and
 * how often, and whether anything is missing.
 */
#pragma once

#include <stdio.h>

#include "events_export.h"
#include "events_source.h"

struct summary_process {
    uint32_t domain;
    char *name;
    uint64_t loads; /* times that its CR3 was loaded */
    uint64_t busy;  /* ns between that and the next load of another */
};

#define SUMMARY_DOMAINS_MAX EVENTS_DOMAINS_MAX
#define SUMMARY_PROCESSES_MAX 4096u

struct events_summary {
    const struct event_names *names;
    uint64_t kind_count[EK_COUNT];
    uint64_t event_count;
    uint64_t lost;    /* as the monitors say */
    uint64_t missing; /* numbers that no record has */
    uint64_t first, last;
    bool has_end; /* a monitor said that it has ended */
    size_t process_count;
    struct summary_process process[SUMMARY_PROCESSES_MAX];
    size_t domain_count;
    struct {
        uint32_t id;
        uint64_t lowest, highest; /* sequence numbers */
        uint64_t count;
        uint64_t lost;
    } domain[SUMMARY_DOMAINS_MAX];
};

void summary_record(struct events_summary *s, const struct event_record *e,
                    uint64_t time);
void summary_slice(struct events_summary *s, const struct event_slice *slice);

/** To be called once, before showing. */
void summary_finish(struct events_summary *s);

void summary_show(const struct events_summary *s,
                  const struct events_counts *counts, FILE *to);
json_t *summary_json(const struct events_summary *s,
                     const struct events_counts *counts);
void summary_free(struct events_summary *s);
