/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for code addresses. The build appends a table of all functions, sorted
 * by address, to the image (scripts/gen_symbols.py). Only trusted data is
 * involved.
 */
#pragma once

#include "ravelin/types.h"

/* Longest text symbols_format() writes, terminator included. */
#define SYMBOLS_TEXT_MAX 96
/* Longest name, terminator included; the generator refuses longer ones. */
#define SYMBOLS_NAME_MAX 64

/**
 * Function at `address` and the offset into it. Takes time in proportion to the
 * number of functions.
 *
 * @return false, with nothing written, if the address is outside the code or
 *         the image has no table.
 */
bool symbols_lookup(uint64_t address, char name[SYMBOLS_NAME_MAX],
                    uint64_t *offset);

/** Writes `name+0x12` or, without a name, the bare address. */
void symbols_format(char *buf, size_t size, uint64_t address);
