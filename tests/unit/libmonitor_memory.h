/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of a watched domain for tests of libmonitor: an array. What a monitor
 * does to page rights is written down.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "libmonitor.h"

#define MEMORY_PAGES 64u
#define MEMORY_SIZE (MEMORY_PAGES * 4096u)

struct libmonitor_memory {
    uint8_t ram[MEMORY_SIZE];
    uint8_t tables[MONITOR_LEVELS_MAX * 4096] __attribute__((aligned(4096)));
    struct monitor monitor; /* pass this to the library */
    uint64_t read_count;
    uint64_t protected_frames;
    unsigned int protected_access;
};

extern struct libmonitor_memory libmonitor_memory;

/** All zero, and the monitor ready. */
void libmonitor_memory_reset(void);
