/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policy for each exit reason: one small handler per row of a table.
 *
 * Threat surface: a guest decides which exit happens when, with which operands;
 * handlers change only the state of the vCPU that exited or go through the
 * checked entry points of other modules.
 */

#include "ravelin/vmexit.h"
#include "entry_build.h"
#include "ravelin/cpuid_policy.h"
#include "ravelin/cr.h"
#include "ravelin/device_exit.h"
#include "ravelin/entry_check.h"
#include "ravelin/hypercall.h"
#include "ravelin/insn.h"
#include "ravelin/monitor.h"
#include "ravelin/msr_policy.h"
#include "ravelin/sched.h"

#define VECTOR_DB 1u
#define VECTOR_BP 3u
#define VECTOR_OF 4u
#define VECTOR_PF 14u
#define VECTOR_AC 17u
#define MSR_SKIPPED 1 /* the instruction is behind us already */
#define VECTOR_MC 18u
/* Deliveries of #DB or #AC in a row without one instruction in between. */
#define EXCEPTION_LOOP_LIMIT 1000u

static void none_handle(struct vcpu *v rv_unused,
                        const struct vmexit *exit rv_unused)
{
}

/* The backend has taken the request for this exit back. */
static void irq_window_handle(struct vcpu *v,
                              const struct vmexit *exit rv_unused)
{
    v->intercepts.irq_window = false;
    v->attention = true;
}

static void cpuid_handle(struct vcpu *v, const struct vmexit *exit)
{
    uint32_t *out = v->cpuid_result;

    cpuid_policy_get(v, (uint32_t)v->regs.gpr[REG_RAX],
                     (uint32_t)v->regs.gpr[REG_RCX], out);
    v->regs.gpr[REG_RAX] = out[CPUID_EAX];
    v->regs.gpr[REG_RBX] = out[CPUID_EBX];
    v->regs.gpr[REG_RCX] = out[CPUID_ECX];
    v->regs.gpr[REG_RDX] = out[CPUID_EDX];
    vcpu_insn_skip(v, exit);
}

/* A write that somebody may want to hear of. 0; MSR_SKIPPED; or the guest gets
 * #GP. */
static int msr_write(struct vcpu *v, const struct vmexit *exit, uint64_t value)
{
    uint32_t index = exit->u.msr.index;
    uint64_t old = 0;
    int rc;

    if (likely(!monitor_listens(v->domain, RAVELIN_REASON_MSR))) {
        return msr_policy_write(v, index, value);
    }
    if (msr_policy_read(v, index, &old) != 0) {
        old = 0; /* write-only */
    }
    rc = msr_policy_write(v, index, value);
    if (rc == 0) {
        vcpu_insn_skip(v, exit);
        monitor_msr_written(v, index, old, value);
    }
    return rc == 0 ? MSR_SKIPPED : rc;
}

static void msr_handle(struct vcpu *v, const struct vmexit *exit)
{
    uint64_t value =
        (uint32_t)v->regs.gpr[REG_RAX] | (v->regs.gpr[REG_RDX] << 32);
    int rc;

    vcpu_tpr_pull(v);
    if (exit->u.msr.write) {
        rc = msr_write(v, exit, value);
        if (unlikely(rc == MSR_SKIPPED)) {
            return;
        }
    } else {
        rc = msr_policy_read(v, exit->u.msr.index, &value);
    }
    if (rc) {
        vcpu_gp_inject(v);
        return;
    }
    if (!exit->u.msr.write) {
        v->regs.gpr[REG_RAX] = (uint32_t)value;
        v->regs.gpr[REG_RDX] = value >> 32;
    }
    vcpu_insn_skip(v, exit);
}

static void hlt_handle(struct vcpu *v, const struct vmexit *exit)
{
    vcpu_insn_skip(v, exit);
    vcpu_halt(v);
}

static void pause_handle(struct vcpu *v, const struct vmexit *exit)
{
    vcpu_insn_skip(v, exit);
    vcpu_yield(v);
}

/* Between two deliveries an instruction must have completed. */
static bool exception_is_endless(struct vcpu *v, uint8_t vector)
{
    bool looping = v->regs.rip == v->exception_rip &&
                   v->regs.gpr[REG_RSP] == v->exception_rsp;

    if (!looping) {
        v->exception_rip = v->regs.rip;
        v->exception_rsp = v->regs.gpr[REG_RSP];
        v->exception_count = 0;
        return false;
    }
    if (++v->exception_count <= EXCEPTION_LOOP_LIMIT) {
        return false;
    }
    domain_crash(v->domain, v,
                 "endless exception loop: vector %u at rip %016lx", vector,
                 v->regs.rip);
    return true;
}

/*
 * #DB and #AC are seen only so that a guest cannot make the processor deliver
 * them for ever; the others while a vCPU steps, while a software interrupt is
 * delivered, and #BP for a monitor or a debugger.
 */
