/* SPDX-License-Identifier: MIT */
/*
 * The options that all tools have.
 */

#include <stdio.h>

#include "v4v_io.h"
#include "v4v_options.h"

#define PATIENCE_MAX 3600000u

static error_t shared_take(int key, char *arg, struct argp_state *state)
{
    struct v4v_options *o = state->input;

    switch (key) {
    case 'l':
        o->listens = true;
        return 0;
    case 'p':
        o->patience_ms = (unsigned int)v4v_io_number_or_die("--patience", arg,
                                                            0, PATIENCE_MAX);
        return 0;
    case 'h':
        argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option shared_options[] = {
    {"listen", 'l', NULL, 0,
     "Wait for a connection of the other side instead of making one", 0},
    {"patience", 'p', "MS", 0,
     "Try again for so long while the connection is refused", 0},
    {NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0},
    {0},
};

static const struct argp shared = {
    .options = shared_options,
    .parser = shared_take,
};
const struct argp_child v4v_options_children[] = {
    {&shared, 0, NULL, 0},
    {0},
};

void v4v_options_read(const struct argp *argp, int argc, char **argv,
                      void *input)
{
    argp_err_exit_status = 2;
    argp_parse(argp, argc, argv, 0, NULL, input);
}
