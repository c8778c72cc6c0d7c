/* SPDX-License-Identifier: MIT */
/*
 * Xen system time from vcpu_time_info: nanoseconds since the host started,
 * computed from the TSC with the published scale.
 */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

#include <stdint.h>

#include <xen/xen.h>

#define MS 1000000ull

/** A consistent copy of the calling CPU's time record. */
void clock_read(struct vcpu_time_info *copy);

/** TSC ticks times the published scale, in ns. */
uint64_t clock_scale(const struct vcpu_time_info *t, uint64_t ticks);

/** System time now, in ns. */
uint64_t clock_ns(void);

/** Wall-clock seconds at system time 0, and the nanoseconds beside them. */
uint64_t clock_wall(uint32_t *ns);

/** TSC frequency in kHz, from the published scale. */
uint64_t clock_tsc_khz(void);

/** Blocks the calling vCPU for at least `ns` (SCHEDOP_poll without ports). */
void clock_sleep(uint64_t ns);

/** Spins for at least `ns`. */
void clock_spin(uint64_t ns);

#endif
