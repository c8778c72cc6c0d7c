/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's side of frames: a verb of this tool talks to a program inside a
 * domain of a running machine, through the console socket of its 'ravelin
 * run'. What comes back was written by that domain and is not to be trusted.
 */
#pragma once

#include "cli.h"
#include "frame.h"
#include "queue.h"

struct channel {
    int fd; /* -1: closed */
    struct queue in;
    char payload[FRAME_PAYLOAD_MAX + 1];
};

/**
 * Finds the run directory of a running machine: @dir if that is not NULL, else
 * the only one below BUILD/run.
 * @return the path (heap), or NULL with a message.
 */
char *machine_find(const char *dir, const char *build_dir);

/** Attaches to frames of a kind of a domain. @return false with a message. */
rv_must_check bool channel_open(struct channel *c, const char *dir,
                                const char *domain, char kind);

/** Sends a frame. @return false if the machine has ended. */
rv_must_check bool channel_send(struct channel *c, const char *payload);

/**
 * Waits for the next frame.
 * @param timeout_ms  -1: without end.
 * @param payload     set to it; valid until the next call.
 * @return 1, 0 if none came in time, -1 if the machine has ended.
 */
int channel_receive(struct channel *c, int timeout_ms, const char **payload);

void channel_close(struct channel *c);
