/* SPDX-License-Identifier: BSD-2-Clause */
/* Host segment selectors and interrupt stack numbers, for C and assembly. */
#pragma once

#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS 0x18
/* Used on the way to long mode only. */
#define SEL_CODE32 0x28

#define IST_DF 1
#define IST_NMI 2
#define IST_MC 3
#define IST_COUNT 3
