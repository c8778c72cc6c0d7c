/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 8254 interval timer at 0x40 and the NMI status and control port 0x61 beside
 * it (gate and output of channel 2, refresh toggle). Counters are computed
 * from the time at each look and therefore exact; only channel 0's interrupts
 * need a deadline.
 *
 * Threat surface: counts and modes at any rate. Interrupts come at most every
 * LEGACY_PIT_FLOOR_NS; edges that could not be delivered are made up for, up to
 * LEGACY_PIT_OWED_MAX of them, the rest is lost.
 * Ref: Intel 8254 datasheet (231164).
 */
#pragma once

#include "ravelin/legacy_host.h"

#define LEGACY_PIT_PORT 0x40u /* to 0x43 */
#define LEGACY_PIT_PORT61 0x61u
#define LEGACY_PIT_IRQ 0u

#define LEGACY_PIT_HZ 1193182u
#define LEGACY_PIT_FLOOR_NS 100000u
#define LEGACY_PIT_OWED_MAX 16u

/* Times are in ticks of the timer's clock. */
struct legacy_pit_channel {
    uint8_t control; /* as programmed: access, mode, BCD */
    uint8_t mode;    /* 0..5 */
    uint8_t access;  /* 1 low byte, 2 high byte, 3 low then high */
    bool gate;
    bool is_loaded;     /* a count was written since the control word */
    bool is_counting;   /* from `start` on; else the element shows `held` */
    bool is_expired;    /* modes 0, 4: terminal count before `start` */
    bool is_new_count;  /* `next` is still to be loaded */
    bool is_write_high; /* access 3: the high byte comes next */
    bool is_read_high;
    uint8_t write_low;
    bool is_status_latched;
    uint8_t status_latch;
    uint8_t latched_bytes; /* left of `latch` */
    uint16_t latch;
    uint32_t next;  /* count register: 1..65536 */
    uint32_t count; /* in the counting element at tick `start` */
    uint32_t held;  /* in it before that, or while it does not count */
    uint64_t start;
    uint64_t written; /* when `next` came */
};

struct legacy_pit {
    struct legacy_pit_channel channel[3];
    uint8_t port61;     /* what was written: bits 0..3 */
    uint8_t owed;       /* interrupts to be made up for */
    uint64_t edge_tick; /* rising edge of channel 0 waited for */
    uint64_t run_ns;    /* when it last ran */
    uint64_t alarm_ns;  /* when to run; LEGACY_NEVER */
    const struct legacy_host *host;
};

/** Reset state: no channel counts. */
void legacy_pit_init(struct legacy_pit *pit, const struct legacy_host *host);
void legacy_pit_reset(struct legacy_pit *pit);

/** Ports 0x40..0x43 and 0x61; one byte. */
uint8_t legacy_pit_read(struct legacy_pit *pit, uint16_t port);
void legacy_pit_write(struct legacy_pit *pit, uint16_t port, uint8_t value);

/** When legacy_pit_run() is due, ns; LEGACY_NEVER. May change with every call
 * into the device. */
uint64_t legacy_pit_deadline(const struct legacy_pit *pit);
/** Does what is due; harmless when nothing is. */
void legacy_pit_run(struct legacy_pit *pit);
