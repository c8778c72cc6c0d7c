/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same loop of fork and exec in Linux with CR3 not watched, watched sync,
 * async and behind a filter, in one boot; times in relation to the first. The
 * figures have no bars.
 */
#include "bench_watch.h"

#include <stdlib.h>

#include "session.h"

static void on_line(void *ctx, unsigned int slot, const char *line)
{
    (void)slot;
    figures_take_line(ctx, line, "");
}

static int boot(const struct bench_watch_options *o, const struct bundle *b,
                struct figures *f)
{
    struct session_options so = {
        .emulator = {.program = o->qemu, .smp = 1, .icount = true},
        .timeout = o->timeout,
        .mode = VIEW_QUIET,
        .on_line = on_line,
        .ctx = f,
    };
    struct session_result result;

    session_run(b, &so, &result);
    return result.exit_code;
}

int bench_watch_measure(const struct bench_watch_options *o, struct figures *f)
{
    char *dir = xprintf("%s/run/bench-watch", o->build_dir);
    struct bundle_options bo = {
        .manifest = o->manifest,
        .dir = dir,
        .build_dir = o->build_dir,
        .image = o->image,
        .quiet = true,
    };
    struct bundle b;
    int rc = bundle_build(&bo);

    if (rc == EXIT_OK && !bundle_open(&b, dir)) {
        rc = EXIT_FAILED;
    } else if (rc == EXIT_OK) {
        rc = boot(o, &b, f);
        bundle_close(&b);
        if (rc != EXIT_OK) {
            say("the watched Linux did not get to its end");
        }
    }
    free(dir);
    return rc;
}
