/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl: a debugger in a control domain, the way the ABI has it. The watched
 * domain stops as a whole at a breakpoint or after a step; the debugger asks
 * which vCPU did, looks at it with the other calls, and lets the domain go on.
 *
 * Threat surface: vCPU numbers from a control domain. The domain itself reaches
 * none of this.
 */
#include "domctl.h"
#include "ravelin/debug_attach.h"
#include "ravelin/frame_pool.h"
#include "ravelin/log.h"
#include "ravelin/quiesce.h"
#include "ravelin/sched.h"

#define EVENT_STEP 1u /* the vectors of #DB and #BP */
#define EVENT_BREAKPOINT 3u
#define INT3_LENGTH 1u

/* One page per debugged domain. */
struct debugger {
    uint8_t event[VCPU_COUNT_MAX]; /* atomic; 0: none */
    /* Protected by the domain's lock. */
    bool is_stopped; /* somebody stands for the debugger */
    bool is_over;    /* it has gone: nobody may */
    uint8_t pauses;  /* taken for it, to be given back */
};

static void domain_stop(struct debugger *g, struct vcpu *v, uint8_t event)
{
    struct domain *d = v->domain;
    bool pause, released;

    spin_lock(&d->lock);
    pause = !g->is_stopped && !g->is_over;
    g->is_stopped |= pause;
    spin_unlock(&d->lock);
    __atomic_store_n(&g->event[v->id], event, __ATOMIC_RELEASE);
    if (!pause) {
        return;
    }
    domain_pause(d);
    spin_lock(&d->lock);
    released = !g->is_stopped; /* before the pause was there to be undone */
    g->pauses += !released;
    spin_unlock(&d->lock);
    if (released) {
        (void)domain_unpause(d);
    }
}

/* The instruction counts as executed, as the ABI's debuggers expect. */
static bool breakpoint(void *ctx, struct vcpu *v, gva_t at rv_unused)
{
    v->regs.rip += INT3_LENGTH;
    domain_stop(ctx, v, EVENT_BREAKPOINT);
    return true;
}

static void stepped(void *ctx, struct vcpu *v)
{
    domain_stop(ctx, v, EVENT_STEP);
}

static void gone(void *ctx)
{
    page_free(ctx);
}

static const struct debug_client client = {
    .breakpoint = breakpoint,
    .stepped = stepped,
    .gone = gone,
};

static struct debugger *debugger_of(const struct domain *d)
{
    return debug_context(d, &client);
}

static int debugger_attach(struct domain *d)
{
    struct debugger *g;
    int rc;

    if (debugger_of(d)) {
        return 0;
    }
    g = page_alloc();
    rc = g ? debug_attach(d, &client, g) : -RV_ENOMEM;
    if (rc != 0 && g) {
        page_free(g);
    }
    return rc;
}

/* Lets the domain go on if it stands for the debugger. */
static void domain_release(struct debugger *g, struct domain *d, bool for_good)
{
    unsigned pauses;

    spin_lock(&d->lock);
    pauses = g->pauses;
    g->pauses = 0;
    g->is_stopped = false;
    g->is_over |= for_good;
    spin_unlock(&d->lock);
    while (pauses-- > 0) {
        (void)domain_unpause(d);
    }
}

int domctl_setdebugging(struct vcpu *v rv_unused, struct domain *d,
                        struct xen_domctl *ctl)
{
    struct debugger *g = debugger_of(d);

    if (ctl->u.setdebugging.enable) {
        return debugger_attach(d);
    }
    if (!g || debug_detach(d) != 0) {
        return 0;
    }
    domain_release(g, d, true);
    quiesce_defer_frame_put(hpa_to_mfn(host_pa(g)));
    return 0;
}

int domctl_debug_op(struct vcpu *v rv_unused, struct domain *d,
                    struct xen_domctl *ctl)
{
    struct vcpu *target = vcpu_find(d, ctl->u.debug_op.vcpu);
    uint32_t op = ctl->u.debug_op.op;

    if (target == NULL || op > XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON) {
        return -RV_EINVAL;
    }
    return debug_step_set(target, op == XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON);
}

/* For a stop, said when it is known that everybody will stand, not when all
 * do: what then reads registers waits for that. */
static bool is_paused(const struct debugger *g, struct domain *d)
{
    bool stopped;

    spin_lock(&d->lock);
    stopped = g && g->is_stopped;
    spin_unlock(&d->lock);
    return stopped || read_once(d->pause_count) != 0;
}

/* Takes the event of one vCPU, the lowest that has one. */
int domctl_gdbsx_domstatus(struct vcpu *v rv_unused, struct domain *d,
                           struct xen_domctl *ctl)
{
    struct xen_domctl_gdbsx_domstatus *out = &ctl->u.gdbsx_domstatus;
    struct debugger *g = debugger_of(d);

    *out = (struct xen_domctl_gdbsx_domstatus){.vcpu_id = UINT32_MAX};
    for (unsigned i = 0; g && i < d->vcpu_count; i++) {
        uint8_t event = __atomic_exchange_n(&g->event[i], 0, __ATOMIC_ACQ_REL);

        if (event) {
            out->vcpu_id = i;
            out->vcpu_ev = event;
            break;
        }
    }
    out->paused = is_paused(g, d);
    return CTL_REPLY;
}

/* Goes on after a stop: what unpausedomain does for other pauses. */
int domctl_gdbsx_unpausevcpu(struct vcpu *v rv_unused, struct domain *d,
                             struct xen_domctl *ctl)
{
    struct debugger *g = debugger_of(d);

    if (vcpu_find(d, ctl->u.gdbsx_pauseunp_vcpu.vcpu) == NULL || !g) {
        return -RV_EINVAL;
    }
    domain_release(g, d, false);
    return 0;
}
