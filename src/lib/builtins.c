/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compiler calls instead of an instruction the baseline processor
 * may lack. Freestanding only: hosted builds have them from the runtime.
 */

#include "ravelin/types.h"

int __popcountdi2(int64_t value);

/* Sums of bits in ever wider groups. */
int __popcountdi2(int64_t value)
{
    uint64_t v = (uint64_t)value;

    v -= (v >> 1) & 0x5555555555555555UL;
    v = (v & 0x3333333333333333UL) + ((v >> 2) & 0x3333333333333333UL);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
    return (int)((v * 0x0101010101010101UL) >> 56);
}