static void exception_handle(struct vcpu *v, const struct vmexit *exit)
{
    uint8_t vector = exit->u.exception.vector;
    if (vector == VECTOR_MC) {
        return;
    }
    if (vector == VECTOR_BP) {
        monitor_breakpoint(v, exit);
        return;
    }
    if (vector == VECTOR_OF) {
        vcpu_soft_event_inject(v, vector, EVENT_SOFT_EXC,
                               (uint8_t)vcpu_insn_length(v, exit));
        return;
    }
    if (vector == VECTOR_PF) {
        vcpu_pf_inject(v, exit->u.exception.error, gva(exit->u.exception.cr2));
        return;
    }
    if ((vector == VECTOR_DB || vector == VECTOR_AC) &&
        exception_is_endless(v, vector)) {
        return;
    }
    vcpu_exception_inject(v, vector, exit->u.exception.has_error,
                          exit->u.exception.error);
}

static void triple_fault_handle(struct vcpu *v,
                                const struct vmexit *exit rv_unused)
{
    domain_crash(v->domain, v,
                 "triple fault (an exception while delivering #DF)");
}

/* Nothing cached by a domain without devices can be stale for anybody. */
static void cache_handle(struct vcpu *v, const struct vmexit *exit)
{
    vcpu_insn_skip(v, exit);
}

static void undefined_handle(struct vcpu *v,
                             const struct vmexit *exit rv_unused)
{
    vcpu_ud_inject(v);
}

static void rdpmc_handle(struct vcpu *v, const struct vmexit *exit rv_unused)
{
    vcpu_gp_inject(v);
}

static void invalid_handle(struct vcpu *v, const struct vmexit *exit rv_unused)
{
    entry_refused(v);
}

static void unexpected_handle(struct vcpu *v, const struct vmexit *exit)
{
    uint64_t raw[3];

    hv->exit_raw_get(v, raw);
    domain_crash(v->domain, v, "unexpected exit %s: code %lx info %lx %lx",
                 vmexit_name(exit->reason), raw[0], raw[1], raw[2]);
}

struct exit_handler {
    void (*fn)(struct vcpu *v, const struct vmexit *exit);
    const char *name;
};

/* clang-format off */
static const struct exit_handler handlers[VMEXIT_COUNT] = {
    [VMEXIT_UNKNOWN]      = {unexpected_handle, "unknown"},
    [VMEXIT_NONE]         = {none_handle, "interrupt"},
    [VMEXIT_HYPERCALL]    = {hypercall_dispatch, "hypercall"},
    [VMEXIT_CPUID]        = {cpuid_handle, "cpuid"},
    [VMEXIT_MSR]          = {msr_handle, "msr"},
    [VMEXIT_IO]           = {io_exit_handle, "io"},
    [VMEXIT_CR]           = {cr_exit_handle, "cr"},
    [VMEXIT_DR]           = {dr_exit_handle, "dr"},
    [VMEXIT_HLT]          = {hlt_handle, "hlt"},
    [VMEXIT_PAUSE]        = {pause_handle, "pause"},
    [VMEXIT_MEMORY]       = {memory_exit_handle, "memory"},
    [VMEXIT_EXCEPTION]    = {exception_handle, "exception"},
    [VMEXIT_SOFT_INT]     = {soft_int_exit_handle, "soft-int"},
    [VMEXIT_IRQ_WINDOW]   = {irq_window_handle, "irq-window"},
    [VMEXIT_NMI_WINDOW]   = {none_handle, "nmi-window"},
    [VMEXIT_TRIPLE_FAULT] = {triple_fault_handle, "triple-fault"},
    [VMEXIT_XSETBV]       = {xsetbv_exit_handle, "xsetbv"},
    [VMEXIT_CACHE]        = {cache_handle, "cache"},
    [VMEXIT_MWAIT]        = {undefined_handle, "mwait"},
    [VMEXIT_RDPMC]        = {rdpmc_handle, "rdpmc"},
    [VMEXIT_VIRT_INSN]    = {undefined_handle, "virt-insn"},
    [VMEXIT_INVLPG]       = {unexpected_handle, "invlpg"},
    [VMEXIT_TASK_SWITCH]  = {unexpected_handle, "task-switch"},
    [VMEXIT_RSM]          = {undefined_handle, "rsm"},
    [VMEXIT_PUSHF]        = {unexpected_handle, "pushf"},
    [VMEXIT_INVALID]      = {invalid_handle, "invalid"},
};
/* clang-format on */

const char *vmexit_name(unsigned reason)
{
    return reason < VMEXIT_COUNT ? handlers[reason].name : "?";
}

void vmexit_handle(struct vcpu *v, struct vmexit *exit)
{
    v->exit_count[exit->reason]++;
    entry_build_note(v, (uint8_t)exit->reason);
    handlers[exit->reason].fn(v, exit);
}
