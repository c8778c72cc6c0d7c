/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Before a vCPU enters its guest: what is due is delivered in architectural
 * order (exception, NMI, interrupt), and a window exit is asked for when
 * something has to wait. On the common path nothing is due and this is a few
 * loads.
 * Ref: AMD APM Vol 2, 8.5 "Priorities"; Intel SDM Vol 3A table 6-2.
 */

#include "ravelin/emulate_real.h"
#include "ravelin/evtchn.h"
#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/legacy.h"
#include "ravelin/monitor.h"
#include "ravelin/monitor_access.h"
#include "ravelin/sched.h"
#include "ravelin/vlapic.h"
#include "ravelin/vmexit.h"

#define VECTOR_NMI 2u
#define OPCODE_HLT 0xf4u

static void intercepts_update(struct vcpu *v, bool irq_window, bool cr8_write)
{
    if (v->intercepts.irq_window == irq_window &&
        v->intercepts.cr8_write == cr8_write) {
        return;
    }
    v->intercepts.irq_window = irq_window;
    v->intercepts.cr8_write = cr8_write;
    hv->intercepts_set(v, &v->intercepts);
}

static void interrupt_inject(struct vcpu *v, uint8_t vector)
{
    struct vcpu_event ev = {
        .valid = true,
        .vector = vector,
        .type = EVENT_EXTINT,
    };

    hv->event_inject(v, &ev);
}

/* Where an interrupt comes from decides what accepting it means. */
enum irq_source {
    IRQ_NONE,
    IRQ_DISPLACED, /* had been accepted before */
    IRQ_UPCALL,
    IRQ_EXTINT, /* the 8259 pair tells its vector when asked */
    IRQ_APIC,
};

/* The callback vector is not an APIC interrupt: it has no priority and no end
 * of interrupt; the mask is in vcpu_info. */
static enum irq_source interrupt_pending(struct vcpu *v, int *vector)
{
    if (v->displaced.valid) {
        *vector = v->displaced.vector;
        return IRQ_DISPLACED;
    }
    *vector = evtchn_upcall_vector(v);
    if (*vector >= 0) {
        return IRQ_UPCALL;
    }
    if (unlikely(v->domain->legacy != NULL) && legacy_intr_is_pending(v)) {
        return IRQ_EXTINT;
    }
    *vector = vlapic_irq_pending(v);
    return *vector >= 0 ? IRQ_APIC : IRQ_NONE;
}

bool vcpu_irq_is_pending(struct vcpu *v)
{
    int vector;

    return interrupt_pending(v, &vector) != IRQ_NONE;
}

int vcpu_irq_accept(struct vcpu *v)
{
    int vector;

    switch (interrupt_pending(v, &vector)) {
    case IRQ_NONE:
        return -1;
    case IRQ_EXTINT:
        vector = legacy_intr_accept(v);
        break;
    case IRQ_APIC:
        vlapic_irq_accept(v, (uint8_t)vector);
        break;
    default:
        break;
    }
    v->displaced.valid = false;
    return vector;
}

static bool nmi_deliver(struct vcpu *v)
{
    struct vcpu_event ev = {
        .valid = true,
        .vector = VECTOR_NMI,
        .type = EVENT_NMI,
    };

    if (!v->nmi_pending || !hv->nmi_is_open(v)) {
        return false;
    }
    v->nmi_pending = false;
    hv->event_inject(v, &ev);
    return true;
}

/*
 * STI; HLT with an interrupt waiting: the HLT completes and the interrupt comes
 * behind it. Done here, because an emulator that forgets the shadow at VM entry
 * (QEMU's TCG) would deliver it before the HLT and then sleep on it.
 */
static void shadowed_halt_skip(struct vcpu *v)
{
    struct guest_fault fault;
    uint64_t base;
    uint8_t opcode;

    if (!(v->regs.rflags & RFLAGS_IF) || !hv->shadow_get(v) ||
        hv->cpl_get(v) != 0) {
        return;
    }
    (void)vcpu_code_mode(v, &base);
    if (guest_linear_read(v, &opcode, gva(base + v->regs.rip), 1, ACCESS_EXEC,
                          false, &fault) == 0 &&
        opcode == OPCODE_HLT) {
        vcpu_rip_advance(v, 1);
    }
}

