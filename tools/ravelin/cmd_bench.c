/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin bench: path lengths from a guest that counts its instructions, sizes
 * of image and source, and the Linux boot against plain QEMU; all beside their
 * bars. Instruction counts are exact, so two boots must agree in every one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_firmware.h"
#include "bench_plain.h"
#include "bench_watch.h"
#include "options.h"
#include "session.h"

#define BOOT_TIMEOUT 180.0
/* Wall-clock figures: odd, the median counts. */
#define PROMPT_RUNS 3u

enum {
    OPT_MANIFEST = 1,
    OPT_LINUX,
    OPT_NO_LINUX,
    OPT_V4V,
    OPT_V4V_PAIR,
    OPT_NO_V4V,
    OPT_MONITOR,
    OPT_NO_MONITOR,
    OPT_SOURCE,
    OPT_STRICT,
    OPT_QEMU
};

struct bench_options {
    struct common_options common;
    const char *manifest;
    const char *linux_manifest;
    const char *source;
    const char *output;
    const char *qemu;
    const char *v4v_manifest;
    const char *v4v_pair_manifest;
    const char *monitor_manifest;
    bool no_linux;
    bool no_v4v;
    bool no_monitor;
    bool strict;
    char *build_dir;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct bench_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 'o':
        o->output = arg;
        return 0;
    case OPT_MANIFEST:
        o->manifest = arg;
        return 0;
    case OPT_LINUX:
        o->linux_manifest = arg;
        return 0;
    case OPT_NO_LINUX:
        o->no_linux = true;
        return 0;
    case OPT_V4V:
        o->v4v_manifest = arg;
        return 0;
    case OPT_V4V_PAIR:
        o->v4v_pair_manifest = arg;
        return 0;
    case OPT_NO_V4V:
        o->no_v4v = true;
        return 0;
    case OPT_MONITOR:
        o->monitor_manifest = arg;
        return 0;
    case OPT_NO_MONITOR:
        o->no_monitor = true;
        return 0;
    case OPT_SOURCE:
        o->source = arg;
        return 0;
    case OPT_STRICT:
        o->strict = true;
        return 0;
    case OPT_QEMU:
        o->qemu = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "Result (default: BUILD/bench.json)", 0},
    {"manifest", OPT_MANIFEST, "FILE", 0,
     "Machine with the counting guest (default: manifests/bench.yaml)", 0},
    {"linux-manifest", OPT_LINUX, "FILE", 0,
     "Machine with Linux alone (default: manifests/bench-linux.yaml)", 0},
    {"no-linux", OPT_NO_LINUX, NULL, 0, "Leave out linux_prompt_ratio", 0},
    {"v4v-manifest", OPT_V4V, "FILE", 0,
     "Machine that counts messages (default: manifests/bench-v4v.yaml)", 0},
    {"v4v-pair-manifest", OPT_V4V_PAIR, "FILE", 0,
     "Machine with two domains (default: manifests/bench-v4v-pair.yaml)", 0},
    {"no-v4v", OPT_NO_V4V, NULL, 0, "Leave out the figures of messages", 0},
    {"monitor-manifest", OPT_MONITOR, "FILE", 0,
     "Machine with a watched domain (default: manifests/bench-monitor.yaml)",
     0},
    {"no-monitor", OPT_NO_MONITOR, NULL, 0, "Leave out the figures of events",
     0},
    {"source", OPT_SOURCE, "DIR", 0, "Source tree (default: .)", 0},
    {"strict", OPT_STRICT, NULL, 0, "Fail if a bar is missed", 0},
    {"qemu", OPT_QEMU, "PROGRAM", 0, "QEMU to use ($RAVELIN_QEMU)", 0},
    {0},
};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .doc = "Measures path lengths, sizes and the boot of Linux, compares them "
           "with their bars and writes BUILD/bench.json.\v"
           "Example:\n  ravelin bench --strict\n\n"
           "Exit status 1 if two boots disagree or a figure is missing; with "
           "--strict also if a bar is missed.",
    .children = common_children,
};

