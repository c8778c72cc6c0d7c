/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The function table as scripts/gen_symbols.py writes it: offsets from
 * symbols_base, ascending, one more than there are names (the end of the code);
 * where each name starts in symbols_names; and the names, each terminated.
 */
#pragma once

#include "ravelin/types.h"

extern const uint64_t symbols_base;
extern const uint32_t symbols_count;
extern const uint32_t symbols_offset[];
extern const uint32_t symbols_name_start[];
extern const char symbols_names[];
