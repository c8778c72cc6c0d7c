/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wall-clock seconds until GRUB's title stands on the console. Native and
 * emulated boots alternate, so that a busy host slows both; medians count.
 */
#include "bench_firmware.h"

#include <stdlib.h>

#include "session.h"

#define RUNS 3u
#define MENU "GNU GRUB"

static double menu_seconds(const struct bench_firmware_options *o,
                           const struct bundle *b)
{
    struct script script = {0};
    struct session_options so = {
        .emulator = {.program = o->qemu, .smp = 1},
        .script = &script,
        .timeout = o->timeout,
        .mode = VIEW_QUIET,
    };
    struct session_result result;
    char *step = xprintf("%s:" MENU, b->domain[0].name);

    if (script_add(&script, STEP_EXPECT, step) == NULL) {
        session_run(b, &so, &result);
    } else {
        result.exit_code = EXIT_FAILED;
    }
    script_free(&script);
    free(step);
    return result.exit_code == EXIT_OK ? result.seconds : 0;
}

/* @return 0 on failure, which has been told. */
static double boot(const struct bench_firmware_options *o, unsigned int which)
{
    char *dir = xprintf("%s/run/bench-firmware-%u", o->build_dir, which);
    struct bundle_options bo = {
        .manifest = o->manifest[which],
        .dir = dir,
        .build_dir = o->build_dir,
        .image = o->image,
        .quiet = true,
    };
    struct bundle b;
    double seconds = 0;

    if (bundle_build(&bo) == EXIT_OK && bundle_open(&b, dir)) {
        seconds = menu_seconds(o, &b);
        bundle_close(&b);
        if (seconds <= 0) {
            say("%s: GRUB's menu did not come", o->manifest[which]);
        }
    }
    free(dir);
    return seconds;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

int bench_firmware_measure(const struct bench_firmware_options *o,
                           struct figures *f)
{
    double seconds[2][RUNS];

    for (unsigned int i = 0; i < RUNS; i++) {
        for (unsigned int which = 0; which < 2; which++) {
            seconds[which][i] = boot(o, which);
            if (seconds[which][i] <= 0) {
                return EXIT_FAILED;
            }
        }
    }
    qsort(seconds[0], RUNS, sizeof(double), by_value);
    qsort(seconds[1], RUNS, sizeof(double), by_value);
    figures_set(f, "grub_menu_seconds", seconds[0][RUNS / 2], "s");
    figures_set(f, "grub_menu_emulated_seconds", seconds[1][RUNS / 2], "s");
    figures_set(f, "grub_menu_emulated_ratio",
                seconds[1][RUNS / 2] / seconds[0][RUNS / 2], "ratio");
    return EXIT_OK;
}
