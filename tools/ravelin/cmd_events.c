/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin events: what the monitors of a machine have seen, live or from the
 * logs of a run that has ended; as text, JSON, and files for other programs.
 */
#include <stdlib.h>
#include <string.h>

#include "events_run.h"

enum {
    OPT_EXPORT = 1,
    OPT_DOMAIN,
    OPT_KIND,
    OPT_CR3,
    OPT_PROCESS,
    OPT_VCPU,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_MONITOR,
    OPT_SUMMARY,
    OPT_STRICT,
};

static bool kinds_parse(const char *text, uint32_t *out)
{
    *out = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        int kind = event_kind_find(text, len);

        if (kind < 0) {
            return false;
        }
        *out |= 1u << kind;
        text += len + (text[len] == ',');
    }
    return *out != 0;
}

static bool number_parse(const char *text, uint64_t *out)
{
    char *end;

    *out = strtoull(text, &end, 0);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static bool seconds_parse(const char *text, uint64_t *ns)
{
    char *end;
    double value = strtod(text, &end);

    *ns = 0;
    if (end == text || *end != '\0' || !(value >= 0 && value < 1e9)) {
        return false;
    }
    *ns = (uint64_t)(value * 1e9);
    return true;
}

static error_t parse_filter(int key, char *arg, struct argp_state *state)
{
    struct events_filter *f = &((struct events_options *)state->input)->filter;
    bool ok = true;

    switch (key) {
    case OPT_DOMAIN:
        f->domain = arg;
        break;
    case OPT_KIND:
        ok = kinds_parse(arg, &f->kinds);
        break;
    case OPT_CR3:
        ok = number_parse(arg, &f->cr3);
        f->has_cr3 = true;
        break;
    case OPT_PROCESS:
        f->process = arg;
        break;
    case OPT_VCPU:
        ok = number_parse(arg, &f->vcpu);
        f->has_vcpu = true;
        break;
    case OPT_SINCE:
        ok = seconds_parse(arg, &f->since);
        break;
    case OPT_UNTIL:
        ok = seconds_parse(arg, &f->until);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (!ok) {
        argp_error(state, "'%s' is not a value of this option", arg);
    }
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct events_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 'f':
        o->follow = true;
        return 0;
    case OPT_SUMMARY:
        o->summary_only = true;
        return 0;
    case OPT_STRICT:
        o->strict = true;
        return 0;
    case OPT_MONITOR:
        o->monitor = arg;
        return 0;
    case OPT_EXPORT:
        if (o->export_count == EVENTS_EXPORTS_MAX) {
            argp_error(state, "at most %u exports", EVENTS_EXPORTS_MAX);
        }
        o->export[o->export_count++] = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (o->what != NULL) {
            argp_error(state, "one machine or log at a time");
        }
        o->what = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->what == NULL) {
            argp_error(state, "which machine, or which log?");
        }
        return 0;
    default:
        return parse_filter(key, arg, state);
    }
}

static const struct argp_option options[] = {
    {"follow", 'f', NULL, 0, "Go on until the machine has ended", 0},
    {"export", OPT_EXPORT, "FILE", 0,
     "Write FILE.json (Perfetto), DIR.ctf (CTF 1.8) or FILE.svg (picture); "
     "repeatable",
     0},
    {"summary", OPT_SUMMARY, NULL, 0, "Counts and times only", 0},
    {"strict", OPT_STRICT, NULL, 0, "Fail if an event is lost or missing", 0},
    {"monitor", OPT_MONITOR, "DOMAIN", 0, "Only what this monitor has printed",
     0},
    {"domain", OPT_DOMAIN, "DOMAIN", 0,
     "Only events of this watched domain (name or number)", 1},
    {"kind", OPT_KIND, "KIND,...", 0,
     "Only cr0, cr3, cr4, int3, access, step, request, msr, inject", 1},
    {"cr3", OPT_CR3, "VALUE", 0, "Only loads of this CR3", 1},
    {"process", OPT_PROCESS, "TEXT", 0,
     "Only loads of processes with TEXT in their name", 1},
    {"vcpu", OPT_VCPU, "N", 0, "Only this virtual CPU", 1},
    {"since", OPT_SINCE, "SECONDS", 0, "Only from this time of the machine", 1},
    {"until", OPT_UNTIL, "SECONDS", 0, "Only up to this time", 1},
    {0},
};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "DIR|LOG",
    .doc =
        "Shows what the monitor domains of a machine have seen. DIR is what "
        "'ravelin run' runs or has run; LOG is what one monitor has printed, "
        "- standard input.\v"
        "Examples:\n"
        "  ravelin events --follow build/run/monitor\n"
        "  ravelin events --kind=access,int3 build/run/monitor\n"
        "  ravelin events --summary --export=t.svg --export=t.ctf "
        "build/run/monitor\n\n"
        "Exit status 1 if there is no record at all, or a malformed one; with "
        "--strict also if an event was lost or is missing.",
    .children = common_children,
};

int cmd_events(int argc, char **argv)
{
    struct events_options o = {.filter = {.kinds = ~0u}};

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    return events_run(&o);
}
