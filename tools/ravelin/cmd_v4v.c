/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin v4v: rings, rules and counters of messages in a running machine,
 * through the agent in its control domain.
 */
#include "cmd_v4v.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT 10.0
#define TIMEOUT_MAX 86400.0

enum { OPT_VIA = 1, OPT_TIMEOUT, OPT_ALL };

struct sub_verb {
    const char *name;
    int (*run)(struct v4v_client *c, const struct v4v_options *o);
    size_t args_min;
    size_t args_max;
    const char *args_doc;
    const char *doc;
};

static const struct sub_verb sub_verbs[] = {
    {"list", v4v_list, 0, 1, "[DOMAIN]",
     "Lists the rings of all domains, or of one: port, who may send, size, "
     "bytes not yet taken out, domains that wait for space, traffic.\v"
     "Example:\n  ravelin v4v list web"},
    {"rules", v4v_rules, 0, 0, "",
     "Lists the rules in their order, positions from 1, with the number of "
     "decisions each has made. The first match decides, else the default.\v"
     "Example:\n  ravelin v4v rules --json"},
    {"add", v4v_add, 1, 8, "[POSITION] RULE",
     "Adds a rule at a position, or behind all others. A rule is 'SRC -> DST "
     "accept' or '... deny'; SRC and DST are DOMAIN:PORT, * stands for all.\v"
     "Examples:\n  ravelin v4v add 1 'linux:* -> web:8000 accept'\n"
     "  ravelin v4v add '* -> web deny'"},
    {"del", v4v_del, 0, 8, "POSITION|RULE",
     "Deletes the rule at a position, or the first one equal to RULE, or with "
     "--all every rule.\v"
     "Examples:\n  ravelin v4v del 3\n"
     "  ravelin v4v del 'linux:* -> web:8000 accept'"},
    {"explain", v4v_explain, 2, 2, "SRC:PORT DST:PORT",
     "Tells what is decided about messages from one address to another, and "
     "which rule does. Counts nothing.\v"
     "Example:\n  ravelin v4v explain linux:1025 web:8000"},
    {"stats", v4v_stats, 0, 1, "[DOMAIN]",
     "Shows what each domain, or one, has sent and was refused, what its "
     "rings hold, and its limits.\v"
     "Example:\n  ravelin v4v stats"},
    {"limits", v4v_limits, 0, 5, "[DOMAIN [LIMIT=N]...]",
     "Shows the limits of all domains, or of one, or sets some of them: "
     "max-rings, max-sendv, max-notify, max-send-size, as in manifests. They "
     "hold for what comes after.\v"
     "Example:\n  ravelin v4v limits web max-rings=16"},
};

struct parse_state {
    const struct sub_verb *verb;
    struct v4v_options *o;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct parse_state *p = state->input;
    char *end;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &p->o->common;
        return 0;
    case 'm':
        p->o->machine = arg;
        return 0;
    case OPT_VIA:
        p->o->via = arg;
        return 0;
    case OPT_TIMEOUT:
        p->o->timeout = strtod(arg, &end);
        if (end == arg || *end != '\0' || !(p->o->timeout > 0) ||
            p->o->timeout > TIMEOUT_MAX) {
            argp_error(state, "--timeout: seconds, not '%s'", arg);
        }
        return 0;
    case OPT_ALL:
        if (p->verb->run != v4v_del) {
            argp_error(state, "--all belongs to del");
        }
        p->o->all = true;
        return 0;
    case ARGP_KEY_ARGS:
        p->o->args = state->argv + state->next;
        p->o->arg_count = (size_t)(state->argc - state->next);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"machine", 'm', "DIR", 0,
     "Run directory of the machine (default: the only one running below "
     "BUILD/run)",
     1},
    {"via", OPT_VIA, "DOMAIN", 0,
     "Control domain to ask (default: the first one)", 1},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0,
     "Wait so long for each answer (default: 10)", 1},
    {"all", OPT_ALL, NULL, 0, "With del: every rule", 1},
    {0},
};

static void check_count(const struct sub_verb *v, const struct v4v_options *o)
{
    size_t min = o->all ? 0 : v->args_min;

    if (v->run == v4v_del && !o->all) {
        min = 1;
    }
    if (o->arg_count < min || o->arg_count > v->args_max ||
        (o->all && o->arg_count > 0)) {
        say("usage: ravelin v4v %s [OPTION...] %s", v->name, v->args_doc);
        exit(EXIT_USAGE);
    }
}

static int run_sub_verb(const struct sub_verb *v, int argc, char **argv)
{
    struct v4v_options o = {.timeout = TIMEOUT_DEFAULT};
    struct parse_state p = {v, &o};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = v->args_doc,
        .doc = v->doc,
        .children = common_children,
    };
    struct v4v_client c;
    char *build_dir;
    char *dir;
    int rc;

    argp_parse(&argp, argc, argv, 0, NULL, &p);
    check_count(v, &o);
    build_dir = build_dir_find(o.common.build_dir);
    dir = machine_find(o.machine, build_dir);
    free(build_dir);
    if (dir == NULL) {
        return EXIT_FAILED;
    }
    rc = v4v_client_open(&c, dir, o.via, o.timeout);
    if (rc == EXIT_OK) {
        rc = v->run(&c, &o);
        v4v_client_close(&c);
    }
    free(dir);
    return rc;
}

static void show_help(FILE *to)
{
    fputs("Usage: ravelin v4v list|rules|add|del|explain|stats|limits "
          "[OPTION...] [ARGUMENT...]\n"
          "Messages between the domains of a machine that 'ravelin run' has "
          "started: rings,\nrules and counters, through the agent in its "
          "control domain.\n\n",
          to);
    for (size_t i = 0; i < ARRAY_SIZE(sub_verbs); i++) {
        fprintf(to, "  %-8s %s\n", sub_verbs[i].name, sub_verbs[i].args_doc);
    }
    fputs("\nOptions: --machine DIR, --via DOMAIN, --timeout SECONDS, --all, "
          "--json, --build-dir,\n--image. 'ravelin v4v list --help' and so on "
          "tell more, with examples.\n\n"
          "Example:\n  ravelin v4v rules\n\n"
          "Exit status: 0 done, 1 refused or no machine, 2 wrong usage, "
          "4 no answer in time.\n",
          to);
}

int cmd_v4v(int argc, char **argv)
{
    if (argc < 2) {
        show_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0) {
        show_help(stdout);
        return EXIT_OK;
    }
    for (size_t i = 0; i < ARRAY_SIZE(sub_verbs); i++) {
        if (strcmp(argv[1], sub_verbs[i].name) == 0) {
            char *name = xprintf("%s %s", argv[0], sub_verbs[i].name);
            int rc;

            argv[1] = name;
            rc = run_sub_verb(&sub_verbs[i], argc - 1, argv + 1);
            free(name);
            return rc;
        }
    }
    say("v4v: there is no verb '%s'; see 'ravelin v4v --help'", argv[1]);
    return EXIT_USAGE;
}
