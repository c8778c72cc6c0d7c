/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The opcode maps as flat constant tables. A row gives the identity, whether
 * ModRM and an immediate follow, and how prefixes act. Rows that need more
 * than that (prefix-dependent identities) are refined in decode.c.
 * Ref: AMD APM Vol 3, appendix A "Opcode and Operand Encodings".
 */
#include "decode_tables.h"

/* One row per 16 opcodes reads better than one entry per line. */
/* clang-format off */
#define O(name, bits) { .id = EMUL_I_##name, .attr = (uint16_t)(bits) }
#define G(group, bits) { .id = GRP_##group, .attr = (uint16_t)(A_G | (bits)) }
#define UNDEF O(INVALID, 0)
#define X4(...) __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__
#define X8(...) X4(__VA_ARGS__), X4(__VA_ARGS__)

/* The six rows every two-operand arithmetic instruction starts with. */
#define ALU(name, lock)                                                       \
    O(name##_RM_R, A_M | A_B | (lock)), O(name##_RM_R, A_M | (lock)),         \
        O(name##_R_RM, A_M | A_B), O(name##_R_RM, A_M),                       \
        O(name##_RM_I, A_B | IMM_B), O(name##_RM_I, IMM_Z)
#define SREG_PUSH_POP O(PUSH_SREG, A_X64), O(POP_SREG, A_X64)

const struct opcode_desc emul_map_one[256] = {
    /* 00 */
    ALU(ADD, A_LK), SREG_PUSH_POP,
    ALU(OR, A_LK), O(PUSH_SREG, A_X64), UNDEF,
    /* 10 */
    ALU(ADC, A_LK), SREG_PUSH_POP,
    ALU(SBB, A_LK), SREG_PUSH_POP,
    /* 20 */
    ALU(AND, A_LK), UNDEF, O(DAA, A_X64),
    ALU(SUB, A_LK), UNDEF, O(DAS, A_X64),
    /* 30 */
    ALU(XOR, A_LK), UNDEF, O(AAA, A_X64),
    ALU(CMP, 0), UNDEF, O(AAS, A_X64),
    /* 40 */
    X8(O(INC, A_OPR)),
    X8(O(DEC, A_OPR)),
    /* 50 */
    X8(O(PUSH_RM, A_OPR | A_D64)),
    X8(O(POP_RM, A_OPR | A_D64)),
    /* 60 */
    O(PUSHA, A_X64), O(POPA, A_X64), O(BOUND, A_M | A_X64), O(ARPL, A_M),
    X4(UNDEF),
    O(PUSH_I, IMM_Z | A_D64), O(IMUL_R_RM_I, A_M | IMM_Z),
    O(PUSH_I, IMM_B | A_D64), O(IMUL_R_RM_I, A_M | IMM_B),
    O(INS, A_B), O(INS, 0), O(OUTS, A_B), O(OUTS, 0),
    /* 70 */
    X8(O(JCC, IMM_JB | A_BR)),
    X8(O(JCC, IMM_JB | A_BR)),
    /* 80 */
    G(1, A_M | A_B | IMM_B), G(1, A_M | IMM_Z),
    G(1, A_M | A_B | IMM_B | A_X64), G(1, A_M | IMM_B),
    O(TEST_RM_R, A_M | A_B), O(TEST_RM_R, A_M),
    O(XCHG, A_M | A_B | A_LK), O(XCHG, A_M | A_LK),
    O(MOV_RM_R, A_M | A_B), O(MOV_RM_R, A_M),
    O(MOV_R_RM, A_M | A_B), O(MOV_R_RM, A_M),
    O(MOV_RM_SREG, A_M), O(LEA, A_M), O(MOV_SREG_RM, A_M), G(1A, A_M | A_D64),
    /* 90 */
    X8(O(XCHG, A_OPR)),
    O(CBW, 0), O(CWD, 0), O(CALL_FAR, IMM_FAR | A_X64), O(WAIT, 0),
    O(PUSHF, A_D64), O(POPF, A_D64), O(SAHF, 0), O(LAHF, 0),
    /* A0 */
    O(MOV_ACC_MOFFS, IMM_O | A_B), O(MOV_ACC_MOFFS, IMM_O),
    O(MOV_MOFFS_ACC, IMM_O | A_B), O(MOV_MOFFS_ACC, IMM_O),
    O(MOVS, A_B), O(MOVS, 0), O(CMPS, A_B), O(CMPS, 0),
    O(TEST_RM_I, IMM_B | A_B), O(TEST_RM_I, IMM_Z),
    O(STOS, A_B), O(STOS, 0), O(LODS, A_B), O(LODS, 0),
    O(SCAS, A_B), O(SCAS, 0),
    /* B0 */
    X8(O(MOV_RM_I, A_OPR | A_B | IMM_B)),
    X8(O(MOV_RM_I, A_OPR | IMM_V)),
    /* C0 */
    G(2, A_M | A_B | IMM_U), G(2, A_M | IMM_U),
    O(RET, IMM_W | A_BR), O(RET, A_BR),
    O(LOAD_FAR_PTR, A_M | A_X64), O(LOAD_FAR_PTR, A_M | A_X64),
    G(11, A_M | A_B | IMM_B), G(11, A_M | IMM_Z),
    O(ENTER, IMM_WB | A_D64), O(LEAVE, A_D64), O(RETF, IMM_W), O(RETF, 0),
    O(INT3, 0), O(INT_N, IMM_U), O(INTO, A_X64), O(IRET, 0),
    /* D0 */
    G(2, A_M | A_B | A_ONE), G(2, A_M | A_ONE),
    G(2, A_M | A_B | A_CL), G(2, A_M | A_CL),
    O(AAM, A_B | IMM_U | A_X64), O(AAD, A_B | IMM_U | A_X64),
    O(SALC, A_B | A_X64), O(XLAT, A_B),
    X8(O(ESC, A_M)),
    /* E0 */
    O(LOOPNE, IMM_JB | A_BR), O(LOOPE, IMM_JB | A_BR),
    O(LOOP, IMM_JB | A_BR), O(JCXZ, IMM_JB | A_BR),
    O(IN_I, A_B | IMM_U), O(IN_I, IMM_U),
    O(OUT_I, A_B | IMM_U), O(OUT_I, IMM_U),
    O(CALL_REL, IMM_JZ | A_BR), O(JMP_REL, IMM_JZ | A_BR),
    O(JMP_FAR, IMM_FAR | A_X64), O(JMP_REL, IMM_JB | A_BR),
    O(IN_DX, A_B), O(IN_DX, 0), O(OUT_DX, A_B), O(OUT_DX, 0),
    /* F0 */
    UNDEF, O(INT1, 0), UNDEF, UNDEF,
    O(HLT, 0), O(CMC, 0), G(3B, A_M | A_B), G(3, A_M),
    O(CLC, 0), O(STC, 0), O(CLI, 0), O(STI, 0),
    O(CLD, 0), O(STD, 0), G(4, A_M | A_B), G(5, A_M),
};

#define SSE O(OTHER, A_M)
#define SSE_IB O(OTHER, A_M | IMM_U)

const struct opcode_desc emul_map_0f[256] = {
    /* 00 */
    G(6, A_M), G(7, A_M), O(LAR, A_M), O(LSL, A_M),
    UNDEF, O(SYSCALL, 0), O(CLTS, 0), O(SYSRET, 0),
    O(INVD, 0), O(WBINVD, 0), UNDEF, O(UD, 0),
    UNDEF, O(PREFETCH, A_M), O(OTHER, 0), SSE_IB,
    /* 10 */
    X8(SSE),
    X8(O(NOP_RM, A_M)),
    /* 20 */
    O(MOV_R_CR, A_M | A_RO | A_F64), O(MOV_R_DR, A_M | A_RO | A_F64),
    O(MOV_CR_R, A_M | A_RO | A_F64), O(MOV_DR_R, A_M | A_RO | A_F64),
    X4(UNDEF),
    X8(SSE),
    /* 30 */
    O(WRMSR, 0), O(RDTSC, 0), O(RDMSR, 0), O(RDPMC, 0),
    O(SYSENTER, 0), O(SYSEXIT, 0), UNDEF, O(OTHER, 0),
    X8(UNDEF),
    /* 40 */
    X8(O(CMOV, A_M)),
    X8(O(CMOV, A_M)),
    /* 50 */
    X8(SSE),
    X8(SSE),
    /* 60 */
    X8(SSE),
    X8(SSE),
    /* 70 */
    SSE_IB, SSE_IB, SSE_IB, SSE_IB, SSE, SSE, SSE, O(OTHER, 0),
    O(VMX, A_M), O(VMX, A_M), UNDEF, UNDEF, X4(SSE),
    /* 80 */
    X8(O(JCC, IMM_JZ | A_BR)),
    X8(O(JCC, IMM_JZ | A_BR)),
    /* 90 */
    X8(O(SETCC, A_M | A_B)),
    X8(O(SETCC, A_M | A_B)),
    /* A0 */
    O(PUSH_SREG, A_D64), O(POP_SREG, A_D64), O(CPUID, 0), O(BT_R, A_M),
    O(SHLD, A_M | IMM_U), O(SHLD, A_M | A_CL), SSE, SSE,
    O(PUSH_SREG, A_D64), O(POP_SREG, A_D64), O(RSM, 0), O(BTS_R, A_M | A_LK),
    O(SHRD, A_M | IMM_U), O(SHRD, A_M | A_CL), G(15, A_M), O(IMUL_R_RM, A_M),
    /* B0 */
    O(CMPXCHG, A_M | A_B | A_LK), O(CMPXCHG, A_M | A_LK),
    O(LOAD_FAR_PTR, A_M), O(BTR_R, A_M | A_LK),
    O(LOAD_FAR_PTR, A_M), O(LOAD_FAR_PTR, A_M),
    O(MOVZX8, A_M), O(MOVZX16, A_M),
    O(POPCNT, A_M), O(UD, A_M), G(8, A_M | IMM_U), O(BTC_R, A_M | A_LK),
    O(BSF, A_M), O(BSR, A_M), O(MOVSX8, A_M), O(MOVSX16, A_M),
    /* C0 */
    O(XADD, A_M | A_B | A_LK), O(XADD, A_M | A_LK), SSE_IB, O(MOVNTI, A_M),
    SSE_IB, SSE_IB, SSE_IB, G(9, A_M),
    X8(O(BSWAP, A_OPR)),
    /* D0 */
    X8(SSE),
    X8(SSE),
    /* E0 */
    X8(SSE),
    X8(SSE),
    /* F0 */
    X8(SSE),
    X4(SSE), SSE, SSE, SSE, O(UD, A_M),
};

#define BOTH(...) { { __VA_ARGS__, __VA_ARGS__ } }
#define SPLIT(...) { { __VA_ARGS__ } }
#define UNDEF7 X4(UNDEF), UNDEF, UNDEF, UNDEF

const struct opcode_group emul_groups[GRP_COUNT] = {
    [GRP_1] = BOTH(O(ADD_RM_I, A_LK), O(OR_RM_I, A_LK), O(ADC_RM_I, A_LK),
                   O(SBB_RM_I, A_LK), O(AND_RM_I, A_LK), O(SUB_RM_I, A_LK),
                   O(XOR_RM_I, A_LK), O(CMP_RM_I, 0)),
    [GRP_1A] = BOTH(O(POP_RM, 0), UNDEF7),
    [GRP_2] = BOTH(O(ROL, 0), O(ROR, 0), O(RCL, 0), O(RCR, 0), O(SHL, 0),
                   O(SHR, 0), O(SHL, 0), O(SAR, 0)),
    [GRP_3B] = BOTH(O(TEST_RM_I, IMM_B), O(TEST_RM_I, IMM_B), O(NOT, A_LK),
                    O(NEG, A_LK), O(MUL, 0), O(IMUL, 0), O(DIV, 0),
                    O(IDIV, 0)),
    [GRP_3] = BOTH(O(TEST_RM_I, IMM_Z), O(TEST_RM_I, IMM_Z), O(NOT, A_LK),
                   O(NEG, A_LK), O(MUL, 0), O(IMUL, 0), O(DIV, 0), O(IDIV, 0)),
    [GRP_4] = BOTH(O(INC, A_LK), O(DEC, A_LK), X4(UNDEF), UNDEF, UNDEF),
    [GRP_5] = SPLIT(O(INC, A_LK), O(DEC, A_LK), O(CALL_RM, A_BR),
                    O(CALL_FAR_M, 0), O(JMP_RM, A_BR), O(JMP_FAR_M, 0),
                    O(PUSH_RM, A_D64), UNDEF,
                    O(INC, 0), O(DEC, 0), O(CALL_RM, A_BR), UNDEF,
                    O(JMP_RM, A_BR), UNDEF, O(PUSH_RM, A_D64), UNDEF),
    [GRP_6] = BOTH(O(SLDT, 0), O(STR, 0), O(LLDT, 0), O(LTR, 0), O(VERR, 0),
                   O(VERW, 0), UNDEF, UNDEF),
    [GRP_7] = SPLIT(O(SGDT, A_F64), O(SIDT, A_F64), O(LGDT, A_F64),
                    O(LIDT, A_F64), O(SMSW, 0), O(OTHER, 0), O(LMSW, 0),
                    O(INVLPG, A_F64), X8(UNDEF)),
    [GRP_8] = BOTH(X4(UNDEF), O(BT_I, 0), O(BTS_I, A_LK), O(BTR_I, A_LK),
                   O(BTC_I, A_LK)),
    [GRP_9] = SPLIT(UNDEF, O(CMPXCHG8B, A_LK), UNDEF, O(OTHER, 0),
                    O(OTHER, 0), O(OTHER, 0), O(VMX, 0), O(VMX, 0),
                    X4(UNDEF), UNDEF, UNDEF, O(OTHER, 0), O(OTHER, 0)),
    [GRP_11] = SPLIT(O(MOV_RM_I, 0), UNDEF7,
                     O(MOV_RM_I, 0), X4(UNDEF), UNDEF, UNDEF, O(OTHER, 0)),
    [GRP_15] = SPLIT(O(OTHER, 0), O(OTHER, 0), O(OTHER, 0), O(OTHER, 0),
                     O(OTHER, 0), O(OTHER, 0), O(OTHER, 0), O(CLFLUSH, 0),
                     O(OTHER, 0), O(OTHER, 0), O(OTHER, 0), O(OTHER, 0),
                     O(OTHER, 0), O(FENCE, 0), O(FENCE, 0), O(FENCE, 0)),
};

#define I(name) (uint8_t)EMUL_I_##name
#define I4(name) I(name), I(name), I(name), I(name)

/* Identities above 255 would not fit the byte table below. */
_Static_assert(EMUL_ID_COUNT <= 256, "emul_group7_reg holds one byte each");

const uint8_t emul_group7_reg[64] = {
    /* C0 */ I(OTHER), I(VMCALL), I(VMX), I(VMX),
    /* C4 */ I(VMX), I(OTHER), I(OTHER), I(INVALID),
    /* C8 */ I(MONITOR), I(MWAIT), I(CLAC), I(STAC),
    /* CC */ I(OTHER), I(OTHER), I(OTHER), I(OTHER),
    /* D0 */ I(XGETBV), I(XSETBV), I(INVALID), I(INVALID),
    /* D4 */ I(VMX), I(OTHER), I(OTHER), I(OTHER),
    /* D8 */ I(VMRUN), I(VMMCALL), I(VMLOAD), I(VMSAVE),
    /* DC */ I(STGI), I(CLGI), I(SKINIT), I(INVLPGA),
    /* E0 */ I4(SMSW), I4(SMSW),
    /* E8 */ I4(OTHER), I4(OTHER),
    /* F0 */ I4(LMSW), I4(LMSW),
    /* F8 */ I(SWAPGS), I(RDTSCP), I(OTHER), I(OTHER),
    /* FC */ I(OTHER), I(OTHER), I(OTHER), I(OTHER),
};
/* clang-format on */
