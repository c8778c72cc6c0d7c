/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port permission, shared by IN, OUT and the string forms.
 */
#pragma once

#include "exec.h"

/* There is no 64-bit port access. */
static inline unsigned io_size(const struct emul_insn *i)
{
    return i->opsize == 8 ? 4 : i->opsize;
}

/**
 * One block of a repeated port instruction whose memory operand is at `reg` in
 * `seg`. EMUL_RESTART: nothing moved, do single iterations; else the
 * instruction's outcome.
 */
int exec_io_block(struct emul *e, const struct emul_insn *i, unsigned seg,
                  unsigned reg, bool in);

/** 0, or EMUL_FAULT with #GP(0) if IOPL and the TSS bitmap forbid it. */
int io_check(struct emul *e, uint16_t port, unsigned size);
