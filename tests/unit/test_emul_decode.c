/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction decoder against two independent decoders: every opcode of
 * every map with many prefixes and all ModRM values, and the code of all
 * libraries loaded into this process; then the error codes and identities.
 */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <Zydis/Zydis.h>
#include <capstone/capstone.h>

#include "ravelin/emul_insn.h"

static const enum emul_mode modes[] = {EMUL_MODE_16, EMUL_MODE_32, EMUL_MODE_64,
                                       EMUL_MODE_64_AMD};

static void zydis_init(ZydisDecoder *z, enum emul_mode mode)
{
    static const ZydisMachineMode machine[] = {
        ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_MACHINE_MODE_LEGACY_32,
        ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_MACHINE_MODE_LONG_64};
    static const ZydisStackWidth stack[] = {
        ZYDIS_STACK_WIDTH_16, ZYDIS_STACK_WIDTH_32, ZYDIS_STACK_WIDTH_64,
        ZYDIS_STACK_WIDTH_64};

    ZydisDecoderInit(z, machine[mode], stack[mode]);
    ZydisDecoderEnableMode(z, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
    if (mode == EMUL_MODE_64_AMD) {
        ZydisDecoderEnableMode(z, ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE);
    }
}

/* Length by Zydis; 0 if undefined, or defined on Xeon Phi coprocessors only. */
static unsigned zydis_length(const ZydisDecoder *z, const uint8_t *code,
                             unsigned n)
{
    ZydisDecodedInstruction insn;

    if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(z, NULL, code, n, &insn)) ||
        insn.encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX ||
        insn.mnemonic == ZYDIS_MNEMONIC_JKZD ||
        insn.mnemonic == ZYDIS_MNEMONIC_JKNZD) {
        return 0;
    }
    return insn.length;
}

/* One candidate; returns true if both decoders accept it. */
static bool candidate_check(const ZydisDecoder *z, enum emul_mode mode,
                            const uint8_t *code)
{
    struct emul_insn insn;
    unsigned want = zydis_length(z, code, EMUL_INSN_MAX);

    if (want == 0) {
        return false;
    }
    int rc = emul_decode(&insn, code, EMUL_INSN_MAX, mode);
    if (rc || insn.len != want) {
        fail_msg("mode %d %02x %02x %02x %02x %02x %02x: rc %d len %u want %u",
                 mode, code[0], code[1], code[2], code[3], code[4], code[5], rc,
                 rc ? 0 : insn.len, want);
    }
    return true;
}

struct lead {
    uint8_t len;
    uint8_t byte[4];
};

static const struct lead prefixes[] = {
    {0, {0}},          {1, {0x66}},       {1, {0x67}}, {1, {0xf2}},
    {1, {0xf3}},       {1, {0xf0}},       {1, {0x65}}, {2, {0x66, 0x67}},
    {2, {0x66, 0xf2}}, {2, {0x66, 0x4d}}, {1, {0x48}}, {3, {0x48, 0x66, 0x2e}},
};

static const struct lead maps[] = {
    {0, {0}},
    {1, {0x0f}},
    {2, {0x0f, 0x38}},
    {2, {0x0f, 0x3a}},
    {2, {0xc5, 0xf8}},
    {2, {0xc5, 0x7d}},
    {3, {0xc4, 0xe1, 0x78}},
    {3, {0xc4, 0xc2, 0xf9}},
    {3, {0xc4, 0x63, 0x7d}},
    {4, {0x62, 0xf1, 0x7c, 0x48}},
    {4, {0x62, 0xf2, 0xfd, 0x48}},
    {4, {0x62, 0xf3, 0x7d, 0x28}},
    {4, {0x62, 0xf5, 0x7c, 0x48}},
    {4, {0x62, 0xf6, 0x7d, 0x48}},
    {3, {0x8f, 0xe8, 0x78}},
    {3, {0x8f, 0xe9, 0x78}},
    {3, {0x8f, 0xea, 0x78}},
};

