/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a VMCB after #VMEXIT to the neutral description that policy acts on: a
 * table by exit code, one small function per kind. What only concerns SVM
 * itself (debug register hand-over, the end of an NMI) is settled here and
 * reported as nothing.
 *
 * Threat surface: every field decoded here was chosen by the guest.
 * Ref: AMD APM Vol 2, 15.9 to 15.14 (intercepts), Appendix C (exit codes).
 */

#include "arch/host.h"
#include "cpu/feature.h"
#include "cpu/regs.h"
#include "svm/svm.h"

typedef void exit_decoder(struct vcpu *v, const struct vmcb *vmcb,
                          struct vmexit *exit);

/* Bochs sets or clears LMA for a write of CR0 that it then does not execute. */
static void lma_restore(struct vcpu *v)
{
    struct vmcb *vmcb = svm_vmcb(v);
    bool is_long = (vmcb->efer & EFER_LME) && (vmcb->cr0 & CR0_PG);

    vmcb->efer = (vmcb->efer & ~EFER_LMA) | (is_long ? EFER_LMA : 0);
    v->paging.efer = vmcb->efer;
}

static void decode_cr(struct vcpu *v, const struct vmcb *vmcb,
                      struct vmexit *exit)
{
    unsigned code = (unsigned)vmcb->exitcode;

    if (code == SVM_EXIT_CR0_WRITE) {
        lma_restore(v);
    }
    exit->u.cr.cr = code & 0xf;
    exit->u.cr.write = code >= SVM_EXIT_CR0_WRITE;
    exit->u.cr.decoded =
        x86_features.decode_assists && (vmcb->exitinfo1 & SVM_CR_MOV);
    exit->u.cr.gpr = vmcb->exitinfo1 & 0xf;
    exit->u.cr.kind = CR_ACCESS_MOV;
}

/* The guest's values come in on first use; DR7 writes always go through
 * policy (see switch_with_breakpoints), other accesses only if it asked. */
static void decode_dr(struct vcpu *v, const struct vmcb *vmcb,
                      struct vmexit *exit)
{
    unsigned code = (unsigned)vmcb->exitcode;

    exit->u.dr.dr = code & 0xf;
    exit->u.dr.write = code >= SVM_EXIT_DR0_WRITE;
    exit->u.dr.decoded = x86_features.decode_assists;
    exit->u.dr.gpr = vmcb->exitinfo1 & 0xf;
    if (!svm_vcpu(v)->wanted.dr_access && !svm_vcpu(v)->dr_loaded &&
        code != SVM_EXIT_DR0_WRITE + 5 && code != SVM_EXIT_DR0_WRITE + 7) {
        svm_debug_load(v);
        exit->reason = VMEXIT_NONE;
    }
}

static void decode_exception(struct vcpu *v rv_unused, const struct vmcb *vmcb,
                             struct vmexit *exit)
{
    unsigned vector = ((unsigned)vmcb->exitcode - SVM_EXIT_EXCEPTION) & 31;
    /* #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP, #VC, #SX push an error code. */
    static const uint32_t with_error = 0x60227d00u;

    exit->u.exception.vector = (uint8_t)vector;
    exit->u.exception.has_error = (with_error >> vector) & 1;
    exit->u.exception.error = (uint32_t)vmcb->exitinfo1;
    exit->u.exception.cr2 = vmcb->exitinfo2;
}

static void decode_interrupt(struct vcpu *v rv_unused,
                             const struct vmcb *vmcb rv_unused,
                             struct vmexit *exit rv_unused)
{
    arch_irq_poll();
}

static void decode_iret(struct vcpu *v, const struct vmcb *vmcb rv_unused,
                        struct vmexit *exit)
{
    struct svm_vcpu *sv = svm_vcpu(v);

    sv->nmi_masked = false;
    sv->iret_rip = v->regs.rip;
    sv->vmcb->intercepts1 &= ~SVM_I1_IRET;
    exit->reason = VMEXIT_NONE;
}