/* A machine that counts. */
struct machine {
    const char *manifest;
    const char *name; /* of its run directory */
    unsigned int smp;
    const char *suffix; /* of the figures' names */
    bool with_log;      /* the hypervisor's figures are wanted as well */
};

/* Where the lines of a boot go. */
struct collector {
    struct figures *f;
    const struct machine *m;
};

static void on_line(void *ctx, unsigned int slot, const char *line)
{
    const struct collector *c = ctx;

    if (slot != 0 || c->m->with_log) {
        figures_take_line(c->f, line, c->m->suffix);
    }
}

/* Builds a manifest's bundle. @return false with *rc set. */
static bool open_bundle(const struct bench_options *o, const char *manifest,
                        const char *name, struct bundle *b, int *rc)
{
    char *dir = xprintf("%s/run/%s", o->build_dir, name);
    struct bundle_options bo = {
        .manifest = manifest,
        .dir = dir,
        .build_dir = o->build_dir,
        .image = o->common.image,
        .quiet = true,
    };

    *rc = bundle_build(&bo);
    if (*rc == EXIT_OK && !bundle_open(b, dir)) {
        *rc = EXIT_FAILED;
    }
    free(dir);
    return *rc == EXIT_OK;
}

static int boot_once(const struct bench_options *o, const struct bundle *b,
                     const struct machine *m, struct figures *f)
{
    struct collector c = {f, m};
    struct session_options so = {
        .emulator = {.program = o->qemu,
                     .smp = m->smp,
                     .icount = true,
                     .append = "bench=on"},
        .timeout = BOOT_TIMEOUT,
        .mode = VIEW_QUIET,
        .on_line = on_line,
        .ctx = &c,
    };
    struct session_result result;

    session_run(b, &so, &result);
    return result.exit_code;
}

static bool figures_agree(const struct figures *a, const struct figures *b)
{
    bool same = true;

    for (size_t i = 0; i < a->count; i++) {
        const struct figure *x = &a->figure[i];
        const struct figure *y = i < b->count ? &b->figure[i] : NULL;

        if (y == NULL || strcmp(x->name, y->name) != 0 ||
            x->is_known != y->is_known || x->value != y->value) {
            say("two boots disagree in %s: %.0f and %.0f", x->name, x->value,
                y == NULL ? 0 : y->value);
            same = false;
        }
    }
    return same && a->count == b->count;
}

static void figures_merge(struct figures *to, const struct figures *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct figure *x = &from->figure[i];

        if (x->is_known) {
            figures_set(to, x->name, x->value, x->unit);
        }
    }
}

/* Two boots of a counting machine. The figures of the first are kept. */
static int measure_twice(const struct bench_options *o, const struct machine *m,
                         struct figures *f)
{
    struct figures once, again;
    struct bundle b;
    int rc;

    if (!open_bundle(o, m->manifest, m->name, &b, &rc)) {
        return rc;
    }
    figures_init(&once);
    figures_init(&again);
    rc = boot_once(o, &b, m, &once);
    if (rc == EXIT_OK) {
        rc = boot_once(o, &b, m, &again);
    }
    if (rc != EXIT_OK) {
        say("the guests of %s did not get to their end", m->manifest);
    } else if (!figures_agree(&once, &again)) {
        rc = EXIT_FAILED;
    }
    figures_merge(f, &once);
    figures_free(&once);
    figures_free(&again);
    bundle_close(&b);
    return rc;
}

/* Paths in general; messages within a domain, between two that share a
 * processor, and between two that do not; events of a watched domain, likewise
 * with one processor and two. */
