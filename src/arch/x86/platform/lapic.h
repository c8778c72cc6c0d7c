/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local interrupt controller of each CPU: x2APIC where the processor has
 * it, else xAPIC. The vlapic of guests is another module and shares nothing.
 */
#pragma once

#include "ravelin/types.h"

/** Will this machine use x2APIC mode? Needs x86_features only. */
bool lapic_is_x2(void);
/** Hardware id of the calling CPU, from CPUID. */
uint32_t lapic_boot_id(void);

/** Maps the registers. Boot CPU, once. */
void lapic_init(void);
/** Enables the controller of this CPU, all local sources masked. */
void lapic_cpu_init(void);

void lapic_eoi(void);
/** EOI, if `vector` is one that the controller waits for. */
void lapic_eoi_if_in_service(unsigned vector);

/** Sends a fixed interrupt to one CPU. */
void lapic_ipi(uint32_t apic_id, unsigned vector);
void lapic_ipi_init(uint32_t apic_id);
/** @param page  start-up code, 4 KiB aligned, below 1 MiB. */
void lapic_ipi_startup(uint32_t apic_id, hpa_t page);
/** NMI to every CPU but this one. */
void lapic_nmi_others(void);

/** Timer: divide by 1, masked, counting down from the maximum. */
void lapic_timer_calibrate_start(void);
/** Ticks since lapic_timer_calibrate_start(). */
uint32_t lapic_timer_calibrate_read(void);
/** Timer mode for use: one-shot or TSC deadline, at `vector`. */
void lapic_timer_setup(unsigned vector, bool tsc_deadline);
/** One-shot mode: fires after `ticks`; 0 stops it. */
void lapic_timer_start(uint32_t ticks);
