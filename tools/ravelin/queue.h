/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes waiting for a descriptor that does not take them now.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct queue {
    char *data;
    size_t len;
};

/** Appends bytes. @return false if that would be more than @max in all. */
bool queue_add(struct queue *q, const char *data, size_t len, size_t max);

/** Takes bytes away at the front; there are as many. */
void queue_drop(struct queue *q, size_t len);

/** Writes what @fd takes now. @return false if it is broken. */
bool queue_flush(struct queue *q, int fd);
void queue_free(struct queue *q);
