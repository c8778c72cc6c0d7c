/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine for emulator tests: flat memory from address 0 without paging, a
 * tracked decode cache, ports that log. Header-only, so that unit tests, fuzz
 * targets and the benchmark share it without a library.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ravelin/emul.h"

#ifndef FLAT_BYTES
#define FLAT_BYTES (1u << 20)
#define FLAT_CACHE_ENTRIES 4096
#endif

struct flat {
    struct emul e;
    struct emul_cache cache;
    struct emul_cache_entry entries[FLAT_CACHE_ENTRIES];
    uint8_t mem[FLAT_BYTES + 16]; /* addresses wrap at FLAT_BYTES */
    uint16_t port;                /* of the last access */
    uint32_t port_value;          /* written last; what reads return */
    unsigned port_count;
    uint64_t fault_from, fault_to; /* linear range that page-faults */
};

static inline int flat_range_fault(struct emul *e, uint64_t lin, unsigned size,
                                   unsigned access)
{
    struct flat *f = e->priv;

    if (lin + size > f->fault_from && lin < f->fault_to) {
        uint64_t at = lin < f->fault_from ? f->fault_from : lin;
        return emul_raise_pf(e, at,
                             (access & EMUL_ACCESS_WRITE ? 2 : 0) |
                                 (access & EMUL_ACCESS_USER ? 4 : 0));
    }
    return EMUL_OK;
}

static inline int flat_read(struct emul *e, uint64_t lin, unsigned size,
                            unsigned access, uint64_t *value)
{
    struct flat *f = e->priv;
    uint64_t v;

    if (f->fault_to) {
        int rc = flat_range_fault(e, lin, size, access);
        if (rc) {
            return rc;
        }
    }
    memcpy(&v, f->mem + (lin & (FLAT_BYTES - 1)), 8);
    *value = v & (~0ULL >> (64 - 8 * size));
    return EMUL_OK;
}

static inline int flat_write(struct emul *e, uint64_t lin, unsigned size,
                             unsigned access, uint64_t value)
{
    struct flat *f = e->priv;
    uint64_t at = lin & (FLAT_BYTES - 1);

    if (f->fault_to) {
        int rc = flat_range_fault(e, lin, size, access);
        if (rc) {
            return rc;
        }
    }
    uint8_t *p = f->mem + at;
    switch (size) {
    case 1:
        *p = (uint8_t)value;
        break;
    case 2:
        memcpy(p, &value, 2);
        break;
    case 4:
        memcpy(p, &value, 4);
        break;
    default:
        memcpy(p, &value, 8);
        break;
    }
    emul_cache_written(&f->cache, at, size);
    return EMUL_OK;
}

static inline int flat_probe(struct emul *e, uint64_t lin, unsigned size,
                             unsigned access)
{
    return flat_range_fault(e, lin, size, access);
}

static inline int flat_fetch(struct emul *e, uint64_t lin, uint8_t *buf,
                             unsigned *n)
{
    struct flat *f = e->priv;
    unsigned room = 0x1000 - (unsigned)(lin & 0xfff);
    int rc = flat_range_fault(e, lin, 1, EMUL_ACCESS_EXEC);

    if (rc) {
        return rc;
    }
    if (*n > room) {
        *n = room;
    }
    memcpy(buf, f->mem + (lin & (FLAT_BYTES - 1)), *n);
    return EMUL_OK;
}

static inline int flat_code_gpa(struct emul *e, uint64_t lin, uint64_t *gpa)
{
    (void)e;
    *gpa = lin & (FLAT_BYTES - 1);
    return EMUL_OK;
}

static inline int flat_io(struct emul *e, uint16_t port, unsigned size, bool in,
                          uint32_t *value)
{
    struct flat *f = e->priv;

    f->port = port;
    f->port_count++;
    if (in) {
        *value = f->port_value & (uint32_t)(~0ULL >> (64 - 8 * size));
    } else {
        f->port_value = *value;
    }
    return EMUL_OK;
}

static inline int flat_msr_read(struct emul *e, uint32_t index, uint64_t *v)
{
    (void)e;
    *v = 0x1122334400000000u + index;
    return EMUL_OK;
}

static inline int flat_cpuid(struct emul *e, uint32_t regs[4])
{
    (void)e;
    regs[0] = 1;
    regs[1] = 2;
    regs[2] = 3;
    regs[3] = 4;
    return EMUL_OK;
}

static const struct emul_ops flat_ops = {
    .read = flat_read,
    .write = flat_write,
    .probe = flat_probe,
    .fetch = flat_fetch,
    .code_gpa = flat_code_gpa,
    .io = flat_io,
    .msr_read = flat_msr_read,
    .cpuid = flat_cpuid,
};

/* Real mode at 0000:7C00, stack at 0000:7000, interrupts off. */
static inline void flat_init(struct flat *f)
{
    emul_cache_init(&f->cache, f->entries, sizeof(f->entries), true);
    memset(f->mem, 0, sizeof(f->mem));
    f->fault_from = f->fault_to = 0;
    f->port_count = 0;
    emul_init(&f->e, &flat_ops, f, &f->cache);
    f->e.cpu.seg[EMUL_CS].sel = 0;
    f->e.cpu.seg[EMUL_CS].base = 0;
    f->e.cpu.seg[EMUL_CS].attr = 0x9b;
    f->e.cpu.rip = 0x7c00;
    f->e.cpu.reg[EMUL_RSP] = 0x7000;
    emul_sync(&f->e);
}

static inline void flat_load(struct flat *f, uint32_t at, const void *bytes,
                             size_t n)
{
    memcpy(f->mem + at, bytes, n);
    emul_cache_flush(&f->cache);
}
