/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rights that a monitor leaves on pages, for tests.
 */
#pragma once

#include "fixture.h"

#define RX (ACCESS_READ | ACCESS_EXEC)
#define RW (ACCESS_READ | ACCESS_WRITE)
#define RX2RW (RX | P2M_ACCESS_RX2RW)

/** Sets the rights of `count` frames from `g` on: 0 or an error. */
int rights_set(struct domain *d, uint64_t g, uint64_t count, uint8_t mode);
/** The rights of frame `g`, which must have RAM. */
uint8_t rights_get(struct domain *d, uint64_t g);