static unsigned long map_check(const ZydisDecoder *z, enum emul_mode mode,
                               const struct lead *prefix,
                               const struct lead *map)
{
    uint8_t code[32];
    unsigned at = prefix->len + map->len;
    unsigned long accepted = 0;

    memset(code, 0x90, sizeof(code));
    memcpy(code, prefix->byte, prefix->len);
    memcpy(code + prefix->len, map->byte, map->len);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        for (unsigned modrm = 0; modrm < 256; modrm++) {
            code[at] = (uint8_t)opcode;
            code[at + 1] = (uint8_t)modrm;
            code[at + 2] = (uint8_t)(modrm * 37 + opcode); /* any SIB */
            accepted += candidate_check(z, mode, code);
        }
    }
    return accepted;
}

static void decode_every_opcode_length_matches_zydis(void **state)
{
    unsigned long accepted = 0;

    (void)state;
    for (unsigned m = 0; m < 4; m++) {
        ZydisDecoder z;
        zydis_init(&z, modes[m]);
        for (unsigned p = 0; p < sizeof(prefixes) / sizeof(prefixes[0]); p++) {
            for (unsigned k = 0; k < sizeof(maps) / sizeof(maps[0]); k++) {
                accepted += map_check(&z, modes[m], &prefixes[p], &maps[k]);
            }
        }
    }
    print_message("%lu encodings agreed\n", accepted);
    assert_true(accepted > 10000000);
}

struct sweep {
    ZydisDecoder z;
    csh cs;
    cs_insn *scratch;
    unsigned long agreed;
    unsigned long capstone_unknown; /* newer than Capstone 4 */
    unsigned long capstone_differs;
};

static void sweep_range(struct sweep *s, const uint8_t *code, size_t size)
{
    for (size_t at = 0; at + EMUL_INSN_MAX < size;) {
        unsigned want = zydis_length(&s->z, code + at, EMUL_INSN_MAX);
        struct emul_insn insn;

        if (want == 0) {
            at++;
            continue;
        }
        int rc = emul_decode(&insn, code + at, EMUL_INSN_MAX, EMUL_MODE_64);
        assert_int_equal(rc, 0);
        assert_int_equal(insn.len, want);
        const uint8_t *p = code + at;
        size_t n = EMUL_INSN_MAX;
        uint64_t address = 0;
        if (!cs_disasm_iter(s->cs, &p, &n, &address, s->scratch)) {
            s->capstone_unknown++;
        } else if (s->scratch->size != want) {
            s->capstone_differs++;
        }
        s->agreed++;
        at += want;
    }
}

static int sweep_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X)) {
            uintptr_t at = info->dlpi_addr + ph->p_vaddr;
            /* NOLINTNEXTLINE(performance-no-int-to-ptr): the loader's word */
            sweep_range(arg, (const uint8_t *)at, ph->p_filesz);
        }
    }
    return 0;
}

static void decode_loaded_libraries_length_matches_both(void **state)
{
    struct sweep s = {0};

    (void)state;
    zydis_init(&s.z, EMUL_MODE_64);
    assert_int_equal(cs_open(CS_ARCH_X86, CS_MODE_64, &s.cs), CS_ERR_OK);
    s.scratch = cs_malloc(s.cs);
    dl_iterate_phdr(sweep_object, &s);
    cs_free(s.scratch, 1);
    cs_close(&s.cs);
    print_message("%lu instructions; Capstone knows %lu not, differs in %lu\n",
                  s.agreed, s.capstone_unknown, s.capstone_differs);
    assert_true(s.agreed > 300000);
    assert_true(s.capstone_unknown < s.agreed / 100);
    assert_int_equal(s.capstone_differs, 0);
}

