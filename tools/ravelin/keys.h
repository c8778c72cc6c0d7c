/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The escape key. Ctrl-] by itself moves the keyboard to the next domain;
 * followed at once by another key it is a command.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KEY_ESCAPE 0x1d /* Ctrl-] */
/* How long the key waits for its command. */
#define KEY_WAIT_SECONDS 0.6

enum key_action {
    KEY_NONE,
    KEY_NEXT,   /* focus to the next domain */
    KEY_CHOOSE, /* focus to domain number `number` (1..9) */
    KEY_HELP,
    KEY_LIST,
    KEY_SOLO,
    KEY_QUIT,
    KEY_LITERAL, /* send Ctrl-] itself */
};

struct keys {
    bool is_armed;
    double armed_at;
    unsigned int number;
};

/**
 * Looks at one key.
 *
 * @param pass  set to true if the key itself goes to the domain, after the
 *              action.
 */
enum key_action keys_feed(struct keys *k, char key, double now, bool *pass);

/** To be called when time passes. @return KEY_NEXT once the wait is over. */
enum key_action keys_tick(struct keys *k, double now);

/** @return the help text. */
const char *keys_help(void);
