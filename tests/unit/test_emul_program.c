/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a ROM image in the emulator from the reset vector and compares what it
 * writes to port E9h with a golden file, which was recorded on independent
 * machines. Without a second argument the text is printed instead.
 *
 * Usage: test_emul_program image.bin [expected.out]
 */
#include <stdio.h>
#include <stdlib.h>

#include "test_emul_flat.h"

#define ROM_AT 0xf0000u
#define ROM_BYTES 0x10000u
#define TEXT_MAX 65536
#define BUDGET 20000000u

struct program {
    struct flat flat; /* first: found again from emul.priv */
    char text[TEXT_MAX];
    size_t used;
    bool done;
    unsigned long executed[EMUL_ID_COUNT];
};

static int port_io(struct emul *e, uint16_t port, unsigned size, bool in,
                   uint32_t *value)
{
    struct program *p = e->priv;

    (void)size;
    if (in) {
        *value = port == 0xe9 ? 0xe9 : 0xffffffff;
    } else if (port == 0xe9 && p->used < TEXT_MAX - 1) {
        p->text[p->used++] = (char)*value;
    } else if (port == 0xf4) {
        p->done = true;
    }
    return EMUL_OK;
}

static bool file_read(const char *path, void *buf, size_t max, size_t *size)
{
    FILE *in = fopen(path, "rb");

    if (!in) {
        return false;
    }
    *size = fread(buf, 1, max, in);
    fclose(in);
    return true;
}

/* Counts the identity at CS:IP, for the coverage table. */
static void executed_count(struct program *p)
{
    const struct emul_cpu *c = &p->flat.e.cpu;
    struct emul_insn i;
    uint64_t at = (c->seg[EMUL_CS].base + c->rip) & (FLAT_BYTES - 1);

    if (emul_decode(&i, p->flat.mem + at, EMUL_INSN_MAX,
                    (enum emul_mode)p->flat.e.mode) == 0) {
        p->executed[i.id]++;
    }
}

static void coverage_write(const struct program *p)
{
    const char *path = getenv("EMUL_COVERAGE");
    FILE *out = path ? fopen(path, "a") : NULL;

    for (unsigned n = 0; out && n < EMUL_ID_COUNT; n++) {
        if (p->executed[n]) {
            fprintf(out, "program %s %lu\n", emul_id_name(n), p->executed[n]);
        }
    }
    if (out) {
        fclose(out);
    }
}

/* One instruction at a time if they are to be counted. */
static enum emul_result program_run(struct program *p)
{
    enum emul_result rc = EMUL_OK;
    uint64_t slice = getenv("EMUL_COVERAGE") ? 1 : 1000;

    for (uint64_t total = BUDGET; total && !p->done && rc == EMUL_OK;) {
        uint64_t part = slice;
        if (slice == 1) {
            executed_count(p);
        }
        rc = emul_run(&p->flat.e, &part);
        total -= slice;
    }
    coverage_write(p);
    return rc;
}

int main(int argc, char **argv)
{
    static char want[TEXT_MAX];
    static struct emul_ops ops;
    static struct program machine;
    struct program *p = &machine;
    size_t size, want_size = 0;

    if (argc < 2) {
        return 2;
    }
    flat_init(&p->flat);
    ops = flat_ops;
    ops.io = port_io;
    p->flat.e.ops = &ops;
    if (!file_read(argv[1], p->flat.mem + ROM_AT, ROM_BYTES, &size) ||
        size != ROM_BYTES) {
        fprintf(stderr, "%s: not a ROM image\n", argv[1]);
        return 2;
    }
    emul_reset(&p->flat.e);
    enum emul_result rc = program_run(p);
    p->text[p->used] = 0;
    if (!p->done) {
        printf("stopped: result %d at %04x:%08llx\n", (int)rc,
               p->flat.e.cpu.seg[EMUL_CS].sel,
               (unsigned long long)p->flat.e.cpu.rip);
    }
    if (argc < 3) {
        fputs(p->text, stdout);
        return p->done ? 0 : 1;
    }
    if (!file_read(argv[2], want, sizeof(want) - 1, &want_size)) {
        return 2;
    }
    bool same = p->done && want_size == p->used &&
                memcmp(want, p->text, want_size) == 0;
    printf("%s: %s\n", argv[1], same ? "as recorded" : "DIFFERS");
    if (!same) {
        fputs(p->text, stdout);
    }
    return same ? 0 : 1;
}
