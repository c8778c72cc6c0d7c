/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output of the machine: to the log of its domain, to the view, to attached
 * consoles and to the script; and what it tells about the boot's progress.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session_private.h"

/* Written by the hypervisor's panic() and domain_crash(). */
#define PANIC_TEXT "PANIC: "
#define CRASH_TEXT " crashed: "
#define DUMP_MAX (64u << 10)

static char *log_path(const struct session *s, const char *name)
{
    char *file = xprintf("logs/%s.log", name);
    char *path = bundle_path(s->bundle, file);

    free(file);
    return path;
}

static void report(struct session *s, const char *event, const char *domain,
                   const char *text)
{
    double now = session_clock(s);

    view_note(&s->view, "%6.2f s  %s: %s", now, domain, text);
    view_event(&s->view, event, json_pack("{s:s}", "domain", domain));
}

static void first_output(struct session *s, struct session_domain *d)
{
    d->has_spoken = true;
    if (d->channel == MUX_HYPERVISOR) {
        s->has_output = true;
        report(s, "hypervisor", d->name, "has started");
    } else {
        report(s, "first-output", d->name, "first output");
    }
}

/* A shell waits: the unfinished line ends like a prompt. */
static void look_for_prompt(struct session *s, struct session_domain *d)
{
    static char text[VLINE_TEXT_SIZE];
    size_t len = vline_text(&s->view.channel[d->slot]->line, text);

    if (d->has_prompt || d->channel == MUX_HYPERVISOR || len < 2 ||
        (strcmp(text + len - 2, "# ") != 0 &&
         strcmp(text + len - 2, "$ ") != 0)) {
        return;
    }
    d->has_prompt = true;
    report(s, "prompt", d->name, "prompt");
    if (s->result->prompt_seconds == 0) {
        s->result->prompt_seconds = session_clock(s);
    }
}

/* Text of a domain, frames taken out. */
static void on_text(void *ctx, const char *bytes, size_t len)
{
    struct session_domain *d = ctx;
    struct session *s = d->session;

    fwrite(bytes, 1, len, d->log);
    view_feed(&s->view, d->slot, bytes, len);
    look_for_prompt(s, d);
    attach_feed(&s->attach, d->name, bytes, len);
    if (s->o->script != NULL) {
        script_feed(s->o->script, d->name, bytes, len);
    }
}

static void on_frame(void *ctx, char kind, const char *payload, size_t len)
{
    struct session_domain *d = ctx;

    attach_frame(&d->session->attach, d->name, kind, payload, len);
}

static int add_domain(struct session *s, const char *name, unsigned int channel)
{
    struct session_domain *d;
    int slot = view_add(&s->view, name);
    char *path;

    if (slot < 0) {
        return -1;
    }
    d = &s->domain[slot];
    d->session = s;
    d->frames = (struct frame_reader){
        .on_text = on_text, .on_frame = on_frame, .ctx = d};
    d->slot = slot;
    d->channel = channel;
    d->name = xstrdup(name);
    path = log_path(s, name);
    d->log = fopen(path, "we");
    if (d->log == NULL) {
        say("%s: %s", path, strerror(errno));
    }
    free(path);
    s->domain_count = (size_t)slot + 1;
    return d->log == NULL ? -1 : slot;
}

bool session_open_domains(struct session *s)
{
    char *logs = bundle_path(s->bundle, "logs");
    int r = dir_make(logs);

    if (r != 0) {
        say("%s: %s", logs, strerror(-r));
    }
    free(logs);
    if (r != 0 || add_domain(s, "hypervisor", MUX_HYPERVISOR) < 0) {
        return false;
    }
    for (size_t i = 0; i < s->bundle->domain_count; i++) {
        const struct bundle_domain *d = &s->bundle->domain[i];

        if (add_domain(s, d->name, (unsigned int)d->domid + 1) < 0) {
            return false;
        }
    }
    return true;
}

int session_find(const struct session *s, const char *name)
{
    for (size_t i = 0; i < s->domain_count; i++) {
        if (strcmp(s->domain[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Domains that a control domain makes later have a number and no name. */
static int find_channel(struct session *s, unsigned int channel)
{
    char *name;
    int slot;

    for (size_t i = 0; i < s->domain_count; i++) {
        if (s->domain[i].channel == channel) {
            return (int)i;
        }
    }
    name = xprintf("domain-%u", channel - 1);
    slot = add_domain(s, name, channel);
    free(name);
    return slot;
}

void session_on_output(void *ctx, unsigned int channel, const char *bytes,
                       size_t len)
{
    struct session *s = ctx;
    int index = find_channel(s, channel);
    struct session_domain *d;

    if (index < 0) {
        return; /* more channels than anyone can follow */
    }
    d = &s->domain[index];
    if (!d->has_spoken) {
        first_output(s, d);
    }
    frame_feed(&d->frames, bytes, len);
    fflush(d->log); /* others read along: 'ravelin events --follow' */
}

void session_end_output(struct session *s)
{
    for (size_t i = 0; i < s->domain_count; i++) {
        frame_flush(&s->domain[i].frames);
    }
}

static void keep_dump(struct session *s, const char *line)
{
    bool is_panic = strstr(line, PANIC_TEXT) != NULL;
    bool is_crash = strstr(line, CRASH_TEXT) != NULL;

    if (is_panic || is_crash) {
        s->dump.len = 0;
        s->in_dump = true;
        s->result->panicked |= is_panic;
        s->result->crash_count += is_crash;
    }
    if (s->in_dump) {
        (void)(queue_add(&s->dump, line, strlen(line), DUMP_MAX) &&
               queue_add(&s->dump, "\n", 1, DUMP_MAX));
    }
}

static void send_step(void *ctx, const struct script_step *step)
{
    struct session *s = ctx;
    int index = session_find(s, step->domain);

    if (index >= 0) {
        session_send(s, index, step->bytes, step->len);
    }
}

void session_advance_script(struct session *s)
{
    struct script *script = s->o->script;

    if (script == NULL || script->step_count == 0 ||
        script->done == script->step_count) {
        return;
    }
    if (script_advance(script, send_step, s)) {
        view_note(&s->view, "%6.2f s  all %zu steps done", session_clock(s),
                  script->step_count);
        view_event(&s->view, "script-done", json_object());
        if (!s->o->keep_running) {
            session_finish(s, EXIT_OK);
        }
    }
}

void session_on_line(void *ctx, unsigned int slot, const char *line)
{
    struct session *s = ctx;

    if (slot == 0) {
        keep_dump(s, line);
    }
    if (s->o->on_line != NULL) {
        s->o->on_line(s->o->ctx, slot, line);
    }
}
