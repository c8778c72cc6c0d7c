/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the logs of all monitors of a bundle, or one log, and passes each
 * record through the filter to the view, the summary and the exports. A
 * machine that still runs is told by its console socket.
 */
#include "events_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "bundle.h"
#include "events_source.h"
#include "events_summary.h"

#define POLL_MS 50

struct run {
    const struct events_options *o;
    struct event_names names;
    struct timeline timeline;
    struct events_summary *summary;
    size_t source_count;
    struct events_source *source; /* MANIFEST_DOMAINS_MAX of them */
    size_t export_count;
    struct event_export *export[EVENTS_EXPORTS_MAX];
    struct events_counts counts;
};

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* ---- One record -----------------------------------------------------------
 */

static void show_text(const struct run *r, const struct event_record *e,
                      uint64_t time)
{
    char domain[EVENTS_SAFE_SIZE], what[2 * EVENTS_SAFE_SIZE];

    switch (e->verb) {
    case EV_EVENT:
        event_names_domain_show(&r->names, (uint32_t)e->number[EN_DOMAIN],
                                domain);
        event_describe(e, &r->names, what);
        printf("%14.9f %s/%llu %-6s %s\n", (double)time / 1e9, domain,
               (unsigned long long)e->number[EN_VCPU], event_kind_name[e->kind],
               what);
        break;
    case EV_NOTE:
        event_text_safe(e->text[ET_TEXT], what);
        printf("%14.9f -- %s\n", (double)time / 1e9, what);
        break;
    case EV_LOADS:
        event_names_show(&r->names, (uint32_t)e->number[EN_DOMAIN],
                         e->number[EN_CR3], what);
        printf("%14s    %llu loads of %s since the last note\n", "",
               (unsigned long long)e->number[EN_COUNT], what);
        break;
    case EV_BYTES:
        event_text_safe(e->text[ET_BEFORE], what);
        printf("%14s    event %llu: %s", "",
               (unsigned long long)e->number[EN_SEQ], what);
        event_text_safe(e->text[ET_AFTER], what);
        printf(" -> %s\n", what);
        break;
    case EV_LOST:
        printf("%14s    %llu events lost so far\n", "",
               (unsigned long long)e->number[EN_COUNT]);
        break;
    default:
        break;
    }
}

/* One object in a line. */
static void show_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

static void on_slice(void *ctx, const struct event_slice *slice)
{
    struct run *r = ctx;

    summary_slice(r->summary, slice);
    for (size_t i = 0; i < r->export_count; i++) {
        r->export[i] -> on_slice(r->export[i], slice);
    }
}

static void on_record(void *ctx, const struct event_record *e)
{
    struct run *r = ctx;
    uint64_t time = e->number[EN_TIME];

    if (e->verb == EV_NAME) {
        event_names_set(&r->names, (uint32_t)e->number[EN_DOMAIN],
                        e->number[EN_CR3], e->text[ET_TEXT]);
    }
    if (!events_filter_pass(&r->o->filter, &r->names, e)) {
        return;
    }
    if (e->verb == EV_EVENT) {
        time = timeline_take(&r->timeline, e);
    }
    summary_record(r->summary, e, time);
    for (size_t i = 0; e->verb != EV_NAME && i < r->export_count; i++) {
        r->export[i] -> on_record(r->export[i], e, time);
    }
    if (r->o->summary_only) {
        return;
    }
    if (r->o->common.json) {
        show_json(event_json(e, &r->names));
    } else {
        show_text(r, e, time);
    }
}

/* ---- Sources --------------------------------------------------------------
 */

static bool source_add(struct run *r, const char *path)
{
    struct events_source *s = &r->source[r->source_count];
    bool is_input = strcmp(path, "-") == 0;
    int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        say("%s: %s", path, strerror(errno));
        return false;
    }
    s->fd = fd;
    s->on_record = on_record;
    s->ctx = r;
    r->source_count++;
    return true;
}

static bool source_add_domain(struct run *r, const struct bundle *b,
                              const char *name)
{
    char *file = xprintf("logs/%s.log", name);
    char *path = bundle_path(b, file);
    bool ok = source_add(r, path);

    free(file);
    free(path);
    return ok;
}

