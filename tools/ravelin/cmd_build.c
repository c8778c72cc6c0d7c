/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin build: from a manifest to a bundle, and to an ISO on request.
 */
#include <stdlib.h>

#include "bundle.h"
#include "options.h"

struct build_verb_options {
    struct common_options common;
    const char *manifest;
    const char *dir;
    const char *append;
    bool iso;
};

enum { OPT_ISO = 1, OPT_APPEND };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct build_verb_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case 'o':
        o->dir = arg;
        return 0;
    case OPT_ISO:
        o->iso = true;
        return 0;
    case OPT_APPEND:
        o->append = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (o->manifest != NULL) {
            argp_error(state, "one manifest at a time");
        }
        o->manifest = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->manifest == NULL) {
            argp_error(state, "which manifest?");
        }
        if (o->dir == NULL) {
            argp_error(state, "where to? (-o DIR)");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"output", 'o', "DIR", 0, "Directory to write, made if need be", 0},
    {"iso", OPT_ISO, NULL, 0, "Also make DIR/ravelin.iso, bootable by GRUB", 0},
    {"append", OPT_APPEND, "WORDS", 0,
     "Hypervisor command line in the ISO (default: console=plain)", 0},
    {0},
};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "MANIFEST -o DIR",
    .doc = "Compiles a manifest and puts hypervisor, kernels and ramdisks "
           "beside it, ready to boot.\v"
           "Example:\n  ravelin build manifests/demo.yaml -o demo --iso\n"
           "  ravelin run demo\n\n"
           "DIR/run.args holds a QEMU command line, one argument per line, to "
           "be used inside DIR.",
    .children = common_children,
};

static int finish(const struct build_verb_options *o)
{
    struct bundle b;
    int rc = EXIT_OK;

    if (!bundle_open(&b, o->dir)) {
        return EXIT_FAILED;
    }
    if (o->iso) {
        rc = bundle_iso(&b, o->append);
    }
    if (rc == EXIT_OK && o->common.json) {
        char *path = bundle_path(&b, "bundle.json");
        json_t *index = json_load_file(path, 0, NULL);

        json_object_set_new(index, "dir", json_string(o->dir));
        json_object_set_new(index, "iso", json_boolean(o->iso));
        json_show(index);
        free(path);
    } else if (rc == EXIT_OK) {
        printf("%s: ready; boot it with: ravelin run %s\n", o->dir, o->dir);
    }
    bundle_close(&b);
    return rc;
}

int cmd_build(int argc, char **argv)
{
    struct build_verb_options o = {.manifest = NULL};
    struct bundle_options bo;
    char *build_dir;
    int rc;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    build_dir = build_dir_find(o.common.build_dir);
    bo = (struct bundle_options){
        .manifest = o.manifest,
        .dir = o.dir,
        .build_dir = build_dir,
        .image = o.common.image,
        .quiet = o.common.json,
    };
    rc = bundle_build(&bo);
    if (rc == EXIT_OK) {
        rc = finish(&o);
    }
    free(build_dir);
    return rc;
}
