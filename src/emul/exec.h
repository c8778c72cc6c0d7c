/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the instruction handlers share: registers, effective addresses, checked
 * memory, stack, exceptions. A handler changes registers only once nothing can
 * fail any more, so a fault leaves the instruction restartable.
 * Threat surface: every offset and selector passes through here unchecked.
 */
#pragma once

#include "flags.h"
#include "ravelin/emul.h"

/* Vectors. */
#define VEC_DE 0
#define VEC_DB 1
#define VEC_BP 3
#define VEC_OF 4
#define VEC_BR 5
#define VEC_UD 6
#define VEC_NM 7
#define VEC_DF 8
#define VEC_TS 10
#define VEC_NP 11
#define VEC_SS 12
#define VEC_GP 13
#define VEC_PF 14
#define VEC_MF 16
#define VEC_AC 17

#define CR0_PE 0x00000001u
#define CR0_MP 0x00000002u
#define CR0_EM 0x00000004u
#define CR0_TS 0x00000008u
#define CR0_ET 0x00000010u
#define CR0_NW 0x20000000u
#define CR0_CD 0x40000000u
#define CR0_AM 0x00040000u
#define CR0_PG 0x80000000u
#define CR4_TSD 0x004u
#define CR4_DE 0x008u
#define CR4_PAE 0x020u
#define CR4_UMIP 0x800u
#define CR4_LA57 0x1000u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u

typedef int emul_handler(struct emul *e, const struct emul_insn *i);

#define EMUL_ID(name, handler) emul_handler exec_##handler;
#include "ravelin/emul_ids.def"
#undef EMUL_ID

extern emul_handler *const emul_handlers[EMUL_ID_COUNT];

/* Registers, by byte offset into the register file. */

static rv_always_inline uint64_t reg_read(const struct emul *e, unsigned at,
                                          unsigned size)
{
    uint64_t v;

    __builtin_memcpy(&v, (const uint8_t *)e->cpu.reg + at, 8);
    return v & size_mask(size);
}

/*
 * A 32-bit write clears the upper half; narrower ones merge. Eight bytes are
 * always moved, which needs no branch on the size; from AH they reach into
 * the next register, whose byte is written back unchanged.
 */
static rv_always_inline void reg_write(struct emul *e, unsigned at,
                                       unsigned size, uint64_t v)
{
    uint8_t *p = (uint8_t *)e->cpu.reg + at;
    uint64_t mask = size_mask(size);
    uint64_t keep = size == 4 ? 0 : ~mask;
    uint64_t old;

    __builtin_memcpy(&old, p, 8);
    v = (old & keep) | (v & mask);
    __builtin_memcpy(p, &v, 8);
}

static inline uint64_t gpr_read(const struct emul *e, unsigned reg,
                                unsigned size)
{
    return e->cpu.reg[reg] & size_mask(size);
}

static inline void gpr_write(struct emul *e, unsigned reg, unsigned size,
                             uint64_t v)
{
    reg_write(e, reg * 8, size, v);
}

/* Effective address of the memory operand. */
static rv_always_inline uint64_t ea_of(const struct emul *e,
                                       const struct emul_insn *i)
{
    uint64_t a = e->cpu.reg[i->base] + (e->cpu.reg[i->index] << i->scale) +
                 (uint64_t)(int64_t)i->disp;

    return a & size_mask(i->adsize);
}

/* Exceptions. */

static inline int raise_gp0(struct emul *e)
{
    return emul_raise(e, VEC_GP, 0);
}

static inline int raise_ud(struct emul *e)
{
    return emul_raise(e, VEC_UD, 0);
}

/* Exception with a selector error code. */
static inline int raise_sel(struct emul *e, uint8_t vector, uint16_t sel)
{
    emul_raise(e, vector, (sel & 0xfffcu) | e->external);
    return EMUL_FAULT;
}

static inline unsigned iopl_of(const struct emul *e)
{
    return (unsigned)(e->cpu.rflags >> 12) & 3;
}

static inline bool is_long(const struct emul *e)
{
    return e->mode >= EMUL_MODE_64;
}

/* Memory through segments. */

/** Segment checks that the fast path does not cover. */
int linear_slow(struct emul *e, unsigned seg, uint64_t off, unsigned size,
                unsigned access, uint64_t *lin);

/* Present writable expand-up data passes at once. */
static rv_always_inline int linear_of(struct emul *e, unsigned seg,
                                      uint64_t off, unsigned size,
                                      unsigned access, uint64_t *lin)
{
    const struct emul_seg *s = &e->cpu.seg[seg];

    if (likely((s->attr & 0x9e) == 0x92 && off + size - 1 <= s->limit &&
               e->mode < EMUL_MODE_64 && !e->check_align)) {
        *lin = (uint32_t)(s->base + off);
        return EMUL_OK;
    }
    return linear_slow(e, seg, off, size, access, lin);
}

/* The inlined forms are for the hottest handlers. */
static rv_always_inline int mem_read_inline(struct emul *e, unsigned seg,
                                            uint64_t off, unsigned size,
                                            uint64_t *v)
{
    uint64_t lin;
    int rc = linear_of(e, seg, off, size, 0, &lin);

    return rc ? rc : e->ops->read(e, lin, size, e->access, v);
}