/* @return an exit code. */
static int sources_of_bundle(struct run *r)
{
    struct bundle b;
    int rc = EXIT_OK;

    if (!bundle_open(&b, r->o->what)) {
        return EXIT_FAILED;
    }
    for (size_t i = 0; i < b.domain_count; i++) {
        const struct bundle_domain *d = &b.domain[i];
        bool is_wanted = r->o->monitor == NULL
                             ? (d->roles & ROLE_MONITOR) != 0
                             : strcmp(r->o->monitor, d->name) == 0;

        event_names_domain_set(&r->names, (uint32_t)d->domid, d->name);
        if (rc == EXIT_OK && is_wanted && !source_add_domain(r, &b, d->name)) {
            rc = EXIT_FAILED;
        }
    }
    bundle_close(&b);
    if (rc == EXIT_OK && r->source_count == 0) {
        say(r->o->monitor == NULL ? "%s: no domain of it is a monitor"
                                  : "%s: there is no domain '%s'",
            r->o->what, r->o->monitor);
        rc = EXIT_USAGE;
    }
    return rc;
}

static int sources_open(struct run *r)
{
    r->source = xalloc(MANIFEST_DOMAINS_MAX * sizeof(*r->source));
    if (dir_exists(r->o->what)) {
        return sources_of_bundle(r);
    }
    return source_add(r, r->o->what) ? EXIT_OK : EXIT_FAILED;
}

/* Reads all that is there. @return whether there was anything. */
static bool sources_read(struct run *r)
{
    bool any = false;

    for (size_t i = 0; i < r->source_count; i++) {
        while (!is_interrupted && events_source_read(&r->source[i]) > 0) {
            any = true;
        }
    }
    return any;
}

/* Whether the machine of the bundle runs; a log alone never grows. */
static bool is_running(const struct run *r)
{
    int fd = dir_exists(r->o->what) ? attach_connect(r->o->what) : -1;

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static void follow(struct run *r)
{
    bool was_running = true;

    while (!is_interrupted && was_running) {
        /* Asked before the last read, so that nothing is left behind. */
        was_running = is_running(r);
        if (!sources_read(r)) {
            fflush(stdout);
            poll(NULL, 0, POLL_MS);
        }
    }
}

/* ---- All of it ------------------------------------------------------------
 */

static int exports_open(struct run *r)
{
    for (size_t i = 0; i < r->o->export_count; i++) {
        r->export[i] = event_export_open(r->o->export[i], &r -> names);
        if (r->export[i] == NULL) {
            return EXIT_FAILED;
        }
        r->export_count++;
    }
    return EXIT_OK;
}

static int exports_finish(struct run *r)
{
    int rc = EXIT_OK;

    for (size_t i = 0; i < r->export_count; i++) {
        int e = r->export[i] -> finish(r->export[i]);

        if (e != 0) {
            say("%s: %s", r->o->export[i], strerror(-e));
            rc = EXIT_FAILED;
        }
    }
    return rc;
}

static void counts_add(struct run *r)
{
    for (size_t i = 0; i < r->source_count; i++) {
        struct events_source *s = &r->source[i];

        events_source_finish(s);
        r->counts.records += s->counts.records;
        r->counts.malformed += s->counts.malformed;
        r->counts.unknown += s->counts.unknown;
        if (s->fd != STDIN_FILENO) {
            close(s->fd);
        }
    }
}

static int verdict(const struct run *r)
{
    const struct events_summary *s = r->summary;

    if (r->counts.records == 0) {
        say("%s: no records of a monitor", r->o->what);
        return EXIT_FAILED;
    }
    if (r->counts.malformed > 0) {
        say("%s: %llu malformed records", r->o->what,
            (unsigned long long)r->counts.malformed);
        return EXIT_FAILED;
    }
    return r->o->strict && (s->lost > 0 || s->missing > 0) ? EXIT_FAILED
                                                           : EXIT_OK;
}

static int run_all(struct run *r)
{
    int rc, export_rc;

    sources_read(r);
    if (r->o->follow) {
        follow(r);
    }
    counts_add(r);
    timeline_finish(&r->timeline);
    summary_finish(r->summary);
    export_rc = exports_finish(r);
    if (r->o->common.json) {
        show_json(summary_json(r->summary, &r->counts));
    } else {
        summary_show(r->summary, &r->counts,
                     r->o->summary_only ? stdout : stderr);
    }
    rc = verdict(r);
    return rc != EXIT_OK ? rc : export_rc;
}

int events_run(const struct events_options *o)
{
    const struct sigaction action = {.sa_handler = on_interrupt};
    struct run *r = xalloc(sizeof(*r));
    int rc;

    r->o = o;
    r->summary = xalloc(sizeof(*r->summary));
    r->summary->names = &r->names;
    r->timeline.on_slice = on_slice;
    r->timeline.ctx = r;
    if (o->follow) {
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
    }
    rc = sources_open(r);
    if (rc == EXIT_OK) {
        rc = exports_open(r);
    }
    if (rc == EXIT_OK) {
        rc = run_all(r);
    } else {
        (void)exports_finish(r);
    }
    summary_free(r->summary);
    event_names_free(&r->names);
    free(r->summary);
    free(r->source);
    free(r);
    return rc;
}