/* IOIO always has the next RIP in exitinfo2, decode assists or not. */
static void decode_io(struct vcpu *v, const struct vmcb *vmcb,
                      struct vmexit *exit)
{
    uint64_t info = vmcb->exitinfo1;
    unsigned segment = (info >> SVM_IO_SEG_SHIFT) & 7;

    exit->u.io.port = (uint16_t)(info >> SVM_IO_PORT_SHIFT);
    exit->u.io.size = (info >> SVM_IO_SIZE_SHIFT) & 7;
    exit->u.io.in = (info & SVM_IO_IN) != 0;
    exit->u.io.string = (info & SVM_IO_STRING) != 0;
    exit->u.io.rep = (info & SVM_IO_REP) != 0;
    exit->u.io.addr_size = (uint8_t)(((info >> SVM_IO_ASIZE_SHIFT) & 7) << 1);
    exit->u.io.segment = x86_features.decode_assists && segment <= SEG_GS
                             ? (uint8_t)segment
                             : SEG_COUNT;
    exit->insn_len = (uint8_t)((vmcb->exitinfo2 - v->regs.rip) & 0xf);
}

static void decode_msr(struct vcpu *v, const struct vmcb *vmcb,
                       struct vmexit *exit)
{
    exit->u.msr.index = (uint32_t)v->regs.gpr[REG_RCX];
    exit->u.msr.write = (vmcb->exitinfo1 & 1) != 0;
}

static void decode_task_switch(struct vcpu *v rv_unused,
                               const struct vmcb *vmcb, struct vmexit *exit)
{
    uint64_t info = vmcb->exitinfo2;

    exit->u.task_switch.selector = (uint16_t)vmcb->exitinfo1;
    exit->u.task_switch.has_error = (info >> 44) & 1;
    exit->u.task_switch.error = (uint32_t)info;
    exit->u.task_switch.source = (info >> 36) & 1   ? 1
                                 : (info >> 38) & 1 ? 2
                                                    : 0;
}

static void decode_npf(struct vcpu *v rv_unused, const struct vmcb *vmcb,
                       struct vmexit *exit)
{
    uint64_t info = vmcb->exitinfo1;

    exit->u.memory.gpa = gpa(vmcb->exitinfo2);
    exit->u.memory.gla_valid = false;
    exit->u.memory.present = (info & SVM_NPF_PRESENT) != 0;
    exit->u.memory.table_walk = (info & SVM_NPF_TABLE_WALK) != 0;
    exit->u.memory.delivering = (vmcb->exitintinfo & SVM_EVENT_VALID) != 0;
    exit->u.memory.access = info & SVM_NPF_EXEC    ? ACCESS_EXEC
                            : info & SVM_NPF_WRITE ? ACCESS_WRITE
                                                   : ACCESS_READ;
}

/* A window exit means: it is open. The request is spent. */
static void decode_window(struct vcpu *v, const struct vmcb *vmcb rv_unused,
                          struct vmexit *exit rv_unused)
{
    svm_vcpu(v)->wanted.irq_window = false;
    svm_intercepts_apply(v);
}

#define EXITS(first, last, why, fn) [first... last] = {why, fn}
#define EXIT(code, why, fn) [code] = {why, fn}

