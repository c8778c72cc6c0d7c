/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which linear address an instruction used when it hit a guest-physical one:
 * the hardware tells only the latter. The addresses that the instruction can
 * have used are computed from its operands and translated; one that leads to
 * the page that was hit is taken, and if none does, none is told.
 *
 * Threat surface: instruction and registers are the guest's and may have
 * changed since; a wrong answer misleads about that guest only, and never
 * names an address that does not lead to the page.
 */

#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"

#include "access_internal.h"

struct search {
    struct vcpu *v;
    gpa_t at;
    uint8_t access;
    bool user;
    bool is_64;
};

/* Is `a` in the page that was hit? Accesses may reach into the next page. */
static bool page_matches(const struct search *s, uint64_t a, gva_t *gla)
{
    struct guest_fault fault;
    gpa_t to;

    if (guest_translate(s->v, gva(a), ACCESS_READ, s->user, &to, &fault) ||
        gpa_to_gfn(to).v != gpa_to_gfn(s->at).v) {
        return false;
    }
    *gla = gva((a & PAGE_MASK) | (s->at.v & ~PAGE_MASK));
    return true;
}

static bool address_matches(const struct search *s, uint64_t a, gva_t *gla)
{
    uint64_t next = (a & PAGE_MASK) + PAGE_SIZE;

    if (!s->is_64) {
        a = (uint32_t)a;
        next = (uint32_t)next;
    }
    return page_matches(s, a, gla) || page_matches(s, next, gla);
}

static uint64_t segment_base(const struct search *s, enum seg_index i)
{
    struct vcpu_segment seg;

    if (s->is_64 && i != SEG_FS && i != SEG_GS) {
        return 0;
    }
    hv->segment_get(s->v, i, &seg);
    return seg.base;
}

static uint64_t truncated(uint64_t value, unsigned bytes)
{
    return bytes < 8 ? value & ((1UL << (bytes * 8)) - 1) : value;
}

/* Bytes that the stack pointer counts in. */
static unsigned stack_bytes(const struct search *s)
{
    struct vcpu_segment ss;

    if (s->is_64) {
        return 8;
    }
    hv->segment_get(s->v, SEG_SS, &ss);
    return ss.attr & SEG_ATTR_DB ? 4 : 2;
}

/* Pushed below the stack pointer or popped at it: the slot next to it, which
 * is what all but PUSHA, ENTER and far returns use alone. */
static bool stack_matches(const struct search *s, gva_t *gla)
{
    unsigned bytes = stack_bytes(s);
    uint64_t base = segment_base(s, SEG_SS);
    uint64_t sp = s->v->regs.gpr[REG_RSP];

    if (s->access == ACCESS_WRITE) {
        return page_matches(s, base + truncated(sp - 1, bytes), gla) ||
               page_matches(s, base + truncated(sp - 64, bytes), gla);
    }
    return address_matches(s, base + truncated(sp, bytes), gla);
}

static bool string_matches(const struct search *s, const struct emul_insn *insn,
                           gva_t *gla)
{
    const uint64_t *gpr = s->v->regs.gpr;
    uint64_t si = truncated(gpr[REG_RSI], insn->adsize);
    uint64_t di = truncated(gpr[REG_RDI], insn->adsize);

    switch (insn->id) {
    case EMUL_I_MOVS:
    case EMUL_I_CMPS:
    case EMUL_I_STOS:
    case EMUL_I_LODS:
    case EMUL_I_SCAS:
    case EMUL_I_INS:
    case EMUL_I_OUTS:
        break;
    default:
        return false;
    }
    si += segment_base(s, (enum seg_index)insn->seg);
    di += segment_base(s, SEG_ES);
    if (s->access == ACCESS_WRITE) {
        return address_matches(s, di, gla);
    }
    return address_matches(s, si, gla) || address_matches(s, di, gla);
}

/* Operands with no ModRM byte. */
static bool implied_matches(const struct search *s,
                            const struct emul_insn *insn, gva_t *gla)
{
    const uint64_t *gpr = s->v->regs.gpr;
    uint64_t offset;

    switch (insn->id) {
    case EMUL_I_MOV_ACC_MOFFS:
    case EMUL_I_MOV_MOFFS_ACC:
        offset = insn->imm;
        break;
    case EMUL_I_XLAT:
        offset = gpr[REG_RBX] + (uint8_t)gpr[REG_RAX];
        break;
    default:
        return false;
    }
    return address_matches(s,
                           segment_base(s, (enum seg_index)insn->seg) +
                               truncated(offset, insn->adsize),
                           gla);
}

static bool fetch_matches(const struct search *s, gva_t *gla)
{
    uint64_t base;

    (void)vcpu_code_mode(s->v, &base);
    return address_matches(s, base + s->v->regs.rip, gla);
}

bool access_gla_find(struct vcpu *v, const struct vmexit *exit, gva_t *gla,
                     uint8_t *len)
{
    struct search s = {
        .v = v,
        .at = exit->u.memory.gpa,
        .access = exit->u.memory.access,
        .user = exit->cpl == 3,
        .is_64 = exit->code_bits == 64,
    };
    struct emul_insn insn;

    if (exit->u.memory.gla_valid) {
        *gla = exit->u.memory.gla;
        return true;
    }
    if (exit->u.memory.access == ACCESS_EXEC) {
        return fetch_matches(&s, gla);
    }
    if (vcpu_insn_peek(v, &insn)) {
        return false;
    }
    *len = insn.len;
    if ((insn.flags & EMUL_F_MEM) &&
        address_matches(&s, insn_memory_operand(v, &insn).v, gla)) {
        return true;
    }
    return string_matches(&s, &insn, gla) || implied_matches(&s, &insn, gla) ||
           stack_matches(&s, gla);
}
