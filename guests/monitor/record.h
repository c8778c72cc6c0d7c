/* SPDX-License-Identifier: MIT */
/*
 * Records of a monitor: lines on its console that programs read
 * (docs/monitor-events.md). They are gathered and written in one piece when
 * there is nothing else to do, or no room is left.
 */
#ifndef MONITOR_RECORD_H
#define MONITOR_RECORD_H

#include <stdint.h>

#include "libmonitor.h"

#define RECORD_VERSION 1

/** Puts "@mon " and what follows, up to 255 characters, and ends the line. */
void record_put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** The event itself. */
void record_event(unsigned int domid, const struct ravelin_event *ev);

/** A text of a guest: escapes all but printable ASCII. Returns `out`. */
const char *record_escape(const char *text, char *out, uint32_t size);

/** Lower-case hex digits of some bytes. Returns `out`. */
const char *record_hex(const uint8_t *bytes, uint32_t count, char *out);

/** Writes what has been gathered. */
void record_flush(void);

#endif
