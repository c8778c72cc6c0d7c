/* SPDX-License-Identifier: MIT */
/*
 * Medians of many samples, as lines of a bench: "BENCH <name> <value> insn" and
 * how far the samples lie apart.
 */
#ifndef GUEST_SAMPLE_H
#define GUEST_SAMPLE_H

#include <stdint.h>

#define SAMPLES 300u
#define SAMPLE_WARM_UPS 20u

/** One measurement: what lies between two readings of the TSC. */
typedef uint32_t sample_fn(void);

/** The median of `count` samples, 1 to SAMPLES, after the warm-ups. */
uint32_t sample_median(sample_fn *sample, unsigned int count);
/** Measures and prints, less `empty`: what an empty pair of readings costs. */
void sample_report(const char *name, sample_fn *sample, unsigned int count,
                   uint32_t empty);

#endif
