/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin run: boots a manifest or a bundle in QEMU, with all consoles in one
 * terminal, or unattended with a script of expectations.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "session.h"

enum {
    OPT_TIMEOUT = 1,
    OPT_EXPECT,
    OPT_SEND,
    OPT_SMP,
    OPT_MEM,
    OPT_ICOUNT,
    OPT_GDB,
    OPT_FOCUS,
    OPT_APPEND,
    OPT_QEMU,
    OPT_KEEP,
};

#define GDB_PORT 1234u

struct run_options {
    struct common_options common;
    const char *what; /* manifest or bundle */
    const char *dir;
    bool quiet;
    struct script script;
    struct session_options session;
};

static unsigned int read_number(struct argp_state *state, const char *name,
                                const char *arg, unsigned int max)
{
    char *end;
    unsigned long n = strtoul(arg, &end, 10);

    if (*arg == '\0' || *end != '\0' || n == 0 || n > max) {
        argp_error(state, "--%s: a number from 1 to %u, not '%s'", name, max,
                   arg);
    }
    return (unsigned int)n;
}

static double read_seconds(struct argp_state *state, const char *arg)
{
    char *end;
    double t = strtod(arg, &end);

    if (end == arg || *end != '\0' || !(t > 0)) {
        argp_error(state, "--timeout: seconds, not '%s'", arg);
    }
    return t;
}

static void add_step(struct argp_state *state, struct run_options *o,
                     enum step_kind kind, const char *arg)
{
    const char *wrong = script_add(&o->script, kind, arg);

    if (wrong != NULL) {
        argp_error(state, "'%s': %s", arg, wrong);
    }
}

static error_t parse_machine(int key, char *arg, struct argp_state *state)
{
    struct run_options *o = state->input;
    struct emulator_options *e = &o->session.emulator;

    switch (key) {
    case OPT_SMP:
        e->smp = read_number(state, "smp", arg, 255);
        return 0;
    case OPT_MEM:
        e->memory_mib = read_number(state, "mem", arg, 1u << 20);
        return 0;
    case OPT_ICOUNT:
        e->icount = true;
        return 0;
    case OPT_GDB:
        e->gdb_port =
            arg == NULL ? GDB_PORT : read_number(state, "gdb", arg, 65535);
        return 0;
    case OPT_APPEND:
        e->append = arg;
        return 0;
    case OPT_QEMU:
        e->program = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct run_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 'o':
        o->dir = arg;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case OPT_TIMEOUT:
        o->session.timeout = read_seconds(state, arg);
        return 0;
    case OPT_EXPECT:
        add_step(state, o, STEP_EXPECT, arg);
        return 0;
    case OPT_SEND:
        add_step(state, o, STEP_SEND, arg);
        return 0;
    case OPT_FOCUS:
        o->session.focus = arg;
        return 0;
    case OPT_KEEP:
        o->session.keep_running = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->what != NULL) {
            argp_error(state, "one machine at a time");
        }
        o->what = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->what == NULL) {
            argp_error(state, "which manifest, or which bundle?");
        }
        return 0;
    default:
        return parse_machine(key, arg, state);
    }
}

