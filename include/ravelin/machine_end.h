/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine, after the last domain or with the hardware domain.
 */
#pragma once

#include "ravelin/types.h"

/** Notes the free frames that should be there again when all domains are
 * gone. Once, before the first domain is created, with all CPUs set up. */
void machine_end_baseline(void);

/**
 * Destroys all domains from the CPU loop, reports the frames that did not come
 * back, then powers off with `code` or restarts. The first call decides; any
 * CPU, any context.
 */
void machine_end(unsigned code, bool restart);
