/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data movement without arithmetic: MOV in all general forms, extension,
 * exchange, conditional moves, address computation.
 * Threat surface: memory operands only, through the checked accessors.
 */
#include "exec.h"

int exec_mov_rm_r(struct emul *e, const struct emul_insn *i)
{
    uint64_t v = reg_read(e, i->reg_at, i->opsize);

    if (i->flags & EMUL_F_MEM) {
        return mem_write_inline(e, i->seg, ea_of(e, i), i->opsize, v);
    }
    reg_write(e, i->rm_at, i->opsize, v);
    return EMUL_OK;
}

int exec_mov_r_rm(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;

    if (i->flags & EMUL_F_MEM) {
        int rc = mem_read_inline(e, i->seg, ea_of(e, i), i->opsize, &v);
        if (rc) {
            return rc;
        }
    } else {
        v = reg_read(e, i->rm_at, i->opsize);
    }
    reg_write(e, i->reg_at, i->opsize, v);
    return EMUL_OK;
}

int exec_mov_rm_i(struct emul *e, const struct emul_insn *i)
{
    return rm_write(e, i, i->opsize, i->imm);
}

int exec_mov_acc_moffs(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;
    int rc = mem_read(e, i->seg, i->imm, i->opsize, &v);

    if (rc == EMUL_OK) {
        gpr_write(e, EMUL_RAX, i->opsize, v);
    }
    return rc;
}

int exec_mov_moffs_acc(struct emul *e, const struct emul_insn *i)
{
    return mem_write(e, i->seg, i->imm, i->opsize, e->cpu.reg[EMUL_RAX]);
}

/* Never 16 bits wide, and the mandatory-prefix slots are empty. */
int exec_movnti(struct emul *e, const struct emul_insn *i)
{
    unsigned size = i->opsize == 8 ? 8 : 4;

    if (!(i->flags & EMUL_F_MEM) ||
        (i->prefix & (EMUL_P_66 | EMUL_P_REP | EMUL_P_REPNE))) {
        return raise_ud(e);
    }
    return rm_write(e, i, size, reg_read(e, i->reg_at, size));
}

static int extend(struct emul *e, const struct emul_insn *i, unsigned from,
                  bool is_signed)
{
    uint64_t v;
    int rc = rm_read(e, i, from, &v);

    if (rc == EMUL_OK) {
        reg_write(e, i->reg_at, i->opsize, is_signed ? sext(v, from) : v);
    }
    return rc;
}

int exec_movzx8(struct emul *e, const struct emul_insn *i)
{
    return extend(e, i, 1, false);
}

int exec_movzx16(struct emul *e, const struct emul_insn *i)
{
    return extend(e, i, 2, false);
}

int exec_movsx8(struct emul *e, const struct emul_insn *i)
{
    return extend(e, i, 1, true);
}

int exec_movsx16(struct emul *e, const struct emul_insn *i)
{
    return extend(e, i, 2, true);
}

/* Without REX.W this is a plain 16- or 32-bit move. */
int exec_movsxd(struct emul *e, const struct emul_insn *i)
{
    return extend(e, i, i->opsize == 2 ? 2 : 4, true);
}

static uint64_t byte_swap(uint64_t v, unsigned size)
{
    return __builtin_bswap64(v) >> (64 - 8 * size);
}

int exec_movbe_load(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;

    if (!(i->flags & EMUL_F_MEM)) {
        return raise_ud(e);
    }
    int rc = rm_read(e, i, i->opsize, &v);
    if (rc == EMUL_OK) {
        reg_write(e, i->reg_at, i->opsize, byte_swap(v, i->opsize));
    }
    return rc;
}

int exec_movbe_store(struct emul *e, const struct emul_insn *i)
{
    uint64_t v = reg_read(e, i->reg_at, i->opsize);

    if (!(i->flags & EMUL_F_MEM)) {
        return raise_ud(e);
    }
    return rm_write(e, i, i->opsize, byte_swap(v, i->opsize));
}

/* A 16-bit BSWAP is undefined; processors clear the register half. */
int exec_bswap(struct emul *e, const struct emul_insn *i)
{
    uint64_t v = reg_read(e, i->rm_at, i->opsize);

    reg_write(e, i->rm_at, i->opsize,
              i->opsize == 2 ? 0 : byte_swap(v, i->opsize));
    return EMUL_OK;
}

int exec_lea(struct emul *e, const struct emul_insn *i)
{
    if (!(i->flags & EMUL_F_MEM)) {
        return raise_ud(e);
    }
    reg_write(e, i->reg_at, i->opsize, ea_of(e, i));
    return EMUL_OK;
}

/* With a memory operand XCHG is locked whether LOCK is given or not. */
int exec_xchg(struct emul *e, const struct emul_insn *i)
{
    struct emul_insn locked = *i;
    struct rmw m;

    locked.prefix |= EMUL_P_LOCK;
    int rc = rmw_begin(e, &locked, i->opsize, &m);
    if (rc) {
        return rc;
    }
    uint64_t v = reg_read(e, i->reg_at, i->opsize);
    rc = rmw_end(e, &locked, i->opsize, &m, v);
    if (rc == EMUL_OK) {
        reg_write(e, i->reg_at, i->opsize, m.old);
    }
    return rc;
}

/* The source is read, and a 32-bit destination cleared above, regardless. */
int exec_cmov(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;
    int rc = rm_read(e, i, i->opsize, &v);

    if (rc) {
        return rc;
    }
    if (!cond_is_true(e->cpu.rflags, i->opcode)) {
        v = reg_read(e, i->reg_at, i->opsize);
    }
    reg_write(e, i->reg_at, i->opsize, v);
    return EMUL_OK;
}

int exec_setcc(struct emul *e, const struct emul_insn *i)
{
    return rm_write(e, i, 1, cond_is_true(e->cpu.rflags, i->opcode));
}

int exec_xlat(struct emul *e, const struct emul_insn *i)
{
    uint64_t off = e->cpu.reg[EMUL_RBX] + gpr_read(e, EMUL_RAX, 1);
    uint64_t v;
    int rc = mem_read(e, i->seg, off & size_mask(i->adsize), 1, &v);

    if (rc == EMUL_OK) {
        gpr_write(e, EMUL_RAX, 1, v);
    }
    return rc;
}

int exec_cbw(struct emul *e, const struct emul_insn *i)
{
    unsigned half = i->opsize / 2;

    gpr_write(e, EMUL_RAX, i->opsize, sext(gpr_read(e, EMUL_RAX, half), half));
    return EMUL_OK;
}

int exec_cwd(struct emul *e, const struct emul_insn *i)
{
    uint64_t a = gpr_read(e, EMUL_RAX, i->opsize);

    gpr_write(e, EMUL_RDX, i->opsize, msb_of(a, i->opsize) ? ~0ULL : 0);
    return EMUL_OK;
}

int exec_prefetch(struct emul *e, const struct emul_insn *i)
{
    return i->flags & EMUL_F_MEM ? EMUL_OK : raise_ud(e);
}

int exec_nop(struct emul *e, const struct emul_insn *i)
{
    (void)e;
    (void)i;
    return EMUL_OK;
}
