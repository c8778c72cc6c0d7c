/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions raised on the guest's behalf, and what becomes of them when
 * another event is already on its way: the architecture's contributory rules.
 * Ref: Intel SDM Vol 3A table 6-5 "Conditions for Generating a Double Fault";
 *      AMD APM Vol 2, 8.2.9 "#DF-Double-Fault Exception".
 */

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

static void event_raise(struct vcpu *v, const struct vcpu_event *second)
{
    struct vcpu_event first = v->pending;
    enum verdict verdict = TAKE_SECOND;

    if (first.valid || hv->event_take(v, &first)) {
        verdict = collision[event_classify(&first)][event_classify(second)];
    }
    v->attention = true;
    switch (verdict) {
    case TAKE_SECOND:
        first_keep(v, &first);
        v->pending = *second;
        break;
    case DOUBLE_FAULT:
        v->pending = (struct vcpu_event){
            .valid = true,
            .vector = VECTOR_DF,
            .type = EVENT_EXCEPTION,
            .has_error = true,
        };
        break;
    case TRIPLE_FAULT:
        domain_crash(v->domain, v,
                     "triple fault: exception %u while delivering #DF",
                     second->vector);
        break;
    }
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
