/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hand-over between the boot path and the core, in both directions. At
 * ravelin_main() the boot CPU runs on its final stack and page tables with
 * console, exceptions, time and its interrupt controller working, interrupts
 * off; the other CPUs have per-CPU areas but still wait in INIT.
 */
#pragma once

#include "ravelin/types.h"

struct boot_info;

/** Core entry on the boot CPU. */
rv_noreturn void ravelin_main(struct boot_info *info);
/** Core entry on every other CPU, on its own stack, interrupts off. */
rv_noreturn void ravelin_ap_main(unsigned cpu);

/**
 * Starts the other CPUs one after the other; each has called cpu_register()
 * and is on its way to ravelin_ap_main() when this returns. CPUs that do not
 * answer are logged and left out.
 *
 * @return CPUs online, the caller's included.
 */
unsigned arch_cpus_start(const struct boot_info *info);

/**
 * Whole frames, never freed, contents undefined, taken out of info->memory.
 * Only until the free regions of info->memory have been given away.
 *
 * @return NULL if there is no such run of free memory.
 */
void *arch_early_alloc(size_t bytes);

/**
 * Makes the data that only boot writes (RV_RO_AFTER_INIT) read-only
 * on all CPUs. Once, after arch_cpus_start().
 */
void arch_init_data_seal(void);

/**
 * TSC ticks spent waiting for hardware since entry (calibration, CPU start,
 * serial line); subtract them to get the instruction cost of boot.
 */
uint64_t arch_boot_wait_ticks(void);

/** Physical address width of the machine in bits. */
unsigned arch_phys_bits(void);
