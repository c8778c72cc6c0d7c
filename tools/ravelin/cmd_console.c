/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ravelin console: one domain of a running machine, in a terminal of its own.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "keys.h"
#include "terminal.h"

struct console_options {
    const char *dir;
    const char *domain;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct console_options *o = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (o->dir == NULL) {
            o->dir = arg;
        } else if (o->domain == NULL) {
            o->domain = arg;
        } else {
            argp_error(state, "one domain at a time");
        }
        return 0;
    case ARGP_KEY_END:
        if (o->domain == NULL) {
            argp_error(state, "which bundle, and which domain?");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "DIR DOMAIN",
    .doc = "Attaches this terminal to the console of one domain of a machine "
           "that 'ravelin run' has started from DIR. Ctrl-] detaches.\v"
           "Example:\n  ravelin console build/run/demo linux\n\n"
           "What the domain prints reaches the terminal unchanged.",
};

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* Sends the name and reads the answer. @return true if attached. */
static bool greet(int fd, const char *domain)
{
    char answer[128];
    size_t len = 0;

    if (!write_all(fd, domain, strlen(domain)) || !write_all(fd, "\n", 1)) {
        return false;
    }
    while (len + 1 < sizeof(answer)) {
        if (read(fd, &answer[len], 1) != 1) {
            break;
        }
        if (answer[len] == '\n') {
            answer[len] = '\0';
            if (strcmp(answer, "ok") == 0) {
                return true;
            }
            say("%s: %s", domain,
                strncmp(answer, "error ", 6) == 0 ? answer + 6 : answer);
            return false;
        }
        len++;
    }
    say("the machine does not answer");
    return false;
}

/* @return false when it is over. */
static bool pass_input(int fd, bool is_terminal, short *events)
{
    char bytes[4096];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

    if (n <= 0) {
        *events = 0; /* the end of a file is not the end of the console */
        return true;
    }
    if (is_terminal && memchr(bytes, KEY_ESCAPE, (size_t)n) != NULL) {
        return false;
    }
    return write_all(fd, bytes, (size_t)n);
}

static int attached(int fd)
{
    bool is_terminal = terminal_raw();
    short events = POLLIN;

    if (is_terminal) {
        fputs("attached; Ctrl-] detaches\r\n", stderr);
    }
    for (;;) {
        struct pollfd fds[2] = {
            {fd, POLLIN, 0},
            {events != 0 ? STDIN_FILENO : -1, events, 0},
        };

        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            break;
        }
        if (fds[0].revents != 0) {
            char bytes[4096];
            ssize_t n = read(fd, bytes, sizeof(bytes));

            if (n <= 0 || !write_all(STDOUT_FILENO, bytes, (size_t)n)) {
                break;
            }
        }
        if (fds[1].revents != 0 && !pass_input(fd, is_terminal, &events)) {
            break;
        }
    }
    terminal_restore();
    if (is_terminal) {
        fputs("\ndetached\n", stderr);
    }
    return EXIT_OK;
}

int cmd_console(int argc, char **argv)
{
    struct console_options o = {.dir = NULL};
    int rc = EXIT_FAILED;
    int fd;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    fd = attach_connect(o.dir);
    if (fd < 0) {
        say("%s: no machine is running there (%s)\n"
            "  fix: start it with: ravelin run %s",
            o.dir, strerror(-fd), o.dir);
        return EXIT_FAILED;
    }
    if (greet(fd, o.domain)) {
        rc = attached(fd);
    }
    close(fd);
    return rc;
}
