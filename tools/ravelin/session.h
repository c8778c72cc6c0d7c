/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of a machine, from start to end: the emulator, the multiplexed line,
 * the user's terminal, logs, attached consoles and the script.
 */
#pragma once

#include "attach.h"
#include "emulator.h"
#include "keys.h"
#include "mux.h"
#include "script.h"
#include "view.h"

struct session_options {
    struct emulator_options emulator;
    struct script *script; /* may be NULL or empty */
    const char *focus;     /* name of a domain, or NULL */
    double timeout;        /* seconds; 0: none */
    enum view_mode mode;
    bool keep_running;    /* after the script's last step */
    bool is_interactive;  /* standard input goes to the domains */
    view_line_fn on_line; /* may be NULL; slot 0 is the hypervisor */
    void *ctx;
};

struct session_result {
    int exit_code;
    double seconds;
    double prompt_seconds; /* until the focused domain's prompt; 0: none */
    bool panicked;
    unsigned int crash_count; /* domains */
};

/**
 * Boots a bundle and returns when it is over. The terminal is as before.
 * Exit codes: ok if the machine powered off, the user ended it, or the script
 * is done; failed if the script did not get to its end; timeout; panic.
 */
void session_run(const struct bundle *b, const struct session_options *o,
                 struct session_result *result);
