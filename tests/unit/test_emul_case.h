/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the emulator's unit tests share: one flat machine per case, code loaded
 * at CODE, and the modes they switch to.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test_emul_flat.h"

#define CODE 0x7c00u
#define FLAG_TF 0x100u
#define FLAG_IF 0x200u

static struct flat *f;

static inline int setup(void **state)
{
    (void)state;
    f = malloc(sizeof(*f));
    if (f) {
        flat_init(f);
    }
    return f ? 0 : -1;
}

static inline int teardown(void **state)
{
    (void)state;
    free(f);
    return 0;
}

#define LOAD(...)                                     \
    do {                                              \
        static const uint8_t code_[] = {__VA_ARGS__}; \
        flat_load(f, CODE, code_, sizeof(code_));     \
    } while (0)

static inline uint64_t *reg(unsigned n)
{
    return &f->e.cpu.reg[n];
}

/* CPL 0, 32-bit flat segments. */
static inline void protected_flat(void)
{
    for (unsigned n = 0; n < EMUL_SREG_COUNT; n++) {
        f->e.cpu.seg[n] = (struct emul_seg){
            .sel = 8,
            .attr = n == EMUL_CS ? 0xc9b : 0xc93,
            .limit = 0xffffffff,
        };
    }
    f->e.cpu.cr0 |= 1;
    emul_sync(&f->e);
}

static inline void long_flat(void)
{
    protected_flat();
    f->e.cpu.cr0 |= 0x80000000u;
    f->e.cpu.cr4 |= 0x20;
    f->e.cpu.efer = 0x500;
    f->e.cpu.seg[EMUL_CS].attr = 0xa9b;
    emul_sync(&f->e);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
