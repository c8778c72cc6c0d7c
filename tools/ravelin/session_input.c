/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input for the machine: keys of the user, lines of the script, bytes of
 * attached consoles. All of it goes through one queue into the serial line.
 */
#include <stdlib.h>
#include <string.h>

#include "session_private.h"

static bool takes_input(const struct session *s, size_t index)
{
    /* The hypervisor is entry 0; then the bundle's domains in order. A domain
     * that owns the line speaks and listens where the hypervisor left off. */
    if (index == 0) {
        return s->bundle->serial_is_owned;
    }
    return index > s->bundle->domain_count ||
           s->bundle->domain[index - 1].has_console;
}

void session_send(struct session *s, int index, const char *bytes, size_t len)
{
    char *out = xalloc(len + MUX_MARKER_SIZE);
    size_t n = len;

    if (index == 0) {
        memcpy(out, bytes, len);
    } else {
        n = mux_encode(&s->input_channel, s->domain[index].channel, bytes, len,
                       out);
    }

    if (!queue_add(&s->input, out, n, INPUT_QUEUE_MAX)) {
        /* The marker may be lost with the rest: send it again next time. */
        s->input_channel = -1;
        view_note(&s->view, "%s does not read; input dropped",
                  s->domain[index].name);
    }
    free(out);
}

static void focus_on(struct session *s, size_t index)
{
    view_focus(&s->view, s->domain[index].slot);
    view_note(&s->view, "keyboard: %s", s->domain[index].name);
}

static void focus_next(struct session *s)
{
    size_t from = s->view.focus < 0 ? 0 : (size_t)s->view.focus;

    for (size_t step = 1; step <= s->domain_count; step++) {
        size_t index = (from + step) % s->domain_count;

        if (takes_input(s, index)) {
            focus_on(s, index);
            return;
        }
    }
}

static void focus_number(struct session *s, unsigned int number)
{
    if (number < s->domain_count && takes_input(s, number)) {
        focus_on(s, number);
    } else {
        view_note(&s->view, "domain %u has no console", number);
    }
}

bool session_first_focus(struct session *s)
{
    int index;

    if (s->o->focus == NULL) {
        for (size_t i = 0; i < s->domain_count; i++) {
            if (takes_input(s, i)) {
                view_focus(&s->view, (int)i);
                return true;
            }
        }
        return true;
    }
    index = session_find(s, s->o->focus);
    if (index < 0 || !takes_input(s, (size_t)index)) {
        say("there is no domain '%s' with a console", s->o->focus);
        return false;
    }
    view_focus(&s->view, index);
    return true;
}

static void show_help(struct session *s)
{
    const char *line = keys_help();

    while (*line != '\0') {
        const char *end = strchrnul(line, '\n');

        view_note(&s->view, "%.*s", (int)(end - line), line);
        line = *end == '\0' ? end : end + 1;
    }
}

static void show_list(struct session *s)
{
    for (size_t i = 1; i < s->domain_count; i++) {
        view_note(&s->view, "%c %zu %s%s", s->view.focus == (int)i ? '*' : ' ',
                  i, s->domain[i].name,
                  takes_input(s, i) ? "" : " (no console)");
    }
}

static void do_action(struct session *s, enum key_action action)
{
    const char escape = KEY_ESCAPE;

    switch (action) {
    case KEY_NEXT:
        focus_next(s);
        break;
    case KEY_CHOOSE:
        focus_number(s, s->keys.number);
        break;
    case KEY_HELP:
        show_help(s);
        break;
    case KEY_LIST:
        show_list(s);
        break;
    case KEY_SOLO:
        view_solo(&s->view, !s->view.solo && s->view.focus >= 0);
        break;
    case KEY_QUIT:
        view_note(&s->view, "ended by Ctrl-] q");
        session_finish(s, EXIT_OK);
        break;
    case KEY_LITERAL:
        if (s->view.focus >= 0) {
            session_send(s, s->view.focus, &escape, 1);
        }
        break;
    default:
        break;
    }
}

void session_on_keys(struct session *s, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool pass = true;

        if (s->is_terminal) {
            do_action(s,
                      keys_feed(&s->keys, bytes[i], session_clock(s), &pass));
        }
        if (pass && s->view.focus >= 0) {
            session_send(s, s->view.focus, &bytes[i], 1);
        }
    }
}

void session_on_tick(struct session *s)
{
    do_action(s, keys_tick(&s->keys, session_clock(s)));
}