static const struct argp_option options[] = {
    {"output", 'o', "DIR", 0,
     "Where a manifest is built (default: BUILD/run/NAME)", 1},
    {"smp", OPT_SMP, "N", 0, "Processors that run guests (default: 2)", 1},
    {"mem", OPT_MEM, "MIB", 0, "Memory (default: what the domains need)", 1},
    {"icount", OPT_ICOUNT, NULL, 0, "Let the TSC count instructions exactly",
     1},
    {"gdb", OPT_GDB, "PORT", OPTION_ARG_OPTIONAL,
     "Wait for gdb on a local port (default: 1234)", 1},
    {"append", OPT_APPEND, "WORDS", 0,
     "More words for the hypervisor's command line", 1},
    {"qemu", OPT_QEMU, "PROGRAM", 0, "QEMU to use ($RAVELIN_QEMU)", 1},
    {"focus", OPT_FOCUS, "DOMAIN", 0, "Domain that has the keyboard first", 2},
    {"quiet", 'q', NULL, 0, "Show progress only; output goes to the logs", 2},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0, "End the machine after this time",
     3},
    {"expect", OPT_EXPECT, "DOMAIN:REGEX", 0,
     "Wait until the domain has printed this", 3},
    {"send", OPT_SEND, "DOMAIN:TEXT", 0,
     "Type this (\\n, \\r, \\t, \\e, \\\\, \\xHH)", 3},
    {"keep", OPT_KEEP, NULL, 0, "Go on when all steps are done", 3},
    {0},
};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "MANIFEST|DIR",
    .doc =
        "Boots a manifest, or what 'ravelin build' has made of it, in QEMU. "
        "Every line shows its domain; Ctrl-] moves the keyboard to the next "
        "domain, Ctrl-] ? tells the other keys. Logs go to DIR/logs.\v"
        "--expect and --send are worked off in the order given. When all are "
        "done the machine is ended with status 0; if one cannot be met in "
        "time, with status 1. 'hypervisor' names the hypervisor's log.\n\n"
        "Examples:\n"
        "  ravelin run manifests/demo.yaml\n"
        "  ravelin run demo --timeout 60 --expect 'linux:/ # $' \\\n"
        "      --send 'linux:uname -a\\n' --expect 'linux:^Linux '\n\n"
        "Exit status: 0 powered off, ended by the user or all steps done; 1 a "
        "step not met; 2 usage; 3 something is missing; 4 time ran out; 5 the "
        "hypervisor panicked or the emulator died; 128+N ended by signal N.",
    .children = common_children,
};

/* "manifests/demo.yaml" is built in BUILD/run/demo. */
static char *default_dir(const char *manifest, const char *build_dir)
{
    const char *base = path_base(manifest);
    size_t stem = strcspn(base, ".");

    return xprintf("%s/run/%.*s", build_dir, (int)stem, base);
}

/* @return the bundle's directory; NULL with *rc set if it cannot be built. */
static char *prepare(const struct run_options *o, int *rc)
{
    char *build_dir = build_dir_find(o->common.build_dir);
    struct bundle_options bo = {
        .manifest = o->what,
        .build_dir = build_dir,
        .image = o->common.image,
        .quiet = o->quiet || o->common.json,
    };
    char *dir;

    *rc = EXIT_OK;
    if (dir_exists(o->what)) {
        free(build_dir);
        return xstrdup(o->what);
    }
    dir = o->dir != NULL ? xstrdup(o->dir) : default_dir(o->what, build_dir);
    bo.dir = dir;
    *rc = bundle_build(&bo);
    free(build_dir);
    if (*rc != EXIT_OK) {
        free(dir);
        return NULL;
    }
    return dir;
}

static enum view_mode choose_mode(const struct run_options *o)
{
    if (o->common.json) {
        return VIEW_JSON;
    }
    if (o->quiet) {
        return VIEW_QUIET;
    }
    return isatty(STDOUT_FILENO) ? VIEW_TERMINAL : VIEW_LINES;
}

static int run_bundle(struct run_options *o, const char *dir)
{
    struct session_result result;
    struct bundle b;

    if (!bundle_open(&b, dir)) {
        return EXIT_FAILED;
    }
    o->session.script = &o->script;
    o->session.mode = choose_mode(o);
    /* A script types by itself; a terminal may still help it along. */
    o->session.is_interactive =
        isatty(STDIN_FILENO) || o->script.step_count == 0;
    if (o->session.emulator.gdb_port != 0) {
        say("waiting for gdb: target remote localhost:%u",
            o->session.emulator.gdb_port);
    }
    session_run(&b, &o->session, &result);
    bundle_close(&b);
    return result.exit_code;
}

int cmd_run(int argc, char **argv)
{
    struct run_options o = {.what = NULL};
    const char *qemu = getenv("RAVELIN_QEMU");
    char *dir;
    int rc;

    o.session.emulator.program =
        qemu != NULL && qemu[0] != '\0' ? qemu : "qemu-system-x86_64";
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    dir = prepare(&o, &rc);
    if (dir != NULL) {
        rc = run_bundle(&o, dir);
    }
    free(dir);
    script_free(&o.script);
    return rc;
}
