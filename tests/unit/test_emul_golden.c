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

#include "test_emul_arena.h"
#include "test_emul_gen.h"

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
                                      .limit = ARENA_BYTES - 1,
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

    gen_pattern(f->mem + ARENA_AT, ARENA_BYTES);
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
    uint64_t hash = gen_hash(f->mem + ARENA_AT, ARENA_BYTES);
    return rc == EMUL_FAULT && f->e.event.vector == out->head &&
           memcmp(f->e.cpu.reg, out->reg, sizeof(out->reg)) == 0 &&
           f->e.cpu.rip == out->rip &&
           (f->e.cpu.rflags & ~0x210000u) == out->eflags &&
           hash == strtoull(out->rest, NULL, 16);
}

int main(int argc, char **argv)
{
    static char a[1024], b[1024];
    static struct flat machine;
    struct flat *f = &machine;
    FILE *in = argc > 2 ? fopen(argv[1], "r") : NULL;
    FILE *out = argc > 2 ? fopen(argv[2], "r") : NULL;
    unsigned cases = 0, bad = 0;

    if (!in || !out) {
        fprintf(stderr, "usage: test_emul_golden NAME.in NAME.out\n");
        return 2;
    }
    arena_init(f);
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