static void decode_every_truncation_returns_more(void **state)
{
    static const struct {
        enum emul_mode mode;
        unsigned len;
        uint8_t code[15];
    } rows[] = {
        {EMUL_MODE_64, 10, {0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}},
        {EMUL_MODE_64, 8, {0x8b, 0x84, 0xc8, 1, 2, 3, 4}},
        {EMUL_MODE_32, 7, {0xea, 1, 2, 3, 4, 5, 6}},
        {EMUL_MODE_16, 6, {0xc7, 0x06, 0, 0x90, 1, 2}},
        {EMUL_MODE_64, 5, {0xc5, 0xf8, 0x28, 0x45, 8}},
        {EMUL_MODE_64, 9, {0x62, 0xf1, 0x7c, 0x48, 0x28, 5, 1, 2, 3}},
        {EMUL_MODE_32, 4, {0xc8, 1, 0, 2}},
    };

    (void)state;
    for (unsigned r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct emul_insn insn;
        unsigned n = 0;

        while (emul_decode(&insn, rows[r].code, n, rows[r].mode)) {
            assert_int_equal(emul_decode(&insn, rows[r].code, n, rows[r].mode),
                             EMUL_DECODE_MORE);
            n++;
            assert_true(n <= 15);
        }
        assert_int_equal(insn.len, n);
    }
}

static void decode_fifteen_prefixes_returns_long(void **state)
{
    struct emul_insn insn;
    uint8_t code[16];

    (void)state;
    memset(code, 0x66, sizeof(code));
    code[15] = 0x90;
    assert_int_equal(emul_decode(&insn, code, 16, EMUL_MODE_32),
                     EMUL_DECODE_LONG);
    assert_int_equal(emul_decode(&insn, code, 15, EMUL_MODE_32),
                     EMUL_DECODE_LONG);
    assert_int_equal(emul_decode(&insn, code, 14, EMUL_MODE_32),
                     EMUL_DECODE_MORE);
    code[14] = 0x90;
    assert_int_equal(emul_decode(&insn, code, 16, EMUL_MODE_32), 0);
    assert_int_equal(insn.len, 15);
}

static void decode_undefined_encodings_return_invalid(void **state)
{
    static const struct {
        enum emul_mode mode;
        uint8_t code[6];
    } rows[] = {
        {EMUL_MODE_32, {0xf0, 0x01, 0xc0}},       /* LOCK ADD reg */
        {EMUL_MODE_32, {0xf0, 0x8b, 0x00}},       /* LOCK MOV */
        {EMUL_MODE_32, {0xf0, 0x83, 0x38, 0x00}}, /* LOCK CMP */
        {EMUL_MODE_32, {0xf0, 0x90}},             /* LOCK NOP */
        {EMUL_MODE_64, {0x06}},                   /* PUSH ES */
        {EMUL_MODE_64, {0x9a, 0, 0, 0, 0, 0}},    /* CALL FAR imm */
        {EMUL_MODE_64, {0x82, 0xc0, 1}},
        {EMUL_MODE_32, {0x0f, 0x04}},
        {EMUL_MODE_32, {0xff, 0xf8}},        /* FF /7 */
        {EMUL_MODE_32, {0xff, 0xd8}},        /* CALL FAR reg */
        {EMUL_MODE_32, {0x8f, 0xc8 | 0x07}}, /* XOP map below 8 or /1 */
        {EMUL_MODE_64, {0x66, 0xc5, 0xf8, 0x28, 0xc0}},
        {EMUL_MODE_64, {0x48, 0xc5, 0xf8, 0x28, 0xc0}},
        {EMUL_MODE_64, {0xc4, 0xe4, 0x78, 0x28, 0xc0}}, /* map 4 */
    };

    (void)state;
    for (unsigned r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct emul_insn insn;
        assert_int_equal(emul_decode(&insn, rows[r].code, 6, rows[r].mode),
                         EMUL_DECODE_INVALID);
    }
}

struct identity {
    enum emul_id id;
    enum emul_mode mode;
    uint8_t code[6];
    uint8_t len, opsize, reg, rm;
};

