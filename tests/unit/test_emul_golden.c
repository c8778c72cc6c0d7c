/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays recorded single instructions: each line of NAME.in is a state and an
 * instruction, the same line of NAME.out is what an AMD family 19h processor
 * made of it (recorded by test_emul_native). Works on any host.
 *
 *  .in   width reg*16 rip eflags code-bytes... # identity
 *  .out  vector reg*16 rip eflags hash-of-memory
 *
 * Usage: test_emul_golden NAME.in NAME.out
 */
#include <stdio.h>
#include <stdlib.h>

#include "test_emul_flat.h"
#include "test_emul_gen.h"

#define ARENA 0x10020000u
#define ARENA_AT 0x20000u
#define SEG_BYTES 0x10000u

struct record {
    uint64_t head; /* width, or vector */
    uint64_t reg[16];
    uint64_t rip;
    uint64_t eflags;
    char *rest;
};

static bool record_parse(char *line, struct record *r)
{
    uint64_t v[19];
    char *at = line;

    for (unsigned n = 0; n < 19; n++) {
        char *end;
        v[n] = strtoull(at, &end, n == 0 ? 10 : 16);
        if (end == at) {
            return false;
        }
        at = end;
    }
    r->head = v[0];
    memcpy(r->reg, v + 1, sizeof(r->reg));
    r->rip = v[17];
    r->eflags = v[18];
    r->rest = at;
    return true;
}

static int arena_check(struct emul *e, uint64_t lin, unsigned size)
{
    return lin - ARENA > SEG_BYTES - size ? emul_raise_pf(e, lin, 0) : EMUL_OK;
}

static int arena_read(struct emul *e, uint64_t lin, unsigned size,
                      unsigned access, uint64_t *value)
{
    int rc = arena_check(e, lin, size);

    return rc ? rc : flat_read(e, lin, size, access, value);
}

static int arena_write(struct emul *e, uint64_t lin, unsigned size,
                       unsigned access, uint64_t value)
{
    int rc = arena_check(e, lin, size);

    return rc ? rc : flat_write(e, lin, size, access, value);
}

static int arena_probe(struct emul *e, uint64_t lin, unsigned size,
                       unsigned access)
{
    (void)access;
    return arena_check(e, lin, size);
}

/* The user-mode segments the records were made with. */
static void state_set(struct flat *f, const struct record *in)
{
    static const uint16_t cs[] = {7, 23, 0x33}, ss[] = {15, 31, 0x2b};
    struct emul_cpu *c = &f->e.cpu;
    unsigned mode = in->head == 16 ? 0 : in->head == 32 ? 1 : 2;
    uint16_t db = mode == 1 ? EMUL_ATTR_DB : 0;

    memset(c, 0, sizeof(*c));
    for (unsigned n = EMUL_ES; n <= EMUL_DS; n++) {
        c->seg[n] = (struct emul_seg){.sel = ss[mode],
                                      .attr = 0xf3 | db,
                                      .limit = SEG_BYTES - 1,
                                      .base = ARENA};
    }
    c->seg[EMUL_CS].sel = cs[mode];
    c->seg[EMUL_CS].attr = 0xfb | db;
    if (mode == 2) {
        c->seg[EMUL_CS].attr |= EMUL_ATTR_L;
        c->seg[EMUL_CS].base = 0;
        c->efer = 0x500;
    }
    c->cr0 = 0x80000011;
    c->cpl = 3;
    memcpy(c->reg, in->reg, sizeof(in->reg));
    c->rip = in->rip;
    c->rflags = in->eflags;
}

static void code_set(struct flat *f, const struct record *in)
{
    char *at = in->rest;
    unsigned where = ARENA_AT + (in->rip & 0xffff);

    gen_pattern(f->mem + ARENA_AT, SEG_BYTES);
    for (;;) {
        char *end;
        unsigned long byte = strtoul(at, &end, 16);
        if (end == at) {
            break;
        }
        f->mem[where++] = (uint8_t)byte;
        at = end;
    }
    emul_cache_flush(&f->cache);
}

static bool case_run(struct flat *f, const struct record *in,
                     const struct record *out)
{
    state_set(f, in);
    code_set(f, in);
    emul_sync(&f->e);
    enum emul_result rc = emul_step(&f->e);
    uint64_t hash = gen_hash(f->mem + ARENA_AT, SEG_BYTES);
    return rc == EMUL_FAULT && f->e.event.vector == out->head &&
           memcmp(f->e.cpu.reg, out->reg, sizeof(out->reg)) == 0 &&
           f->e.cpu.rip == out->rip &&
           (f->e.cpu.rflags & ~0x210000u) == out->eflags &&
           hash == strtoull(out->rest, NULL, 16);
}

int main(int argc, char **argv)
{
    static char a[1024], b[1024];
    static struct emul_ops ops;
    static struct flat machine;
    struct flat *f = &machine;
    FILE *in = argc > 2 ? fopen(argv[1], "r") : NULL;
    FILE *out = argc > 2 ? fopen(argv[2], "r") : NULL;
    unsigned cases = 0, bad = 0;

    if (!in || !out) {
        fprintf(stderr, "usage: test_emul_golden NAME.in NAME.out\n");
        return 2;
    }
    flat_init(f);
    ops = flat_ops;
    ops.read = arena_read;
    ops.write = arena_write;
    ops.probe = arena_probe;
    f->e.ops = &ops;
    while (fgets(a, sizeof(a), in) && fgets(b, sizeof(b), out)) {
        struct record ra, rb;

        cases++;
        if (!record_parse(a, &ra) || !record_parse(b, &rb) ||
            !case_run(f, &ra, &rb)) {
            printf("line %u: %s", cases, a);
            bad++;
        }
    }
    fclose(in);
    fclose(out);
    printf("%u recorded cases, %u differ\n", cases, bad);
    return bad || cases < 300 ? 1 : 0;
}
