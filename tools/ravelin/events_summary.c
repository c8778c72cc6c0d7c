/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting. Sequence numbers of a domain start anywhere (a monitor may attach
 * late) and have no gaps; numbers between the lowest and the highest that no
 * record has are missing from the log.
 */
#include "events_summary.h"

#include <stdlib.h>
#include <string.h>

static void count_sequence(struct events_summary *s,
                           const struct event_record *e)
{
    uint32_t id = (uint32_t)e->number[EN_DOMAIN];
    uint64_t seq = e->number[EN_SEQ];
    size_t i = 0;

    while (i < s->domain_count && s->domain[i].id != id) {
        i++;
    }
    if (i == SUMMARY_DOMAINS_MAX) {
        return;
    }
    if (i == s->domain_count) {
        s->domain_count++;
        s->domain[i].id = id;
        s->domain[i].lowest = s->domain[i].highest = seq;
    }
    s->domain[i].count++;
    if (seq < s->domain[i].lowest) {
        s->domain[i].lowest = seq;
    }
    if (seq > s->domain[i].highest) {
        s->domain[i].highest = seq;
    }
}

/* Loss is told as a running total. */
static void count_loss(struct events_summary *s, const struct event_record *e)
{
    for (size_t i = 0; i < s->domain_count; i++) {
        if (s->domain[i].id == e->number[EN_DOMAIN] &&
            s->domain[i].lost < e->number[EN_COUNT]) {
            s->domain[i].lost = e->number[EN_COUNT];
        }
    }
}

/* Address spaces of one name are one entry. NULL if there are too many. */
static struct summary_process *process_find(struct events_summary *s,
                                            uint32_t domain, uint64_t cr3)
{
    char name[EVENTS_SAFE_SIZE];

    event_names_show(s->names, domain, cr3, name);
    for (size_t i = 0; i < s->process_count; i++) {
        if (s->process[i].domain == domain &&
            strcmp(s->process[i].name, name) == 0) {
            return &s->process[i];
        }
    }
    if (s->process_count == SUMMARY_PROCESSES_MAX) {
        return NULL;
    }
    s->process[s->process_count] =
        (struct summary_process){domain, xstrdup(name), 0, 0};
    return &s->process[s->process_count++];
}

static void count_event(struct events_summary *s, const struct event_record *e,
                        uint64_t time)
{
    s->first = s->event_count == 0 || time < s->first ? time : s->first;
    s->last = time > s->last ? time : s->last;
    s->event_count++;
    s->kind_count[e->kind]++;
    count_sequence(s, e);
    if (e->kind == EK_CR3) {
        struct summary_process *p =
            process_find(s, (uint32_t)e->number[EN_DOMAIN], e->number[EN_NEW]);

        if (p != NULL) {
            p->loads++;
        }
    }
}

void summary_record(struct events_summary *s, const struct event_record *e,
                    uint64_t time)
{
    if (e->verb == EV_EVENT) {
        count_event(s, e, time);
    } else if (e->verb == EV_LOST) {
        count_loss(s, e);
    } else if (e->verb == EV_END) {
        s->has_end = true;
    }
}

void summary_slice(struct events_summary *s, const struct event_slice *slice)
{
    struct summary_process *p = process_find(s, slice->domain, slice->base);

    if (p != NULL) {
        p->busy += slice->end - slice->start;
    }
}

static int by_busy(const void *a, const void *b)
{
    const struct summary_process *x = a, *y = b;

    return x->busy < y->busy ? 1 : x->busy > y->busy ? -1 : 0;
}

void summary_finish(struct events_summary *s)
{
    for (size_t i = 0; i < s->domain_count; i++) {
        uint64_t span = s->domain[i].highest - s->domain[i].lowest;

        if (span >= s->domain[i].count) {
            s->missing += span - s->domain[i].count + 1;
        }
        s->lost += s->domain[i].lost;
    }
    qsort(s->process, s->process_count, sizeof(s->process[0]), by_busy);
}

void summary_show(const struct events_summary *s,
                  const struct events_counts *counts, FILE *to)
{
    fprintf(to, "%llu events in %.3f s", (unsigned long long)s->event_count,
            (double)(s->last - s->first) / 1e9);
    for (int k = 0; k < EK_COUNT; k++) {
        if (s->kind_count[k] > 0) {
            fprintf(to, ", %s %llu", event_kind_name[k],
                    (unsigned long long)s->kind_count[k]);
        }
    }
    fprintf(to, "\nlost %llu, missing in this log %llu, malformed lines %llu\n",
            (unsigned long long)s->lost, (unsigned long long)s->missing,
            (unsigned long long)counts->malformed);
    if (s->process_count > 0) {
        fprintf(to, "%10s %12s  %s\n", "CR3 loads", "ms", "address space");
    }
    for (size_t i = 0; i < s->process_count; i++) {
        fprintf(to, "%10llu %12.3f  %s\n",
                (unsigned long long)s->process[i].loads,
                (double)s->process[i].busy / 1e6, s->process[i].name);
    }
}

json_t *summary_json(const struct events_summary *s,
                     const struct events_counts *counts)
{
    json_t *kinds = json_object(), *processes = json_array();

    for (int k = 0; k < EK_COUNT; k++) {
        json_object_set_new(kinds, event_kind_name[k],
                            json_integer((json_int_t)s->kind_count[k]));
    }
    for (size_t i = 0; i < s->process_count; i++) {
        const struct summary_process *p = &s->process[i];

        json_array_append_new(processes,
                              json_pack("{s:i, s:s, s:I, s:I}", "domain",
                                        (int)p->domain, "name", p->name,
                                        "loads", (json_int_t)p->loads,
                                        "busy_ns", (json_int_t)p->busy));
    }
    return json_pack(
        "{s:s, s:I, s:o, s:I, s:I, s:I, s:I, s:b, s:o}", "record", "summary",
        "events", (json_int_t)s->event_count, "kinds", kinds, "lost",
        (json_int_t)s->lost, "missing", (json_int_t)s->missing, "malformed",
        (json_int_t)counts->malformed, "unknown", (json_int_t)counts->unknown,
        "ended", (int)s->has_end, "processes", processes);
}

void summary_free(struct events_summary *s)
{
    for (size_t i = 0; i < s->process_count; i++) {
        free(s->process[i].name);
    }
    s->process_count = 0;
}
