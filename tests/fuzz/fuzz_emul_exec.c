/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator on arbitrary code and state in every mode, with event delivery.
 * Each input runs twice, through the tracked decode cache and without any:
 * registers and memory must agree, so a stale entry shows as a difference.
 */
#include "fuzz.h"

#define FLAT_BYTES (1u << 16)
#define FLAT_CACHE_ENTRIES 64
#include "../unit/test_emul_flat.h"

#define HEADER 64
#define CODE_AT 0x1000u
#define STEPS 300

static uint16_t half(const uint8_t *h, unsigned at)
{
    return (uint16_t)(h[at] | (h[at + 1] << 8));
}

/* Attributes of code and data segments per mode, varied by input bits. */
static void segments_set(struct emul_cpu *c, const uint8_t *h)
{
    bool real = (h[0] & 3) == 0, vm86 = (h[0] & 3) == 1;

    for (unsigned n = 0; n < EMUL_SREG_COUNT; n++) {
        struct emul_seg *s = &c->seg[n];
        s->sel = half(h, 8 + 2 * n);
        s->base =
            real || vm86 ? (uint64_t)s->sel << 4 : (uint64_t)h[20 + n] * 16;
        s->limit =
            real || vm86 ? 0xffff : (uint32_t)half(h, 26 + 2 * n) * 16 + 15;
        s->attr = (uint16_t)(0x93 | (h[1] & (1u << n) ? 0xc00 : 0));
    }
    c->seg[EMUL_CS].attr = (uint16_t)(0x9b | (h[0] & 4 ? 0x400 : 0));
    c->seg[EMUL_CS].base = 0;
    c->seg[EMUL_CS].limit = 0xffff;
    for (unsigned n = EMUL_LDTR; n < EMUL_SEG_COUNT; n++) {
        c->seg[n] = (struct emul_seg){.attr = n == EMUL_TR ? 0x8b : 0x82,
                                      .limit = half(h, 38 + 2 * n) & 0xfff,
                                      .base = half(h, 36 + n)};
    }
}

static void state_set(struct flat *f, const uint8_t *h)
{
    struct emul_cpu *c = &f->e.cpu;
    unsigned kind = h[0] & 3; /* real, vm86, protected, long */

    segments_set(c, h);
    c->cr0 = 0x10 | (kind ? 1 : 0) | (h[2] & 8);
    c->rflags = 2 | half(h, 4) | (kind == 1 ? 0x20000 : 0);
    c->cpl = kind == 1 ? 3 : kind >= 2 && (h[0] & 8) ? h[0] >> 4 & 3 : 0;
    c->efer = kind == 3 ? 0x500 : 0;
    if (kind == 3) {
        c->cr0 |= 0x80000000u;
        c->cr4 |= 0x20;
        c->seg[EMUL_CS].attr |= h[0] & 4 ? 0 : 0x200;
    }
    for (unsigned n = 0; n < 16; n++) {
        c->reg[n] = half(h, 32 + 2 * (n & 15));
        c->reg[n] |= h[3] & (1u << (n & 7)) ? 0xffff0000u : 0;
    }
    c->rip = CODE_AT;
    f->e.family = h[6] & 1 ? EMUL_FAMILY_INTEL : EMUL_FAMILY_AMD;
    f->e.rep_limit = 1 + (h[6] >> 4);
    f->fault_from = (uint64_t)h[7] * 256;
    f->fault_to = h[7] ? f->fault_from + 256 : 0;
    emul_sync(&f->e);
}

static enum emul_result run(struct flat *f, const uint8_t *h,
                            const uint8_t *body, size_t n, bool cached)
{
    uint64_t budget = STEPS;

    flat_init(f);
    memcpy(f->mem + CODE_AT, body, n < 4096 ? n : 4096);
    memcpy(f->mem, body, n < 2048 ? n : 2048); /* tables */
    emul_cache_flush(&f->cache);
    state_set(f, h);
    f->e.cache = cached ? &f->cache : NULL;
    return emul_run(&f->e, &budget);
}

/* Everything before `cpl` is 64-bit words and segments, without gaps. */
static bool cpu_is_equal(const struct emul_cpu *a, const struct emul_cpu *b)
{
    return memcmp((const uint8_t *)a, (const uint8_t *)b,
                  offsetof(struct emul_cpu, cpl)) == 0 &&
           a->cpl == b->cpl && a->shadow == b->shadow;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct flat a, b;

    if (size <= HEADER) {
        return 0;
    }
    enum emul_result ra = run(&a, data, data + HEADER, size - HEADER, true);
    enum emul_result rb = run(&b, data, data + HEADER, size - HEADER, false);
    a.e.cpu.reg[EMUL_REG_NEXT] = b.e.cpu.reg[EMUL_REG_NEXT] = 0;
    require(ra == rb && a.e.cpu.reg[EMUL_REG_ZERO] == 0);
    require(cpu_is_equal(&a.e.cpu, &b.e.cpu));
    require(memcmp(a.mem, b.mem, FLAT_BYTES) == 0);
    return 0;
}
