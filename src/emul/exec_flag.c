/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that act on single flags, or on the low flag byte through AH.
 * Threat surface: none; CLI and STI check the privilege level.
 */
#include "exec.h"

#define AH_AT 1u
#define FL_AHMASK (FL_SF | FL_ZF | FL_AF | FL_PF | FL_CF)

int exec_lahf(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    reg_write(e, AH_AT, 1, (e->cpu.rflags & FL_AHMASK) | FL_FIXED);
    return EMUL_OK;
}

int exec_sahf(struct emul *e, const struct emul_insn *i)
{
    uint64_t ah = reg_read(e, AH_AT, 1);

    (void)i;
    e->cpu.rflags = (e->cpu.rflags & ~(uint64_t)FL_AHMASK) | (ah & FL_AHMASK);
    return EMUL_OK;
}

static int flag_set(struct emul *e, uint64_t flag)
{
    e->cpu.rflags |= flag;
    return EMUL_OK;
}

static int flag_clear(struct emul *e, uint64_t flag)
{
    e->cpu.rflags &= ~flag;
    return EMUL_OK;
}

int exec_clc(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    return flag_clear(e, FL_CF);
}

int exec_stc(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    return flag_set(e, FL_CF);
}

int exec_cmc(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    e->cpu.rflags ^= FL_CF;
    return EMUL_OK;
}

int exec_cld(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    return flag_clear(e, FL_DF);
}

int exec_std(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    return flag_set(e, FL_DF);
}

int exec_cli(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    return e->cpu.cpl > iopl_of(e) ? raise_gp0(e) : flag_clear(e, FL_IF);
}

/* Interrupts stay off for one more instruction if they were off. */
int exec_sti(struct emul *e, const struct emul_insn *i)
{
    (void)i;
    if (e->cpu.cpl > iopl_of(e)) {
        return raise_gp0(e);
    }
    if (!(e->cpu.rflags & FL_IF)) {
        e->cpu.shadow |= EMUL_SHADOW_STI;
    }
    return flag_set(e, FL_IF);
}
