/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for code addresses. The build appends a table of all functions, sorted
 * by address, to the image (scripts/gen_symbols.py); a binary search finds the
 * one that holds an address. Only trusted data is involved.
 */
#pragma once

#include "ravelin/types.h"

/* Longest text symbols_format() writes, terminator included. */
#define SYMBOLS_TEXT_MAX 96

/**
 * Function at `address` and the offset into it.
 *
 * @return its name, or NULL if the address is outside the code or the image
 *         has no table.
 */
const char *symbols_lookup(uint64_t address, uint64_t *offset);

/** Writes `name+0x12` or, without a name, the bare address. */
void symbols_format(char *buf, size_t size, uint64_t address);
