/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "ravelin/compiler.h"

/** Runs vCPUs on the calling CPU for ever. Scheduler, timers and the backend
 * are ready on it; no lock is held. */
rv_noreturn void cpu_loop(void);
