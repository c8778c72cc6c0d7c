/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chrome's trace-event JSON, which ui.perfetto.dev opens: one track for each
 * virtual CPU with the process it runs, one for each process with where it
 * runs, and instants for all other events. Times are microseconds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events_export.h"

/* Tracks are threads of made-up processes: per domain one with its virtual
 * CPUs, one with its processes. */
#define PID_CPUS(domain) ((domain)*2 + 2)
#define PID_PROCESSES(domain) ((domain)*2 + 3)
#define PROCESSES_MAX 4096u

struct perfetto {
    struct event_export x;
    FILE *file;
    char *path;
    char *temp;
    bool has_entry;
    size_t lane_count;
    struct {
        uint32_t domain, vcpu;
    } lane[TIMELINE_LANES_MAX];
    size_t process_count;
    struct {
        uint32_t domain;
        uint64_t base;
        char *name;
    } process[PROCESSES_MAX];
};

/* Takes over @entry. */
static void put(struct perfetto *p, json_t *entry)
{
    fputs(p->has_entry ? ",\n" : "\n", p->file);
    json_dumpf(entry, p->file, JSON_COMPACT | JSON_REAL_PRECISION(17));
    p->has_entry = true;
    json_decref(entry);
}

static void put_name(struct perfetto *p, const char *what, uint32_t pid,
                     uint32_t tid, const char *name)
{
    put(p, json_pack("{s:s, s:s, s:I, s:I, s:{s:s}}", "ph", "M", "name", what,
                     "pid", (json_int_t)pid, "tid", (json_int_t)tid, "args",
                     "name", name));
}

static void name_domain(struct perfetto *p, uint32_t domain)
{
    char name[EVENTS_SAFE_SIZE], title[EVENTS_SAFE_SIZE + 32];

    event_names_domain_show(p->x.names, domain, name);
    snprintf(title, sizeof(title), "%s: virtual CPUs", name);
    put_name(p, "process_name", PID_CPUS(domain), 0, title);
    snprintf(title, sizeof(title), "%s: processes", name);
    put_name(p, "process_name", PID_PROCESSES(domain), 0, title);
}

static void lane_name(struct perfetto *p, uint32_t domain, uint32_t vcpu)
{
    bool is_new_domain = true;
    char name[32];

    for (size_t i = 0; i < p->lane_count; i++) {
        if (p->lane[i].domain == domain && p->lane[i].vcpu == vcpu) {
            return;
        }
        is_new_domain = is_new_domain && p->lane[i].domain != domain;
    }
    if (p->lane_count == TIMELINE_LANES_MAX) {
        return;
    }
    p->lane[p->lane_count].domain = domain;
    p->lane[p->lane_count].vcpu = vcpu;
    p->lane_count++;
    if (is_new_domain) {
        name_domain(p, domain);
    }
    snprintf(name, sizeof(name), "vCPU %u", (unsigned int)vcpu);
    put_name(p, "thread_name", PID_CPUS(domain), vcpu + 1, name);
}

/* The track of a process: address spaces are told apart by frame and name,
 * because frames are used again. @return 0 if there are too many. */
static uint32_t process_track(struct perfetto *p, uint32_t domain,
                              uint64_t base, const char *name)
{
    for (size_t i = p->process_count; i > 0; i--) {
        if (p->process[i - 1].domain == domain &&
            p->process[i - 1].base == base &&
            strcmp(p->process[i - 1].name, name) == 0) {
            return (uint32_t)i;
        }
    }
    if (p->process_count == PROCESSES_MAX) {
        return 0;
    }
    p->process[p->process_count].domain = domain;
    p->process[p->process_count].base = base;
    p->process[p->process_count].name = xstrdup(name);
    p->process_count++;
    put_name(p, "thread_name", PID_PROCESSES(domain),
             (uint32_t)p->process_count, name);
    return (uint32_t)p->process_count;
}

