/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest vector state (x87, SSE, AVX, ...). The hypervisor itself uses general
 * registers only, so the guest's state stays in the processor across exits and
 * moves only when the CPU changes vCPUs.
 */
#pragma once

#include "ravelin/types.h"

/** Reads the CPU's capabilities; boot CPU, once, before any other call. */
void xstate_init(void);
/** XCR0 bits whose state is switched; 0 without XSAVE (then FXSAVE is used). */
uint64_t xstate_mask(void);
/** Cleared area of the right size; NULL when out of memory. */
void *rv_must_check xstate_alloc(void);
void xstate_free(void *area);
/** Architectural initial state. */
void xstate_reset(void *area);
/** area -> registers, then XCR0 = guest's value. */
void xstate_load(const void *area, uint64_t xcr0);
/** registers -> area, whatever the guest's XCR0 was. */
void xstate_save(void *area);
/** What XCR0 holds now; 0 without XSAVE. */
uint64_t xstate_xcr0_get(void);
void xstate_xcr0_set(uint64_t xcr0);
