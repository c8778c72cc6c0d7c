/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a legacy device may ask of the platform it sits in. Devices are plain
 * structures: they take no lock, arm no timer, allocate nothing, and every call
 * into one is made with the platform's lock held. None of these calls back
 * into a device.
 */
#pragma once

#include "ravelin/types.h"

enum legacy_request {
    LEGACY_POWEROFF,
    LEGACY_RESET,
    LEGACY_A20_ON,
    LEGACY_A20_OFF,
};

#define LEGACY_NEVER UINT64_MAX /* no deadline */

/* Must outlive the devices that were given it; all members set. */
struct legacy_host {
    /** Nanoseconds, monotonic. */
    uint64_t (*now_ns)(void *ctx);
    /** Level of an ISA interrupt line, 0..15. */
    void (*irq_set)(void *ctx, unsigned irq, bool level);
    /** Is line `irq` requested at the 8259, unmasked and not yet taken? False
     * if there is no 8259. */
    bool (*irq_is_waiting)(void *ctx, unsigned irq);
    /** The request output of the 8259 pair has changed. */
    void (*intr_changed)(void *ctx, bool level);
    /** Only notes the wish; acted on when the lock is released. */
    void (*request)(void *ctx, enum legacy_request what);
    /** Output that the console takes now: how many of `n` bytes. */
    size_t (*console_write)(void *ctx, const char *buf, size_t n);
    /** Input that waits: up to `n` bytes. */
    size_t (*console_read)(void *ctx, char *buf, size_t n);
    /** One line, without newline, to the log. */
    void (*log_line)(void *ctx, const char *line);
    /** Copies between `buf` and guest-physical memory. 0; -EFAULT. */
    int (*copy)(void *ctx, uint64_t gpa, void *buf, size_t n, bool to_guest);
    void *ctx;
};
