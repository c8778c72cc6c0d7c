/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options that several verbs share, as an argp child parser.
 */
#pragma once

#include "cli.h"

struct common_options {
    const char *build_dir; /* --build-dir */
    const char *image;     /* --image */
    bool json;             /* --json */
};

/** To be listed as a child; its input is a struct common_options. */
extern const struct argp common_argp;
extern const struct argp_child common_children[];
