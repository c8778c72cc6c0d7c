/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the log of a monitor, whose bytes a watched guest can choose.
 * Whatever they are: no read outside a line, tables stay bounded, time never
 * runs back, what is shown is printable, and a log cut elsewhere is the same.
 */
#include "fuzz.h"

#include <string.h>

#include "events_names.h"
#include "events_source.h"
#include "events_timeline.h"

struct run {
    struct event_names names;
    struct timeline timeline;
    uint64_t records;
    uint64_t digest;
};

static void on_slice(void *ctx, const struct event_slice *s)
{
    (void)ctx;
    require(s->start < s->end);
    require((s->base & 0xfff) == 0);
}

static void text_check(const char *text)
{
    char safe[EVENTS_SAFE_SIZE];

    require(strlen(text) < EVENTS_TEXT_SIZE);
    event_text_safe(text, safe);
    for (const char *p = safe; *p != '\0'; p++) {
        require(*p >= 0x20 && *p <= 0x7e);
    }
}

static void on_record(void *ctx, const struct event_record *e)
{
    struct run *r = ctx;
    char shown[EVENTS_SAFE_SIZE];

    r->records++;
    for (int i = 0; i < EN_NUMBER_COUNT; i++) {
        r->digest = r->digest * 31 + e->number[i];
    }
    for (int i = 0; i < ET_TEXT_COUNT; i++) {
        text_check(e->text[i]);
    }
    if (e->verb == EV_NAME) {
        event_names_set(&r->names, (uint32_t)e->number[EN_DOMAIN],
                        e->number[EN_CR3], e->text[ET_TEXT]);
        event_names_show(&r->names, (uint32_t)e->number[EN_DOMAIN],
                         e->number[EN_CR3], shown);
    }
    if (e->verb == EV_EVENT) {
        (void)timeline_take(&r->timeline, e);
    }
}

static void run_log(struct run *r, const char *bytes, size_t size, size_t piece)
{
    struct events_source s = {.on_record = on_record, .ctx = r};

    memset(r, 0, sizeof(*r));
    r->timeline.on_slice = on_slice;
    for (size_t at = 0; at < size; at += piece) {
        events_source_feed(&s, bytes + at,
                           piece < size - at ? piece : size - at);
    }
    events_source_finish(&s);
    timeline_finish(&r->timeline);
    require(r->names.count <= EVENTS_NAMES_MAX);
    require(s.counts.records == r->records);
    event_names_free(&r->names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run whole, cut;
    char *copy;

    if (size < 1) {
        return 0;
    }
    copy = malloc(size);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data + 1, size - 1);
    run_log(&whole, copy, size - 1, size);
    run_log(&cut, copy, size - 1, data[0] % 32 + 1u);
    require(whole.digest == cut.digest && whole.records == cut.records);
    free(copy);
    return 0;
}
