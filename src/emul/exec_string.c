/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * String instructions. One iteration commits all its registers, so a repeated
 * instruction can stop between any two: on a fault, when rep_limit is used up,
 * or for a pending interrupt; it then simply has not advanced RIP yet.
 * Threat surface: guest-chosen counts; rep_limit bounds the time spent here.
 */
#include "exec.h"
#include "exec_io.h"

static uint64_t index_of(const struct emul *e, const struct emul_insn *i,
                         unsigned reg)
{
    return e->cpu.reg[reg] & size_mask(i->adsize);
}

static void index_step(struct emul *e, const struct emul_insn *i, unsigned reg)
{
    uint64_t delta = e->cpu.rflags & FL_DF ? -(uint64_t)i->opsize : i->opsize;

    gpr_write(e, reg, i->adsize, e->cpu.reg[reg] + delta);
}

static bool must_stop(const struct emul *e)
{
    return e->is_late || (e->irq_pending && (e->cpu.rflags & FL_IF));
}

/* REPE goes on while ZF is set, REPNE while it is clear. */
static bool zf_ends(const struct emul *e, const struct emul_insn *i)
{
    return !(e->cpu.rflags & FL_ZF) == !(i->prefix & EMUL_P_REPNE);
}

static rv_always_inline int repeat(struct emul *e, const struct emul_insn *i,
                                   emul_handler *once, bool by_zf)
{
    uint64_t count = gpr_read(e, EMUL_RCX, i->adsize);
    uint32_t limit = e->cpu.rflags & FL_TF ? 1 : e->rep_limit;

    if (!(i->prefix & (EMUL_P_REP | EMUL_P_REPNE))) {
        return once(e, i);
    }
    for (uint32_t n = 0; count; n++) {
        if (n == limit || (n && must_stop(e))) {
            e->cpu.reg[EMUL_REG_NEXT] = e->cpu.rip;
            break;
        }
        int rc = once(e, i);
        if (rc) {
            return rc;
        }
        gpr_write(e, EMUL_RCX, i->adsize, --count);
        e->iterations++;
        if (by_zf && zf_ends(e, i)) {
            break;
        }
    }
    return EMUL_OK;
}

static rv_always_inline int movs_once(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;
    int rc =
        mem_read_inline(e, i->seg, index_of(e, i, EMUL_RSI), i->opsize, &v);

    if (rc == EMUL_OK) {
        rc = mem_write_inline(e, EMUL_ES, index_of(e, i, EMUL_RDI), i->opsize,
                              v);
    }
    if (rc == EMUL_OK) {
        index_step(e, i, EMUL_RSI);
        index_step(e, i, EMUL_RDI);
    }
    return rc;
}

int exec_movs(struct emul *e, const struct emul_insn *i)
{
    return repeat(e, i, movs_once, false);
}

static rv_always_inline int stos_once(struct emul *e, const struct emul_insn *i)
{
    int rc = mem_write_inline(e, EMUL_ES, index_of(e, i, EMUL_RDI), i->opsize,
                              e->cpu.reg[EMUL_RAX]);

    if (rc == EMUL_OK) {
        index_step(e, i, EMUL_RDI);
    }
    return rc;
}

int exec_stos(struct emul *e, const struct emul_insn *i)
{
    return repeat(e, i, stos_once, false);
}

static int lods_once(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;
    int rc = mem_read(e, i->seg, index_of(e, i, EMUL_RSI), i->opsize, &v);

    if (rc == EMUL_OK) {
        gpr_write(e, EMUL_RAX, i->opsize, v);
        index_step(e, i, EMUL_RSI);
    }
    return rc;
}

int exec_lods(struct emul *e, const struct emul_insn *i)
{
    return repeat(e, i, lods_once, false);
}

static int scas_once(struct emul *e, const struct emul_insn *i)
{
    uint64_t v;
    int rc = mem_read(e, EMUL_ES, index_of(e, i, EMUL_RDI), i->opsize, &v);

    if (rc == EMUL_OK) {
        alu_compute(ALU_CMP, gpr_read(e, EMUL_RAX, i->opsize), v, i->opsize,
                    &e->cpu.rflags);
        index_step(e, i, EMUL_RDI);
    }
    return rc;
}

int exec_scas(struct emul *e, const struct emul_insn *i)
{
    return repeat(e, i, scas_once, true);
}

static int cmps_once(struct emul *e, const struct emul_insn *i)
{
    uint64_t a, b;
    int rc = mem_read(e, i->seg, index_of(e, i, EMUL_RSI), i->opsize, &a);

    if (rc == EMUL_OK) {
        rc = mem_read(e, EMUL_ES, index_of(e, i, EMUL_RDI), i->opsize, &b);
    }
    if (rc == EMUL_OK) {
        alu_compute(ALU_CMP, a, b, i->opsize, &e->cpu.rflags);
        index_step(e, i, EMUL_RSI);
        index_step(e, i, EMUL_RDI);
    }
    return rc;
}

int exec_cmps(struct emul *e, const struct emul_insn *i)
{
    return repeat(e, i, cmps_once, true);
}

/* The destination is checked first: a port read cannot be taken back. */
static int ins_once(struct emul *e, const struct emul_insn *i)
{
    unsigned size = io_size(i);
    uint64_t off = index_of(e, i, EMUL_RDI);
    uint64_t lin;
    uint32_t v;
    int rc = linear_of(e, EMUL_ES, off, size, EMUL_ACCESS_WRITE, &lin);

    if (rc == EMUL_OK && e->ops->probe) {
        rc = e->ops->probe(e, lin, size, e->access | EMUL_ACCESS_WRITE);
    }
    if (rc == EMUL_OK) {
        rc = e->ops->io(e, (uint16_t)e->cpu.reg[EMUL_RDX], size, true, &v);
    }
    if (rc == EMUL_OK) {
        rc = e->ops->write(e, lin, size, e->access | EMUL_ACCESS_WRITE,
                           v & size_mask(size));
    }
    if (rc == EMUL_OK) {
        index_step(e, i, EMUL_RDI);
    }
    return rc;
}

/* The port is checked even if the count is zero. */
int exec_ins(struct emul *e, const struct emul_insn *i)
{
    int rc = io_check(e, (uint16_t)e->cpu.reg[EMUL_RDX], io_size(i));

    rc = rc ? rc : exec_io_block(e, i, EMUL_ES, EMUL_RDI, true);
    return rc != EMUL_RESTART ? rc : repeat(e, i, ins_once, false);
}

static int outs_once(struct emul *e, const struct emul_insn *i)
{
    unsigned size = io_size(i);
    uint64_t v;
    int rc = mem_read(e, i->seg, index_of(e, i, EMUL_RSI), size, &v);

    if (rc == EMUL_OK) {
        uint32_t out = (uint32_t)v;
        rc = e->ops->io(e, (uint16_t)e->cpu.reg[EMUL_RDX], size, false, &out);
    }
    if (rc == EMUL_OK) {
        index_step(e, i, EMUL_RSI);
    }
    return rc;
}

int exec_outs(struct emul *e, const struct emul_insn *i)
{
    int rc = io_check(e, (uint16_t)e->cpu.reg[EMUL_RDX], io_size(i));

    rc = rc ? rc : exec_io_block(e, i, i->seg, EMUL_RSI, false);
    return rc != EMUL_RESTART ? rc : repeat(e, i, outs_once, false);
}
