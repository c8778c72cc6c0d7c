/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it costs Linux's programs to be watched.
 */
#pragma once

#include "bench.h"

struct bench_watch_options {
    const char *manifest;
    const char *build_dir;
    const char *image; /* NULL: the built one */
    const char *qemu;
    double timeout; /* seconds */
};

/**
 * Boots a machine whose monitor prints the ratios as BENCH lines, with counted
 * instructions, so that they do not depend on the host.
 *
 * @return an exit code.
 */
int bench_watch_measure(const struct bench_watch_options *o, struct figures *f);
