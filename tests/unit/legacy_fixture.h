/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A platform for one legacy device: a clock that only the test moves, interrupt
 * lines that are watched, a console made of two buffers, a little memory. For
 * unit tests and fuzz targets alike, so a wrong call of the device ends the
 * program instead of a test case.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ravelin/errno.h"
#include "ravelin/legacy_host.h"

#define LEGACY_MEMORY 8192u

struct legacy_fixture {
    struct legacy_host host;
    uint64_t now;
    bool line[16];
    unsigned rise_count[16];
    bool is_waiting; /* what irq_is_waiting() answers */
    bool intr;
    unsigned intr_count; /* changes */
    unsigned request_count[LEGACY_A20_OFF + 1];
    size_t out_room;  /* what the console still takes */
    size_t write_max; /* and at most at once */
    size_t out_length;
    char out[1u << 18];
    const char *in; /* what it has to say */
    unsigned read_count;
    unsigned log_count;
    char log_last[128];
    uint8_t memory[LEGACY_MEMORY];
};

static inline uint64_t legacy_now(void *ctx)
{
    return ((struct legacy_fixture *)ctx)->now;
}

static inline void legacy_line(void *ctx, unsigned irq, bool level)
{
    struct legacy_fixture *f = ctx;

    assert(irq < 16);
    f->rise_count[irq] += level && !f->line[irq];
    f->line[irq] = level;
}

static inline bool legacy_waiting(void *ctx, unsigned irq)
{
    (void)irq;
    return ((struct legacy_fixture *)ctx)->is_waiting;
}

static inline void legacy_intr(void *ctx, bool level)
{
    struct legacy_fixture *f = ctx;

    assert(f->intr != level);
    f->intr = level;
    f->intr_count++;
}

static inline void legacy_request_note(void *ctx, enum legacy_request what)
{
    ((struct legacy_fixture *)ctx)->request_count[what]++;
}

/* What exceeds the record is taken and forgotten. */
static inline size_t legacy_console_write(void *ctx, const char *buf, size_t n)
{
    struct legacy_fixture *f = ctx;
    size_t room = sizeof(f->out) - 1 - f->out_length;
    size_t taken = n < f->out_room ? n : f->out_room;
    size_t kept;

    taken = taken < f->write_max ? taken : f->write_max;
    kept = taken < room ? taken : room;
    memcpy(f->out + f->out_length, buf, kept);
    f->out_length += kept;
    f->out[f->out_length] = '\0';
    f->out_room -= taken;
    return taken;
}

/* Forgets what was written. */
static inline void legacy_fixture_out_clear(struct legacy_fixture *f)
{
    f->out_length = 0;
    f->out[0] = '\0';
}

static inline size_t legacy_console_read(void *ctx, char *buf, size_t n)
{
    struct legacy_fixture *f = ctx;
    size_t length = strlen(f->in);
    size_t got = n < length ? n : length;

    memcpy(buf, f->in, got);
    f->in += got;
    f->read_count++;
    return got;
}

static inline void legacy_log_line(void *ctx, const char *line)
{
    struct legacy_fixture *f = ctx;

    assert(strlen(line) < sizeof(f->log_last));
    memcpy(f->log_last, line, strlen(line) + 1);
    f->log_count++;
}

static inline int legacy_copy(void *ctx, uint64_t gpa, void *buf, size_t n,
                              bool to_guest)
{
    struct legacy_fixture *f = ctx;

    if (gpa >= LEGACY_MEMORY || n > LEGACY_MEMORY - gpa) {
        return -RV_EFAULT;
    }
    memcpy(to_guest ? (void *)(f->memory + gpa) : buf,
           to_guest ? buf : (void *)(f->memory + gpa), n);
    return 0;
}

static inline const struct legacy_host *legacy_fixture_start(
    struct legacy_fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->in = "";
    f->out_room = SIZE_MAX;
    f->write_max = SIZE_MAX;
    f->host = (struct legacy_host){
        .now_ns = legacy_now,
        .irq_set = legacy_line,
        .irq_is_waiting = legacy_waiting,
        .intr_changed = legacy_intr,
        .request = legacy_request_note,
        .console_write = legacy_console_write,
        .console_read = legacy_console_read,
        .log_line = legacy_log_line,
        .copy = legacy_copy,
        .ctx = f,
    };
    return &f->host;
}
