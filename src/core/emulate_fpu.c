/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What boot code in real mode does with the x87 and the vector registers: it
 * looks whether they are there, and saves and restores them around services.
 * The registers are the guest's own, still in the processor.
 *
 * Threat surface: the image that FXRSTOR loads is the guest's; the one field
 * that could fault is checked first.
 * Ref: AMD APM Vol 2, 11.4.4 "Saving Media and x87 State".
 */
#include "arch/host.h"
#include "ravelin/guest_copy.h"
#include "ravelin/string.h"

#include "emulate.h"

#define VECTOR_NM 7u
#define VECTOR_GP 13u
#define VECTOR_MF 16u
#define CR0_EM_TS 0xcu
#define FPU_ERROR_SUMMARY 0x80u

/* Outside 64-bit mode only eight vector registers are in the image. */
#define IMAGE_SIZE 512u
#define IMAGE_USED 288u
#define IMAGE_MXCSR 24u
#define IMAGE_MXCSR_MASK 28u
#define OPCODE_FX 0xaeu
#define OPCODE_BYTES 15u

static const struct fpu_form {
    uint8_t opcode;
    bool in_memory;
    uint8_t modrm; /* whole; in memory its middle */
    enum arch_fpu_op op;
} fpu_forms[] = {
    {0xdb, false, 0xe3, ARCH_FNINIT}, {0xdb, false, 0xe2, ARCH_FNCLEX},
    {0xdf, false, 0xe0, ARCH_FNSTSW}, {0xdd, true, 7, ARCH_FNSTSW},
    {0xd9, true, 7, ARCH_FNSTCW},
};

static int form_execute(struct emul *e, const struct emul_insn *insn,
                        const struct fpu_form *f)
{
    uint16_t word = arch_fpu_control(f->op);

    if (f->in_memory) {
        return emul_operand_store(e, insn, 0, sizeof(word), word);
    }
    if (f->op == ARCH_FNSTSW) {
        e->cpu.reg[EMUL_RAX] = (e->cpu.reg[EMUL_RAX] & ~0xffffUL) | word;
    }
    return EMUL_OK;
}

int emulate_op_fpu(struct emul *e, const struct emul_insn *insn)
{
    bool in_memory = (insn->flags & EMUL_F_MEM) != 0;
    uint8_t modrm = in_memory ? (insn->modrm >> 3) & 7 : insn->modrm;

    if ((insn->flags & EMUL_F_MODRM) == 0) { /* FWAIT */
        return arch_fpu_control(ARCH_FNSTSW) & FPU_ERROR_SUMMARY
                   ? emul_raise(e, VECTOR_MF, 0)
                   : EMUL_OK;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(fpu_forms); i++) {
        const struct fpu_form *f = &fpu_forms[i];

        if (f->opcode == insn->opcode && f->in_memory == in_memory &&
            f->modrm == modrm) {
            return form_execute(e, insn, f);
        }
    }
    return EMUL_UNHANDLED;
}

static int image_save(struct emul *e, const struct emul_insn *insn)
{
    _Alignas(16) uint8_t image[IMAGE_SIZE];
    int rc = EMUL_OK;

    arch_fpu_image_save(image);
    for (unsigned at = 0; at < IMAGE_USED && rc == EMUL_OK; at += 8) {
        uint64_t word;

        memcpy(&word, image + at, sizeof(word));
        rc = emul_operand_store(e, insn, at, sizeof(word), word);
    }
    return rc;
}

static int image_load(struct emul *e, const struct emul_insn *insn)
{
    _Alignas(16) uint8_t image[IMAGE_SIZE];
    uint32_t mxcsr, mask;
    int rc = EMUL_OK;

    arch_fpu_image_save(image);
    memcpy(&mask, image + IMAGE_MXCSR_MASK, sizeof(mask));
    for (unsigned at = 0; at < IMAGE_USED && rc == EMUL_OK; at += 8) {
        uint64_t word;

        rc = emul_operand_load(e, insn, at, sizeof(word), &word);
        memcpy(image + at, &word, sizeof(word));
    }
    memcpy(&mxcsr, image + IMAGE_MXCSR, sizeof(mxcsr));
    if (rc == EMUL_OK && (mxcsr & ~mask) != 0) {
        rc = emul_raise(e, VECTOR_GP, 0);
    }
    if (rc == EMUL_OK) {
        arch_fpu_image_load(image);
    }
    return rc;
}

static int image_execute(struct emul *e, const struct emul_insn *insn)
{
    if (e->cpu.cr0 & CR0_EM_TS) {
        return emul_raise(e, VECTOR_NM, 0);
    }
    if (emul_operand_linear(e, insn) & 15) {
        return emul_raise(e, VECTOR_GP, 0);
    }
    return (insn->modrm >> 3 & 7) == 0 ? image_save(e, insn)
                                       : image_load(e, insn);
}

/* The bytes at RIP were good enough for the emulator a moment ago. */
static bool insn_decode(struct emul *e, struct emul_insn *insn)
{
    uint64_t lin = (uint32_t)(e->cpu.seg[EMUL_CS].base + e->cpu.rip);
    uint8_t bytes[OPCODE_BYTES];
    struct guest_fault fault;
    unsigned n = 0;

    while (n < sizeof(bytes) &&
           guest_linear_read(e->priv, bytes + n, gva((uint32_t)(lin + n)), 1,
                             ACCESS_EXEC, false, &fault) == 0) {
        n++;
    }
    return n != 0 && emul_decode(insn, bytes, n, (enum emul_mode)e->mode) == 0;
}

enum emul_result emulate_fpu_image(struct emul *e)
{
    struct emul_insn insn;
    int rc;

    if (!insn_decode(e, &insn) || insn.map != EMUL_MAP_0F ||
        insn.opcode != OPCODE_FX || (insn.flags & EMUL_F_MEM) == 0 ||
        (insn.modrm >> 3 & 7) > 1 ||
        (insn.prefix & (EMUL_P_LOCK | EMUL_P_REP | EMUL_P_REPNE)) != 0) {
        return EMUL_UNHANDLED;
    }
    rc = image_execute(e, &insn);
    if (rc == EMUL_FAULT) {
        const struct emul_event event = e->event;

        return emul_deliver(e, &event);
    }
    if (rc == EMUL_OK) {
        e->cpu.rip = (uint32_t)(e->cpu.rip + insn.len);
        e->cpu.shadow = 0;
    }
    return (enum emul_result)rc;
}
