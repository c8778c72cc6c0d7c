/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host tool: one verb per task, each in its own cmd_<verb>.c with a row in
 * the table below.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const struct verb verbs[] = {
    {"doctor", "tell what this machine lacks, and how to get it", cmd_doctor},
    {"check", "explain every mistake in a manifest; who may do what",
     cmd_check},
    {"build", "make a bootable set of files, or an ISO, of a manifest",
     cmd_build},
    {"run", "boot a manifest in QEMU, with all consoles", cmd_run},
    {"console", "attach to one domain of a running machine", cmd_console},
    {"v4v", "rings, rules and counters of messages in a running machine",
     cmd_v4v},
    {"events", "show what monitors see, and write it for other programs",
     cmd_events},
    {"bench", "measure path lengths and sizes against their bars", cmd_bench},
    {"lint-vmcs", "name the rules that a refused VM entry broke",
     cmd_lint_vmcs},
    {NULL, NULL, NULL},
};

static void show_help(FILE *to)
{
    fputs("Usage: ravelin VERB [OPTION...]\n"
          "Builds, checks and runs machines of the Ravelin hypervisor.\n\n",
          to);
    for (const struct verb *v = verbs; v->name != NULL; v++) {
        fprintf(to, "  %-9s %s\n", v->name, v->summary);
    }
    fputs("\n'ravelin VERB --help' tells more, with an example for each verb."
          "\nExit status: 0 done, 1 failed, 2 wrong usage, 3 this machine "
          "lacks something,\n4 time ran out, 5 the hypervisor or the emulator "
          "died. See also ravelin(1).\n",
          to);
}

/* argv[0] is the verb; usage messages call it "ravelin VERB". */
static int run_verb(int argc, char **argv)
{
    for (const struct verb *v = verbs; v->name != NULL; v++) {
        if (strcmp(argv[0], v->name) == 0) {
            char *name = xprintf("ravelin %s", v->name);
            int rc;

            argv[0] = name;
            rc = v->run(argc, argv);
            free(name);
            return rc;
        }
    }
    say("there is no verb '%s'; see 'ravelin --help'", argv[0]);
    return EXIT_USAGE;
}

static int show_verb_help(int argc, char **argv)
{
    char help[] = "--help";
    char *args[] = {argc > 1 ? argv[1] : NULL, help, NULL};

    if (argc < 2) {
        show_help(stdout);
        return EXIT_OK;
    }
    return run_verb(2, args);
}

int main(int argc, char **argv)
{
    argp_err_exit_status = EXIT_USAGE;
    if (argc < 2) {
        show_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        show_help(stdout);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("ravelin " RAVELIN_VERSION);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "help") == 0) {
        return show_verb_help(argc - 1, argv + 1);
    }
    return run_verb(argc - 1, argv + 1);
}
