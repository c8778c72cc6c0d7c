/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions raised on the guest's behalf, and what becomes of them when
 * another event is already on its way: the architecture's contributory rules.
 * Ref: Intel SDM Vol 3A table 6-5 "Conditions for Generating a Double Fault";
 *      AMD APM Vol 2, 8.2.9 "#DF-Double-Fault Exception".
 */

#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/vmexit.h"

#define VECTOR_DE 0u
#define VECTOR_DF 8u
#define VECTOR_TS 10u
#define VECTOR_NP 11u
#define VECTOR_SS 12u
#define VECTOR_GP 13u
#define VECTOR_PF 14u
#define VECTOR_CP 21u

enum event_class { CLASS_BENIGN, CLASS_CONTRIBUTORY, CLASS_PF, CLASS_DF };
enum verdict { TAKE_SECOND, DOUBLE_FAULT, TRIPLE_FAULT };

#define CR0_PE 1u
#define EFER_LMA (1UL << 10)
#define RFLAGS_VM (1UL << 17)
#define GATE_DPL_SHIFT 5
#define ERROR_IDT 2u

static enum event_class event_classify(const struct vcpu_event *ev)
{
    const uint32_t contributory = 1u << VECTOR_DE | 1u << VECTOR_TS |
                                  1u << VECTOR_NP | 1u << VECTOR_SS |
                                  1u << VECTOR_GP | 1u << VECTOR_CP;

    if (ev->type != EVENT_EXCEPTION || ev->vector > 31) {
        return CLASS_BENIGN;
    }
    if (ev->vector == VECTOR_DF) {
        return CLASS_DF;
    }
    if (ev->vector == VECTOR_PF) {
        return CLASS_PF;
    }
    return (contributory >> ev->vector) & 1 ? CLASS_CONTRIBUTORY : CLASS_BENIGN;
}

/* Row: what was being delivered; column: what is raised now. */
static const uint8_t collision[4][4] = {
    [CLASS_BENIGN] = {TAKE_SECOND, TAKE_SECOND, TAKE_SECOND, TAKE_SECOND},
    [CLASS_CONTRIBUTORY] = {TAKE_SECOND, DOUBLE_FAULT, TAKE_SECOND,
                            TAKE_SECOND},
    [CLASS_PF] = {TAKE_SECOND, DOUBLE_FAULT, DOUBLE_FAULT, TAKE_SECOND},
    [CLASS_DF] = {TAKE_SECOND, TRIPLE_FAULT, TRIPLE_FAULT, TRIPLE_FAULT},
};

/* An interrupt or NMI displaced by an exception is kept for later; a displaced
 * exception will be raised again by the instruction that caused it. */
static void first_keep(struct vcpu *v, const struct vcpu_event *first)
{
    if (first->type == EVENT_NMI) {
        v->nmi_pending = true;
    } else if (first->type == EVENT_EXTINT) {
        v->displaced = *first;
    }
}

static const struct vcpu_event double_fault = {
    .valid = true,
    .vector = VECTOR_DF,
    .type = EVENT_EXCEPTION,
    .has_error = true,
};

/* Queues `second`, or what it becomes together with the event that is on its
 * way, which is put into *first. After TRIPLE_FAULT the first one still is. */
static enum verdict event_merge(struct vcpu *v, const struct vcpu_event *second,
                                struct vcpu_event *first)
{
    enum verdict verdict = TAKE_SECOND;

    *first = v->pending;
    if (first->valid || hv->event_take(v, first)) {
        verdict = collision[event_classify(first)][event_classify(second)];
    }
    v->attention = true;
    switch (verdict) {
    case TAKE_SECOND:
        first_keep(v, first);
        v->pending = *second;
        break;
    case DOUBLE_FAULT:
        v->pending = double_fault;
        break;
    case TRIPLE_FAULT:
        v->pending = *first;
        break;
    }
    return verdict;
}

static void event_raise(struct vcpu *v, const struct vcpu_event *second)
{
    struct vcpu_event first;

    if (event_merge(v, second, &first) == TRIPLE_FAULT) {
        domain_crash(v->domain, v,
                     "triple fault: exception %u while delivering #DF",
                     second->vector);
    }
}

/*
 * INT3 and INTO need a gate that their privilege level may use. Hardware that
 * is given them as exceptions may not look. What cannot be read here it will
 * not be able to read either, and says so itself.
 */
static bool gate_is_usable(struct vcpu *v, uint8_t vector)
{
    bool is_long = hv->code_bits_get(v) == 64 || (v->paging.efer & EFER_LMA);
    unsigned cpl = v->regs.rflags & RFLAGS_VM ? 3 : hv->cpl_get(v);
    struct vcpu_segment idt;
    struct guest_fault fault;
    uint8_t type;

    if (cpl == 0 || !(hv->creg_get(v, CREG_CR0) & CR0_PE)) {
        return true;
    }
    hv->segment_get(v, SEG_IDTR, &idt);
    if (guest_linear_read(v, &type,
                          gva(idt.base + vector * (is_long ? 16u : 8u) + 5), 1,
                          ACCESS_READ, false, &fault)) {
        return true;
    }
    return ((type >> GATE_DPL_SHIFT) & 3u) >= cpl;
}

/* What the processor makes of a software event that its gate forbids. */
static struct vcpu_event event_permitted(struct vcpu *v,
                                         const struct vcpu_event *ev)
{
    if (ev->type != EVENT_SOFT_EXC || gate_is_usable(v, ev->vector)) {
        return *ev;
    }
    return (struct vcpu_event){
        .valid = true,
        .vector = VECTOR_GP,
        .type = EVENT_EXCEPTION,
        .has_error = true,
        .error = ev->vector * 8u | ERROR_IDT,
    };
}

enum vcpu_collision vcpu_event_try(struct vcpu *v,
                                   const struct vcpu_event *event,
                                   uint8_t *other)
{
    struct vcpu_event second = event_permitted(v, event);
    struct vcpu_event first;
    enum verdict verdict = event_merge(v, &second, &first);

    *other = first.valid ? first.vector : 0;
    switch (verdict) {
    case DOUBLE_FAULT:
        return COLLISION_DOUBLE;
    case TRIPLE_FAULT:
        return COLLISION_TRIPLE;
    default:
        return first.valid ? COLLISION_BENIGN : COLLISION_NONE;
    }
}

void vcpu_soft_event_inject(struct vcpu *v, uint8_t vector, uint8_t type,
                            uint8_t insn_len)
{
    struct vcpu_event ev = {
        .valid = true,
        .vector = vector,
        .type = type,
        .insn_len = insn_len,
    };

    ev = event_permitted(v, &ev);
    event_raise(v, &ev);
}

void vcpu_exception_inject(struct vcpu *v, uint8_t vector, bool has_error,
                           uint32_t error)
{
    struct vcpu_event ev = {
        .valid = true,
        .vector = vector,
        .type = EVENT_EXCEPTION,
        .has_error = has_error,
        .error = error,
    };

    event_raise(v, &ev);
}

void vcpu_pf_inject(struct vcpu *v, uint32_t error, gva_t address)
{
    struct vcpu_event ev = {
        .valid = true,
        .vector = VECTOR_PF,
        .type = EVENT_EXCEPTION,
        .has_error = true,
        .error = error,
        .cr2 = address.v,
    };

    event_raise(v, &ev);
}
