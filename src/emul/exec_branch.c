/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Near control transfers. A call checks its stack, then its target, and only
 * then writes, as the processor does.
 * Threat surface: guest-chosen targets; branch_to() holds the limit check.
 */
#include "exec.h"

static int branch_rel(struct emul *e, const struct emul_insn *i)
{
    return branch_to(e, e->cpu.reg[EMUL_REG_NEXT] + i->imm, i->opsize);
}

int exec_jcc(struct emul *e, const struct emul_insn *i)
{
    return cond_is_true(e->cpu.rflags, i->opcode) ? branch_rel(e, i) : EMUL_OK;
}

int exec_jmp_rel(struct emul *e, const struct emul_insn *i)
{
    return branch_rel(e, i);
}

int exec_jmp_rm(struct emul *e, const struct emul_insn *i)
{
    uint64_t target;
    int rc = rm_read(e, i, i->opsize, &target);

    return rc ? rc : branch_to(e, target, i->opsize);
}

/* A bad target is reported only if the stack could have been written. */
static int call_target(struct emul *e, const struct emul_insn *i,
                       uint64_t target, uint64_t stack)
{
    int rc = branch_to(e, target, i->opsize);

    if (rc && e->ops->probe) {
        struct emul_event event = e->event;
        int first =
            e->ops->probe(e, stack, i->opsize, e->access | EMUL_ACCESS_WRITE);
        if (first) {
            return first;
        }
        e->event = event;
    }
    return rc;
}

static int call_to(struct emul *e, const struct emul_insn *i, uint64_t target)
{
    uint64_t back = e->cpu.reg[EMUL_REG_NEXT];
    uint64_t sp = stk_get(e);
    uint64_t at = (sp - i->opsize) & e->stack_mask;
    uint64_t lin;
    int rc = linear_of(e, EMUL_SS, at, i->opsize, EMUL_ACCESS_WRITE, &lin);

    if (rc == EMUL_OK) {
        rc = call_target(e, i, target, lin);
    }
    if (rc == EMUL_OK) {
        rc = e->ops->write(e, lin, i->opsize, e->access | EMUL_ACCESS_WRITE,
                           back & size_mask(i->opsize));
    }
    if (rc == EMUL_OK) {
        stk_set(e, at);
    }
    return rc;
}

int exec_call_rel(struct emul *e, const struct emul_insn *i)
{
    return call_to(e, i, e->cpu.reg[EMUL_REG_NEXT] + i->imm);
}

int exec_call_rm(struct emul *e, const struct emul_insn *i)
{
    uint64_t target;
    int rc = rm_read(e, i, i->opsize, &target);

    return rc ? rc : call_to(e, i, target);
}

int exec_ret(struct emul *e, const struct emul_insn *i)
{
    uint64_t sp = stk_get(e);
    uint64_t target;
    int rc = stk_pop(e, &sp, i->opsize, &target);

    if (rc == EMUL_OK) {
        rc = branch_to(e, target, i->opsize);
    }
    if (rc == EMUL_OK) {
        stk_set(e, sp + i->imm);
    }
    return rc;
}

/* The counter is as wide as an address; it changes even if not taken. */
static int loop_if(struct emul *e, const struct emul_insn *i, bool cond)
{
    uint64_t count = (e->cpu.reg[EMUL_RCX] - 1) & size_mask(i->adsize);

    if (count && cond) {
        int rc = branch_rel(e, i);
        if (rc) {
            return rc;
        }
    }
    gpr_write(e, EMUL_RCX, i->adsize, count);
    return EMUL_OK;
}

int exec_loop(struct emul *e, const struct emul_insn *i)
{
    return loop_if(e, i, true);
}

/*
 * On AMD a repeat prefix, meaningless here, overrides the condition in the
 * opcode.
 */
static int loop_while(struct emul *e, const struct emul_insn *i, bool zf)
{
    if (!is_intel(e) && (i->prefix & (EMUL_P_REP | EMUL_P_REPNE))) {
        zf = i->prefix & EMUL_P_REP;
    }
    return loop_if(e, i, !(e->cpu.rflags & FL_ZF) != zf);
}

int exec_loope(struct emul *e, const struct emul_insn *i)
{
    return loop_while(e, i, true);
}

int exec_loopne(struct emul *e, const struct emul_insn *i)
{
    return loop_while(e, i, false);
}

int exec_jcxz(struct emul *e, const struct emul_insn *i)
{
    return gpr_read(e, EMUL_RCX, i->adsize) ? EMUL_OK : branch_rel(e, i);
}

/* Signed index against a pair of signed bounds in memory. */
int exec_bound(struct emul *e, const struct emul_insn *i)
{
    uint64_t off = ea_of(e, i);
    unsigned size = i->opsize;
    uint64_t lower, upper;

    if (!(i->flags & EMUL_F_MEM)) {
        return raise_ud(e);
    }
    int rc = mem_read(e, i->seg, off, size, &lower);
    if (rc == EMUL_OK) {
        off = (off + size) & size_mask(i->adsize);
        rc = mem_read(e, i->seg, off, size, &upper);
    }
    if (rc) {
        return rc;
    }
    int64_t index = (int64_t)sext(reg_read(e, i->reg_at, size), size);
    if (index < (int64_t)sext(lower, size) ||
        index > (int64_t)sext(upper, size)) {
        return emul_raise(e, VEC_BR, 0);
    }
    return EMUL_OK;
}
