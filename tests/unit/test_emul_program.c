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

static enum emul_result program_run(struct program *p)
{
    enum emul_result rc = EMUL_OK;

    for (uint64_t total = BUDGET; total && !p->done && rc == EMUL_OK;) {
        uint64_t part = 1000;
        rc = emul_run(&p->flat.e, &part);
        total -= 1000;
    }
    return rc;
}

int main(int argc, char **argv)
{
    static char want[TEXT_MAX];
    struct emul_ops ops = flat_ops;
    struct program *p = calloc(1, sizeof(*p));
    size_t size, want_size = 0;

    if (argc < 2 || !p) {
        return 2;
    }
    flat_init(&p->flat);
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
        int r = p->done ? 0 : 1;
        free(p);
        return r;
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
    free(p);
    return same ? 0 : 1;
}
