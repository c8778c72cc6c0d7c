/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin check: every mistake of a manifest with its place, rule and fix, and
 * the access matrix, as the hypervisor will print it at boot.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access_json.h"
#include "options.h"
#include "reference.h"
#include "text.h"

enum { OPT_NO_FILES = 1, OPT_SCHEMA };

struct check_options {
    struct common_options common;
    const char *manifest;
    bool no_files;
    bool schema;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct check_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case OPT_NO_FILES:
        o->no_files = true;
        return 0;
    case OPT_SCHEMA:
        o->schema = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->manifest != NULL) {
            argp_error(state, "one manifest at a time");
        }
        o->manifest = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->manifest == NULL && !o->schema) {
            argp_error(state, "which manifest?");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"no-files", OPT_NO_FILES, NULL, 0,
     "Do not ask whether kernels and ramdisks can be read", 0},
    {"schema", OPT_SCHEMA, NULL, 0,
     "Print all settings and rules as Markdown, instead of checking", 0},
    {0},
};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "MANIFEST",
    .doc = "Explains every mistake in a manifest with line, rule and fix, and "
           "prints who may do what to whom.\v"
           "Example:\n  ravelin check manifests/demo.yaml\n\n"
           "Exit status 1 if there are errors; warnings alone give 0.",
    .children = common_children,
};

static void print_line(void *ctx, const char *line)
{
    fprintf(ctx, "%s\n", line);
}

static void show_text(const struct text_manifest *t)
{
    text_show_mistakes(t, stdout, isatty(STDOUT_FILENO));
    if (t->error_count == 0) {
        if (t->warning_count != 0) {
            putchar('\n');
        }
        access_matrix_print(&t->m, print_line, stdout);
    }
    printf("\n%s: %u domain%s, %u error%s, %u warning%s\n", t->path,
           t->m.domain_count, t->m.domain_count == 1 ? "" : "s", t->error_count,
           t->error_count == 1 ? "" : "s", t->warning_count,
           t->warning_count == 1 ? "" : "s");
}

static void show_json(const struct text_manifest *t)
{
    json_t *all =
        json_pack("{s:s, s:i, s:i, s:o}", "manifest", t->path, "errors",
                  (int)t->error_count, "warnings", (int)t->warning_count,
                  "mistakes", text_mistakes_json(t));

    if (t->error_count == 0) {
        json_object_set_new(all, "domains", access_json(&t->m));
    }
    json_show(all);
}

int cmd_check(int argc, char **argv)
{
    struct check_options o = {.manifest = NULL};
    struct text_manifest *t;
    char *build_dir;
    int r, rc;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (o.schema) {
        reference_print(stdout);
        return EXIT_OK;
    }
    t = xalloc(sizeof(*t));
    build_dir = build_dir_find(o.common.build_dir);
    r = text_load(t, o.manifest, build_dir, !o.no_files);
    if (r != 0) {
        say("%s: %s", o.manifest, strerror(-r));
        rc = EXIT_FAILED;
    } else {
        (o.common.json ? show_json : show_text)(t);
        rc = t->error_count == 0 ? EXIT_OK : EXIT_FAILED;
    }
    text_free(t);
    free(t);
    free(build_dir);
    return rc;
}
