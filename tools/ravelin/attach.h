/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consoles for other programs: 'ravelin run' listens on a socket in the bundle
 * and 'ravelin console' attaches to one domain through it. The client sends
 * the domain's name and a newline; the answer is "ok\n" and then the console,
 * raw both ways, or "error TEXT\n". Only the same user can connect.
 */
#pragma once

#include <poll.h>

#include "cli.h"
#include "queue.h"

#define ATTACH_CLIENTS_MAX 16u
#define ATTACH_NAME_MAX 64u

struct attach_client {
    int fd; /* -1: free */
    bool is_attached;
    char name[ATTACH_NAME_MAX]; /* being received, then the domain's */
    size_t name_len;
    struct queue out;
};

struct attach {
    int listener; /* -1: none */
    char *path;
    struct attach_client client[ATTACH_CLIENTS_MAX];
    /* Is there such a domain? */
    bool (*is_domain)(void *ctx, const char *name);
    /* A client types. */
    void (*on_input)(void *ctx, const char *name, const char *bytes,
                     size_t len);
    void *ctx;
};

/** Opens the socket DIR/console.sock. @return false with a message. */
rv_must_check bool attach_listen(struct attach *a, const char *dir);

/** Sends a domain's output to those who watch it. */
void attach_feed(struct attach *a, const char *name, const char *bytes,
                 size_t len);

/** Appends descriptors to wait for. @return how many (ATTACH_CLIENTS_MAX+1
 *  at most). */
size_t attach_poll_fill(const struct attach *a, struct pollfd *fds);

/** Handles what poll() found; @fds as filled by attach_poll_fill(). */
void attach_poll_done(struct attach *a, const struct pollfd *fds, size_t count);

void attach_close(struct attach *a);

/** The client's side. @return a connected descriptor or a negative errno. */
int attach_connect(const char *dir);
