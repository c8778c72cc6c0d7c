/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The empty function table: for the first of the two link passes and for hosted
 * builds. In a file of its own, so that no compiler takes its contents for
 * constants.
 */
#include "symbols_table.h"

rv_weak const uint64_t symbols_base = 0;
rv_weak const uint64_t symbols_end = 0;
rv_weak const uint32_t symbols_count = 0;
rv_weak const uint8_t symbols_stream[1] = {0};
