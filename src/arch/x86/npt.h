/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry encoding of AMD nested page tables; the walk is common code. */
#pragma once

#include "arch/backend.h"

uint64_t npt_encode(const struct npt_entry *e, unsigned level);
void npt_decode(uint64_t raw, unsigned level, struct npt_entry *e);
unsigned npt_leaf_level_max(void);
