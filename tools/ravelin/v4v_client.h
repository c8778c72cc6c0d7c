/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to the agent in a running machine's control domain, and the names
 * of its domains.
 */
#pragma once

#include "bundle.h"
#include "channel.h"
#include "v4v_answer.h"
#include "v4v_text.h"

struct v4v_client {
    struct bundle bundle;
    struct channel channel;
    const char *control; /* name of the domain that is asked */
    double timeout;      /* seconds for each question */
    uint32_t next_id;
    struct v4v_names names;
    struct answer answer; /* of the last question */
};

/**
 * Connects to the machine in @dir and asks the agent for its version.
 * @param via      control domain, or NULL for the first one.
 * @return an exit code, not EXIT_OK after a message.
 */
int v4v_client_open(struct v4v_client *c, const char *dir, const char *via,
                    double timeout);
void v4v_client_close(struct v4v_client *c);

/**
 * Asks, again and again until an answer comes or time is over; the agent does
 * nothing twice. The answer is in @c->answer, with as many fields as given.
 *
 * @param error  set to 0 or the hypervisor's error. NULL: say it.
 * @return an exit code; EXIT_OK also with *error.
 */
rv_must_check int v4v_ask(struct v4v_client *c, size_t head, size_t record,
                          unsigned int *error, const char *fmt, ...)
    rv_printf(5, 6);

/** Says what the hypervisor answered. @return EXIT_FAILED. */
int v4v_refused(const struct v4v_client *c, unsigned int error);

/** @return the domain's name or "domain-N", heap. */
char *v4v_domain_name(const struct v4v_client *c, unsigned int id);
