/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unattended runs: a list of steps, "wait until this domain has printed that"
 * and "type this into that domain", worked off in order.
 */
#pragma once

#include <regex.h>

#include "ansi.h"
#include "cli.h"

enum step_kind { STEP_EXPECT, STEP_SEND };

struct script_step {
    enum step_kind kind;
    char *domain;
    char *text;      /* as given, for messages */
    regex_t pattern; /* EXPECT */
    char *bytes;     /* SEND, escapes resolved */
    size_t len;
};

/* What a domain has printed, without control characters. */
struct script_output {
    char *domain;
    struct ansi ansi;
    char *text;
    size_t len;
    size_t searched; /* the next pattern looks from here */
};

struct script {
    size_t step_count;
    struct script_step *step;
    size_t done; /* steps behind us */
    size_t output_count;
    struct script_output *output;
};

/**
 * Adds a step written as DOMAIN:TEXT.
 *
 * TEXT is an extended regular expression (EXPECT; ^ and $ match at lines) or
 * text to type, with the escapes \n \r \t \\ \e and \xHH (SEND).
 * @return NULL, or what is wrong with it (static text).
 */
const char *script_add(struct script *s, enum step_kind kind, const char *arg);

/** Takes note of output. */
void script_feed(struct script *s, const char *domain, const char *bytes,
                 size_t len);

/**
 * Works off the steps that can be: @send is called for each SEND reached.
 * @return true when all steps are done.
 */
bool script_advance(struct script *s,
                    void (*send)(void *ctx, const struct script_step *step),
                    void *ctx);

void script_free(struct script *s);
