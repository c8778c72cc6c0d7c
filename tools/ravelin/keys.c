/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides what a key means.
 */
#include "keys.h"

static const struct {
    char key;
    enum key_action action;
} commands[] = {
    {'?', KEY_HELP}, {'h', KEY_HELP}, {'l', KEY_LIST},    {'s', KEY_SOLO},
    {'q', KEY_QUIT}, {'n', KEY_NEXT}, {']', KEY_LITERAL},
};

enum key_action keys_feed(struct keys *k, char key, double now, bool *pass)
{
    *pass = false;
    if (!k->is_armed) {
        if (key != KEY_ESCAPE) {
            *pass = true;
            return KEY_NONE;
        }
        k->is_armed = true;
        k->armed_at = now;
        return KEY_NONE;
    }
    if (key == KEY_ESCAPE) {
        k->armed_at = now; /* stays armed: the first one has moved on */
        return KEY_NEXT;
    }
    k->is_armed = false;
    if (key >= '1' && key <= '9') {
        k->number = (unsigned int)(key - '0');
        return KEY_CHOOSE;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].key == key) {
            return commands[i].action;
        }
    }
    *pass = true;
    return KEY_NEXT;
}

enum key_action keys_tick(struct keys *k, double now)
{
    if (k->is_armed && now - k->armed_at >= KEY_WAIT_SECONDS) {
        k->is_armed = false;
        return KEY_NEXT;
    }
    return KEY_NONE;
}

const char *keys_help(void)
{
    return "Ctrl-]     keyboard to the next domain\n"
           "Ctrl-] 1-9 keyboard to that domain\n"
           "Ctrl-] l   list the domains\n"
           "Ctrl-] s   solo: this domain alone, its screen unchanged (again: "
           "back)\n"
           "Ctrl-] ]   send Ctrl-] to the domain\n"
           "Ctrl-] q   end the machine\n"
           "Ctrl-] ?   this help";
}
