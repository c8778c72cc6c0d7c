/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One domain watches another: events of control registers, breakpoints and
 * protected pages, told to the watcher over a ring; answers come back the same
 * way. Every kind of event goes through monitor_event(), whose result says what
 * the caller has to do. A domain that nobody watches pays one test of a pointer
 * on exits that exist anyway, and has no exit more than it would have.
 *
 * Threat surface: the ring is written by another domain at any time; its
 * answers are believed only for vCPUs that wait for one.
 * docs/monitor.md has the protocol and the argument for each part.
 */
#pragma once

#include "public/ravelin_monitor.h"
#include "ravelin/domain.h"

struct monitor;

/* What happened; `reason` is RAVELIN_REASON_*, the words as described with
 * struct ravelin_event. */
struct monitor_event {
    uint16_t reason;
    uint8_t access;    /* VIOLATION: ACCESS_* bits attempted */
    uint8_t page_type; /* VIOLATION: HVMMEM_* of the frame */
    bool gla_valid;
    bool table_walk;
    bool hypercall;    /* VIOLATION: a copy made for one */
    bool always_async; /* pauses nobody, whatever the mode (rx2rw, INJECT) */
    uint8_t insn_len;  /* 0: unknown */
    uint64_t value;
    uint64_t old;
    uint64_t gla;
};

/* What became of it, and what its raiser has to do. */
enum monitor_outcome {
    MONITOR_UNHEARD, /* nobody listens, or filtered: as if there was none */
    MONITOR_SENT,    /* told; the vCPU goes on at once */
    MONITOR_LOST,    /* counted as lost; the vCPU goes on at once */
    MONITOR_PAUSED,  /* told; the vCPU waits for the answer */
    MONITOR_QUEUED,  /* waits for room in the ring, then for the answer */
    MONITOR_FAILED,  /* the ring is broken: as if nobody listened */
};

/** Must the caller leave the rest to the answer? */
static inline bool monitor_is_waiting(enum monitor_outcome o)
{
    return o == MONITOR_PAUSED || o == MONITOR_QUEUED;
}

/**
 * Raises an event of `v`, this CPU's current vCPU, from its exit handler, when
 * the state that the monitor shall see is in place. With PAUSED and QUEUED the
 * vCPU does not enter its guest before the answer; what the answer says is done
 * by its own CPU before that entry (monitor_attend). A vCPU raises at most one
 * event with an answer at a time: the next one while it waits is MONITOR_LOST
 * and counted.
 */
enum monitor_outcome rv_must_check
monitor_event(struct vcpu *v, const struct monitor_event *ev);

/** Does anybody listen to `reason` of this domain? For hooks that have to do
 * work before they can raise. */
bool monitor_listens(const struct domain *d, unsigned reason);

/** May `who` watch, alter and inject into `target`? Never itself. */
bool monitor_permits(const struct domain *who, const struct domain *target);

/**
 * The state of a watched domain, made on first use; stays until the domain is
 * freed. 0 with *out; -ENOMEM. Any CPU, no lock held.
 */
int rv_must_check monitor_get(struct domain *d, struct monitor **out);
/** The same if it exists, else NULL: nobody ever watched this domain. */
static inline struct monitor *monitor_of(const struct domain *d)
{
    return load_acquire(&d->monitor);
}

/* ---- Life cycle of the domains involved -------------------------------- */

/** Detaches what watches `d`, which is dying: its waiting vCPUs never run
 * again, the ring says it is over. No lock held. 0; -ERESTART: once more. */
int rv_must_check monitor_destroy(struct domain *d);
/** Frees the state; nobody can be using it. */
void monitor_free(struct domain *d);
/** `listener` has ended: whom it watched follows its policy. No lock held. */
void monitor_listener_ended(struct domain *listener);
/** `d` has shut down: tells its listener, whose ring stays until the detach. No
 * lock held. Nothing if it runs. */
void monitor_target_ended(struct domain *d);

/** Is `g` the place of a page that holds the ring of who watches `d`? */
bool monitor_ring_page_is(const struct domain *d, gfn_t g);

/* ---- Intercepts -------------------------------------------------------- */

/**
 * Recomputes what the vCPUs of `d` intercept, from the monitor's settings, the
 * debugger's and the steps under way, and waits until no vCPU runs with the old
 * set. Not on behalf of the current domain; no lock held.
 */
void monitor_latch(struct domain *d);
/** The same for `v`, current on this CPU or not yet run. */
void vcpu_intercepts_latch(struct vcpu *v);
/** The backend has been reset, and with it what it intercepts. `v` is current
 * on this CPU or not yet run. */
void vcpu_intercepts_reset(struct vcpu *v);

/**
 * What was left for this moment, by the vCPU's own CPU before entry: new
 * intercepts, the answer to its event, an injected trap. Called by
 * vmentry_attend() if v->watch_due.
 */
void monitor_attend(struct vcpu *v);
/** Has monitor_attend() called before `v` enters its guest again. Any CPU. */
void monitor_attend_request(struct vcpu *v);

/* ---- Hooks of the exit handlers ---------------------------------------- */

/** A control register was written: reports it. `cr` is 0, 3 or 4. */
void monitor_cr_written(struct vcpu *v, unsigned cr, uint64_t old,
                        uint64_t value);
/** VMEXIT_SOFT_INT: INT3 is reported, INT n done for the guest. */
void soft_int_exit_handle(struct vcpu *v, const struct vmexit *exit);
/** An intercepted #BP: RIP at the INT3. */
void monitor_breakpoint(struct vcpu *v, const struct vmexit *exit);
/** WRMSR of a register that is listened to, done. */
void monitor_msr_written(struct vcpu *v, uint32_t msr, uint64_t old,
                         uint64_t value);
/** HVMOP_guest_request_vm_event of `v`. */
void monitor_guest_request(struct vcpu *v);