static int measure_paths(const struct bench_options *o, struct figures *f)
{
    const struct machine machines[] = {
        {o->manifest, "bench", 1, "", true},
        {o->v4v_manifest, "bench-v4v", 1, "", false},
        {o->v4v_pair_manifest, "bench-v4v-pair", 1, "_1cpu", false},
        {o->v4v_pair_manifest, "bench-v4v-pair", 2, "_2cpu", false},
    };
    const struct machine watching[] = {
        {o->monitor_manifest, "bench-monitor", 1, "", false},
        {o->monitor_manifest, "bench-monitor", 2, "_2cpu", false},
    };
    size_t count = o->no_v4v ? 1 : ARRAY_SIZE(machines);
    size_t watched = o->no_monitor ? 0 : ARRAY_SIZE(watching);
    int rc = EXIT_OK;

    for (size_t i = 0; rc == EXIT_OK && i < count; i++) {
        rc = measure_twice(o, &machines[i], f);
    }
    for (size_t i = 0; rc == EXIT_OK && i < watched; i++) {
        rc = measure_twice(o, &watching[i], f);
    }
    return rc;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double ravelin_prompt_seconds(const struct bench_options *o,
                                     const struct bundle *b)
{
    struct script script = {0};
    struct session_options so = {
        .emulator = {.program = o->qemu, .smp = 1},
        .script = &script,
        .timeout = BOOT_TIMEOUT,
        .mode = VIEW_QUIET,
    };
    struct session_result result;
    char *step = xprintf("%s:[#$] $", b->domain[0].name);

    if (script_add(&script, STEP_EXPECT, step) == NULL) {
        session_run(b, &so, &result);
    } else {
        result.exit_code = EXIT_FAILED;
    }
    script_free(&script);
    free(step);
    return result.exit_code == EXIT_OK ? result.seconds : 0;
}

static int measure_linux(const struct bench_options *o, struct figures *f)
{
    double own[PROMPT_RUNS], plain[PROMPT_RUNS];
    struct bundle b;
    int rc;

    if (!open_bundle(o, o->linux_manifest, "bench-linux", &b, &rc)) {
        return rc;
    }
    for (size_t i = 0; i < PROMPT_RUNS && rc == EXIT_OK; i++) {
        own[i] = ravelin_prompt_seconds(o, &b);
        plain[i] = plain_prompt_seconds(&b, o->qemu, BOOT_TIMEOUT);
        if (own[i] <= 0 || plain[i] <= 0) {
            say("Linux did not get to its prompt %s",
                own[i] <= 0 ? "on Ravelin" : "in plain QEMU");
            rc = EXIT_FAILED;
        }
    }
    if (rc == EXIT_OK) {
        qsort(own, PROMPT_RUNS, sizeof(own[0]), by_value);
        qsort(plain, PROMPT_RUNS, sizeof(plain[0]), by_value);
        figures_set(f, "linux_prompt_ratio",
                    own[PROMPT_RUNS / 2] / plain[PROMPT_RUNS / 2], "ratio");
        figures_set(f, "linux_prompt_seconds", own[PROMPT_RUNS / 2], "s");
        figures_set(f, "linux_prompt_plain_seconds", plain[PROMPT_RUNS / 2],
                    "s");
    }
    bundle_close(&b);
    return rc;
}

/* Beside the Linux manifest: it is Linux, watched. */
static int measure_watched(const struct bench_options *o, struct figures *f)
{
    char *dir = path_dir(o->linux_manifest);
    char *manifest = path_join(dir, "bench-watch.yaml");
    const struct bench_watch_options wo = {
        .manifest = manifest,
        .build_dir = o->build_dir,
        .image = o->common.image,
        .qemu = o->qemu,
        .timeout = BOOT_TIMEOUT,
    };
    int rc = bench_watch_measure(&wo, f);

    free(manifest);
    free(dir);
    return rc;
}

/* Beside it, too: a PC with firmware. */
static int measure_firmware(const struct bench_options *o, struct figures *f)
{
    char *dir = path_dir(o->linux_manifest);
    char *native = path_join(dir, "bench-bios.yaml");
    char *emulated = path_join(dir, "bench-bios-emulated.yaml");
    const struct bench_firmware_options fo = {
        .manifest = {native, emulated},
        .build_dir = o->build_dir,
        .image = o->common.image,
        .qemu = o->qemu,
        .timeout = BOOT_TIMEOUT,
    };
    int rc = bench_firmware_measure(&fo, f);

    free(emulated);
    free(native);
    free(dir);
    return rc;
}

static void measure_sizes(const struct bench_options *o, struct figures *f)
{
    char *image = image_find(o->common.image, o->build_dir);
    uint64_t bytes = image_bytes(image);
    uint64_t lines = lines_count_hypervisor(o->source);

    if (bytes > 0) {
        figures_set(f, "image_bytes", (double)bytes, "bytes");
    }
    if (lines > 0) {
        figures_set(f, "code_lines", (double)lines, "lines");
    }
    free(image);
}

static int write_result(const struct bench_options *o, const struct figures *f)
{
    char *path = o->output != NULL ? xstrdup(o->output)
                                   : path_join(o->build_dir, "bench.json");
    json_t *all = figures_json(f);
    char *text = json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    char *dir = path_dir(path);
    int r = dir_make(dir);

    if (r == 0) {
        r = file_write(path, text, strlen(text));
    }
    if (r != 0) {
        say("%s: %s", path, strerror(-r));
    }
    if (o->common.json) {
        puts(text);
    }
    free(text);
    free(dir);
    free(path);
    json_decref(all);
    return r == 0 ? EXIT_OK : EXIT_FAILED;
}

static int measure_all(const struct bench_options *o)
{
    struct figures f;
    size_t missing, missed;
    int rc, linux_rc, write_rc;

    figures_init(&f);
    rc = measure_paths(o, &f);
    measure_sizes(o, &f);
    linux_rc = o->no_linux ? EXIT_OK : measure_linux(o, &f);
    if (!o->no_linux && linux_rc == EXIT_OK) {
        linux_rc = measure_watched(o, &f);
    }
    if (!o->no_linux && linux_rc == EXIT_OK) {
        linux_rc = measure_firmware(o, &f);
    }
    rc = rc != EXIT_OK ? rc : linux_rc;
    if (!figures_take_native(&f, o->build_dir)) {
        rc = rc != EXIT_OK ? rc : EXIT_FAILED;
    }
    write_rc = write_result(o, &f);
    rc = rc != EXIT_OK ? rc : write_rc;
    if (o->no_v4v) {
        figures_drop(&f, "v4v_");
    }
    if (o->no_monitor) {
        figures_drop(&f, "cr3_sync");
        figures_drop(&f, "cr3_async");
    }
    missing = figures_show(&f, o->common.json ? stderr : stdout, &missed);
    missing -= o->no_linux && missing > 0;
    figures_free(&f);
    if (rc == EXIT_OK && (missing > 0 || (o->strict && missed > 0))) {
        rc = EXIT_FAILED;
    }
    return rc;
}

int cmd_bench(int argc, char **argv)
{
    const char *qemu = getenv("RAVELIN_QEMU");
    struct bench_options o = {
        .manifest = "manifests/bench.yaml",
        .linux_manifest = "manifests/bench-linux.yaml",
        .v4v_manifest = "manifests/bench-v4v.yaml",
        .v4v_pair_manifest = "manifests/bench-v4v-pair.yaml",
        .monitor_manifest = "manifests/bench-monitor.yaml",
        .source = ".",
        .qemu = qemu != NULL && qemu[0] != '\0' ? qemu : "qemu-system-x86_64",
    };
    int rc;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    o.build_dir = build_dir_find(o.common.build_dir);
    rc = measure_all(&o);
    free(o.build_dir);
    return rc;
}
