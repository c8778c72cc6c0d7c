/* SPDX-License-Identifier: BSD-2-Clause */
/* Release builds: ASSERT evaluates nothing, but its text still compiles. */
#pragma once

#define ASSERT(condition) ((void)sizeof(!(condition)))
