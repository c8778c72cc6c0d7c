/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operand steps of the decoder: ModRM, SIB, displacement, immediates, and
 * the places of registers in the register file.
 * Threat surface: untrusted bytes, read only through the cursor.
 * Ref: AMD APM Vol 3, 1.4 "ModRM and SIB Bytes".
 */
#include "decode.h"

static uint64_t sign_extend(uint64_t v, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (uint64_t)((int64_t)(v << shift) >> shift);
}

/* 16-bit addressing: BX+SI, BX+DI, BP+SI, BP+DI, SI, DI, BP, BX. */
static int take_mem16(struct decoder *d, uint8_t mod, uint8_t rm)
{
    static const uint8_t base[8] = {3, 3, 5, 5, 6, 7, 5, 3};
    static const uint8_t index[4] = {6, 7, 6, 7};
    struct emul_insn *i = d->insn;
    unsigned size = mod; /* mod 1 and 2: one and two bytes */
    uint64_t disp;

    i->base = base[rm];
    i->index = rm < 4 ? index[rm] : EMUL_REG_ZERO;
    if (mod == 0 && rm == 6) {
        i->base = EMUL_REG_ZERO;
        size = 2;
    }
    if (i->base == EMUL_RBP && !(i->prefix & EMUL_P_SEG)) {
        i->seg = EMUL_SS;
    }
    int rc = take(d, size, &disp);
    if (rc == 0 && size) {
        i->disp = (int32_t)sign_extend(disp, size);
    }
    return rc;
}

static int take_sib(struct decoder *d, uint8_t mod, unsigned *dispsize)
{
    struct emul_insn *i = d->insn;
    uint8_t sib;
    int rc = take_byte(d, &sib);

    if (rc) {
        return rc;
    }
    i->scale = sib >> 6;
    i->index = (uint8_t)(((sib >> 3) & 7) | (d->rex & REX_X ? 8 : 0));
    if (i->index == EMUL_RSP) {
        i->index = EMUL_REG_ZERO;
    }
    i->base = (sib & 7) | (d->rex & REX_B ? 8 : 0);
    if ((sib & 7) == 5 && mod == 0) {
        i->base = EMUL_REG_ZERO;
        *dispsize = 4;
    }
    return 0;
}

static int take_mem32(struct decoder *d, uint8_t mod, uint8_t rm)
{
    struct emul_insn *i = d->insn;
    unsigned size = mod == 2 ? 4 : mod;
    uint64_t disp;
    int rc = 0;

    i->base = rm | (d->rex & REX_B ? 8 : 0);
    if (rm == 4) {
        rc = take_sib(d, mod, &size);
    } else if (rm == 5 && mod == 0) {
        i->base = is_long(d) ? EMUL_REG_NEXT : EMUL_REG_ZERO;
        size = 4;
    }
    if (rc) {
        return rc;
    }
    if ((i->base == EMUL_RSP || i->base == EMUL_RBP) &&
        !(i->prefix & EMUL_P_SEG)) {
        i->seg = EMUL_SS;
    }
    rc = take(d, size, &disp);
    if (rc == 0 && size) {
        i->disp = (int32_t)sign_extend(disp, size);
    }
    return rc;
}

int emul_decode_modrm(struct decoder *d)
{
    struct emul_insn *i = d->insn;
    int rc = take_byte(d, &i->modrm);

    if (rc) {
        return rc;
    }
    uint8_t mod = i->modrm >> 6;
    uint8_t rm = i->modrm & 7;
    i->flags |= EMUL_F_MODRM;
    i->reg = (uint8_t)(((i->modrm >> 3) & 7) | (d->rex & REX_R ? 8 : 0));
    if (mod == 3 || (d->attr & A_RO)) {
        i->rm = rm | (d->rex & REX_B ? 8 : 0);
        return 0;
    }
    i->flags |= EMUL_F_MEM;
    return i->adsize == 2 ? take_mem16(d, mod, rm) : take_mem32(d, mod, rm);
}

struct imm_shape {
    uint8_t size;   /* bytes, or one of the codes below */
    uint8_t second; /* bytes of the second immediate */
    bool is_signed;
    bool relative;
};

enum { SIZE_Z = 16, SIZE_V, SIZE_O };

static const struct imm_shape imm_shapes[16] = {
    [IMM_B] = {1, 0, true, false},         [IMM_U] = {1, 0, false, false},
    [IMM_W] = {2, 0, false, false},        [IMM_Z] = {SIZE_Z, 0, true, false},
    [IMM_V] = {SIZE_V, 0, false, false},   [IMM_JB] = {1, 0, true, true},
    [IMM_JZ] = {SIZE_Z, 0, true, true},    [IMM_O] = {SIZE_O, 0, false, false},
    [IMM_FAR] = {SIZE_Z, 2, false, false}, [IMM_WB] = {2, 1, false, false},
    [IMM_BB] = {1, 1, false, false},       [IMM_D] = {4, 0, false, false},
};

int emul_decode_imm(struct decoder *d)
{
    struct emul_insn *i = d->insn;
    const struct imm_shape *shape = &imm_shapes[d->attr & A_IMM];
    unsigned size = shape->size;
    uint64_t second = 0;

    if (size == SIZE_O) {
        size = i->adsize;
    } else if (size == SIZE_V) {
        size = i->opsize;
    } else if (size == SIZE_Z) {
        size = i->opsize == 2 ? 2 : 4;
    }
    int rc = take(d, size, &i->imm);
    if (rc == 0) {
        rc = take(d, shape->second, &second);
    }
    if (rc) {
        return rc;
    }
    if (shape->is_signed && size) {
        i->imm = sign_extend(i->imm, size);
    }
    i->imm2 = (uint16_t)second;
    i->immsize = (uint8_t)(size + shape->second);
    i->flags |= shape->relative ? EMUL_F_REL : 0;
    return 0;
}

/* Offset of register `reg` in the register file, as an operand of `size`. */
static uint8_t reg_offset(struct emul_insn *i, uint8_t reg, unsigned size)
{
    if (size == 1 && reg >= 4 && reg < 8 && !(i->prefix & EMUL_P_REX)) {
        i->flags |= EMUL_F_HIGHREG;
        return (uint8_t)((reg - 4) * 8 + 1);
    }
    return (uint8_t)(reg * 8);
}

void emul_decode_registers(struct decoder *d)
{
    struct emul_insn *i = d->insn;
    bool wide_dest = d->id == EMUL_I_MOVZX8 || d->id == EMUL_I_MOVSX8;

    if (d->attr & A_OPR) {
        i->rm = (i->opcode & 7) | (d->rex & REX_B ? 8 : 0);
    }
    i->reg_at = reg_offset(i, i->reg, i->opsize);
    i->rm_at = reg_offset(i, i->rm, wide_dest ? 1 : i->opsize);
    if (d->attr & A_CL) {
        i->flags |= EMUL_F_CL;
    } else if (d->attr & A_ONE) {
        i->imm = 1;
    }
    if (d->rex & REX_W) {
        i->prefix |= EMUL_P_REXW;
    }
}