static const struct identity identities[] = {
    {EMUL_I_CPUID, EMUL_MODE_64, {0x0f, 0xa2}, 2, 4, 0, 0},
    {EMUL_I_HLT, EMUL_MODE_16, {0xf4}, 1, 2, 0, 0},
    {EMUL_I_RDTSC, EMUL_MODE_64, {0x0f, 0x31}, 2, 4, 0, 0},
    {EMUL_I_RDTSCP, EMUL_MODE_64, {0x0f, 0x01, 0xf9}, 3, 4, 7, 1},
    {EMUL_I_RDMSR, EMUL_MODE_32, {0x0f, 0x32}, 2, 4, 0, 0},
    {EMUL_I_WRMSR, EMUL_MODE_64, {0x0f, 0x30}, 2, 4, 0, 0},
    {EMUL_I_VMMCALL, EMUL_MODE_64, {0x0f, 0x01, 0xd9}, 3, 4, 3, 1},
    {EMUL_I_VMCALL, EMUL_MODE_64, {0x0f, 0x01, 0xc1}, 3, 4, 0, 1},
    {EMUL_I_XSETBV, EMUL_MODE_64, {0x0f, 0x01, 0xd1}, 3, 4, 2, 1},
    {EMUL_I_INVLPG, EMUL_MODE_64, {0x0f, 0x01, 0x38}, 3, 8, 7, 0},
    {EMUL_I_WBINVD, EMUL_MODE_64, {0x0f, 0x09}, 2, 4, 0, 0},
    {EMUL_I_INVD, EMUL_MODE_64, {0x0f, 0x08}, 2, 4, 0, 0},
    {EMUL_I_MOV_CR_R, EMUL_MODE_64, {0x0f, 0x22, 0xe0}, 3, 8, 4, 0},
    {EMUL_I_MOV_CR_R, EMUL_MODE_32, {0x0f, 0x22, 0x1e}, 3, 4, 3, 6},
    {EMUL_I_MOV_CR_R, EMUL_MODE_64, {0x45, 0x0f, 0x22, 0xc1}, 4, 8, 8, 9},
    {EMUL_I_MOV_R_CR, EMUL_MODE_64, {0x0f, 0x20, 0xc7}, 3, 8, 0, 7},
    {EMUL_I_MOV_DR_R, EMUL_MODE_64, {0x0f, 0x23, 0xf8}, 3, 8, 7, 0},
    {EMUL_I_MOV_R_DR, EMUL_MODE_64, {0x0f, 0x21, 0xf3}, 3, 8, 6, 3},
    {EMUL_I_CLTS, EMUL_MODE_16, {0x0f, 0x06}, 2, 2, 0, 0},
    {EMUL_I_LMSW, EMUL_MODE_16, {0x0f, 0x01, 0xf0}, 3, 2, 6, 0},
    {EMUL_I_SMSW, EMUL_MODE_16, {0x0f, 0x01, 0xe3}, 3, 2, 4, 3},
    {EMUL_I_IN_I, EMUL_MODE_32, {0xe4, 0x60}, 2, 1, 0, 0},
    {EMUL_I_IN_DX, EMUL_MODE_32, {0xed}, 1, 4, 0, 0},
    {EMUL_I_OUT_DX, EMUL_MODE_32, {0x66, 0xef}, 2, 2, 0, 0},
    {EMUL_I_INS, EMUL_MODE_32, {0xf3, 0x6d}, 2, 4, 0, 0},
    {EMUL_I_OUTS, EMUL_MODE_32, {0xf3, 0x6e}, 2, 1, 0, 0},
    {EMUL_I_INT3, EMUL_MODE_64, {0xcc}, 1, 4, 0, 0},
    {EMUL_I_INT_N, EMUL_MODE_64, {0xcd, 0x80}, 2, 4, 0, 0},
    {EMUL_I_PAUSE, EMUL_MODE_64, {0xf3, 0x90}, 2, 4, 0, 0},
    {EMUL_I_NOP, EMUL_MODE_64, {0x90}, 1, 4, 0, 0},
    {EMUL_I_XCHG, EMUL_MODE_64, {0x41, 0x90}, 2, 4, 0, 8},
    {EMUL_I_MONITOR, EMUL_MODE_64, {0x0f, 0x01, 0xc8}, 3, 4, 1, 0},
    {EMUL_I_MWAIT, EMUL_MODE_64, {0x0f, 0x01, 0xc9}, 3, 4, 1, 1},
    {EMUL_I_RDPMC, EMUL_MODE_64, {0x0f, 0x33}, 2, 4, 0, 0},
    {EMUL_I_IRET, EMUL_MODE_64, {0x48, 0xcf}, 2, 8, 0, 0},
    {EMUL_I_PUSHF, EMUL_MODE_64, {0x9c}, 1, 8, 0, 0},
    {EMUL_I_POPF, EMUL_MODE_64, {0x66, 0x9d}, 2, 2, 0, 0},
    {EMUL_I_VMRUN, EMUL_MODE_64, {0x0f, 0x01, 0xd8}, 3, 4, 3, 0},
    {EMUL_I_POPCNT, EMUL_MODE_64, {0xf3, 0x0f, 0xb8, 0xc1}, 4, 4, 0, 1},
    {EMUL_I_MOVSXD, EMUL_MODE_64, {0x48, 0x63, 0xc8}, 3, 8, 1, 0},
    {EMUL_I_ARPL, EMUL_MODE_32, {0x63, 0xc8}, 2, 4, 1, 0},
};

