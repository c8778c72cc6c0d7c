/* SPDX-License-Identifier: MIT */
/*
 * Numbers without pattern but repeatable from `seed=` on the command line, so
 * that a run that found something can be run again.
 */
#ifndef GUEST_RANDOM_H
#define GUEST_RANDOM_H

#include <stdint.h>

/** Seeds from the command line and prints the seed. */
void random_start(void);

uint32_t random_u32(void);
uint64_t random_u64(void);

/** A number below `n`. */
uint32_t random_below(uint32_t n);

#endif
