/* SPDX-License-Identifier: MIT */
/*
 * Command lines of the tools: one table of options each, which is the help as
 * well, and one for what they share. A wrong command line ends the program with
 * status 2.
 */
#ifndef V4V_OPTIONS_H
#define V4V_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

/* Shared: -l, --listen and -p, --patience=MS. */
struct v4v_options {
    bool listens;
    unsigned int patience_ms; /* to try again while refused */
};

#define V4V_DOMAIN_MAX 0x7fefu

/** For `children` of a tool's argp; its input is a struct v4v_options, set by
 * the tool at ARGP_KEY_INIT. */
extern const struct argp_child v4v_options_children[];

/** Reads the whole command line; `input` is what the tool's parser gets. */
void v4v_options_read(const struct argp *argp, int argc, char **argv,
                      void *input);

#endif
