/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record for people, and as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "events_export.h"

void event_access_show(uint32_t access, char out[4])
{
    out[0] = (access & EVENT_ACCESS_R) != 0 ? 'r' : '-';
    out[1] = (access & EVENT_ACCESS_W) != 0 ? 'w' : '-';
    out[2] = (access & EVENT_ACCESS_X) != 0 ? 'x' : '-';
    out[3] = '\0';
}

static unsigned long long number(const struct event_record *e,
                                 enum event_number n)
{
    return e->number[n];
}

static void describe_cr3(const struct event_record *e,
                         const struct event_names *names, char *out,
                         size_t size)
{
    char to[EVENTS_SAFE_SIZE];

    event_names_show(names, (uint32_t)number(e, EN_DOMAIN), e->number[EN_NEW],
                     to);
    snprintf(out, size, "0x%llx  %s",
             (unsigned long long)event_cr3_base(number(e, EN_NEW)), to);
}

static void describe_cr(const struct event_record *e, char *out, size_t size)
{
    if (event_has(e, EN_OLD)) {
        snprintf(out, size, "0x%llx -> 0x%llx", number(e, EN_OLD),
                 number(e, EN_NEW));
    } else {
        snprintf(out, size, "0x%llx", number(e, EN_NEW));
    }
}

static void describe_access(const struct event_record *e, char *out,
                            size_t size)
{
    char access[4];
    size_t len;

    event_access_show(e->access, access);
    len = (size_t)snprintf(out, size, "%s at 0x%llx", access,
                           (number(e, EN_GFN) << 12) +
                               (number(e, EN_OFFSET) & 0xfff));
    if (event_has(e, EN_GLA)) {
        len += (size_t)snprintf(out + len, size - len, " through 0x%llx",
                                number(e, EN_GLA));
    }
    if (event_has(e, EN_RIP)) {
        snprintf(out + len, size - len, " by 0x%llx", number(e, EN_RIP));
    }
}

static void describe_inject(const struct event_record *e, char *out,
                            size_t size)
{
    static const char *const result[] = {
        "delivered",
        "merged with another event",
        "became a double fault",
        "dropped: it would have ended the domain",
        "dropped",
    };
    uint64_t n = e->number[EN_RESULT];

    snprintf(out, size, "vector %llu: %s", number(e, EN_VECTOR),
             n < ARRAY_SIZE(result) ? result[n] : "unknown result");
}

void event_describe(const struct event_record *e,
                    const struct event_names *names,
                    char out[2 * EVENTS_SAFE_SIZE])
{
    const size_t size = 2 * EVENTS_SAFE_SIZE;

    out[0] = '\0';
    switch (e->kind) {
    case EK_CR0:
    case EK_CR4:
        describe_cr(e, out, size);
        break;
    case EK_CR3:
        describe_cr3(e, names, out, size);
        break;
    case EK_INT3:
        snprintf(out, size, "at 0x%llx", number(e, EN_GLA));
        break;
    case EK_ACCESS:
        describe_access(e, out, size);
        break;
    case EK_STEP:
        snprintf(out, size, "to 0x%llx", number(e, EN_GLA));
        break;
    case EK_MSR:
        snprintf(out, size, "0x%llx := 0x%llx", number(e, EN_MSR),
                 number(e, EN_NEW));
        break;
    case EK_INJECT:
        describe_inject(e, out, size);
        break;
    case EK_REQUEST:
    case EK_COUNT:
        break;
    }
}

/* Numbers that are counts; the others are addresses or register values. */
static bool is_decimal(enum event_number n)
{
    return n == EN_VERSION || n == EN_SEQ || n == EN_TIME || n == EN_DOMAIN ||
           n == EN_VCPU || n == EN_VCPUS || n == EN_COUNT || n == EN_LOADS ||
           n == EN_VECTOR || n == EN_RESULT;
}

/* 64-bit values do not survive as JSON numbers everywhere. */
static json_t *number_json(enum event_number n, uint64_t value)
{
    char hex[20];

    if (is_decimal(n) && value <= INT64_MAX) {
        return json_integer((json_int_t)value);
    }
    snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)value);
    return json_string(hex);
}

static void add_names(json_t *object, const struct event_record *e,
                      const struct event_names *names)
{
    char safe[EVENTS_SAFE_SIZE];
    const char *name;

    if (event_has(e, EN_DOMAIN)) {
        name = event_names_domain(names, (uint32_t)e->number[EN_DOMAIN]);
        if (name != NULL) {
            event_text_safe(name, safe);
            json_object_set_new(object, "domain_name", json_string(safe));
        }
    }
    if (e->verb == EV_EVENT && e->kind == EK_CR3) {
        name = event_names_find(names, (uint32_t)e->number[EN_DOMAIN],
                                e->number[EN_NEW]);
        if (name != NULL) {
            event_text_safe(name, safe);
            json_object_set_new(object, "process", json_string(safe));
        }
    }
}

json_t *event_json(const struct event_record *e,
                   const struct event_names *names)
{
    json_t *object = json_pack("{s:s}", "record", event_verb_name[e->verb]);
    char safe[EVENTS_SAFE_SIZE];

    if (e->has_kind) {
        json_object_set_new(object, "kind",
                            json_string(event_kind_name[e->kind]));
    }
    for (int n = 0; n < EN_NUMBER_COUNT; n++) {
        if (event_has(e, (enum event_number)n)) {
            json_object_set_new(
                object, event_number_name[n],
                number_json((enum event_number)n, e->number[n]));
        }
    }
    if (e->has_access) {
        event_access_show(e->access, safe);
        json_object_set_new(object, "access", json_string(safe));
    }
    for (int n = 0; n < ET_TEXT_COUNT; n++) {
        if ((e->text_present & (1u << n)) != 0) {
            event_text_safe(e->text[n], safe);
            json_object_set_new(object, event_text_name[n], json_string(safe));
        }
    }
    add_names(object, e, names);
    return object;
}
