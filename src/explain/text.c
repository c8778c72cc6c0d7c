/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A finding as a person reads it: rule, place in the manual, the values that
 * break it, the likely cause. Lines go to the caller, one at a time, so that
 * the hypervisor's log and a terminal show the same.
 */

#include <stdarg.h>

#include "ravelin/fmt.h"
#include "ravelin/string.h"
#include "rule.h"

#define LINE_MAX_CHARS 79
#define LABEL_CHARS 9

struct line {
    char text[LINE_MAX_CHARS + 1];
    size_t used;
};

static void rv_printf(2, 3) line_add(struct line *l, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = fmt_vsnprintf(l->text + l->used, sizeof(l->text) - l->used, fmt, args);
    va_end(args);
    l->used = rv_min(l->used + (size_t)n, sizeof(l->text) - 1);
}

static void line_start(struct line *l, const char *label)
{
    l->used = 0;
    line_add(l, "  %-*s", LABEL_CHARS - 2, label);
}

/* Bytes of `text` that fit: up to the last blank before the limit. */
static size_t chunk_length(const char *text, size_t limit)
{
    size_t n = strnlen(text, limit + 1);

    if (n <= limit) {
        return n;
    }
    for (n = limit; n > 0 && text[n] != ' '; n--) {
    }
    return n ? n : limit;
}

static void wrapped_show(const struct explain_text *to, const char *label,
                         const char *text)
{
    struct line l;

    while (*text) {
        size_t n = chunk_length(text, LINE_MAX_CHARS - LABEL_CHARS);

        line_start(&l, label);
        line_add(&l, "%.*s", (int)n, text);
        to->line(to->ctx, l.text);
        text += n;
        text += *text == ' ';
        label = "";
    }
}

static void segments_show(const struct explain_text *to,
                          const struct explain_finding *f)
{
    struct line l;

    for (unsigned seg = 0; seg < SEG_COUNT; seg++) {
        if (!(f->segments >> seg & 1)) {
            continue;
        }
        line_start(&l, "value");
        line_add(&l, "%-4s", explain_segment_name(seg));
        for (unsigned p = 0; p < EXPLAIN_PART_COUNT; p++) {
            if (f->rule->parts >> p & 1) {
                line_add(&l, " %s %0*lx", explain_part_name(p),
                         (int)explain_part_digits(p),
                         f->snapshot->value[XF_SEGMENT(seg, p)]);
            }
        }
        to->line(to->ctx, l.text);
    }
}

static void fields_show(const struct explain_text *to,
                        const struct explain_finding *f)
{
    struct line l;

    for (unsigned i = 0; i < EXPLAIN_FIELD_MAX && f->rule->field[i]; i++) {
        unsigned field = f->rule->field[i];
        unsigned p = (field - 1) % EXPLAIN_PART_COUNT;
        unsigned digits = explain_part_digits(p);

        line_start(&l, "value");
        if (field <= XF_SEGMENT_LAST) {
            line_add(&l, "%s %s",
                     explain_segment_name((field - 1) / EXPLAIN_PART_COUNT),
                     explain_part_name(p));
        } else {
            line_add(&l, "%s", explain_field_name(field, &digits));
        }
        line_add(&l, " %0*lx", (int)digits, f->snapshot->value[field]);
        to->line(to->ctx, l.text);
    }
}

static void title_show(const struct explain_text *to,
                       const struct explain_finding *f)
{
    struct line l = {.used = 0};

    line_add(&l, "%s%s", f->rule->id, f->segments ? ":" : "");
    for (unsigned seg = 0; seg < SEG_COUNT; seg++) {
        if (f->segments >> seg & 1) {
            line_add(&l, " %s", explain_segment_name(seg));
        }
    }
    to->line(to->ctx, l.text);
}

void explain_text_finding(struct explain_text *to,
                          const struct explain_finding *f)
{
    const char *cause = explain_cause(f);

    title_show(to, f);
    wrapped_show(to, "rule", f->rule->text);
    wrapped_show(to, "manual", f->rule->manual);
    segments_show(to, f);
    fields_show(to, f);
    wrapped_show(to, "cause", cause == to->last_cause ? "as above" : cause);
    to->last_cause = cause;
}
