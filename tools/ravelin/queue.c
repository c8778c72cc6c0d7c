/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output queues, so that no slow reader ever stops the machine's consoles.
 */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli.h"

bool queue_add(struct queue *q, const char *data, size_t len, size_t max)
{
    if (len > max || q->len > max - len) {
        return false;
    }
    if (len > 0) {
        q->data = xrealloc(q->data, q->len + len);
        memcpy(q->data + q->len, data, len);
        q->len += len;
    }
    return true;
}

void queue_drop(struct queue *q, size_t len)
{
    memmove(q->data, q->data + len, q->len - len);
    q->len -= len;
}

bool queue_flush(struct queue *q, int fd)
{
    while (q->len > 0) {
        ssize_t n = write(fd, q->data, q->len);

        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        queue_drop(q, (size_t)n);
    }
    return true;
}

void queue_free(struct queue *q)
{
    free(q->data);
    q->data = NULL;
    q->len = 0;
}
