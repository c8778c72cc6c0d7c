/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segment limit and type checks outside the fast path, alignment checks, the
 * memory half of read-modify-write, near branch targets and flag writes.
 * Threat surface: guest-chosen offsets against guest-loaded segments.
 * Ref: AMD APM Vol 2, 4.12 "Legacy Segment-Limit Checks" and chapter 4.
 */
#include "exec.h"

static int seg_fault(struct emul *e, unsigned seg)
{
    return emul_raise(e, seg == EMUL_SS ? VEC_SS : VEC_GP, 0);
}

static bool is_canonical(const struct emul *e, uint64_t lin)
{
    unsigned shift = e->cpu.cr4 & CR4_LA57 ? 7 : 16;

    return (uint64_t)((int64_t)(lin << shift) >> shift) == lin;
}

/* Type field: bit 3 code; bit 1 writable data or readable code. */
static bool type_forbids(const struct emul_seg *s, unsigned access)
{
    if (!(s->attr & EMUL_ATTR_P)) {
        return true;
    }
    if (access & EMUL_ACCESS_WRITE) {
        return (s->attr & 0xa) != 0x2;
    }
    return (s->attr & 0xa) == 0x8;
}

static bool limit_forbids(const struct emul_seg *s, uint64_t off, unsigned size)
{
    uint64_t last = off + size - 1;

    if ((s->attr & 0xc) == 0x4) { /* expand-down data */
        uint64_t top = s->attr & EMUL_ATTR_DB ? 0xffffffff : 0xffff;
        return off <= s->limit || last > top;
    }
    return last > s->limit;
}

int linear_slow(struct emul *e, unsigned seg, uint64_t off, unsigned size,
                unsigned access, uint64_t *lin)
{
    const struct emul_seg *s = &e->cpu.seg[seg];

    if (is_long(e)) {
        *lin = off + (seg >= EMUL_FS ? s->base : 0);
        if (!is_canonical(e, *lin) || !is_canonical(e, *lin + size - 1)) {
            return seg_fault(e, seg);
        }
    } else {
        if ((e->is_protected && type_forbids(s, access)) ||
            limit_forbids(s, off, size)) {
            return seg_fault(e, seg);
        }
        *lin = (uint32_t)(s->base + off);
    }
    if (e->check_align && (*lin & (size - 1))) {
        return emul_raise(e, VEC_AC, 0);
    }
    return EMUL_OK;
}

int mem_read(struct emul *e, unsigned seg, uint64_t off, unsigned size,
             uint64_t *v)
{
    return mem_read_inline(e, seg, off, size, v);
}

int mem_write(struct emul *e, unsigned seg, uint64_t off, unsigned size,
              uint64_t v)
{
    return mem_write_inline(e, seg, off, size, v);
}

static uint64_t operand_at(const struct emul *e, const struct emul_insn *insn,
                           unsigned at)
{
    return (ea_of(e, insn) + at) & size_mask(insn->adsize);
}

int emul_operand_store(struct emul *e, const struct emul_insn *insn,
                       unsigned at, unsigned size, uint64_t value)
{
    return mem_write(e, insn->seg, operand_at(e, insn, at), size, value);
}

int emul_operand_load(struct emul *e, const struct emul_insn *insn, unsigned at,
                      unsigned size, uint64_t *value)
{
    return mem_read(e, insn->seg, operand_at(e, insn, at), size, value);
}

uint64_t emul_operand_linear(const struct emul *e, const struct emul_insn *insn)
{
    uint64_t lin = e->cpu.seg[insn->seg].base + ea_of(e, insn);

    return is_long(e) ? lin : (uint32_t)lin;
}

static unsigned rmw_access(const struct emul *e, const struct emul_insn *i)
{
    return e->access | EMUL_ACCESS_WRITE |
           (i->prefix & EMUL_P_LOCK ? EMUL_ACCESS_LOCK : 0);
}

int rmw_mem_begin(struct emul *e, const struct emul_insn *i, uint64_t off,
                  unsigned size, struct rmw *m)
{
    int rc = linear_of(e, i->seg, off, size, EMUL_ACCESS_WRITE, &m->lin);

    return rc ? rc : e->ops->read(e, m->lin, size, rmw_access(e, i), &m->old);
}

int rmw_mem_end(struct emul *e, const struct emul_insn *i, unsigned size,
                const struct rmw *m, uint64_t v)
{
    unsigned access = rmw_access(e, i);

    if ((access & EMUL_ACCESS_LOCK) && e->ops->cmpxchg) {
        return e->ops->cmpxchg(e, m->lin, size, access, m->old, v);
    }
    return e->ops->write(e, m->lin, size, access, v);
}

int branch_to(struct emul *e, uint64_t target, unsigned opsize)
{
    target &= size_mask(opsize);
    if (is_long(e) ? !is_canonical(e, target)
                   : target > e->cpu.seg[EMUL_CS].limit) {
        return raise_gp0(e);
    }
    e->cpu.reg[EMUL_REG_NEXT] = target;
    return EMUL_OK;
}

bool cond_is_true(uint64_t rflags, unsigned code)
{
    bool sf_ne_of = !(rflags & FL_SF) != !(rflags & FL_OF);
    bool t;

    switch ((code >> 1) & 7) {
    case 0:
        t = rflags & FL_OF;
        break;
    case 1:
        t = rflags & FL_CF;
        break;
    case 2:
        t = rflags & FL_ZF;
        break;
    case 3:
        t = rflags & (FL_CF | FL_ZF);
        break;
    case 4:
        t = rflags & FL_SF;
        break;
    case 5:
        t = rflags & FL_PF;
        break;
    case 6:
        t = sf_ne_of;
        break;
    default:
        t = sf_ne_of || (rflags & FL_ZF);
        break;
    }
    return t != (code & 1);
}

uint64_t rflags_writable(const struct emul *e, unsigned opsize)
{
    uint64_t mask = FL_ARITH | FL_TF | FL_DF | FL_NT;

    if (opsize > 2) {
        mask |= FL_RF | FL_AC | FL_ID;
    }
    if (e->cpu.cpl == 0) {
        mask |= FL_IOPL;
    }
    if (e->cpu.cpl <= iopl_of(e)) {
        mask |= FL_IF;
    }
    return mask;
}

void rflags_write(struct emul *e, uint64_t value, uint64_t mask)
{
    e->cpu.rflags = (e->cpu.rflags & ~mask) | (value & mask) | FL_FIXED;
    e->check_align =
        e->cpu.cpl == 3 && (e->cpu.cr0 & CR0_AM) && (e->cpu.rflags & FL_AC);
}

int emul_raise(struct emul *e, uint8_t vector, uint32_t error)
{
    bool has_error = vector == VEC_DF || vector == VEC_AC ||
                     (vector >= VEC_TS && vector <= VEC_PF);

    e->event = (struct emul_event){.vector = vector,
                                   .type = EMUL_EVENT_EXCEPTION,
                                   .has_error = has_error,
                                   .error = has_error ? error : 0};
    return EMUL_FAULT;
}

int emul_raise_pf(struct emul *e, uint64_t lin, uint32_t error)
{
    emul_raise(e, VEC_PF, error);
    e->event.cr2 = lin;
    return EMUL_FAULT;
}
