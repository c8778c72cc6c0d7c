/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder on arbitrary bytes: never reads past the input, is monotonic in
 * the number of bytes given, and agrees with Zydis on length.
 */
#include "fuzz.h"

#include <string.h>

#include <Zydis/Zydis.h>

#include "ravelin/emul_insn.h"

static bool zydis_decode(enum emul_mode mode, const uint8_t *code, unsigned n,
                         ZydisDecodedInstruction *insn)
{
    static const ZydisMachineMode machine[] = {
        ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_MACHINE_MODE_LEGACY_32,
        ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_MACHINE_MODE_LONG_64};
    static const ZydisStackWidth stack[] = {
        ZYDIS_STACK_WIDTH_16, ZYDIS_STACK_WIDTH_32, ZYDIS_STACK_WIDTH_64,
        ZYDIS_STACK_WIDTH_64};
    ZydisDecoder z;

    ZydisDecoderInit(&z, machine[mode], stack[mode]);
    ZydisDecoderEnableMode(&z, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
    if (mode == EMUL_MODE_64_AMD) {
        ZydisDecoderEnableMode(&z, ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE);
    }
    return ZYAN_SUCCESS(
               ZydisDecoderDecodeInstruction(&z, NULL, code, n, insn)) &&
           insn->encoding != ZYDIS_INSTRUCTION_ENCODING_MVEX &&
           insn->mnemonic != ZYDIS_MNEMONIC_JKZD &&
           insn->mnemonic != ZYDIS_MNEMONIC_JKNZD;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ZydisDecodedInstruction z;
    struct emul_insn insn, again;

    if (size < 2) {
        return 0;
    }
    enum emul_mode mode = (enum emul_mode)(data[0] & 3);
    unsigned n = size - 1 > 15 ? 15 : (unsigned)(size - 1);
    uint8_t *code = malloc(n); /* exact size: the sanitizer sees overreads */
    if (!code) {
        return 0;
    }
    memcpy(code, data + 1, n);
    int rc = emul_decode(&insn, code, n, mode);
    bool known = zydis_decode(mode, code, n, &z);
    require(!known || (rc == 0 && insn.len == z.length));
    if (rc == 0) {
        /* Exactly its bytes are needed, and all of them. */
        require(emul_decode(&again, code, insn.len, mode) == 0);
        require(again.len == insn.len);
        require(emul_decode(&again, code, insn.len - 1u, mode) ==
                EMUL_DECODE_MORE);
    }
    free(code);
    return 0;
}
