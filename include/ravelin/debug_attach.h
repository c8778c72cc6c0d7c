/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a debugger of a domain attaches, beside its monitor and independent of
 * it: breakpoints, single steps and the events that a monitor could listen to.
 * A breakpoint is told to the monitor first, so that it misses none of those
 * that a debugger has put there; then to the debugger, who may claim it; the
 * guest gets its #BP if neither does.
 *
 * Threat surface: no guest reaches any of it. Who attaches has the rights of a
 * control domain over the target.
 */
#pragma once

#include "ravelin/domain.h"

/**
 * What a debugger wants to hear. Called on the vCPU's own CPU, with no lock
 * held, when its whole state is in place; a debugger that wants it to stop
 * pauses it (vcpu_pause, domain_pause), which takes effect before the next
 * instruction. Each may be NULL.
 */
struct debug_client {
    /** INT3 at `at`, not executed; RIP is at it. True: it is the debugger's,
     * and RIP is where it wants it to be. */
    bool (*breakpoint)(void *ctx, struct vcpu *v, gva_t at);
    /** One instruction was executed. */
    void (*stepped)(void *ctx, struct vcpu *v);
    /** Something of RAVELIN_REASON_* happened. */
    void (*event)(void *ctx, struct vcpu *v, unsigned reason);
    /** The domain is gone; nothing is called any more. */
    void (*gone)(void *ctx);
};

/**
 * Attaches; in force on all vCPUs when it returns. `client` lives for ever,
 * `ctx` until debug_detach(). Not on behalf of `d` itself; no lock held.
 * @return 0; -EBUSY there is one; -ENOMEM.
 */
int rv_must_check debug_attach(struct domain *d,
                               const struct debug_client *client, void *ctx);
/** Ends it; none of its functions is called any more on a later turn of any
 * CPU's loop. 0; -ENOENT. */
int rv_must_check debug_detach(struct domain *d);
/** What `client` gave when it attached; NULL: it is not attached. Valid until
 * the next quiescent point. */
void *debug_context(const struct domain *d, const struct debug_client *client);
/** Has `v` call stepped() after each instruction, or no longer. In force when
 * it returns, if `v` is paused. 0; -ENOENT nobody is attached. */
int rv_must_check debug_step_set(struct vcpu *v, bool on);
/** Frees what is left; the domain is gone. */
void debug_free(struct domain *d);

/* ---- Hooks ------------------------------------------------------------- */

/** True: the breakpoint is the debugger's. */
bool rv_must_check debug_int3(struct vcpu *v, gva_t at);
void debug_stepped(struct vcpu *v);
void debug_event(struct vcpu *v, unsigned reason);
bool debug_wants_int3(const struct domain *d);
bool debug_wants_step(const struct vcpu *v);
