/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The access matrix as data.
 */
#pragma once

#include "cli.h"
#include "ravelin/manifest.h"

/**
 * @return an array of {"name", "domid", "roles": [...], "machine": [...],
 *         "rights": {"<domain>": ["control", ...]}}.
 */
json_t *access_json(const struct manifest *m);
