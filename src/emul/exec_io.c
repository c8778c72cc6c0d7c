/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IN and OUT, and the permission check of all port instructions.
 * Threat surface: the I/O bitmap is read through a guest-controlled TSS.
 * Ref: AMD APM Vol 2, 12.2.4 "I/O-Permission Bitmap".
 */
#include "exec_io.h"

#define TSS_IOMAP_BASE 0x66u

static bool tss_is_32bit(const struct emul_seg *tr)
{
    return (tr->attr & (EMUL_ATTR_P | 0x9)) == (EMUL_ATTR_P | 0x9);
}

/* Two bytes are always read, so a port range never straddles the check. */
static int bitmap_check(struct emul *e, uint16_t port, unsigned size)
{
    const struct emul_seg *tr = &e->cpu.seg[EMUL_TR];
    uint64_t base, bits;

    if (!tss_is_32bit(tr) || tr->limit < TSS_IOMAP_BASE + 1) {
        return raise_gp0(e);
    }
    int rc = sys_read(e, tr->base + TSS_IOMAP_BASE, 2, &base);
    if (rc) {
        return rc;
    }
    uint64_t at = base + port / 8;
    if (at + 1 > tr->limit) {
        return raise_gp0(e);
    }
    rc = sys_read(e, tr->base + at, 2, &bits);
    if (rc) {
        return rc;
    }
    return (bits >> (port % 8)) & ((1u << size) - 1) ? raise_gp0(e) : EMUL_OK;
}

int io_check(struct emul *e, uint16_t port, unsigned size)
{
    if (e->is_real || (!e->is_vm86 && e->cpu.cpl <= iopl_of(e))) {
        return EMUL_OK;
    }
    return bitmap_check(e, port, size);
}

static int port_in(struct emul *e, const struct emul_insn *i, uint16_t port)
{
    uint32_t v = 0;
    int rc = io_check(e, port, io_size(i));

    if (rc == EMUL_OK) {
        rc = e->ops->io(e, port, io_size(i), true, &v);
    }
    if (rc == EMUL_OK) {
        gpr_write(e, EMUL_RAX, io_size(i), v);
    }
    return rc;
}

/* A port write may move what code is fetched (shadow RAM, A20). */
static int port_out(struct emul *e, const struct emul_insn *i, uint16_t port)
{
    uint32_t v = (uint32_t)gpr_read(e, EMUL_RAX, io_size(i));
    int rc = io_check(e, port, io_size(i));

    if (rc == EMUL_OK) {
        rc = e->ops->io(e, port, io_size(i), false, &v);
        emul_code_forget(e);
    }
    return rc;
}

int exec_in_i(struct emul *e, const struct emul_insn *i)
{
    return port_in(e, i, (uint16_t)i->imm);
}

int exec_in_dx(struct emul *e, const struct emul_insn *i)
{
    return port_in(e, i, (uint16_t)e->cpu.reg[EMUL_RDX]);
}

int exec_out_i(struct emul *e, const struct emul_insn *i)
{
    return port_out(e, i, (uint16_t)i->imm);
}

int exec_out_dx(struct emul *e, const struct emul_insn *i)
{
    return port_out(e, i, (uint16_t)e->cpu.reg[EMUL_RDX]);
}
