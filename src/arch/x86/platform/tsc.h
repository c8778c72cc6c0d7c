/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time from the TSC. Frequency and scale are found once at boot; afterwards
 * reading the time is a multiplication.
 */
#pragma once

#include "ravelin/types.h"

struct cpu;

/** TSC value that counts as time 0. */
void tsc_init(uint64_t base);
/**
 * Measures TSC and local APIC timer against the best reference clock. Panics
 * if no clock of the machine runs.
 */
void tsc_calibrate(void);
/** Frequency of the local APIC timer in kHz (divide by 1). */
uint32_t tsc_lapic_khz(void);
/** Name of the reference clock used. */
const char *tsc_reference_name(void);

/** Scaling by a 32.32 fixed-point factor. */
static inline uint64_t scale_32_32(uint64_t value, uint64_t factor)
{
    return (uint64_t)(((unsigned __int128)value * factor) >> 32);
}

/** This CPU's TSC, aligned to the boot CPU's. */
uint64_t tsc_read_aligned(void);

/** Adds ticks to what arch_boot_wait_ticks() reports. */
void tsc_wait_account(uint64_t ticks);
/** Waits with interrupts off; accounted. */
void tsc_delay_us(uint64_t us);
