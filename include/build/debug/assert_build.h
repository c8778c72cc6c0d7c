/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug builds: ASSERT checks and panics. The release twin does neither. */
#pragma once

#include "ravelin/compiler.h"

#define ASSERT(condition)                                              \
    do {                                                               \
        if (unlikely(!(condition))) {                                  \
            panic("assertion failed at %s:%d: %s", __FILE__, __LINE__, \
                  #condition);                                         \
        }                                                              \
    } while (0)
