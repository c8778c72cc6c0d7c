/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses and rules of messages as people write them:
 *
 *   ADDRESS  DOMAIN[:PORT]   a name, a number, or * for every domain; a port
 *                            number, or * or nothing for every port
 *   RULE     ADDRESS -> ADDRESS accept|deny
 *
 * Threat surface: text of the command line. No allocation but for results.
 */
#pragma once

#include "cli.h"
#include "public/v4v.h"

struct v4v_names {
    /* Id of a domain's name, or -1. */
    int (*find)(void *ctx, const char *name);
    /* Name of an id, or NULL. */
    const char *(*name)(void *ctx, unsigned int id);
    void *ctx;
};

/** Reads a number, decimal or 0x. @return false unless it is all of the text
 *  and at most @max. */
rv_must_check bool v4v_number_parse(const char *text, uint64_t max,
                                    uint64_t *out);

/** Reads a domain without wildcard. @return NULL, or what is wrong. */
const char *v4v_domain_parse(const struct v4v_names *n, const char *text,
                             unsigned int *id);

/** Reads an address. @return NULL, or what is wrong (static text). */
const char *v4v_address_parse(const struct v4v_names *n, const char *text,
                              struct v4v_addr *out);

/** Reads a rule, cut into words. @return as above. */
const char *v4v_rule_parse(const struct v4v_names *n, char *const *words,
                           size_t count, struct v4vtables_rule *out);

/** @return "name:port", heap. */
char *v4v_address_text(const struct v4v_names *n, const struct v4v_addr *a);

/** @return "src -> dst accept", heap. */
char *v4v_rule_text(const struct v4v_names *n, const struct v4vtables_rule *r);

/**
 * Cuts arguments at white space, so that a rule can be one argument or several.
 * @return the words (one heap block); *count of them.
 */
char **v4v_words(char *const *args, size_t arg_count, size_t *count);
