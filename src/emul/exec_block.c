/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Repeated port input and output in blocks, for callers whose devices can move
 * many elements at once (the data register of a disk). Registers end up as if
 * the elements had been moved one by one; whatever is unusual about them
 * (direction, a segment's end, traps) is left to single iterations.
 *
 * Threat surface: guest-chosen counts and addresses; a block lies within its
 * segment, and the callback bounds and checks what it moves.
 */
#include "exec_io.h"

/* Bytes offered to the callback at once. */
#define BLOCK_MAX 4096u

static uint64_t elements_in_reach(const struct emul *e,
                                  const struct emul_insn *i, uint64_t off,
                                  uint64_t count)
{
    uint64_t to_wrap = size_mask(i->adsize) - off + 1;
    uint64_t bytes = to_wrap - 1 < BLOCK_MAX - 1 ? to_wrap : BLOCK_MAX;
    uint64_t elements = bytes / io_size(i);

    return is_long(e) ? 0 : count < elements ? count : elements;
}

static int block_move(struct emul *e, const struct emul_insn *i, unsigned seg,
                      unsigned reg, bool in, uint32_t *moved)
{
    unsigned access = e->access | (in ? EMUL_ACCESS_WRITE : 0);
    uint64_t off = e->cpu.reg[reg] & size_mask(i->adsize);
    uint64_t count = gpr_read(e, EMUL_RCX, i->adsize);
    uint64_t n = elements_in_reach(e, i, off, count);
    uint64_t lin;
    int rc;

    *moved = 0;
    if (n < 2 || off + n * io_size(i) - 1 > e->cpu.seg[seg].limit) {
        return EMUL_OK;
    }
    rc = linear_of(e, seg, off, io_size(i), access, &lin);
    if (rc == EMUL_OK) {
        *moved = (uint32_t)n;
        rc = e->ops->io_block(e, (uint16_t)e->cpu.reg[EMUL_RDX], io_size(i), in,
                              lin, access, moved);
    }
    if (rc == EMUL_OK && *moved != 0) {
        gpr_write(e, reg, i->adsize, off + *moved * io_size(i));
        gpr_write(e, EMUL_RCX, i->adsize, count - *moved);
        e->iterations += *moved;
    }
    return rc;
}

int exec_io_block(struct emul *e, const struct emul_insn *i, unsigned seg,
                  unsigned reg, bool in)
{
    uint32_t moved;
    int rc;

    if (!e->ops->io_block || !(i->prefix & (EMUL_P_REP | EMUL_P_REPNE)) ||
        (e->cpu.rflags & (FL_DF | FL_TF)) || e->check_align ||
        (e->cpu.seg[seg].attr & 0xc) == 0x4) {
        return EMUL_RESTART;
    }
    rc = block_move(e, i, seg, reg, in, &moved);
    if (rc != EMUL_OK || moved == 0) {
        return rc != EMUL_OK ? rc : EMUL_RESTART;
    }
    if (gpr_read(e, EMUL_RCX, i->adsize) != 0) {
        e->cpu.reg[EMUL_REG_NEXT] = e->cpu.rip;
    }
    return EMUL_OK;
}
