/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decimal adjustment, all on AL and AH.
 * Threat surface: none beyond the divisor of AAM.
 * Ref: AMD APM Vol 3, "AAA" to "AAS", "DAA", "DAS".
 */
#include "exec.h"

static void al_write(struct emul *e, uint64_t al, uint64_t flags)
{
    gpr_write(e, EMUL_RAX, 1, al);
    e->cpu.rflags &= ~(uint64_t)FL_ARITH;
    e->cpu.rflags |= flags | flags_szp(al & 0xff, 1);
}

/* OF is undefined: clear. */
int exec_daa(struct emul *e, const struct emul_insn *i)
{
    uint64_t old = gpr_read(e, EMUL_RAX, 1);
    uint64_t f = e->cpu.rflags;
    uint64_t al = old, out = 0;

    (void)i;
    if ((old & 0xf) > 9 || (f & FL_AF)) {
        al += 6;
        out |= FL_AF;
    }
    if (old > 0x99 || (f & FL_CF)) {
        al += 0x60;
        out |= FL_CF;
    }
    al_write(e, al & 0xff, out);
    return EMUL_OK;
}

int exec_das(struct emul *e, const struct emul_insn *i)
{
    uint64_t old = gpr_read(e, EMUL_RAX, 1);
    uint64_t f = e->cpu.rflags;
    uint64_t al = old, out = 0;

    (void)i;
    if ((old & 0xf) > 9 || (f & FL_AF)) {
        out |= FL_AF | (old < 6 ? FL_CF : 0);
        al -= 6;
    }
    if (old > 0x99 || (f & FL_CF)) {
        al -= 0x60;
        out |= FL_CF;
    }
    al_write(e, al & 0xff, out);
    return EMUL_OK;
}

/* AAA and AAS: the correction is applied to AX as a whole. */
static void ascii_adjust(struct emul *e, uint64_t correction)
{
    uint64_t ax = gpr_read(e, EMUL_RAX, 2);
    uint64_t out = 0;

    if ((ax & 0xf) > 9 || (e->cpu.rflags & FL_AF)) {
        ax += correction;
        out = FL_AF | FL_CF;
    }
    ax &= 0xff0f;
    gpr_write(e, EMUL_RAX, 2, ax);
    e->cpu.rflags &= ~(uint64_t)FL_ARITH;
    e->cpu.rflags |= out | flags_szp(ax & 0xff, 1);
}

int exec_aaa(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    ascii_adjust(e, 0x106);
    return EMUL_OK;
}

int exec_aas(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    ascii_adjust(e, (uint64_t)-0x106);
    return EMUL_OK;
}

int exec_aam(struct emul *e, const struct emul_insn *i)
{
    uint64_t al = gpr_read(e, EMUL_RAX, 1);

    if (i->imm == 0) {
        return emul_raise(e, VEC_DE, 0);
    }
    gpr_write(e, EMUL_RAX, 2, ((al / i->imm) << 8) | (al % i->imm));
    al_write(e, al % i->imm, 0);
    return EMUL_OK;
}

int exec_aad(struct emul *e, const struct emul_insn *i)
{
    uint64_t ax = gpr_read(e, EMUL_RAX, 2);
    uint64_t al = ((ax & 0xff) + (ax >> 8) * i->imm) & 0xff;

    gpr_write(e, EMUL_RAX, 2, al);
    al_write(e, al, 0);
    return EMUL_OK;
}

int exec_salc(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    gpr_write(e, EMUL_RAX, 1, e->cpu.rflags & FL_CF ? 0xff : 0);
    return EMUL_OK;
}
