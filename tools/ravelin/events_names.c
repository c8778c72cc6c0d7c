/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of address spaces and domains: a hash table with linear probing that
 * is never fuller than half, and texts made safe for terminals and files.
 */
#include "events_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

void event_names_free(struct event_names *n)
{
    for (size_t i = 0; i < n->room; i++) {
        free(n->slot[i].text);
    }
    for (size_t i = 0; i < n->domain_count; i++) {
        free(n->domain[i].name);
    }
    free(n->slot);
    memset(n, 0, sizeof(*n));
}

/* The slot of the key, or the free one where it belongs. */
static struct event_name *slot_find(const struct event_names *n,
                                    uint32_t domain, uint64_t base)
{
    uint64_t hash = (base >> 12) * 0x9e3779b97f4a7c15ull + domain;
    size_t at = (size_t)(hash >> 32) & (n->room - 1);

    while (n->slot[at].text != NULL &&
           (n->slot[at].base != base || n->slot[at].domain != domain)) {
        at = (at + 1) & (n->room - 1);
    }
    return &n->slot[at];
}

static void grow(struct event_names *n)
{
    struct event_names old = *n;

    n->room = old.room == 0 ? 64 : old.room * 2;
    n->slot = xalloc(n->room * sizeof(*n->slot));
    for (size_t i = 0; i < old.room; i++) {
        if (old.slot[i].text != NULL) {
            *slot_find(n, old.slot[i].domain, old.slot[i].base) = old.slot[i];
        }
    }
    free(old.slot);
}

void event_names_set(struct event_names *n, uint32_t domain, uint64_t cr3,
                     const char *text)
{
    struct event_name *slot;

    if (n->room == 0 || (n->count + 1) * 2 > n->room) {
        if (n->room / 2 >= EVENTS_NAMES_MAX) {
            return;
        }
        grow(n);
    }
    slot = slot_find(n, domain, event_cr3_base(cr3));
    if (slot->text == NULL) {
        n->count++;
    }
    free(slot->text);
    *slot = (struct event_name){event_cr3_base(cr3), domain, xstrdup(text)};
}

const char *event_names_find(const struct event_names *n, uint32_t domain,
                             uint64_t cr3)
{
    return n->room == 0 ? NULL
                        : slot_find(n, domain, event_cr3_base(cr3))->text;
}

const char *event_names_domain(const struct event_names *n, uint32_t id)
{
    for (size_t i = 0; i < n->domain_count; i++) {
        if (n->domain[i].id == id) {
            return n->domain[i].name;
        }
    }
    return NULL;
}

void event_names_domain_set(struct event_names *n, uint32_t id,
                            const char *name)
{
    if (n->domain_count == EVENTS_DOMAINS_MAX ||
        event_names_domain(n, id) != NULL) {
        return;
    }
    n->domain[n->domain_count].id = id;
    n->domain[n->domain_count].name = xstrdup(name);
    n->domain_count++;
}

long event_names_domain_find(const struct event_names *n, const char *text)
{
    char *end;
    unsigned long number;

    for (size_t i = 0; i < n->domain_count; i++) {
        if (strcmp(n->domain[i].name, text) == 0) {
            return (long)n->domain[i].id;
        }
    }
    number = strtoul(text, &end, 10);
    return *text < '0' || *text > '9' || *end != '\0' || number > 0x7fff
               ? -1
               : (long)number;
}

void event_text_safe(const char *text, char out[EVENTS_SAFE_SIZE])
{
    size_t len = 0;

    for (; *text != '\0' && len + 5 <= EVENTS_SAFE_SIZE; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c > 0x7e || c == '\\') {
            len += (size_t)snprintf(out + len, 5, "\\x%02x", c);
        } else {
            out[len++] = (char)c;
        }
    }
    out[len] = '\0';
}

void event_names_show(const struct event_names *n, uint32_t domain,
                      uint64_t cr3, char out[EVENTS_SAFE_SIZE])
{
    const char *name = event_names_find(n, domain, cr3);

    if (name != NULL) {
        event_text_safe(name, out);
    } else {
        snprintf(out, EVENTS_SAFE_SIZE, "cr3 0x%llx",
                 (unsigned long long)event_cr3_base(cr3));
    }
}

void event_names_domain_show(const struct event_names *n, uint32_t id,
                             char out[EVENTS_SAFE_SIZE])
{
    const char *name = event_names_domain(n, id);

    if (name != NULL) {
        event_text_safe(name, out);
    } else {
        snprintf(out, EVENTS_SAFE_SIZE, "domain %u", (unsigned int)id);
    }
}