/* Returns whether an interrupt is left waiting for IF or a shadow. */
static bool interrupt_deliver(struct vcpu *v, bool slot_free)
{
    if (!vcpu_irq_is_pending(v)) {
        return false;
    }
    if (slot_free && !hv->irq_is_open(v)) {
        shadowed_halt_skip(v);
    }
    if (!slot_free || !hv->irq_is_open(v)) {
        return true;
    }
    interrupt_inject(v, (uint8_t)vcpu_irq_accept(v));
    return vcpu_irq_is_pending(v);
}

/*
 * Everything that can be due, in order. What has to wait keeps the vCPU's
 * attention: nobody tells us when a guest opens its interrupt flag or clears
 * the upcall mask in memory.
 */
static rv_noinline void events_deliver(struct vcpu *v)
{
    bool slot_free = !hv->event_is_queued(v);
    bool soft = false;
    bool waiting;

    vcpu_tpr_pull(v);
    if (v->pending.valid) {
        hv->event_inject(v, &v->pending);
        v->pending.valid = false;
        slot_free = false;
        /* The backend follows a software event until it is delivered. */
        soft = v->pending.insn_len != 0;
    }
    if (slot_free && nmi_deliver(v)) {
        slot_free = false;
    }
    waiting = interrupt_deliver(v, slot_free);
    intercepts_update(v, waiting, vlapic_tpr_threshold(v) >= 0);
    if (waiting || soft || v->nmi_pending || evtchn_is_flagged(v) ||
        vlapic_irq_is_latched(v)) {
        v->attention = true;
    }
}

void vcpu_tpr_pull(struct vcpu *v)
{
    unsigned tpr = hv->tpr_get(v);

    if (unlikely(tpr != vlapic_cr8_get(v))) {
        vlapic_cr8_set(v, tpr);
    }
}

bool vcpu_event_is_due(struct vcpu *v)
{
    if (v->pending.valid || v->nmi_pending || v->init_pending) {
        return true;
    }
    return hv->irq_is_open(v) && vcpu_irq_is_pending(v);
}

/*
 * Firmware parks processors in HLT with interrupts closed, and what it starts
 * expects them to be down then; when all of them are, the machine is off. This
 * is what HVM guests of Xen find, too.
 */
void vcpu_halt(struct vcpu *v)
{
    v->halted = true;
    v->attention = true;
    if (unlikely(v->domain->legacy != NULL) && !(v->regs.rflags & RFLAGS_IF) &&
        !v->nmi_pending && !v->init_pending) {
        vcpu_down(v);
    }
}

/* A vCPU in HLT goes on only when something is due. */
static bool halt_is_over(struct vcpu *v)
{
    if (vcpu_event_is_due(v)) {
        v->halted = false;
        return true;
    }
    vcpu_block(v);
    return false;
}

/* Whoever latches an event sets `attention` afterwards, so clearing it before
 * looking loses nothing. */
bool vmentry_attend(struct vcpu *v)
{
    (void)__atomic_exchange_n(&v->attention, false, __ATOMIC_SEQ_CST);
    if (unlikely(v->domain->legacy != NULL)) {
        legacy_attend(v);
    }
    if (unlikely(v->init_pending)) {
        monitor_attend(v); /* an answer is about the state before INIT */
        monitor_step_cancel(v);
        vlapic_init_process(v);
    }
    if (unlikely(read_once(v->watch_due))) {
        monitor_attend(v);
    }
    if (read_once(v->flags) != 0 || (unlikely(v->halted) && !halt_is_over(v))) {
        v->attention = true;
        return false;
    }
    if (unlikely(v->domain->emulates_real) && emulate_real_is_due(v)) {
        emulate_real_run(v);
        v->attention = true;
        return false;
    }
    if (likely(!v->stepping) || !monitor_step_holds(v)) {
        events_deliver(v);
    }
    return true;
}
