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

/* OF is undefined: AMD has that of the 8-bit addition or subtraction. */
static uint64_t adjust_overflow(const struct emul *e, uint64_t f)
{
    return is_intel(e) ? 0 : f & FL_OF;
}

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
    al &= 0xff;
    out |= adjust_overflow(e, flags_add(old, (al - old) & 0xff, al, 1));
    al_write(e, al, out);
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
    al &= 0xff;
    out |= adjust_overflow(e, flags_sub(old, (old - al) & 0xff, al, 1));
    al_write(e, al, out);
    return EMUL_OK;
}

/*
 * AAA and AAS apply their correction to AX as a whole. The undefined flags
 * are those of the 16-bit sum on AMD, of the final AL on Intel.
 */
static void ascii_adjust(struct emul *e, uint64_t correction)
{
    uint64_t old = gpr_read(e, EMUL_RAX, 2);
    uint64_t ax = old, out = 0, other;

    if ((old & 0xf) > 9 || (e->cpu.rflags & FL_AF)) {
        ax = (old + correction) & 0xffff;
        out = FL_AF | FL_CF;
    }
    if (is_intel(e)) {
        other = flags_szp(ax & 0x0f, 1);
    } else {
        other = flags_add(old, (ax - old) & 0xffff, ax, 2);
        other &= ~(uint64_t)(FL_AF | FL_CF);
    }
    gpr_write(e, EMUL_RAX, 2, ax & 0xff0f);
    e->cpu.rflags &= ~(uint64_t)FL_ARITH;
    e->cpu.rflags |= out | other;
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
    uint64_t add = ((ax >> 8) * i->imm) & 0xff;
    uint64_t al = (ax + add) & 0xff;
    uint64_t other = flags_add(ax & 0xff, add, al, 1);

    gpr_write(e, EMUL_RAX, 2, al);
    /* CF, AF and OF are undefined: AMD has those of the addition. */
    al_write(e, al, is_intel(e) ? 0 : other);
    return EMUL_OK;
}

int exec_salc(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    gpr_write(e, EMUL_RAX, 1, e->cpu.rflags & FL_CF ? 0xff : 0);
    return EMUL_OK;
}
