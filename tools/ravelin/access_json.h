/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The access matrix as data.
 */
#pragma once

#include "cli.h"
#include "ravelin/manifest.h"

/** @return the names of roles, as in manifests. */
json_t *roles_json(uint32_t roles);

/** @return ROLE_* of an array of names; what is no name is left out. */
uint32_t roles_read(const json_t *names);

/**
 * @return an array of {"name", "domid", "roles": [...], "machine": [...],
 *         "rights": {"<domain>": ["control", ...]}}.
 */
json_t *access_json(const struct manifest *m);
