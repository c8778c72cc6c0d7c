/* SPDX-License-Identifier: MIT */
/*
 * The address spaces a watched Linux has used: which program each runs, and how
 * often it was loaded. Bounded: a guest that makes up CR3 values fills the
 * table and gets no further names.
 */
#ifndef MONITOR_PROCESS_H
#define MONITOR_PROCESS_H

#include "libmonitor.h"

/**
 * Counts a load of CR3 and prints a name record when the name is new. The
 * virtual CPU must be waiting, or the name may be that of another.
 */
void process_loaded(struct monitor *m, const struct monitor_space *like,
                    uint64_t cr3, bool with_name);

/** Prints who was loaded how often since the last mark. */
void process_loads_print(unsigned int domid, uint64_t time);

/** Prints the totals as process records. */
void process_print(unsigned int domid);

/** From now on process_loads_print() counts from 0. */
void process_mark(void);

#endif
