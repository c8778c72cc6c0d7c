/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consoles for other programs: 'ravelin run' listens on a socket in the bundle
 * and other verbs attach to one domain through it. Only the same user can
 * connect. A client sends one line and gets "ok\n" or "error TEXT\n":
 *
 *   NAME            the domain's console, raw both ways, frames left out
 *   frames K NAME   frames of kind K alone (guests/lib/frame.h): one payload
 *                   and a newline for each, both ways
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
    char kind; /* of frames; 0: raw */
    char name[ATTACH_NAME_MAX];
    struct queue in; /* a line that is not complete yet */
    struct queue out;
};

struct attach {
    int listener; /* -1: none */
    char *path;
    struct attach_client client[ATTACH_CLIENTS_MAX];
    /* Is there such a domain? */
    bool (*is_domain)(void *ctx, const char *name);
    /* A client types, or sends a frame (encoded, all of it at once). */
    void (*on_input)(void *ctx, const char *name, const char *bytes,
                     size_t len);
    void *ctx;
};

/** Opens the socket DIR/console.sock. @return false with a message. */
rv_must_check bool attach_listen(struct attach *a, const char *dir);

/** Sends a domain's output to those who watch it. */
void attach_feed(struct attach *a, const char *name, const char *bytes,
                 size_t len);

/** Sends a frame of a domain to those who wait for its kind. */
void attach_frame(struct attach *a, const char *name, char kind,
                  const char *payload, size_t len);

/** Appends descriptors to wait for. @return how many (ATTACH_CLIENTS_MAX+1
 *  at most). */
size_t attach_poll_fill(const struct attach *a, struct pollfd *fds);

/** Handles what poll() found; @fds as filled by attach_poll_fill(). */
void attach_poll_done(struct attach *a, const struct pollfd *fds, size_t count);

void attach_close(struct attach *a);

/** The client's side. @return a connected descriptor or a negative errno. */
int attach_connect(const char *dir);
