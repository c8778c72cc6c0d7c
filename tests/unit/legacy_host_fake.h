/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A platform for one legacy device under test: records what the device asks
 * for. Also used by fuzz targets.
 */
#pragma once

#include <string.h>

#include "ravelin/legacy_host.h"

struct host_fake {
    struct legacy_host host; /* first */
    uint64_t now;
    uint16_t irq_level;
    unsigned irq_rises[16];
    unsigned resets;
    unsigned poweroffs;
    size_t console_room; /* bytes it takes per write; SIZE_MAX: all */
    size_t console_length;
    char console[1u << 18];
};

static inline uint64_t host_fake_now(void *ctx)
{
    return ((struct host_fake *)ctx)->now;
}

static inline void host_fake_irq_set(void *ctx, unsigned irq, bool level)
{
    struct host_fake *h = ctx;
    uint16_t bit = (uint16_t)(1u << (irq & 15u));

    if (level && (h->irq_level & bit) == 0) {
        h->irq_rises[irq & 15u]++;
    }
    h->irq_level = (uint16_t)((h->irq_level & ~bit) | (level ? bit : 0));
}

static inline bool host_fake_irq_is_waiting(void *ctx, unsigned irq)
{
    (void)ctx;
    (void)irq;
    return false;
}

static inline void host_fake_intr_changed(void *ctx, bool level)
{
    (void)ctx;
    (void)level;
}

static inline void host_fake_request(void *ctx, enum legacy_request what)
{
    struct host_fake *h = ctx;

    h->resets += what == LEGACY_RESET;
    h->poweroffs += what == LEGACY_POWEROFF;
}

/* What exceeds the record is taken and forgotten. */
static inline size_t host_fake_console_write(void *ctx, const char *buf,
                                             size_t n)
{
    struct host_fake *h = ctx;
    size_t taken = n < h->console_room ? n : h->console_room;
    size_t room = sizeof(h->console) - 1 - h->console_length;
    size_t kept = taken < room ? taken : room;

    memcpy(&h->console[h->console_length], buf, kept);
    h->console_length += kept;
    h->console[h->console_length] = '\0';
    return taken;
}

static inline size_t host_fake_console_read(void *ctx, char *buf, size_t n)
{
    (void)ctx;
    (void)buf;
    (void)n;
    return 0;
}

static inline void host_fake_log_line(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static inline int host_fake_copy(void *ctx, uint64_t gpa, void *buf, size_t n,
                                 bool to_guest)
{
    (void)ctx;
    (void)gpa;
    (void)buf;
    (void)n;
    (void)to_guest;
    return -1;
}

static inline const struct legacy_host *host_fake_init(struct host_fake *h)
{
    memset(h, 0, sizeof(*h));
    h->console_room = SIZE_MAX;
    h->host = (struct legacy_host){
        .now_ns = host_fake_now,
        .irq_set = host_fake_irq_set,
        .irq_is_waiting = host_fake_irq_is_waiting,
        .intr_changed = host_fake_intr_changed,
        .request = host_fake_request,
        .console_write = host_fake_console_write,
        .console_read = host_fake_console_read,
        .log_line = host_fake_log_line,
        .copy = host_fake_copy,
        .ctx = h,
    };
    return &h->host;
}
