/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoded x86 instructions. The decoder turns at most 15 untrusted bytes into
 * this structure: exact length for the whole opcode map, operands resolved,
 * and an identity for everything a hypervisor intercepts or emulates.
 * Threat surface: the bytes are the guest's; the decoder reads nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EMUL_INSN_MAX 15u

/** Code segment width; the AMD variant differs in 66h-prefixed branches. */
enum emul_mode {
    EMUL_MODE_16 = 0,
    EMUL_MODE_32 = 1,
    EMUL_MODE_64 = 2,     /* near branches ignore 66h (Intel) */
    EMUL_MODE_64_AMD = 3, /* near branches with 66h are 16 bits wide */
};

/** Results of emul_decode() other than 0; values are Xen's errno numbers. */
enum emul_decode_error {
    EMUL_DECODE_MORE = -11,    /* -EAGAIN: ends inside the instruction */
    EMUL_DECODE_LONG = -7,     /* -E2BIG: more than 15 bytes, #GP(0) */
    EMUL_DECODE_INVALID = -22, /* -EINVAL: undefined encoding, #UD */
};

enum emul_id {
#define EMUL_ID(name, handler) EMUL_I_##name,
#include "ravelin/emul_ids.def"
#undef EMUL_ID
    EMUL_ID_COUNT
};

enum emul_map {
    EMUL_MAP_ONE,  /* one-byte opcodes */
    EMUL_MAP_0F,   /* 0F xx */
    EMUL_MAP_0F38, /* 0F 38 xx */
    EMUL_MAP_0F3A, /* 0F 3A xx */
    EMUL_MAP_3DNOW,
    EMUL_MAP_VEX,  /* C4, C5; the map number is in `vmap` */
    EMUL_MAP_EVEX, /* 62 */
    EMUL_MAP_XOP,  /* 8F */
};

/** Segment registers in encoding order. */
enum emul_sreg {
    EMUL_ES,
    EMUL_CS,
    EMUL_SS,
    EMUL_DS,
    EMUL_FS,
    EMUL_GS,
    EMUL_SREG_COUNT
};

/** Indices into emul_cpu.reg: the 16 GPRs in encoding order and two more. */
enum emul_reg {
    EMUL_RAX,
    EMUL_RCX,
    EMUL_RDX,
    EMUL_RBX,
    EMUL_RSP,
    EMUL_RBP,
    EMUL_RSI,
    EMUL_RDI,
    EMUL_REG_NEXT = 16, /* address of the following instruction */
    EMUL_REG_ZERO = 17, /* always 0: an absent base or index */
    EMUL_REG_COUNT = 18
};

/* emul_insn.prefix */
#define EMUL_P_LOCK 0x01u
#define EMUL_P_REPNE 0x02u /* F2 */
#define EMUL_P_REP 0x04u   /* F3 */
#define EMUL_P_66 0x08u
#define EMUL_P_67 0x10u
#define EMUL_P_SEG 0x20u /* a segment override is in effect */
#define EMUL_P_REX 0x40u
#define EMUL_P_REXW 0x80u

/* emul_insn.flags */
#define EMUL_F_MODRM 0x01u   /* modrm is valid */
#define EMUL_F_MEM 0x02u     /* the r/m operand is memory */
#define EMUL_F_CL 0x04u      /* shift count is CL, not imm */
#define EMUL_F_REL 0x08u     /* imm is relative to the next instruction */
#define EMUL_F_HIGHREG 0x10u /* an 8-bit operand is AH, CH, DH or BH */

/**
 * One decoded instruction. `reg_at` and `rm_at` are byte offsets into the
 * register file (8 * number, + 1 for AH..BH), which makes one load right for
 * every operand size. Without EMUL_F_MODRM, `rm_at` names the register coded
 * in the opcode, or the accumulator.
 */
struct emul_insn {
    uint64_t imm;   /* immediate, sign-extended; moffs; far offset */
    int32_t disp;   /* displacement of the memory operand */
    uint16_t imm2;  /* far selector; ENTER level; second imm8 of EXTRQ */
    uint16_t id;    /* enum emul_id */
    uint8_t len;    /* total bytes, 1..15 */
    uint8_t opsize; /* effective operand size in bytes: 1, 2, 4, 8 */
    uint8_t adsize; /* effective address size in bytes: 2, 4, 8 */
    uint8_t map;    /* enum emul_map */
    uint8_t vmap;   /* map field of VEX, EVEX, XOP */
    uint8_t opcode; /* last opcode byte */
    uint8_t modrm;
    uint8_t prefix; /* EMUL_P_* */
    uint8_t flags;  /* EMUL_F_* */
    uint8_t seg;    /* segment of the memory operand, enum emul_sreg */
    uint8_t base;   /* enum emul_reg */
    uint8_t index;  /* enum emul_reg */
    uint8_t scale;  /* shift of the index, 0..3 */
    uint8_t reg;    /* ModRM.reg with REX.R */
    uint8_t rm;     /* register number of r/m, if not memory */
    uint8_t reg_at;
    uint8_t rm_at;
    uint8_t immsize; /* bytes of all immediates */
};

/**
 * Decodes one instruction.
 *
 * The length is exact for every defined instruction. Undefined opcodes of the
 * integer and system set are refused; in the vector maps (VEX, EVEX, XOP and
 * legacy SSE) only the encoding rules are checked, not each opcode.
 *
 * @param out     filled on success; contents unspecified on failure.
 * @param bytes   instruction bytes; may be fewer or more than needed.
 * @param nbytes  readable bytes; bytes after the 15th are never looked at.
 * @param mode    code segment width.
 * @return 0, or enum emul_decode_error: EMUL_DECODE_MORE only when all of
 *         bytes[0..nbytes-1] belong to the instruction and it goes on.
 * Ref: AMD APM Vol 3, 1.1 "Instruction Encoding Overview", appendix A
 *      "Opcode and Operand Encodings"; Intel SDM Vol 2, chapter 2
 *      "Instruction Format".
 */
int emul_decode(struct emul_insn *out, const uint8_t *bytes, unsigned nbytes,
                enum emul_mode mode);

/** Upper-case name of an identity, "?" if out of range. Never NULL. */
const char *emul_id_name(unsigned id);

/** True if the identity may be emulated by emul_step(). */
bool emul_id_is_emulated(unsigned id);
