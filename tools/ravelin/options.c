/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --json, --build-dir and --image, spelled the same for every verb.
 */
#include "options.h"

enum { OPT_BUILD_DIR = 0x100, OPT_IMAGE, OPT_JSON };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct common_options *o = state->input;

    switch (key) {
    case OPT_BUILD_DIR:
        o->build_dir = arg;
        return 0;
    case OPT_IMAGE:
        o->image = arg;
        return 0;
    case OPT_JSON:
        o->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"build-dir", OPT_BUILD_DIR, "DIR", 0,
     "Results of the build; ${BUILD} in manifests ($RAVELIN_BUILD)", 10},
    {"image", OPT_IMAGE, "FILE", 0,
     "Hypervisor image instead of the built one ($RAVELIN_IMAGE)", 10},
    {"json", OPT_JSON, NULL, 0, "Print JSON instead of text", 10},
    {0},
};

const struct argp common_argp = {.options = options, .parser = parse};
const struct argp_child common_children[] = {
    {&common_argp, 0, NULL, 0},
    {0},
};
