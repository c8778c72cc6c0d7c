/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of a monitor domain: lines that begin with "@mon " in what it
 * prints (docs/monitor-events.md). A monitor repeats what a watched guest does
 * and says, so every byte here is a guest's: bounded, escaped again on the way
 * out, and never more than data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ravelin/compiler.h"

#define EVENTS_PREFIX "@mon "
#define EVENTS_LINE_MAX 1024u /* longer lines are malformed */
#define EVENTS_TEXT_SIZE 256u /* with its NUL */

enum event_verb {
    EV_START,
    EV_EVENT,
    EV_NAME,
    EV_NOTE,
    EV_LOADS,
    EV_BYTES,
    EV_LOST,
    EV_PROCESS,
    EV_COUNT,
    EV_END,
    EV_VERB_COUNT,
};

enum event_kind {
    EK_CR0,
    EK_CR3,
    EK_CR4,
    EK_INT3,
    EK_ACCESS,
    EK_STEP,
    EK_REQUEST,
    EK_MSR,
    EK_INJECT,
    EK_COUNT,
};

/* Numbers of a record; which of them are there says event_record.present. */
enum event_number {
    EN_VERSION,
    EN_SEQ,
    EN_TIME, /* ns since the machine started */
    EN_DOMAIN,
    EN_VCPU,
    EN_VCPUS,
    EN_NEW,
    EN_OLD,
    EN_GLA,
    EN_GFN,
    EN_OFFSET,
    EN_RIP,
    EN_CR3,
    EN_COUNT,
    EN_LOADS,
    EN_VECTOR,
    EN_MSR,
    EN_RESULT,
    EN_NUMBER_COUNT,
};

/* Texts of a record. */
enum event_text {
    ET_TEXT,
    ET_MODE,
    ET_WATCH,
    ET_BEFORE,
    ET_AFTER,
    ET_TEXT_COUNT,
};

#define EVENT_ACCESS_R 1u
#define EVENT_ACCESS_W 2u
#define EVENT_ACCESS_X 4u

struct event_record {
    enum event_verb verb;
    uint32_t present;      /* bit n: number[n] is there */
    uint32_t text_present; /* bit n: text[n] is there */
    bool has_kind;
    bool has_access;
    enum event_kind kind;
    uint32_t access; /* EVENT_ACCESS_* */
    uint64_t number[EN_NUMBER_COUNT];
    char text[ET_TEXT_COUNT][EVENTS_TEXT_SIZE]; /* any bytes but NUL */
};

enum event_parse {
    EP_OTHER,     /* not a record */
    EP_RECORD,    /* out is filled */
    EP_MALFORMED, /* begins like a record and is none */
    EP_UNKNOWN,   /* a record of a verb that this version does not know */
};

/**
 * Parses one line without its end. Keys that are not known are passed over;
 * a key twice, or a required one missing, makes the line malformed.
 *
 * @param line  any bytes, not terminated.
 * @param out   filled if EP_RECORD, else unspecified.
 */
rv_must_check enum event_parse event_parse_line(const char *line, size_t len,
                                                struct event_record *out);

/** Names as in records, and in options and output. */
extern const char *const event_kind_name[EK_COUNT];
extern const char *const event_verb_name[EV_VERB_COUNT];
extern const char *const event_number_name[EN_NUMBER_COUNT];
extern const char *const event_text_name[ET_TEXT_COUNT];

/** @return the kind of this name, or -1. */
int event_kind_find(const char *name, size_t len);

/** Whether number @n is there. */
static inline bool event_has(const struct event_record *e, enum event_number n)
{
    return (e->present & (1u << n)) != 0;
}

/** Frame of the page tables that a CR3 value names: no PCID, no flush bit. */
static inline uint64_t event_cr3_base(uint64_t cr3)
{
    return cr3 & 0x000ffffffffff000ull;
}
