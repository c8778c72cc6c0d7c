/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What panic() needs from the machine. Called with our own state in doubt:
 * implementations allocate nothing, take no lock and wait for nobody for long.
 * The fake backend prints the message and aborts the test process.
 */
#pragma once

#include "ravelin/types.h"

struct exception_frame;

/** Stops all other CPUs for good; returns after a bounded wait. */
void arch_panic_stop_others(void);

/** Logs registers and a backtrace: of `frame`, or of the caller if NULL. */
void arch_panic_dump(const struct exception_frame *frame);

/** Ends the machine (debug exit port), else halts this CPU for good. */
rv_noreturn void arch_panic_end(const char *message);
