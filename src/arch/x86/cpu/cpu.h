/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control-register and MSR baseline in which the hypervisor runs on every
 * CPU, and maintenance of its translations.
 */
#pragma once

#include "ravelin/types.h"

/**
 * Brings this CPU to the baseline: paging protections, SSE and XSAVE enabled
 * for the sake of guests, standard PAT, no debug features. x86_features must
 * be filled in.
 */
void cpu_baseline_init(void);
/** EFER of the baseline, for CPUs on their way up. */
uint64_t cpu_baseline_efer(void);

/** All CPUs forget cached translations; the others when they next take an
 * interrupt. */
void cpu_tlb_flush_all(void);
/** Does what cpu_tlb_flush_all() asked of this CPU, if anything. */
void cpu_tlb_flush_pending(void);

/** Logs registers, and the stack that led to them, of an exception or NULL. */
struct exception_frame;
void cpu_dump(const struct exception_frame *frame);
