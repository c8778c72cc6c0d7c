/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attach point of debuggers. One per domain; found without a lock by the
 * exit handlers of its vCPUs, and freed after all CPUs have passed a quiescent
 * point.
 *
 * Threat surface: none; see the header.
 */

#include "ravelin/debug_attach.h"

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/monitor.h"
#include "ravelin/quiesce.h"
#include "ravelin/sched.h"

struct debug_session {
    const struct debug_client *client;
    void *ctx;
    uint64_t stepping; /* atomic; bit per vCPU */
};

static struct debug_session *session_of(const struct domain *d)
{
    return load_acquire(&d->debug);
}

int debug_attach(struct domain *d, const struct debug_client *client, void *ctx)
{
    struct debug_session *s = page_alloc();
    struct debug_session *none = NULL;
    struct monitor *m;

    if (!s) {
        return -RV_ENOMEM;
    }
    *s = (struct debug_session){.client = client, .ctx = ctx};
    /* The state that steps need is made here, where it can fail. */
    if (monitor_get(d, &m)) {
        page_free(s);
        return -RV_ENOMEM;
    }
    if (!__atomic_compare_exchange_n(&d->debug, &none, s, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        page_free(s);
        return -RV_EBUSY;
    }
    monitor_latch(d);
    return 0;
}

int debug_detach(struct domain *d)
{
    struct debug_session *s =
        __atomic_exchange_n(&d->debug, NULL, __ATOMIC_ACQ_REL);

    if (!s) {
        return -RV_ENOENT;
    }
    monitor_latch(d);
    quiesce_defer_frame_put(hpa_to_mfn(host_pa(s)));
    return 0;
}

void *debug_context(const struct domain *d, const struct debug_client *client)
{
    const struct debug_session *s = session_of(d);

    return s && s->client == client ? s->ctx : NULL;
}

int debug_step_set(struct vcpu *v, bool on)
{
    struct debug_session *s = session_of(v->domain);
    uint64_t bit = 1UL << v->id;

    if (!s) {
        return -RV_ENOENT;
    }
    if (on) {
        __atomic_or_fetch(&s->stepping, bit, __ATOMIC_RELEASE);
    } else {
        __atomic_and_fetch(&s->stepping, ~bit, __ATOMIC_RELEASE);
    }
    monitor_attend_request(v);
    return 0;
}

void debug_free(struct domain *d)
{
    struct debug_session *s = d->debug;

    if (!s) {
        return;
    }
    if (s->client->gone) {
        s->client->gone(s->ctx);
    }
    page_free(s);
    d->debug = NULL;
}

/* ---- Hooks ------------------------------------------------------------- */

bool debug_int3(struct vcpu *v, gva_t at)
{
    struct debug_session *s = session_of(v->domain);

    return s && s->client->breakpoint && s->client->breakpoint(s->ctx, v, at);
}

void debug_stepped(struct vcpu *v)
{
    struct debug_session *s = session_of(v->domain);

    if (s && s->client->stepped && debug_wants_step(v)) {
        s->client->stepped(s->ctx, v);
    }
}

void debug_event(struct vcpu *v, unsigned reason)
{
    struct debug_session *s = session_of(v->domain);

    if (s && s->client->event) {
        s->client->event(s->ctx, v, reason);
    }
}

bool debug_wants_int3(const struct domain *d)
{
    const struct debug_session *s = session_of(d);

    return s && s->client->breakpoint;
}

bool debug_wants_step(const struct vcpu *v)
{
    const struct debug_session *s = session_of(v->domain);

    return s && ((load_acquire(&s->stepping) >> v->id) & 1) != 0;
}
