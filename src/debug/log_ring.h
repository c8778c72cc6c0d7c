/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer's side of the kept log; readers use ravelin/log.h. */
#pragma once

#include "ravelin/types.h"

/** Keeps `n` bytes, in place of the oldest. */
void log_ring_put(const char *text, size_t n);
