/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The function table as scripts/gen_symbols.py writes it. For each function, by
 * ascending address: its distance from the one before (the first: from
 * symbols_base) as LEB128, how many characters its name shares with the one
 * before, the rest of the name, a zero byte.
 */
#pragma once

#include "ravelin/types.h"

extern const uint64_t symbols_base;
extern const uint64_t symbols_end; /* of the last function */
extern const uint32_t symbols_count;
extern const uint8_t symbols_stream[];
