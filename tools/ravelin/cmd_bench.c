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
#include "bench_plain.h"
#include "options.h"
#include "session.h"

#define BOOT_TIMEOUT 180.0
/* Wall-clock figures: odd, the median counts. */
#define PROMPT_RUNS 3u

enum {
    OPT_MANIFEST = 1,
    OPT_LINUX,
    OPT_NO_LINUX,
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
    bool no_linux;
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

static void on_line(void *ctx, unsigned int slot, const char *line)
{
    (void)slot;
    figures_take_line(ctx, line);
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
                     struct figures *f)
{
    struct session_options so = {
        .emulator = {.program = o->qemu,
                     .smp = 1,
                     .icount = true,
                     .append = "bench=on"},
        .timeout = BOOT_TIMEOUT,
        .mode = VIEW_QUIET,
        .on_line = on_line,
        .ctx = f,
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

/* Two boots of the counting guest. The figures of the first are kept. */
static int measure_paths(const struct bench_options *o, struct figures *f)
{
    struct figures again;
    struct bundle b;
    int rc;

    if (!open_bundle(o, o->manifest, "bench", &b, &rc)) {
        return rc;
    }
    figures_init(&again);
    rc = boot_once(o, &b, f);
    if (rc == EXIT_OK) {
        rc = boot_once(o, &b, &again);
    }
    if (rc != EXIT_OK) {
        say("the bench guest did not get to its end");
    } else if (!figures_agree(f, &again)) {
        rc = EXIT_FAILED;
    }
    figures_free(&again);
    bundle_close(&b);
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
    rc = rc != EXIT_OK ? rc : linux_rc;
    if (!figures_take_native(&f, o->build_dir)) {
        rc = rc != EXIT_OK ? rc : EXIT_FAILED;
    }
    write_rc = write_result(o, &f);
    rc = rc != EXIT_OK ? rc : write_rc;
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
