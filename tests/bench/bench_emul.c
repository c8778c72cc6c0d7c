/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interpreter speed on a 16-bit loop of stack, memory, string and branch
 * instructions, beside libunicorn on the same bytes in the same run. The best
 * of five rounds counts, since the machine may be shared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <unicorn/unicorn.h>

#include "../unit/test_emul_flat.h"

#define PER_ITERATION 16
#define ROUNDS 5

/* clang-format off: one instruction per line */
static const uint8_t loop_code[] = {
    0x31, 0xc0,                         /* xor ax, ax */
    0x8e, 0xd8,                         /* mov ds, ax */
    0x8e, 0xc0,                         /* mov es, ax */
    0x8e, 0xd0,                         /* mov ss, ax */
    0xbc, 0x00, 0x70,                   /* mov sp, 7000h */
    0x66, 0xb9, 0x00, 0x00, 0x00, 0x00, /* mov ecx, iterations */
    0xbf, 0x00, 0x80,                   /* 1: mov di, 8000h */
    0xb8, 0x05, 0x00,                   /* mov ax, 5 */
    0x83, 0xc0, 0x03,                   /* add ax, 3 */
    0x50,                               /* push ax */
    0xe8, 0x13, 0x00,                   /* call f */
    0x5b,                               /* pop bx */
    0x83, 0xfb, 0x08,                   /* cmp bx, 8 */
    0x75, 0x0c,                         /* jnz fail */
    0xaa,                               /* stosb */
    0xa2, 0x00, 0x90,                   /* mov [9000h], al */
    0x8a, 0x16, 0x00, 0x90,             /* mov dl, [9000h] */
    0x66, 0x49,                         /* dec ecx */
    0x75, 0xe1,                         /* jnz 1b */
    0xf4,                               /* fail: hlt */
    0x42,                               /* f: inc dx */
    0x31, 0xc3,                         /* xor bx, ax */
    0xc3,                               /* ret */
};
/* clang-format on */

#define ITERATIONS_AT 13
#define START 0x7c00u

static void code_build(uint8_t *code, uint32_t iterations)
{
    memcpy(code, loop_code, sizeof(loop_code));
    memcpy(code + ITERATIONS_AT, &iterations, 4);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Million instructions per second; exits on any wrong result. */
static double run_ours(struct flat *f, uint32_t iterations)
{
    uint8_t code[sizeof(loop_code)];
    uint64_t budget = ~0ULL >> 1;

    flat_init(f);
    code_build(code, iterations);
    flat_load(f, START, code, sizeof(code));
    double from = now();
    enum emul_result rc = emul_run(&f->e, &budget);
    double to = now();
    if (rc != EMUL_HALT || (uint32_t)f->e.cpu.reg[EMUL_RCX] != 0 ||
        f->mem[0x9000] != 8) {
        fprintf(stderr, "emulator: wrong result %d\n", (int)rc);
        exit(1);
    }
    return (double)iterations * PER_ITERATION / (to - from) * 1e-6;
}

static double run_unicorn(uint32_t iterations)
{
    uint8_t code[sizeof(loop_code)], byte = 0;
    uint32_t ecx = 1;
    uc_engine *uc;

    code_build(code, iterations);
    if (uc_open(UC_ARCH_X86, UC_MODE_16, &uc) ||
        uc_mem_map(uc, 0, FLAT_BYTES, UC_PROT_ALL) ||
        uc_mem_write(uc, START, code, sizeof(code))) {
        exit(1);
    }
    double from = now();
    uc_err err = uc_emu_start(uc, START, START + 0x30, 0, 0);
    double to = now();
    uc_reg_read(uc, UC_X86_REG_ECX, &ecx);
    uc_mem_read(uc, 0x9000, &byte, 1);
    if (err || ecx != 0 || byte != 8) {
        fprintf(stderr, "unicorn: wrong result %d\n", (int)err);
        exit(1);
    }
    uc_close(uc);
    return (double)iterations * PER_ITERATION / (to - from) * 1e-6;
}

int main(void)
{
    struct flat *f = malloc(sizeof(*f));
    double ours = 0, unicorn = 0;

    if (!f) {
        return 1;
    }
    for (int n = 0; n < ROUNDS; n++) {
        double a = run_ours(f, 1000000);
        double b = run_unicorn(300000);
        ours = a > ours ? a : ours;
        unicorn = b > unicorn ? b : unicorn;
    }
    free(f);
    printf("{\n"
           "  \"emul_mips\": {\"value\": %.1f, \"unit\": \"Minsn/s\", "
           "\"bar\": 60, \"at_least\": true},\n"
           "  \"emul_unicorn_mips\": {\"value\": %.1f, \"unit\": "
           "\"Minsn/s\", \"bar\": null},\n"
           "  \"emul_vs_unicorn\": {\"value\": %.2f, \"unit\": \"ratio\", "
           "\"bar\": 2.5, \"at_least\": true}\n"
           "}\n",
           ours, unicorn, ours / unicorn);
    return ours >= 60 && ours / unicorn >= 2.5 ? 0 : 2;
}
