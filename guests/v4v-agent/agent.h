/* SPDX-License-Identifier: MIT */
/*
 * Management of messages by request: what a control domain's agent does for
 * whoever speaks to it over the console. One frame is a request, one frame the
 * answer:
 *
 *   ID VERB ARGUMENT...         ID: 8 hex digits that the asker chose
 *   ID ok [HEAD][;RECORD]...
 *   ID error ERRNO              a XEN_E* number
 *   ID bad TEXT                 the request was not understood
 *
 * Arguments and fields are decimal numbers with one space between. A request
 * that comes again (same bytes) is answered again and not done again, so that
 * an asker whose answer was lost may repeat it.
 *
 *   hello                       HEAD: version, own domain id
 *   domains FROM                RECORD: id, DOMAIN_* flags
 *   rings DOMAIN START          HEAD: sent messages, bytes, refused sends
 *                               RECORD: port, partner, flags, length, used,
 *                               waiting domains, messages, bytes
 *   rules START                 HEAD: default accepts, its hits, rules in all
 *                               RECORD: source domain, port, destination
 *                               domain, port, accepts, hits
 *   add POSITION RULE           RULE: as the first five fields above
 *   del POSITION
 *   delrule RULE
 *   flush
 *   explain SRC PORT DST PORT   HEAD: accepts, position (0: default), hits
 *   limits DOMAIN               HEAD: rings, iovs, notify entries, bytes a send
 *   limit DOMAIN RINGS IOVS ENTRIES BYTES
 *
 * Lists come AGENT_RECORDS at a time; fewer than that: it was the end.
 *
 * Threat surface: requests come from outside the machine, and from whatever
 * else writes into this domain's console.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define AGENT_VERSION 1u
#define AGENT_RECORDS 32u
#define AGENT_ID_DIGITS 8u
#define AGENT_ARGUMENTS_MAX 6u

#define DOMAIN_SHUTDOWN (1u << 0) /* it has ended, or is suspended */
#define DOMAIN_DYING (1u << 1)
#define DOMAIN_PAUSED (1u << 2)

struct agent_domain {
    uint32_t id;
    uint32_t flags;
};

/* What the agent stands on; the hypervisor, or a test. */
struct agent_ops {
    /* As v4v_op() in v4v.h. */
    long (*v4v)(unsigned int cmd, const void *arg1, const void *arg2,
                uint32_t arg3, uint32_t arg4);
    /* Up to `n` domains from id `first` on: how many, or negative. */
    long (*domains)(uint32_t first, struct agent_domain *out, uint32_t n);
    unsigned int self;
};

struct agent_verb;

struct agent_request {
    char id[AGENT_ID_DIGITS];
    const struct agent_verb *verb;
    uint32_t arg[AGENT_ARGUMENTS_MAX];
};

/**
 * Takes a request apart. Every number is in range afterwards.
 *
 * @return NULL, or what is wrong with it; `id` is zeros if that was not read.
 */
const char *agent_parse(const char *text, size_t len, struct agent_request *r);

/**
 * Does what a request says and writes the answer, at most FRAME_PAYLOAD_MAX
 * bytes.
 *
 * @return the answer's length.
 */
size_t agent_serve(const struct agent_ops *ops, const char *text, size_t len,
                   char *answer);

/* ---- Between the agent's files ---------------------------------------- */

struct agent_text {
    char *at;
    char *end;
};

/** Appends; what does not fit is left out. */
void agent_put(struct agent_text *t, const char *text);
void agent_put_number(struct agent_text *t, char before, uint64_t n);

struct agent_verb {
    const char *name;
    /* One letter for each argument: d domain, n number, b truth value. */
    const char *arguments;
    /* Appends to the answer; 0 or a negative errno. */
    long (*run)(const struct agent_ops *ops, const struct agent_request *r,
                struct agent_text *answer);
};

extern const struct agent_verb agent_verbs[]; /* ends with a NULL name */

#endif
