/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own command line: words `name=value` separated by blanks.
 * Written by whoever installs the machine; unknown words and bad values are
 * collected for a warning and otherwise ignored, so that a typing mistake does
 * not leave the machine unbootable.
 */
#pragma once

#include "ravelin/console.h"
#include "ravelin/log.h"
#include "ravelin/types.h"

#define OPTIONS_BAD_MAX 4u
#define OPTIONS_WORD_MAX 40u

struct options {
    enum console_mode console; /* console=plain|mux */
    enum log_level log_level;  /* loglvl=error|warn|info|debug */
    uint16_t debug_exit_port;  /* debug-exit=PORT; 0 = none */
    unsigned cpu_limit;        /* maxcpus=N, 1 .. CPU_COUNT_MAX */
    bool bench;                /* bench=on|off: print BENCH lines */
    /* entry-check=...: see entry_check_option(); empty: not given */
    char entry_check[OPTIONS_WORD_MAX];
    unsigned bad_count;                          /* words not understood */
    char bad[OPTIONS_BAD_MAX][OPTIONS_WORD_MAX]; /* the first of them */
};

/** Sets the defaults, then applies `cmdline` (terminated). */
void options_parse(struct options *opt, const char *cmdline);
