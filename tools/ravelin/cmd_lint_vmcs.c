/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin lint-vmcs: the rules that a refused VM entry broke, from the dump in
 * a log. The rules are the hypervisor's own.
 */
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "ravelin/explain.h"

struct lint_options {
    struct common_options common;
    const char *file;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct lint_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case ARGP_KEY_ARG:
        if (o->file != NULL) {
            argp_error(state, "one file at a time");
        }
        o->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->file == NULL) {
            argp_error(state, "which file?");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "FILE",
    .doc = "Finds every dump of a VMCS (Xen's \"VMCS Area\") or VMCB (of a "
           "crash of Ravelin) in a log, and names the rules of VM entry that "
           "it breaks.\v"
           "Example:\n  ravelin lint-vmcs xen.log\n\n"
           "Exit status 0: no rule is broken; 1: rules are broken; 2: wrong "
           "usage, or no dump can be read.",
    .children = common_children,
};

static void line_print(void *ctx, const char *text)
{
    fprintf(ctx, "%s\n", text);
}

static void finding_print(void *ctx, const struct explain_finding *f)
{
    explain_text_finding(ctx, f);
}

static void value_add(json_t *values, const char *name, uint64_t v)
{
    char text[19];

    snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v);
    json_object_set_new(values, name, json_string(text));
}

static void finding_collect(void *ctx, const struct explain_finding *f)
{
    const struct explain_rule *r = f->rule;
    json_t *segments = json_array();
    json_t *values = json_object();
    unsigned digits;

    for (unsigned seg = 0; seg < SEG_COUNT; seg++) {
        if (!(f->segments >> seg & 1)) {
            continue;
        }
        json_array_append_new(segments, json_string(explain_segment_name(seg)));
        for (unsigned p = 0; p < EXPLAIN_PART_COUNT; p++) {
            if (r->parts >> p & 1) {
                char *name = xprintf("%s %s", explain_segment_name(seg),
                                     explain_part_name(p));

                value_add(values, name, f->snapshot->value[XF_SEGMENT(seg, p)]);
                free(name);
            }
        }
    }
    for (unsigned i = 0; i < EXPLAIN_FIELD_MAX && r->field[i]; i++) {
        if (r->field[i] <= XF_SEGMENT_LAST) {
            unsigned at = r->field[i] - 1u;
            char *name =
                xprintf("%s %s", explain_segment_name(at / EXPLAIN_PART_COUNT),
                        explain_part_name(at % EXPLAIN_PART_COUNT));

            value_add(values, name, f->snapshot->value[r->field[i]]);
            free(name);
        } else {
            value_add(values, explain_field_name(r->field[i], &digits),
                      f->snapshot->value[r->field[i]]);
        }
    }
    json_array_append_new(
        ctx, json_pack("{s:s, s:s, s:s, s:o, s:o, s:s}", "id", r->id, "rule",
                       r->text, "manual", r->manual, "segments", segments,
                       "values", values, "cause", explain_cause(f)));
}

/* One dump; how many rules it breaks. */
static unsigned dump_judge(const struct explain_snapshot *s, unsigned number,
                           json_t *all)
{
    struct explain_text to = {line_print, stdout, NULL};
    unsigned count;

    if (all != NULL) {
        json_t *findings = json_array();

        count = explain_check(s, finding_collect, findings);
        json_array_append_new(all,
                              json_pack("{s:s, s:o}", "checks", s->rules->name,
                                        "findings", findings));
        return count;
    }
    printf("%sdump %u (%s)\n", number > 1 ? "\n" : "", number, s->rules->name);
    count = explain_check(s, finding_print, &to);
    printf("%u rule%s broken\n", count, count == 1 ? " is" : "s are");
    return count;
}

int cmd_lint_vmcs(int argc, char **argv)
{
    struct lint_options o = {.file = NULL};
    struct explain_snapshot s;
    unsigned dumps = 0, broken = 0;
    struct blob text;
    size_t pos = 0;
    json_t *all;
    int r;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    r = file_read(o.file, &text);
    if (r != 0) {
        say("%s: %s", o.file, strerror(-r));
        return EXIT_USAGE;
    }
    all = o.common.json ? json_array() : NULL;
    while (explain_parse_next((const char *)text.data, text.len, &pos, &s)) {
        broken += dump_judge(&s, ++dumps, all);
    }
    blob_free(&text);
    if (all != NULL) {
        json_show(all);
    }
    if (dumps == 0) {
        say("%s: no dump of a VMCS or VMCB in it", o.file);
        return EXIT_USAGE;
    }
    return broken ? EXIT_FAILED : EXIT_OK;
}
