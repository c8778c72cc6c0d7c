/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference part of docs/manifest.md, written from the schema.
 */
#pragma once

#include "cli.h"

/** Prints all settings and all rules as Markdown. */
void reference_print(FILE *to);