static void decode_intercepted_instructions_returns_identity(void **state)
{
    (void)state;
    for (unsigned r = 0; r < sizeof(identities) / sizeof(identities[0]); r++) {
        const struct identity *row = &identities[r];
        struct emul_insn insn;

        assert_int_equal(emul_decode(&insn, row->code, 6, row->mode), 0);
        assert_string_equal(emul_id_name(insn.id), emul_id_name(row->id));
        assert_int_equal(insn.len, row->len);
        assert_int_equal(insn.opsize, row->opsize);
        assert_int_equal(insn.reg, row->reg);
        assert_int_equal(insn.rm, row->rm);
    }
}

static void decode_memory_operands_returns_parts(void **state)
{
    static const uint8_t sib[] = {0x8b, 0x84, 0x8b, 0x10, 0, 0, 0x80};
    static const uint8_t bp16[] = {0x8b, 0x42, 0xfe};
    static const uint8_t rip[] = {0x65, 0x8b, 0x05, 4, 3, 2, 1};
    static const uint8_t ah[] = {0x88, 0xe3};
    struct emul_insn i;

    (void)state;
    assert_int_equal(emul_decode(&i, sib, 7, EMUL_MODE_32), 0);
    assert_int_equal(i.base, EMUL_RBX);
    assert_int_equal(i.index, EMUL_RCX);
    assert_int_equal(i.scale, 2);
    assert_int_equal(i.disp, (int32_t)0x80000010);
    assert_int_equal(emul_decode(&i, bp16, 3, EMUL_MODE_16), 0);
    assert_int_equal(i.base, EMUL_RBP);
    assert_int_equal(i.index, EMUL_RSI);
    assert_int_equal(i.disp, -2);
    assert_int_equal(i.seg, EMUL_SS);
    assert_int_equal(emul_decode(&i, rip, 7, EMUL_MODE_64), 0);
    assert_int_equal(i.base, EMUL_REG_NEXT);
    assert_int_equal(i.seg, EMUL_GS);
    assert_int_equal(i.disp, 0x01020304);
    assert_int_equal(emul_decode(&i, ah, 2, EMUL_MODE_32), 0);
    assert_int_equal(i.reg_at, 1); /* AH */
    assert_int_equal(i.rm_at, 24); /* BL */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_every_opcode_length_matches_zydis),
        cmocka_unit_test(decode_loaded_libraries_length_matches_both),
        cmocka_unit_test(decode_every_truncation_returns_more),
        cmocka_unit_test(decode_fifteen_prefixes_returns_long),
        cmocka_unit_test(decode_undefined_encodings_return_invalid),
        cmocka_unit_test(decode_intercepted_instructions_returns_identity),
        cmocka_unit_test(decode_memory_operands_returns_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
