/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor of the fake machine: an AMD-like one with what every x86-64
 * processor with SVM has and little more. Tests of CPUID policy bring their
 * own.
 */

#include "arch/host.h"
#include "fake.h"
#include "ravelin/compiler.h"

#define MICROCODE 0x08a00008u

struct leaf {
    uint32_t leaf;
    uint32_t subleaf; /* ANY: whatever is asked */
    uint32_t out[4];  /* EAX, EBX, ECX, EDX */
};

#define ANY UINT32_MAX
#define EMULATOR_LEAF 0x40000000u

static const struct leaf leaves[] = {
    {0x0, ANY, {0xd, 0x68747541, 0x444d4163, 0x69746e65}}, /* AuthenticAMD */
    /* FPU..SSE2, SSE3..AVX, CX8, APIC, CMOV, x2APIC, XSAVE */
    {0x1, ANY, {0x00830f10, 0x00010800, 0x16f83203, 0x178bfbff}},
    {0x7, 0, {0x0, 0x00000281, 0x0, 0x0}}, /* FSGSBASE, SMEP, ERMS */
    {0xd, 0, {0x7, 0x340, 0x340, 0x0}},    /* x87, SSE, AVX */
    {0xd, 1, {0x1, 0x0, 0x0, 0x0}},        /* XSAVEOPT */
    {0xd, 2, {0x100, 0x240, 0x0, 0x0}},
    {0x80000000, ANY, {0x8000000a, 0x68747541, 0x444d4163, 0x69746e65}},
    /* LM, NX, PDPE1GB, RDTSCP, SYSCALL, SVM, LAHF */
    {0x80000001, ANY, {0x00830f10, 0x0, 0x00000005, 0x2c100800}},
    {0x80000008, ANY, {0x0000302e, 0x0, 0x0, 0x0}}, /* 46/48 bits */
    {0x8000000a, ANY, {0x1, 0x10, 0x0, 0x1}},       /* NPT */
};

static bool plays_tcg;

void fake_play_tcg(bool on)
{
    plays_tcg = on;
}

void arch_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    out[0] = out[1] = out[2] = out[3] = 0;
    if (leaf == EMULATOR_LEAF && plays_tcg) {
        out[0] = EMULATOR_LEAF;
        out[1] = 0x54474354; /* "TCGTCGTCGTCG" */
        out[2] = 0x43544743;
        out[3] = 0x47435447;
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
        const struct leaf *l = &leaves[i];

        if (l->leaf == leaf && (l->subleaf == ANY || l->subleaf == subleaf)) {
            for (unsigned r = 0; r < 4; r++) {
                out[r] = l->out[r];
            }
            return;
        }
    }
}

uint32_t arch_microcode(void)
{
    return MICROCODE;
}

bool arch_tsc_is_stable(void)
{
    return true;
}
