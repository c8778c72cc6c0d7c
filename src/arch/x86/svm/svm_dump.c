/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMCB as a person reads it, for crash dumps. Field names are those of the
 * manual; one line per group.
 */

#include "ravelin/log.h"
#include "svm/svm.h"

static void segment_dump(const char *name, const struct vmcb_segment *s)
{
    log_error("  %-4s sel %04x attr %04x limit %08x base %016lx", name,
              s->selector, s->attr, s->limit, s->base);
}

static void controls_dump(const struct vmcb *b)
{
    log_error("VMCB control area:");
    log_error("  exitcode %lx info1 %016lx info2 %016lx intinfo %016lx",
              b->exitcode, b->exitinfo1, b->exitinfo2, b->exitintinfo);
    log_error("  cr %04x/%04x dr %04x/%04x exceptions %08x i1 %08x i2 %08x",
              b->cr_read, b->cr_write, b->dr_read, b->dr_write, b->exceptions,
              b->intercepts1, b->intercepts2);
    log_error("  asid %u tlb %u vintr %016lx int_state %lx event_inj %016lx",
              b->asid, b->tlb_control, b->vintr, b->int_state, b->event_inj);
    log_error(
        "  np %lx n_cr3 %016lx iopm %lx msrpm %lx tsc_offset %lx nrip %lx",
        b->np_control, b->n_cr3, b->iopm_pa, b->msrpm_pa, b->tsc_offset,
        b->nrip);
}

void svm_dump(const struct vcpu *v)
{
    const struct vmcb *b = svm_vmcb(v);

    controls_dump(b);
    log_error("VMCB save area:");
    log_error("  cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx", b->cr0, b->cr2,
              b->cr3, b->cr4);
    log_error("  rip %016lx rsp %016lx rflags %016lx efer %016lx cpl %u",
              b->rip, b->rsp, b->rflags, b->efer, b->cpl);
    log_error("  dr6 %016lx dr7 %016lx pat %016lx", b->dr6, b->dr7, b->g_pat);
    log_error("  star %016lx lstar %016lx cstar %016lx sfmask %016lx", b->star,
              b->lstar, b->cstar, b->sfmask);
    segment_dump("cs", &b->cs);
    segment_dump("ss", &b->ss);
    segment_dump("ds", &b->ds);
    segment_dump("es", &b->es);
    segment_dump("fs", &b->fs);
    segment_dump("gs", &b->gs);
    segment_dump("tr", &b->tr);
    segment_dump("ldtr", &b->ldtr);
    segment_dump("gdtr", &b->gdtr);
    segment_dump("idtr", &b->idtr);
}
