/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way for device registers: plain loads and stores need neither
 * segments nor an address, since the exit already told where the access went.
 * Threat surface: the instruction may have been changed by the guest since it
 * faulted; the caller uses bytes it fetched once.
 */
#include "exec.h"

struct mmio_row {
    uint8_t id;
    bool write;
    bool is_signed;
    uint8_t from; /* memory operand size of a load; 0: the operand size */
};

static const struct mmio_row mmio_rows[] = {
    {EMUL_I_MOV_RM_R, true, false, 0},
    {EMUL_I_MOV_R_RM, false, false, 0},
    {EMUL_I_MOV_RM_I, true, false, 0},
    {EMUL_I_MOV_MOFFS_ACC, true, false, 0},
    {EMUL_I_MOV_ACC_MOFFS, false, false, 0},
    {EMUL_I_MOVZX8, false, false, 1},
    {EMUL_I_MOVZX16, false, false, 2},
    {EMUL_I_MOVSX8, false, true, 1},
    {EMUL_I_MOVSX16, false, true, 2},
};

static const struct mmio_row *row_find(unsigned id)
{
    for (unsigned n = 0; n < ARRAY_SIZE(mmio_rows); n++) {
        if (mmio_rows[n].id == id) {
            return &mmio_rows[n];
        }
    }
    return NULL;
}

static uint64_t file_read(const uint64_t *gpr, unsigned at, unsigned size)
{
    uint64_t v = gpr[at / 8] >> (8 * (at % 8));

    return v & size_mask(size);
}

bool emul_mmio_decode(const struct emul_insn *insn, const uint64_t *gpr,
                      struct emul_mmio *out)
{
    const struct mmio_row *row = row_find(insn->id);
    bool moffs =
        insn->id == EMUL_I_MOV_MOFFS_ACC || insn->id == EMUL_I_MOV_ACC_MOFFS;

    if (!row || !(moffs || (insn->flags & EMUL_F_MEM))) {
        return false;
    }
    out->write = row->write;
    out->size = row->from ? row->from : insn->opsize;
    if (row->write) {
        out->value = insn->id == EMUL_I_MOV_RM_I
                         ? insn->imm & size_mask(insn->opsize)
                         : file_read(gpr, insn->reg_at, insn->opsize);
    }
    return true;
}

void emul_mmio_load(const struct emul_insn *insn, uint64_t *gpr, uint64_t value)
{
    const struct mmio_row *row = row_find(insn->id);
    unsigned size = insn->opsize;
    unsigned at = insn->reg_at;

    if (!row) {
        return;
    }
    unsigned from = row->from ? row->from : size;
    value = row->is_signed ? sext(value, from) : value & size_mask(from);
    uint64_t keep = size == 4 ? 0 : ~(size_mask(size) << (8 * (at % 8)));
    gpr[at / 8] =
        (gpr[at / 8] & keep) | ((value & size_mask(size)) << (8 * (at % 8)));
}
