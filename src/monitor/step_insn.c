/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that a step treats apart. PUSHF would show the trap flag; MOV SS
 * and POP SS, and on some processors STI, put off the trap by an instruction,
 * which would then run with the pages open that were opened for this one;
 * SYSCALL and SYSRET decide by themselves whether they trap. The first are done
 * by the emulator, the others here.
 *
 * Threat surface: the instruction is the guest's; nothing but its own state
 * changes.
 * Ref: AMD APM Vol 3, "SYSCALL", "SYSRET"; Vol 2, 6.1.1 "SYSCALL and SYSRET".
 */

#include "ravelin/device_exit.h"
#include "ravelin/insn.h"
#include "ravelin/vmexit.h"

#include "access_internal.h"

#define EFER_LMA (1UL << 10)
#define RFLAGS_VM (1UL << 17)
#define RFLAGS_FIXED 2UL
#define CR0_PE 1u
#define VECTOR_DB 1u
#define DR6_BS (1UL << 14)
/* What SYSRET can load. Ref: AMD APM Vol 3, "SYSRET". */
#define RFLAGS_LOADED 0x3c7fd7UL
#define STAR_SYSCALL_SHIFT 32
#define STAR_SYSRET_SHIFT 48
#define ATTR_CODE64 (SEG_ATTR_P | SEG_ATTR_S | 0xbu | SEG_ATTR_L | SEG_ATTR_G)
#define ATTR_CODE32 (SEG_ATTR_P | SEG_ATTR_S | 0xbu | SEG_ATTR_DB | SEG_ATTR_G)
#define ATTR_DATA (SEG_ATTR_P | SEG_ATTR_S | 0x3u | SEG_ATTR_DB | SEG_ATTR_G)

bool step_insn_is_special(const struct emul_insn *insn)
{
    switch (insn->id) {
    case EMUL_I_PUSHF:
    case EMUL_I_STI:
        return true;
    case EMUL_I_MOV_SREG_RM:
        return insn->reg == EMUL_SS;
    case EMUL_I_POP_SREG:
        return insn->opcode == 0x17; /* POP SS */
    default:
        return false;
    }
}

bool step_insn_loads_flags(const struct emul_insn *insn)
{
    return insn->id == EMUL_I_POPF || insn->id == EMUL_I_IRET;
}

/*
 * What the emulator may do for a vCPU: general registers, flags, data segments,
 * memory. Descriptor tables, control registers, ports and far transfers are not
 * among them.
 */
static bool is_plain(const struct emul_insn *insn)
{
    if (insn->id <= EMUL_I_OTHER || insn->id >= EMUL_I_ARPL) {
        return false;
    }
    if (insn->id >= EMUL_I_JMP_FAR && insn->id <= EMUL_I_UD) {
        return false;
    }
    return insn->id < EMUL_I_INS && emul_id_is_emulated(insn->id);
}

bool step_insn_emulate(struct vcpu *v)
{
    struct emul_insn insn;

    if (vcpu_insn_peek(v, &insn) || !is_plain(&insn)) {
        return false;
    }
    switch (vcpu_emulate_try(v, &insn)) {
    case EMUL_OK:
    case EMUL_FAULT:
    case EMUL_RETRY: /* another page is in the way, and was told */
        return true;
    default:
        return false;
    }
}

static void segment_load(struct vcpu *v, enum seg_index i, uint16_t selector,
                         uint16_t attr, unsigned dpl)
{
    struct vcpu_segment s = {
        .selector = selector,
        .attr = (uint16_t)(attr | dpl << 5),
        .limit = 0xffffffff,
    };

    hv->segment_set(v, i, &s);
}

/* SS goes last: it brings the privilege level with it. */
static void privilege_load(struct vcpu *v, uint16_t cs, uint16_t ss,
                           uint16_t code, unsigned dpl)
{
    segment_load(v, SEG_CS, cs, code, dpl);
    segment_load(v, SEG_SS, ss, ATTR_DATA, dpl);
}

static void syscall_execute(struct vcpu *v, unsigned len)
{
    uint64_t star = hv->creg_get(v, CREG_STAR);
    uint16_t cs = (uint16_t)(star >> STAR_SYSCALL_SHIFT) & 0xfffcu;
    uint64_t next = v->regs.rip + len;
    bool is_64 = hv->code_bits_get(v) == 64;

    if (hv->creg_get(v, CREG_EFER) & EFER_LMA) {
        v->regs.gpr[REG_RCX] = is_64 ? next : (uint32_t)next;
        v->regs.gpr[REG_R11] = v->regs.rflags & ~RFLAGS_RF;
        v->regs.rip = hv->creg_get(v, is_64 ? CREG_LSTAR : CREG_CSTAR);
        v->regs.rflags &= ~(hv->creg_get(v, CREG_SFMASK) | RFLAGS_RF);
        v->regs.rflags |= RFLAGS_FIXED;
        privilege_load(v, cs, (uint16_t)(cs + 8), ATTR_CODE64, 0);
    } else {
        v->regs.gpr[REG_RCX] = (uint32_t)next;
        v->regs.rip = (uint32_t)star;
        v->regs.rflags &= ~(RFLAGS_VM | RFLAGS_IF | RFLAGS_RF);
        privilege_load(v, cs, (uint16_t)(cs + 8), ATTR_CODE32, 0);
    }
}

static void sysret_execute(struct vcpu *v, bool to_64)
{
    uint16_t base = (uint16_t)(hv->creg_get(v, CREG_STAR) >> STAR_SYSRET_SHIFT);
    bool is_64 = hv->code_bits_get(v) == 64;

    v->regs.rip = to_64 ? v->regs.gpr[REG_RCX] : (uint32_t)v->regs.gpr[REG_RCX];
    if (is_64) {
        v->regs.rflags =
            (v->regs.gpr[REG_R11] & RFLAGS_LOADED & ~RFLAGS_RF) | RFLAGS_FIXED;
    } else {
        v->regs.rflags |= RFLAGS_IF;
    }
    privilege_load(v, (uint16_t)((base + (to_64 ? 16 : 0)) | 3),
                   (uint16_t)((base + 8) | 3),
                   to_64 ? ATTR_CODE64 : ATTR_CODE32, 3);
}

/* Both trap by the flag that they leave behind. */
static void own_step_raise(struct vcpu *v)
{
    if (v->regs.rflags & RFLAGS_TF) {
        hv->creg_set(v, CREG_DR6, hv->creg_get(v, CREG_DR6) | DR6_BS);
        vcpu_exception_inject(v, VECTOR_DB, false, 0);
    }
}

enum step_syscall step_insn_syscall(struct vcpu *v)
{
    struct emul_insn insn;

    if (vcpu_insn_peek(v, &insn) || (insn.prefix & EMUL_P_LOCK) ||
        insn.id == EMUL_I_UD || insn.id == EMUL_I_INVALID) {
        return STEP_SYSCALL_UNDEFINED;
    }
    if (insn.id == EMUL_I_SYSCALL) {
        syscall_execute(v, insn.len);
        own_step_raise(v);
        return STEP_SYSCALL_DONE;
    }
    if (insn.id != EMUL_I_SYSRET) {
        return STEP_SYSCALL_OTHER;
    }
    if (!(hv->creg_get(v, CREG_CR0) & CR0_PE)) {
        return STEP_SYSCALL_UNDEFINED;
    }
    if (hv->cpl_get(v) != 0) {
        vcpu_gp_inject(v);
    } else {
        sysret_execute(v, hv->code_bits_get(v) == 64 && insn.opsize == 8);
        own_step_raise(v);
    }
    return STEP_SYSCALL_DONE;
}