static rv_always_inline int mem_write_inline(struct emul *e, unsigned seg,
                                             uint64_t off, unsigned size,
                                             uint64_t v)
{
    uint64_t lin;
    int rc = linear_of(e, seg, off, size, EMUL_ACCESS_WRITE, &lin);

    if (rc) {
        return rc;
    }
    return e->ops->write(e, lin, size, e->access | EMUL_ACCESS_WRITE,
                         v & size_mask(size));
}

int mem_read(struct emul *e, unsigned seg, uint64_t off, unsigned size,
             uint64_t *v);
int mem_write(struct emul *e, unsigned seg, uint64_t off, unsigned size,
              uint64_t v);

/* Descriptor tables wrap at 4 GiB outside long mode, as all addresses do. */
static inline uint64_t sys_linear(const struct emul *e, uint64_t lin)
{
    return e->cpu.efer & EFER_LMA ? lin : (uint32_t)lin;
}

/** System-table access: linear address, supervisor rights. */
static inline int sys_read(struct emul *e, uint64_t lin, unsigned size,
                           uint64_t *v)
{
    return e->ops->read(e, sys_linear(e, lin), size, 0, v);
}

static inline int sys_write(struct emul *e, uint64_t lin, unsigned size,
                            uint64_t v)
{
    return e->ops->write(e, sys_linear(e, lin), size, EMUL_ACCESS_WRITE, v);
}

/* The r/m operand. */

static rv_always_inline int rm_read(struct emul *e, const struct emul_insn *i,
                                    unsigned size, uint64_t *v)
{
    if (i->flags & EMUL_F_MEM) {
        return mem_read(e, i->seg, ea_of(e, i), size, v);
    }
    *v = reg_read(e, i->rm_at, size);
    return EMUL_OK;
}

static rv_always_inline int rm_write(struct emul *e, const struct emul_insn *i,
                                     unsigned size, uint64_t v)
{
    if (i->flags & EMUL_F_MEM) {
        return mem_write(e, i->seg, ea_of(e, i), size, v);
    }
    reg_write(e, i->rm_at, size, v);
    return EMUL_OK;
}

/* A read-modify-write of the r/m operand, between begin and end. */
struct rmw {
    uint64_t lin;
    uint64_t old;
};

/** Memory halves of rmw_begin and rmw_end. */
int rmw_mem_begin(struct emul *e, const struct emul_insn *i, uint64_t off,
                  unsigned size, struct rmw *m);
int rmw_mem_end(struct emul *e, const struct emul_insn *i, unsigned size,
                const struct rmw *m, uint64_t v);

static rv_always_inline int rmw_begin(struct emul *e, const struct emul_insn *i,
                                      unsigned size, struct rmw *m)
{
    if (i->flags & EMUL_F_MEM) {
        return rmw_mem_begin(e, i, ea_of(e, i), size, m);
    }
    m->old = reg_read(e, i->rm_at, size);
    return EMUL_OK;
}

static rv_always_inline int rmw_end(struct emul *e, const struct emul_insn *i,
                                    unsigned size, const struct rmw *m,
                                    uint64_t v)
{
    if (i->flags & EMUL_F_MEM) {
        return rmw_mem_end(e, i, size, m, v);
    }
    reg_write(e, i->rm_at, size, v);
    return EMUL_OK;
}

/* Stack: handlers move a local copy of SP and commit it at the end. */

static inline uint64_t stk_get(const struct emul *e)
{
    return e->cpu.reg[EMUL_RSP] & e->stack_mask;
}

static inline void stk_set(struct emul *e, uint64_t sp)
{
    if (e->stack_mask == 0xffff) {
        gpr_write(e, EMUL_RSP, 2, sp);
    } else {
        e->cpu.reg[EMUL_RSP] = sp & e->stack_mask;
    }
}

static rv_always_inline int stk_push(struct emul *e, uint64_t *sp,
                                     unsigned size, uint64_t v)
{
    uint64_t at = (*sp - size) & e->stack_mask;
    int rc = mem_write_inline(e, EMUL_SS, at, size, v);

    if (rc == EMUL_OK) {
        *sp = at;
    }
    return rc;
}

static rv_always_inline int stk_pop(struct emul *e, uint64_t *sp, unsigned size,
                                    uint64_t *v)
{
    int rc = mem_read_inline(e, EMUL_SS, *sp, size, v);

    if (rc == EMUL_OK) {
        *sp = (*sp + size) & e->stack_mask;
    }
    return rc;
}

/** Sets the next RIP after the checks of a near branch. */
int branch_to(struct emul *e, uint64_t target, unsigned opsize);

/** Is the condition coded in the low four opcode bits true? */
bool cond_is_true(uint64_t rflags, unsigned code);

/** Writes the bits of `mask` that the current privilege level may change. */
void rflags_write(struct emul *e, uint64_t value, uint64_t mask);

/** The bits POPF and IRET of this operand size may change here. */
uint64_t rflags_writable(const struct emul *e, unsigned opsize);

/** Recomputes what depends on CR0, EFER, CS, SS, CPL and RFLAGS. */
void mode_update(struct emul *e);

/** Forgets the translated code page. */
static inline void emul_code_forget(struct emul *e)
{
    e->code_lin = 1;
}

/** Whether the undefined flags follow the result (see enum emul_family). */
static inline bool is_intel(const struct emul *e)
{
    return e->family == EMUL_FAMILY_INTEL;
}
