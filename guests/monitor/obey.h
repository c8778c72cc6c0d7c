/* SPDX-License-Identifier: MIT */
/*
 * Measurements: the watched domain says by marks how its loads of CR3 are to be
 * watched from here on, and how long it took is counted until the next mark.
 * For measurements only: a watched domain should have no say in it.
 */
#ifndef MONITOR_OBEY_H
#define MONITOR_OBEY_H

#include "libmonitor.h"

/**
 * Takes a mark: "mode off", "mode sync", "mode async", "mode filtered" (a
 * filter that lets nothing pass), or "mode end", which prints the times in
 * relation to those of "off" as BENCH lines.
 */
void obey_mark(struct monitor *m, const char *text, uint64_t time);

#endif
