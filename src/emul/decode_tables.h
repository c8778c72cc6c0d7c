/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shape of the opcode tables: two bytes of attributes and an identity per
 * opcode. Everything the decoder knows of an opcode is in these constants.
 */
#pragma once

#include "ravelin/emul_insn.h"

/* Immediate kinds, low four bits. */
enum {
    IMM_NONE,
    IMM_B,   /* 8 bits, sign-extended */
    IMM_U,   /* 8 bits, zero-extended */
    IMM_W,   /* 16 bits */
    IMM_Z,   /* 16 or 32 bits, sign-extended */
    IMM_V,   /* 16, 32 or 64 bits */
    IMM_JB,  /* 8-bit branch displacement */
    IMM_JZ,  /* 16- or 32-bit branch displacement */
    IMM_O,   /* offset as wide as the address size */
    IMM_FAR, /* offset as wide as the operand, then a selector */
    IMM_WB,  /* 16 bits, then 8 bits */
    IMM_BB,  /* twice 8 bits */
    IMM_D,   /* 32 bits whatever the operand size */
};

#define A_IMM 0x000fu
#define A_M 0x0010u   /* ModRM follows */
#define A_B 0x0020u   /* byte operand */
#define A_D64 0x0040u /* 64-bit mode: operand size defaults to 8 */
#define A_F64 0x0080u /* 64-bit mode: operand size is always 8 */
#define A_BR 0x0100u  /* near branch: as A_F64, but see EMUL_MODE_64_AMD */
#define A_X64 0x0200u /* undefined in 64-bit mode */
#define A_LK 0x0400u  /* LOCK allowed with a memory destination */
#define A_OPR 0x0800u /* register number in the low opcode bits */
#define A_G 0x1000u   /* id is an index into emul_groups */
#define A_CL 0x2000u  /* count in CL */
#define A_ONE 0x4000u /* count is 1 */
#define A_RO 0x8000u  /* r/m is a register whatever ModRM.mod says */

struct opcode_desc {
    uint16_t id;
    uint16_t attr;
};

/* Members 0-7: r/m is memory; 8-15: r/m is a register. */
struct opcode_group {
    struct opcode_desc member[16];
};

enum {
    GRP_1,
    GRP_1A,
    GRP_2,
    GRP_3B,
    GRP_3,
    GRP_4,
    GRP_5,
    GRP_6,
    GRP_7,
    GRP_8,
    GRP_9,
    GRP_11,
    GRP_15,
    GRP_COUNT
};

extern const struct opcode_desc emul_map_one[256];
extern const struct opcode_desc emul_map_0f[256];
extern const struct opcode_group emul_groups[GRP_COUNT];
extern const uint8_t emul_group7_reg[64]; /* 0F 01 C0..FF */
