/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of JSON objects as a text table: what --json prints, for people.
 */
#pragma once

#include "cli.h"

struct table_column {
    const char *title;
    const char *key; /* in each object */
};

/** Prints a header and a line for each object of @rows; numbers are flush
 *  right, null is "-", truth values "yes" and nothing. */
void table_show(const json_t *rows, const struct table_column *columns,
                size_t count);