static void put_slice(struct perfetto *p, const struct event_slice *s,
                      uint32_t pid, uint32_t tid, const char *name)
{
    char cr3[20];

    snprintf(cr3, sizeof(cr3), "0x%llx", (unsigned long long)s->base);
    put(p, json_pack("{s:s, s:s, s:s, s:I, s:I, s:f, s:f, s:{s:s, s:i}}", "ph",
                     "X", "cat", "cr3", "name", name, "pid", (json_int_t)pid,
                     "tid", (json_int_t)tid, "ts", (double)s->start / 1e3,
                     "dur", (double)(s->end - s->start) / 1e3, "args", "cr3",
                     cr3, "vcpu", (int)s->vcpu));
}

static void on_slice(struct event_export *x, const struct event_slice *s)
{
    struct perfetto *p = container_of(x, struct perfetto, x);
    char name[EVENTS_SAFE_SIZE], where[32];
    uint32_t track;

    lane_name(p, s->domain, s->vcpu);
    event_names_show(x->names, s->domain, s->base, name);
    put_slice(p, s, PID_CPUS(s->domain), s->vcpu + 1, name);
    track = process_track(p, s->domain, s->base, name);
    if (track != 0) {
        snprintf(where, sizeof(where), "vCPU %u", (unsigned int)s->vcpu);
        put_slice(p, s, PID_PROCESSES(s->domain), track, where);
    }
}

static void on_record(struct event_export *x, const struct event_record *e,
                      uint64_t time)
{
    struct perfetto *p = container_of(x, struct perfetto, x);
    uint32_t domain = (uint32_t)e->number[EN_DOMAIN];
    char title[2 * EVENTS_SAFE_SIZE + 16] = "";
    bool is_event = e->verb == EV_EVENT && e->kind != EK_CR3;

    if (is_event) {
        char what[2 * EVENTS_SAFE_SIZE];

        lane_name(p, domain, (uint32_t)e->number[EN_VCPU]);
        event_describe(e, x->names, what);
        snprintf(title, sizeof(title), "%s %s", event_kind_name[e->kind], what);
    } else if (e->verb == EV_NOTE) {
        event_text_safe(e->text[ET_TEXT], title);
    } else {
        return;
    }
    put(p, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:{s:o}}", "ph", "i",
                     "s", is_event ? "t" : "g", "cat",
                     is_event ? event_kind_name[e->kind] : "note", "name",
                     title, "pid", (json_int_t)PID_CPUS(domain), "tid",
                     (json_int_t)(is_event ? e->number[EN_VCPU] + 1 : 0), "ts",
                     (double)time / 1e3, "args", "record",
                     event_json(e, x->names)));
}

static void perfetto_free(struct perfetto *p)
{
    for (size_t i = 0; i < p->process_count; i++) {
        free(p->process[i].name);
    }
    free(p->path);
    free(p->temp);
    free(p);
}

static int finish(struct event_export *x)
{
    struct perfetto *p = container_of(x, struct perfetto, x);
    int r = 0;

    fputs("\n]}\n", p->file);
    if (ferror(p->file) != 0) {
        r = -EIO;
    }
    if (fclose(p->file) != 0 && r == 0) {
        r = -errno;
    }
    if (r == 0 && rename(p->temp, p->path) != 0) {
        r = -errno;
    }
    if (r != 0) {
        remove(p->temp);
    }
    perfetto_free(p);
    return r;
}

struct event_export *export_perfetto_open(const char *path, int *r)
{
    struct perfetto *p = xalloc(sizeof(*p));

    p->path = xstrdup(path);
    p->temp = xprintf("%s.new", path);
    p->file = fopen(p->temp, "we");
    if (p->file == NULL) {
        *r = -errno;
        perfetto_free(p);
        return NULL;
    }
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", p->file);
    p->x = (struct event_export){on_record, on_slice, finish, NULL};
    return &p->x;
}
