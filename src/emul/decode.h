/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State shared by the decoder's steps, and the bounded cursor through which
 * every instruction byte is read.
 */
#pragma once

#include "decode_tables.h"

struct decoder {
    struct emul_insn *insn;
    const uint8_t *bytes;
    unsigned nbytes;
    unsigned pos;
    enum emul_mode mode;
    uint8_t rex; /* effective REX bits WRXB, also from VEX, EVEX, XOP */
    uint16_t id;
    uint16_t attr;
};

#define REX_W 8u
#define REX_R 4u
#define REX_X 2u
#define REX_B 1u

static inline bool is_long(const struct decoder *d)
{
    return d->mode >= EMUL_MODE_64;
}

/* Little-endian value of `size` bytes (0 to 8). */
static inline int take(struct decoder *d, unsigned size, uint64_t *value)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        if (d->pos >= EMUL_INSN_MAX) {
            return EMUL_DECODE_LONG;
        }
        if (d->pos >= d->nbytes) {
            return EMUL_DECODE_MORE;
        }
        v |= (uint64_t)d->bytes[d->pos++] << (8 * i);
    }
    *value = v;
    return 0;
}

static inline int take_byte(struct decoder *d, uint8_t *value)
{
    uint64_t v = 0;
    int rc = take(d, 1, &v);

    *value = (uint8_t)v;
    return rc;
}

/** ModRM, SIB and displacement. 0 or enum emul_decode_error. */
int emul_decode_modrm(struct decoder *d);
/** All immediates; operand and address size are set already. */
int emul_decode_imm(struct decoder *d);
/** Register numbers and offsets, once everything else is known. */
void emul_decode_registers(struct decoder *d);
