/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers of a control domain's agent, taken apart (the protocol is described
 * in guests/v4v-agent/agent.h). Pure: bytes in, numbers out.
 *
 * Threat surface: the answer is written by a domain, perhaps not by the one
 * that was meant to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_RECORDS_MAX 64u
#define ANSWER_FIELDS_MAX 8u
#define ANSWER_ID_DIGITS 8u
/* Records in a full list (AGENT_RECORDS). */
#define ANSWER_LIST_FULL 32u

enum answer_status {
    ANSWER_OK,
    ANSWER_ERROR, /* of the hypervisor */
    ANSWER_BAD,   /* the agent did not understand */
};

struct answer_fields {
    size_t count;
    uint64_t value[ANSWER_FIELDS_MAX];
};

struct answer {
    char id[ANSWER_ID_DIGITS + 1];
    enum answer_status status;
    unsigned int error; /* XEN_E*, for ANSWER_ERROR */
    const char *text;   /* into the payload, for ANSWER_BAD */
    struct answer_fields head;
    size_t record_count;
    struct answer_fields record[ANSWER_RECORDS_MAX];
};

/** @return false if this is no answer; nothing in @a is to be used then. */
bool answer_parse(const char *payload, struct answer *a);

/** Has an answer a head and records of exactly so many fields? */
bool answer_has(const struct answer *a, size_t head, size_t record);
