/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports for firmware developers: 0x402 collects text into lines, 0x80 takes
 * power-on self-test codes, of which the last ones are kept, 0xed only takes
 * time. Log lines are limited in number, whatever the guest writes.
 */
#pragma once

#include "ravelin/legacy_host.h"

#define LEGACY_POST_PORT 0x80u
#define LEGACY_DELAY_PORT 0xedu
#define LEGACY_DEBUG_PORT 0x402u
#define LEGACY_DEBUG_MAGIC 0xe9u /* what 0x402 reads: the port is there */
#define LEGACY_DEBUG_LINE 120u
#define LEGACY_POST_KEPT 16u
/* Log lines: a boot's worth at once, then so many per second. */
#define LEGACY_DEBUG_BURST 512u
#define LEGACY_DEBUG_PER_S 20u

struct legacy_debug {
    uint32_t budget; /* log lines left */
    uint32_t held_count;
    uint64_t budget_ns; /* when it was last filled */
    uint8_t line_length;
    char line[LEGACY_DEBUG_LINE];
    uint32_t post_count; /* free-running */
    uint8_t post[LEGACY_POST_KEPT];
    const struct legacy_host *host;
};

void legacy_debug_init(struct legacy_debug *debug,
                       const struct legacy_host *host);

/** Ports 0x80, 0xed and 0x402; one byte. */
uint8_t legacy_debug_read(struct legacy_debug *debug, uint16_t port);
void legacy_debug_write(struct legacy_debug *debug, uint16_t port,
                        uint8_t value);
/** Passes on an unfinished line; at the domain's end. */
void legacy_debug_flush(struct legacy_debug *debug);
/** The last codes, oldest first; returns how many. Also without the lock, for
 * a crash dump. */
unsigned legacy_debug_post_get(const struct legacy_debug *debug,
                               uint8_t out[LEGACY_POST_KEPT]);
/** The same as text, "POST 01 0f 02"; "" if there was none. */
void legacy_debug_post_text(const struct legacy_debug *debug, char *buf,
                            size_t size);
