/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Question and answer with the agent.
 */
#include "v4v_client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "ravelin/errno.h"

#define AGENT_VERSION 1u
#define REPEAT_SECONDS 1.0

/* ---- Names ------------------------------------------------------------ */

static int find_domain(void *ctx, const char *name)
{
    const struct v4v_client *c = ctx;

    for (size_t i = 0; i < c->bundle.domain_count; i++) {
        if (strcmp(c->bundle.domain[i].name, name) == 0) {
            return c->bundle.domain[i].domid;
        }
    }
    return -1;
}

static const char *name_domain(void *ctx, unsigned int id)
{
    const struct v4v_client *c = ctx;

    for (size_t i = 0; i < c->bundle.domain_count; i++) {
        if (c->bundle.domain[i].domid == (int)id) {
            return c->bundle.domain[i].name;
        }
    }
    return NULL;
}

char *v4v_domain_name(const struct v4v_client *c, unsigned int id)
{
    const char *name = c->names.name(c->names.ctx, id);

    return name != NULL ? xstrdup(name) : xprintf("domain-%u", id);
}

/* ---- Asking ----------------------------------------------------------- */

static double now_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Waits for the answer with this id. @return as channel_receive(). */
static int await_answer(struct v4v_client *c, const char *id, double seconds)
{
    double end = now_seconds() + seconds;

    for (;;) {
        double left = end - now_seconds();
        const char *payload;
        int r = channel_receive(&c->channel, left > 0 ? (int)(left * 1e3) : 0,
                                &payload);

        if (r <= 0) {
            return r;
        }
        if (answer_parse(payload, &c->answer) &&
            strcmp(c->answer.id, id) == 0) {
            return 1;
        }
    }
}

static int lost(const struct v4v_client *c)
{
    say("%s: the machine has ended", c->bundle.dir);
    return EXIT_FAILED;
}

static int silent(const struct v4v_client *c)
{
    say("domain '%s' did not answer within %.0f s\n"
        "  fix: its kernel must answer requests, as guests/v4v-agent does",
        c->control, c->timeout);
    return EXIT_TIMEOUT;
}

static int ask_text(struct v4v_client *c, const char *id, const char *request)
{
    double end = now_seconds() + c->timeout;

    while (now_seconds() < end) {
        double left = end - now_seconds();
        int r = -1;

        if (channel_send(&c->channel, request)) {
            r = await_answer(c, id,
                             left < REPEAT_SECONDS ? left : REPEAT_SECONDS);
        }
        if (r != 0) {
            return r < 0 ? lost(c) : EXIT_OK;
        }
    }
    return silent(c);
}

static int judge(struct v4v_client *c, size_t head, size_t record,
                 unsigned int *error)
{
    const struct answer *a = &c->answer;

    if (a->status == ANSWER_ERROR) {
        if (error == NULL) {
            return v4v_refused(c, a->error);
        }
        *error = a->error;
        return EXIT_OK;
    }
    if (a->status == ANSWER_BAD) {
        say("domain '%s' did not understand: %.60s", c->control, a->text);
        return EXIT_FAILED;
    }
    if (!answer_has(a, head, record)) {
        say("domain '%s' gave an answer that makes no sense", c->control);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

int v4v_ask(struct v4v_client *c, size_t head, size_t record,
            unsigned int *error, const char *fmt, ...)
{
    char id[ANSWER_ID_DIGITS + 1];
    char body[FRAME_REQUEST_MAX - ANSWER_ID_DIGITS - 1];
    char *request;
    va_list args;
    int rc;

    if (error != NULL) {
        *error = 0;
    }
    snprintf(id, sizeof(id), "%08x", c->next_id++);
    va_start(args, fmt);
    vsnprintf(body, sizeof(body), fmt, args);
    va_end(args);
    request = xprintf("%s %s", id, body);
    rc = ask_text(c, id, request);
    free(request);
    return rc == EXIT_OK ? judge(c, head, record, error) : rc;
}

int v4v_refused(const struct v4v_client *c, unsigned int error)
{
    switch (error) {
    case RV_EPERM:
        say("denied: domain '%s' has no control role", c->control);
        break;
    case RV_ENOENT:
        say("there is no such rule");
        break;
    case RV_ESRCH:
        say("there is no such domain in the machine");
        break;
    case RV_ENOSPC:
        say("the table of rules is full");
        break;
    case RV_ENOMEM:
        say("the hypervisor is out of memory");
        break;
    case RV_EINVAL:
        say("the hypervisor refused the value as out of range");
        break;
    default:
        say("the hypervisor refused it (error %u)", error);
        break;
    }
    return EXIT_FAILED;
}

/* ---- Connecting ------------------------------------------------------- */

/* @return the domain to ask, or -1 with a message. */
static int choose_control(const struct v4v_client *c, const char *via)
{
    int index = -1;

    if (via == NULL) {
        index = bundle_find_role(&c->bundle, ROLE_CONTROL);
        if (index < 0) {
            say("%s: no domain has the control role and a console\n"
                "  fix: add 'roles: [control]' to one that runs an agent",
                c->bundle.dir);
        }
        return index;
    }
    for (size_t i = 0; i < c->bundle.domain_count; i++) {
        if (strcmp(c->bundle.domain[i].name, via) == 0) {
            return (int)i;
        }
    }
    say("there is no domain '%s'", via);
    return -1;
}

static int greet(struct v4v_client *c)
{
    int rc = v4v_ask(c, 2, 0, NULL, "hello");

    if (rc == EXIT_OK && c->answer.head.value[0] != AGENT_VERSION) {
        say("domain '%s' speaks another version of the protocol", c->control);
        rc = EXIT_FAILED;
    }
    return rc;
}

int v4v_client_open(struct v4v_client *c, const char *dir, const char *via,
                    double timeout)
{
    int index;
    int rc = EXIT_FAILED;

    memset(c, 0, sizeof(*c));
    c->channel.fd = -1;
    c->timeout = timeout;
    c->names = (struct v4v_names){find_domain, name_domain, c};
    /* Not the same as that of whoever else asks now. */
    if (getrandom(&c->next_id, sizeof(c->next_id), 0) !=
        (ssize_t)sizeof(c->next_id)) {
        c->next_id = (uint32_t)getpid() << 12;
    }
    if (!bundle_open(&c->bundle, dir)) {
        return EXIT_FAILED;
    }
    index = choose_control(c, via);
    if (index < 0) {
        rc = via != NULL ? EXIT_USAGE : EXIT_FAILED;
    } else {
        c->control = c->bundle.domain[index].name;
        if (channel_open(&c->channel, dir, c->control, FRAME_V4V)) {
            rc = greet(c);
        }
    }
    if (rc != EXIT_OK) {
        v4v_client_close(c);
    }
    return rc;
}

void v4v_client_close(struct v4v_client *c)
{
    channel_close(&c->channel);
    bundle_close(&c->bundle);
}