/* clang-format off */
static const struct exit_row {
    enum vmexit_reason reason;
    exit_decoder *decode;
} exit_table[SVM_EXIT_XSETBV + 1] = {
    EXITS(SVM_EXIT_CR0_READ, 0x1f, VMEXIT_CR, decode_cr),
    EXITS(SVM_EXIT_DR0_READ, 0x3f, VMEXIT_DR, decode_dr),
    EXITS(SVM_EXIT_EXCEPTION, 0x5f, VMEXIT_EXCEPTION, decode_exception),
    EXIT(SVM_EXIT_INTR, VMEXIT_NONE, decode_interrupt),
    EXIT(SVM_EXIT_NMI, VMEXIT_NONE, NULL),
    EXIT(SVM_EXIT_SMI, VMEXIT_NONE, NULL),
    EXIT(SVM_EXIT_INIT, VMEXIT_NONE, NULL),
    EXIT(SVM_EXIT_VINTR, VMEXIT_IRQ_WINDOW, decode_window),
    EXIT(SVM_EXIT_RDPMC, VMEXIT_RDPMC, NULL),
    EXIT(SVM_EXIT_PUSHF, VMEXIT_PUSHF, NULL),
    EXIT(SVM_EXIT_CPUID, VMEXIT_CPUID, NULL),
    EXIT(SVM_EXIT_RSM, VMEXIT_RSM, NULL),
    EXIT(SVM_EXIT_IRET, VMEXIT_NONE, decode_iret),
    EXIT(SVM_EXIT_SWINT, VMEXIT_SOFT_INT, NULL),
    EXIT(SVM_EXIT_INVD, VMEXIT_CACHE, NULL),
    EXIT(SVM_EXIT_PAUSE, VMEXIT_PAUSE, NULL),
    EXIT(SVM_EXIT_HLT, VMEXIT_HLT, NULL),
    EXIT(SVM_EXIT_INVLPG, VMEXIT_INVLPG, NULL),
    EXIT(SVM_EXIT_INVLPGA, VMEXIT_VIRT_INSN, NULL),
    EXIT(SVM_EXIT_IOIO, VMEXIT_IO, decode_io),
    EXIT(SVM_EXIT_MSR, VMEXIT_MSR, decode_msr),
    EXIT(SVM_EXIT_TASK_SWITCH, VMEXIT_TASK_SWITCH, decode_task_switch),
    EXIT(SVM_EXIT_FERR, VMEXIT_NONE, NULL),
    EXIT(SVM_EXIT_SHUTDOWN, VMEXIT_TRIPLE_FAULT, NULL),
    EXIT(SVM_EXIT_VMRUN, VMEXIT_VIRT_INSN, NULL),
    EXIT(SVM_EXIT_VMMCALL, VMEXIT_HYPERCALL, NULL),
    EXITS(SVM_EXIT_VMLOAD, SVM_EXIT_SKINIT, VMEXIT_VIRT_INSN, NULL),
    EXIT(SVM_EXIT_WBINVD, VMEXIT_CACHE, NULL),
    EXITS(SVM_EXIT_MONITOR, SVM_EXIT_MWAIT_ARMED, VMEXIT_MWAIT, NULL),
    EXIT(SVM_EXIT_XSETBV, VMEXIT_XSETBV, NULL),
};
/* clang-format on */

static const struct exit_row *row_find(uint32_t code)
{
    static const struct exit_row npf = {VMEXIT_MEMORY, decode_npf};
    static const struct exit_row invalid = {VMEXIT_INVALID, NULL};
    static const struct exit_row unknown = {VMEXIT_UNKNOWN, NULL};

    if (likely(code < ARRAY_SIZE(exit_table))) {
        return &exit_table[code];
    }
    return code == SVM_EXIT_NPF       ? &npf
           : code == SVM_EXIT_INVALID ? &invalid
                                      : &unknown;
}

void svm_exit_decode(struct vcpu *v, struct vmexit *exit)
{
    const struct vmcb *vmcb = svm_vmcb(v);
    const struct exit_row *row = row_find((uint32_t)vmcb->exitcode);
    uint64_t length = vmcb->nrip - v->regs.rip;

    exit->reason = row->reason;
    exit->insn_len = length - 1 < 15 ? (uint8_t)length : 0;
    exit->code_bits = (uint8_t)svm_code_bits(vmcb);
    exit->cpl = vmcb->cpl;
    if (row->decode) {
        row->decode(v, vmcb, exit);
    }
}

void svm_exit_raw_get(const struct vcpu *v, uint64_t raw[3])
{
    const struct vmcb *vmcb = svm_vmcb(v);

    raw[0] = vmcb->exitcode;
    raw[1] = vmcb->exitinfo1;
    raw[2] = vmcb->exitinfo2;
}

unsigned svm_insn_bytes(const struct vcpu *v, uint8_t out[15])
{
    const struct vmcb *vmcb = svm_vmcb(v);
    unsigned count = x86_features.decode_assists ? vmcb->insn_len & 0xf : 0;

    for (unsigned i = 0; i < count; i++) {
        out[i] = vmcb->insn[i];
    }
    return count;
}
