/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stack instructions on general registers, memory and flags. SP moves only
 * when every access has succeeded.
 * Threat surface: SS limits and SP are the guest's.
 */
#include "exec.h"

static int push_value(struct emul *e, unsigned size, uint64_t v)
{
    uint64_t sp = stk_get(e);
    int rc = stk_push(e, &sp, size, v);

    if (rc == EMUL_OK) {
        stk_set(e, sp);
    }
    return rc;
}

int exec_push_rm(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;
    int rc = rm_read(e, i, i->opsize, &v);

    return rc ? rc : push_value(e, i->opsize, v);
}

int exec_push_i(struct emul *e, const struct emul_insn *i)
{
    return push_value(e, i->opsize, i->imm);
}

int exec_push_sreg(struct emul *e, const struct emul_insn *i)
{
    unsigned sreg = (i->opcode >> 3) & 7;

    return push_value(e, i->opsize, e->cpu.seg[sreg].sel);
}

/*
 * POP into memory addresses its operand with the incremented stack pointer;
 * POP SP keeps the popped value.
 */
int exec_pop_rm(struct emul *e, const struct emul_insn *i)
{
    uint64_t sp = stk_get(e);
    uint64_t v;
    int rc = stk_pop(e, &sp, i->opsize, &v);

    if (rc) {
        return rc;
    }
    if (i->flags & EMUL_F_MEM) {
        uint64_t off = ea_of(e, i);
        if (i->base == EMUL_RSP) {
            off = (off + i->opsize) & size_mask(i->adsize);
        }
        rc = mem_write(e, i->seg, off, i->opsize, v);
        if (rc) {
            return rc;
        }
        stk_set(e, sp);
    } else {
        stk_set(e, sp);
        reg_write(e, i->rm_at, i->opsize, v);
    }
    return EMUL_OK;
}

int exec_pusha(struct emul *e, const struct emul_insn *i)
{
    uint64_t sp = stk_get(e);

    for (unsigned r = EMUL_RAX; r <= EMUL_RDI; r++) {
        int rc = stk_push(e, &sp, i->opsize, e->cpu.reg[r]);
        if (rc) {
            return rc;
        }
    }
    stk_set(e, sp);
    return EMUL_OK;
}

int exec_popa(struct emul *e, const struct emul_insn *i)
{
    uint64_t sp = stk_get(e);
    uint64_t v[8];

    for (unsigned n = 0; n < 8; n++) {
        int rc = stk_pop(e, &sp, i->opsize, &v[7 - n]);
        if (rc) {
            return rc;
        }
    }
    for (unsigned r = EMUL_RAX; r <= EMUL_RDI; r++) {
        if (r != EMUL_RSP) {
            gpr_write(e, r, i->opsize, v[r]);
        }
    }
    stk_set(e, sp);
    return EMUL_OK;
}

/* In vm86 mode the flags belong to the monitor unless IOPL is 3. */
static bool flags_are_trapped(const struct emul *e)
{
    return e->is_vm86 && iopl_of(e) < 3;
}

int exec_pushf(struct emul *e, const struct emul_insn *i)
{
    if (flags_are_trapped(e)) {
        return raise_gp0(e);
    }
    return push_value(e, i->opsize, e->cpu.rflags & ~(uint64_t)(FL_RF | FL_VM));
}

int exec_popf(struct emul *e, const struct emul_insn *i)
{
    uint64_t sp = stk_get(e);
    uint64_t v;

    if (flags_are_trapped(e)) {
        return raise_gp0(e);
    }
    int rc = stk_pop(e, &sp, i->opsize, &v);
    if (rc) {
        return rc;
    }
    stk_set(e, sp);
    /* RF is cleared, not popped. */
    rflags_write(e, v & ~(uint64_t)FL_RF, rflags_writable(e, i->opsize));
    return EMUL_OK;
}

static int frame_copy(struct emul *e, const struct emul_insn *i, uint64_t *sp,
                      unsigned level)
{
    uint64_t bp = e->cpu.reg[EMUL_RBP];

    for (unsigned n = 1; n < level; n++) {
        uint64_t v;
        bp = (bp - i->opsize) & e->stack_mask;
        int rc = mem_read(e, EMUL_SS, bp, i->opsize, &v);
        if (rc == EMUL_OK) {
            rc = stk_push(e, sp, i->opsize, v);
        }
        if (rc) {
            return rc;
        }
    }
    return EMUL_OK;
}

/*
 * The last word of the new frame is probed with a write, as the processor
 * does, so that a stack too small faults here.
 */
int exec_enter(struct emul *e, const struct emul_insn *i)
{
    unsigned level = i->imm2 & 31;
    uint64_t sp = stk_get(e);
    int rc = stk_push(e, &sp, i->opsize, e->cpu.reg[EMUL_RBP]);
    uint64_t frame = (e->cpu.reg[EMUL_RSP] & ~e->stack_mask) | sp;

    if (rc == EMUL_OK && level) {
        rc = frame_copy(e, i, &sp, level);
        if (rc == EMUL_OK) {
            rc = stk_push(e, &sp, i->opsize, frame);
        }
    }
    if (rc) {
        return rc;
    }
    sp = (sp - i->imm) & e->stack_mask;
    uint64_t lin;
    rc = linear_of(e, EMUL_SS, sp, i->opsize, EMUL_ACCESS_WRITE, &lin);
    if (rc == EMUL_OK && e->ops->probe) {
        rc = e->ops->probe(e, lin, i->opsize, e->access | EMUL_ACCESS_WRITE);
    }
    if (rc) {
        return rc;
    }
    gpr_write(e, EMUL_RBP, i->opsize, frame);
    stk_set(e, sp);
    return EMUL_OK;
}

int exec_leave(struct emul *e, const struct emul_insn *i)
{
    uint64_t sp = e->cpu.reg[EMUL_RBP] & e->stack_mask;
    uint64_t v;
    int rc = stk_pop(e, &sp, i->opsize, &v);

    if (rc) {
        return rc;
    }
    stk_set(e, sp);
    gpr_write(e, EMUL_RBP, i->opsize, v);
    return EMUL_OK;
}
