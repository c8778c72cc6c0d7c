/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which process a CR3 value stands for, as the monitor said last, and which
 * domain a number. A hostile guest can make up any number of them: the table is
 * bounded, and what does not fit has no name.
 */
#pragma once

#include "events.h"

#define EVENTS_NAMES_MAX 65536u
#define EVENTS_SAFE_SIZE (4u * EVENTS_TEXT_SIZE)
#define EVENTS_DOMAINS_MAX 64u

struct event_name {
    uint64_t base;
    uint32_t domain;
    char *text; /* NULL: free */
};

struct event_names {
    struct event_name *slot; /* hashed by domain and base */
    size_t room;             /* a power of 2, or 0 */
    size_t count;
    size_t domain_count;
    struct {
        uint32_t id;
        char *name;
    } domain[EVENTS_DOMAINS_MAX];
};

void event_names_free(struct event_names *n);

/** Sets or replaces the name of an address space. */
void event_names_set(struct event_names *n, uint32_t domain, uint64_t cr3,
                     const char *text);

/** @return the name, or NULL. Valid until it is set again. */
const char *event_names_find(const struct event_names *n, uint32_t domain,
                             uint64_t cr3);

/** Names a domain; the first name given stays. */
void event_names_domain_set(struct event_names *n, uint32_t id,
                            const char *name);
/** @return its name, or NULL. */
const char *event_names_domain(const struct event_names *n, uint32_t id);

/** The domain of this name or decimal number. @return -1 if none. */
long event_names_domain_find(const struct event_names *n, const char *text);

/**
 * The name of an address space for people: "sh -c x", or "cr3 0x1a2b000" if
 * it has none. Printable ASCII, backslash escapes for all else.
 */
void event_names_show(const struct event_names *n, uint32_t domain,
                      uint64_t cr3, char out[EVENTS_SAFE_SIZE]);

/** "linux", or "domain 3" if it has no name. Printable ASCII. */
void event_names_domain_show(const struct event_names *n, uint32_t id,
                             char out[EVENTS_SAFE_SIZE]);

/** Copies with everything escaped that is not printable ASCII. */
void event_text_safe(const char *text, char out[EVENTS_SAFE_SIZE]);
