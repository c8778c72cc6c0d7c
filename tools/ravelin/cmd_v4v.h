/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sub-verbs of 'ravelin v4v': each gets a connection and its arguments.
 */
#pragma once

#include "options.h"
#include "v4v_client.h"

struct v4v_options {
    struct common_options common;
    const char *machine;
    const char *via;
    double timeout;
    bool all;
    char **args;
    size_t arg_count;
};

/* All return an exit code. cmd_v4v_look.c: */
int v4v_list(struct v4v_client *c, const struct v4v_options *o);
int v4v_stats(struct v4v_client *c, const struct v4v_options *o);
int v4v_limits(struct v4v_client *c, const struct v4v_options *o);

/* cmd_v4v_rules.c: */
int v4v_rules(struct v4v_client *c, const struct v4v_options *o);
int v4v_add(struct v4v_client *c, const struct v4v_options *o);
int v4v_del(struct v4v_client *c, const struct v4v_options *o);
int v4v_explain(struct v4v_client *c, const struct v4v_options *o);
