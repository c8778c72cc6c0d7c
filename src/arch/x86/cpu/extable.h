/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that may fault by design. EXTABLE(a, b) in an asm statement
 * records: a fault at label `a` continues at label `b`. Both are stored
 * relative to their own position, so the table needs no relocation.
 */
#pragma once

#ifdef __ASSEMBLER__
.macro extable fault, fixup.pushsection.ex_table,
    "a".balign 4.long \fault -..long \fixup -..popsection.endm
#else

#include "ravelin/types.h"

#define EXTABLE(fault, fixup)         \
    ".pushsection .ex_table, \"a\"\n" \
    ".balign 4\n"                     \
    ".long " fault " - .\n"           \
    ".long " fixup " - .\n"           \
    ".popsection\n"

/** Where to continue after a fault at `rip`; 0 if it was not expected. */
uint64_t extable_lookup(uint64_t rip);

#endif
