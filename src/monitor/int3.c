/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints. Where the processor can intercept #BP, that is the exit; where
 * it cannot, all software interrupts exit and the byte at RIP tells INT3 from
 * the guest's other ones, which are then done for it. A monitor and a debugger
 * are both told; the guest gets its #BP unless one of them takes it.
 *
 * Threat surface: the bytes at RIP, which another vCPU may change meanwhile.
 * Ref: AMD APM Vol 2, 15.12.4 "#BP (Breakpoint)", 15.13.5 "Software
 *      interrupts".
 */

#include "ravelin/debug_attach.h"
#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/vmexit.h"

#include "monitor_internal.h"

#define VECTOR_BP 3u
#define VECTOR_OF 4u
#define VECTOR_GP 13u
#define RFLAGS_VM (1UL << 17)
#define RFLAGS_IOPL (3UL << 12)

static void claim(struct vcpu *v)
{
    struct monitor_vcpu *w = monitor_vcpu(v);
    struct monitor *m = monitor_of(v->domain);

    if (m) {
        spin_lock(&m->lock);
        w->is_claimed = true;
        spin_unlock(&m->lock);
    }
}

static void breakpoint(struct vcpu *v, gva_t at)
{
    struct monitor_event ev = {
        .reason = RAVELIN_REASON_INT3,
        .gla = at.v,
        .gla_valid = true,
        .insn_len = 1,
    };
    enum monitor_outcome outcome = MONITOR_UNHEARD;
    struct guest_fault fault;
    gpa_t where;
    bool claimed;

    if (monitor_listens(v->domain, RAVELIN_REASON_INT3)) {
        if (guest_translate(v, at, ACCESS_READ, false, &where, &fault) == 0) {
            ev.value = where.v;
        }
        outcome = monitor_event(v, &ev);
    }
    claimed = debug_int3(v, at);
    if (claimed) {
        claim(v);
    } else if (!monitor_is_waiting(outcome)) {
        vcpu_soft_event_inject(v, VECTOR_BP, EVENT_SOFT_EXC, 1);
    }
}

static gva_t linear_rip(const struct vcpu *v)
{
    uint64_t base;
    enum emul_mode mode = vcpu_code_mode(v, &base);
    uint64_t at = base + v->regs.rip;

    return gva(mode >= EMUL_MODE_64 ? at : (uint32_t)at);
}

void monitor_breakpoint(struct vcpu *v, const struct vmexit *exit rv_unused)
{
    breakpoint(v, linear_rip(v));
}

/* In virtual-8086 mode INT n, but not INT3, asks the I/O privilege level. */
static void soft_int(struct vcpu *v, const struct emul_insn *insn)
{
    if ((v->regs.rflags & RFLAGS_VM) &&
        (v->regs.rflags & RFLAGS_IOPL) != RFLAGS_IOPL) {
        vcpu_exception_inject(v, VECTOR_GP, true, 0);
        return;
    }
    vcpu_soft_event_inject(v, (uint8_t)insn->imm, EVENT_SOFT_INT, insn->len);
}

void soft_int_exit_handle(struct vcpu *v, const struct vmexit *exit)
{
    const struct emul_insn *insn = vcpu_insn_fetch(v, exit);

    if (!insn) {
        return;
    }
    switch (insn->id) {
    case EMUL_I_INT3:
        breakpoint(v, linear_rip(v));
        break;
    case EMUL_I_INT_N:
        soft_int(v, insn);
        break;
    case EMUL_I_INTO:
        vcpu_soft_event_inject(v, VECTOR_OF, EVENT_SOFT_EXC, insn->len);
        break;
    default:
        /* Another vCPU rewrote the code since the exit. QEMU's TCG may have
         * translated the old code just then, and would keep it for ever. */
        guest_code_refresh(v, linear_rip(v));
        break;
    }
}
