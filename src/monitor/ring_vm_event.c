/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events in the format vm_event, version 7: each with a block of registers, and
 * with responses that may set them.
 */

#include "public/vm_event.h"

#include "ravelin/guest_copy.h"
#include "ravelin/log.h"
#include "ravelin/string.h"
#include "ring_shared.h"

#define TYPE_SOFTWARE_EXCEPTION 6u

enum { ES, CS, SS, DS, FS, GS, LDTR, TR, GDTR };

static vm_event_selector_t selector_of(const struct ravelin_segment *s)
{
    uint32_t limit = s->attr & SEG_ATTR_G ? s->limit >> PAGE_SHIFT : s->limit;

    return (limit & 0xfffff) | (uint32_t)(s->attr & 0xfff) << 20;
}

static void segments_fill(struct vm_event_regs_x86 *regs,
                          const struct ravelin_segment *seg)
{
    regs->es = selector_of(&seg[ES]);
    regs->cs = selector_of(&seg[CS]);
    regs->ss = selector_of(&seg[SS]);
    regs->ds = selector_of(&seg[DS]);
    regs->fs = selector_of(&seg[FS]);
    regs->gs = selector_of(&seg[GS]);
    regs->es_sel = seg[ES].selector;
    regs->cs_sel = seg[CS].selector;
    regs->ss_sel = seg[SS].selector;
    regs->ds_sel = seg[DS].selector;
    regs->fs_sel = seg[FS].selector;
    regs->gs_sel = seg[GS].selector;
    regs->es_base = (uint32_t)seg[ES].base;
    regs->cs_base = (uint32_t)seg[CS].base;
    regs->ss_base = (uint32_t)seg[SS].base;
    regs->ds_base = (uint32_t)seg[DS].base;
    regs->fs_base = seg[FS].base;
    regs->gs_base = seg[GS].base;
    regs->gdtr_base = seg[GDTR].base;
    regs->gdtr_limit = (uint16_t)seg[GDTR].limit;
}

static_assert(offsetof(struct vm_event_regs_x86, r15) == 15 * sizeof(uint64_t),
              "general registers in the hardware's order in both");

static void regs_fill(struct vm_event_regs_x86 *regs, const struct vcpu *v)
{
    struct ravelin_registers in;

    monitor_registers_read(v, &in);
    memset(regs, 0, sizeof(*regs));
    memcpy(regs, in.gpr, sizeof(in.gpr));
    regs->rflags = in.rflags;
    regs->dr6 = in.dr6;
    regs->dr7 = in.dr7;
    regs->rip = in.rip;
    regs->cr0 = in.cr0;
    regs->cr2 = in.cr2;
    regs->cr3 = in.cr3;
    regs->cr4 = in.cr4;
    regs->sysenter_cs = in.sysenter_cs;
    regs->sysenter_esp = in.sysenter_esp;
    regs->sysenter_eip = in.sysenter_eip;
    regs->msr_efer = in.efer;
    regs->msr_star = in.star;
    regs->msr_lstar = in.lstar;
    regs->vmtrace_pos = ~0UL;
    regs->shadow_gs = in.kernel_gs_base;
    segments_fill(regs, in.seg);
}

static const uint32_t reason_of[RAVELIN_REASON_COUNT] = {
    [RAVELIN_REASON_VIOLATION] = VM_EVENT_REASON_MEM_ACCESS,
    [RAVELIN_REASON_CR0] = VM_EVENT_REASON_WRITE_CTRLREG,
    [RAVELIN_REASON_CR3] = VM_EVENT_REASON_WRITE_CTRLREG,
    [RAVELIN_REASON_CR4] = VM_EVENT_REASON_WRITE_CTRLREG,
    [RAVELIN_REASON_INT3] = VM_EVENT_REASON_SOFTWARE_BREAKPOINT,
    [RAVELIN_REASON_STEP] = VM_EVENT_REASON_SINGLESTEP,
    [RAVELIN_REASON_REQUEST] = VM_EVENT_REASON_GUEST_REQUEST,
    [RAVELIN_REASON_MSR] = VM_EVENT_REASON_MOV_TO_MSR,
    [RAVELIN_REASON_INJECT] = VM_EVENT_REASON_INTERRUPT,
};

static struct vm_event_mem_access access_of(const struct ravelin_event *ev)
{
    bool gla = (ev->flags & RAVELIN_EVENT_GLA) != 0;

    return (struct vm_event_mem_access){
        .gfn = ev->value >> PAGE_SHIFT,
        .offset = ev->value & ~PAGE_MASK,
        .gla = ev->gla,
        .flags = ((ev->flags >> 1) & 7) | (gla ? MEM_ACCESS_GLA_VALID : 0) |
                 (ev->flags & RAVELIN_EVENT_WALK ? MEM_ACCESS_FAULT_IN_GPT
                  : gla                          ? MEM_ACCESS_FAULT_WITH_GLA
                                                 : 0),
    };
}

