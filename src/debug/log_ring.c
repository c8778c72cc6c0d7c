/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The latest part of the log, kept in memory: for control domains, and for the
 * serial line when it comes back from a domain. A panic writes and reads it
 * without the lock.
 *
 * Threat surface: positions come from control domains; one that is not kept
 * stands for the oldest.
 */
#include "log_ring.h"

#include "console_internal.h"
#include "ravelin/atomic.h"
#include "ravelin/log.h"
#include "ravelin/string.h"

/* Of the console, per write, when the log comes back to it. */
#define REPLAY_PIECE 512u

/* Protected by the console lock; positions are free-running. */
static char ring[LOG_RING_SIZE];
static uint32_t ring_head; /* next byte in */
static uint32_t ring_tail; /* oldest byte kept */
static uint32_t held_from; /* first byte that the line has not got */

void log_ring_put(const char *text, size_t n)
{
    bool locked = console_lock();
    size_t at = ring_head % LOG_RING_SIZE;
    size_t first = rv_min(n, LOG_RING_SIZE - at);

    memcpy(&ring[at], text, first);
    memcpy(ring, text + first, n - first);
    ring_head += (uint32_t)n;
    if (ring_head - ring_tail > LOG_RING_SIZE) {
        ring_tail = ring_head - LOG_RING_SIZE;
    }
    console_unlock(locked);
}

size_t log_ring_read(uint32_t *index, char *buf, size_t n)
{
    bool locked = console_lock();
    size_t done = 0;

    if (ring_head - *index > ring_head - ring_tail) {
        *index = ring_tail;
    }
    while (done < n && *index != ring_head) {
        buf[done++] = ring[(*index)++ % LOG_RING_SIZE];
    }
    console_unlock(locked);
    return done;
}

uint32_t log_ring_start(void)
{
    return read_once(ring_tail);
}

void log_ring_clear(uint32_t index)
{
    bool locked = console_lock();

    if (ring_head - index <= ring_head - ring_tail) {
        ring_tail = index;
    }
    console_unlock(locked);
}

void log_line_give(void)
{
    console_line_give();
    held_from = read_once(ring_head);
}

void log_line_take(void)
{
    uint64_t drops = console_drop_count();
    char piece[REPLAY_PIECE];
    size_t n;

    if (!console_line_take()) {
        return;
    }
    /* A dead line is not waited for again and again. */
    while ((n = log_ring_read(&held_from, piece, sizeof(piece))) != 0 &&
           console_drop_count() == drops) {
        (void)console_write(CONSOLE_CHANNEL_LOG, piece, n);
    }
}
