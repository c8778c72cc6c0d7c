/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one segment that recorded instructions may touch: where it was on the
 * processor, where it is in the flat machine, and operations that fault outside
 * it. Shared by the test that records and the one that replays.
 */
#pragma once

#include "test_emul_flat.h"

#define ARENA 0x10020000UL /* its linear address; congruent to the next */
#define ARENA_AT 0x20000u  /* where it lies in the flat machine */
#define ARENA_BYTES 0x10000u

static inline int arena_check(struct emul *e, uint64_t lin, unsigned size)
{
    uint64_t off = lin - ARENA;

    return off > ARENA_BYTES - size ? emul_raise_pf(e, lin, 0) : EMUL_OK;
}

static inline int arena_read(struct emul *e, uint64_t lin, unsigned size,
                             unsigned access, uint64_t *value)
{
    int rc = arena_check(e, lin, size);

    return rc ? rc : flat_read(e, lin, size, access, value);
}

static inline int arena_write(struct emul *e, uint64_t lin, unsigned size,
                              unsigned access, uint64_t value)
{
    int rc = arena_check(e, lin, size);

    return rc ? rc : flat_write(e, lin, size, access, value);
}

static inline int arena_probe(struct emul *e, uint64_t lin, unsigned size,
                              unsigned access)
{
    (void)access;
    return arena_check(e, lin, size);
}

/** A flat machine of which only the arena is mapped for data. */
static inline void arena_init(struct flat *f)
{
    static struct emul_ops ops;

    ops = flat_ops;
    ops.read = arena_read;
    ops.write = arena_write;
    ops.probe = arena_probe;
    flat_init(f);
    f->e.ops = &ops;
}
