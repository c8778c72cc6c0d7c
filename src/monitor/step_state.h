/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the way on from a forbidden access, and a trap that waits to be
 * injected, keep per vCPU; and what the event engine calls on the vCPU's own
 * CPU before its next entry.
 */
#pragma once

#include "ravelin/inject_trap.h"
#include "ravelin/monitor.h"

struct p2m_view;

enum step_kind {
    STEP_NONE,
    STEP_INSN,     /* one instruction, with TF set behind the guest's back */
    STEP_DELIVERY, /* one event, until the first fetch of its handler */
};

struct monitor_step {
    struct p2m_view *view; /* NULL: never needed one */
    uint8_t kind;          /* enum step_kind */
    bool is_armed;         /* registers are in the state for guest mode */
    bool guest_tf;         /* the guest's own TF, while armed */
    bool has_sce;          /* its EFER.SCE, while armed */
    bool loads_flags;      /* the instruction at `rip` replaces TF */
    bool has_openings;     /* pages are open in the view */
    bool is_told;          /* its end is told, and another one follows */
    bool is_done;          /* the instruction was executed */
    uint8_t false_count;   /* faults that were none */
    uint8_t undefined_count;
    uint64_t rip;        /* where the step began */
    uint64_t dr6;        /* while armed: before */
    uint64_t insn_count; /* steps completed */
};

/* The copies of a hypercall under way, and the first of them that a right of
 * a page forbade. */
struct monitor_copy {
    bool is_running; /* there is a hypercall */
    bool is_stopped; /* the rest is valid */
    uint8_t access;
    gva_t gla;
    gpa_t at;
};

/* A trap that was asked for: IDLE -> FILLING -> READY -> IDLE. */
enum inject_state { INJECT_IDLE, INJECT_FILLING, INJECT_READY };

struct monitor_inject {
    uint32_t state; /* atomic, enum inject_state */
    struct trap_request trap;
};

/** The answer to a VIOLATION of `v`, its current vCPU: RAVELIN_ANSWER_*. */
void monitor_access_answer(struct vcpu *v, const struct monitor_event *ev,
                           uint32_t flags);
/** Delivers a trap that waits for `v`, current here. */
void monitor_inject_attend(struct vcpu *v);
/** Begins or ends stepping as the settings now demand; `v` is current here. */
void monitor_step_attend(struct vcpu *v);
/** Frees what a step owns; the vCPU never runs again. */
void monitor_step_free(struct monitor_step *s);