static void detail_fill(struct vm_event_st *out, const struct ravelin_event *ev)
{
    switch (ev->reason) {
    case RAVELIN_REASON_VIOLATION:
        out->u.mem_access = access_of(ev);
        break;
    case RAVELIN_REASON_CR0:
    case RAVELIN_REASON_CR3:
    case RAVELIN_REASON_CR4:
        out->u.write_ctrlreg.index = ev->reason - RAVELIN_REASON_CR0;
        out->u.write_ctrlreg.new_value = ev->value;
        out->u.write_ctrlreg.old_value = ev->old;
        break;
    case RAVELIN_REASON_INT3:
        out->u.software_breakpoint.gfn = ev->value >> PAGE_SHIFT;
        out->u.software_breakpoint.insn_length = 1;
        out->u.software_breakpoint.type = TYPE_SOFTWARE_EXCEPTION;
        break;
    case RAVELIN_REASON_STEP:
        out->u.singlestep.gfn = ev->value >> PAGE_SHIFT;
        break;
    case RAVELIN_REASON_MSR:
        out->u.mov_to_msr.msr = ev->gla;
        out->u.mov_to_msr.new_value = ev->value;
        out->u.mov_to_msr.old_value = ev->old;
        break;
    case RAVELIN_REASON_INJECT:
        out->u.interrupt.vector = (uint32_t)ev->value;
        out->u.interrupt.type = (uint32_t)ev->old;
        break;
    default:
        break;
    }
}

static bool vm_event_put(struct monitor *m, const struct vcpu *v,
                         const struct monitor_record *rec)
{
    const struct ravelin_event *ev = &rec->event;
    bool pauses = (ev->flags & RAVELIN_EVENT_PAUSED) != 0;
    struct vm_event_st out;

    memset(&out, 0, offsetof(struct vm_event_st, regs));
    out.version = VM_EVENT_INTERFACE_VERSION;
    out.flags = pauses ? VM_EVENT_FLAG_VCPU_PAUSED : 0;
    out.reason = reason_of[ev->reason];
    out.vcpu_id = ev->vcpu;
    detail_fill(&out, ev);
    regs_fill(&out.regs, v);
    return shared_ring_put(m, &out, pauses);
}

/* ---- Responses --------------------------------------------------------- */

/* What a response may ask for; 0 for what it may not. */
static bool flags_translate(uint32_t flags, uint32_t *answer)
{
    const uint32_t known = VM_EVENT_FLAG_VCPU_PAUSED | VM_EVENT_FLAG_EMULATE |
                           VM_EVENT_FLAG_DENY | VM_EVENT_FLAG_SET_REGISTERS |
                           VM_EVENT_FLAG_FAST_SINGLESTEP;

    *answer = (flags & VM_EVENT_FLAG_EMULATE ? RAVELIN_ANSWER_EMULATE : 0) |
              (flags & VM_EVENT_FLAG_DENY ? RAVELIN_ANSWER_DENY : 0) |
              (flags & VM_EVENT_FLAG_FAST_SINGLESTEP ? RAVELIN_ANSWER_STEP : 0);
    return (flags & ~known) == 0;
}

static void registers_keep(struct monitor *m, const struct vm_event_st *rsp)
{
    struct monitor_vcpu *w = &m->vcpu[rsp->vcpu_id];

    memcpy(w->gpr, &rsp->regs, sizeof(w->gpr));
    w->rip = rsp->regs.rip;
    w->rflags = rsp->regs.rflags;
}

static void response_take(struct monitor *m, const void *slot)
{
    struct vm_event_st rsp;
    uint32_t answer;

    guest_page_read(&rsp, slot, sizeof(rsp));
    if (rsp.version != VM_EVENT_INTERFACE_VERSION) {
        if (m->refused++ == 0) {
            log_warn("%s: its monitor answers in version %u of vm_event, not "
                     "%u",
                     m->domain->name, rsp.version, VM_EVENT_INTERFACE_VERSION);
        }
        return;
    }
    if (!(rsp.flags & VM_EVENT_FLAG_VCPU_PAUSED)) {
        m->refused += rsp.flags != 0;
        return;
    }
    if (!flags_translate(rsp.flags, &answer) ||
        !monitor_answer_is_due(m, rsp.vcpu_id)) {
        m->refused++;
        return;
    }
    if (rsp.flags & VM_EVENT_FLAG_SET_REGISTERS) {
        registers_keep(m, &rsp);
        answer |= MONITOR_ANSWER_REGISTERS;
    }
    monitor_answer(m, rsp.vcpu_id, answer);
}

static int vm_event_take(struct monitor *m)
{
    return shared_ring_take(m, response_take);
}

const struct monitor_format monitor_format_vm_event = {
    .init = shared_ring_init,
    .room = shared_ring_room,
    .put = vm_event_put,
    .take = vm_event_take,
    .tell = shared_ring_tell,
};
