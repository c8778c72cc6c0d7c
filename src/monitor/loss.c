/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A listener that has ended, hangs or writes nonsense into its ring. The
 * watched domain then does what its manifest entry says: goes on unwatched,
 * stays paused, or is ended; the log says which and why. A hang is a vCPU that
 * waits with the same event at two looks of the timer, one timeout apart.
 */

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/log.h"
#include "ravelin/sched.h"
#include "ravelin/vmexit.h"

#include "monitor_internal.h"

static const char *const loss_text[] = {
    [MONITOR_LOSS_RING] = "its ring makes no sense",
    [MONITOR_LOSS_ENDED] = "it has ended",
    [MONITOR_LOSS_TIME] = "it does not answer",
};

static uint32_t policy_of(const struct domain *d)
{
    return d->manifest ? d->manifest->on_monitor_loss : MANIFEST_LOSS_RESUME;
}

/* What it loses by being let go must not run first: pause and crash come
 * before the detach that wakes its vCPUs. */
static void policy_apply(struct monitor *m)
{
    struct domain *d = m->domain;
    const char *why = loss_text[m->loss];

    switch (policy_of(d)) {
    case MANIFEST_LOSS_PAUSE:
        log_warn("%s: its monitor is lost (%s): stays paused", d->name, why);
        domain_pause(d);
        break;
    case MANIFEST_LOSS_CRASH:
        log_warn("%s: its monitor is lost (%s): is ended", d->name, why);
        domain_crash(d, NULL, "its monitor is lost: %s", why);
        break;
    default:
        log_warn("%s: its monitor is lost (%s): goes on unwatched", d->name,
                 why);
        break;
    }
}

static int broken_step(struct work_item *item)
{
    struct monitor *m = container_of(item, struct monitor, broken);
    struct domain *d = m->domain;
    bool is_broken;

    spin_lock(&m->lock);
    m->broken_is_queued = false;
    is_broken = m->state == MONITOR_BROKEN;
    spin_unlock(&m->lock);
    if (is_broken) {
        if (!domain_is_dying(d)) {
            policy_apply(m);
        }
        monitor_drop(m);
    }
    domain_put(d);
    return 0;
}

/* ---- Time -------------------------------------------------------------- */

void monitor_timer_start(struct monitor *m)
{
    if (likely(m->timer_runs) || m->timeout_ns == 0) {
        return;
    }
    m->timer_runs = true;
    timer_set(&m->timer, arch_time_ns() + m->timeout_ns);
}

static bool hangs(struct monitor *m)
{
    bool found = false;

    for (uint32_t left = m->waiting; left; left &= left - 1) {
        struct monitor_vcpu *w = &m->vcpu[__builtin_ctz(left)];

        found |= w->checked == w->awaited;
        w->checked = w->awaited;
    }
    return found;
}

static void timer_fired(struct timer *t)
{
    struct monitor *m = container_of(t, struct monitor, timer);

    spin_lock(&m->lock);
    m->timer_runs = false;
    if (m->state == MONITOR_ON && m->waiting != 0) {
        if (hangs(m)) {
            monitor_break(m, MONITOR_LOSS_TIME);
        } else {
            monitor_timer_start(m);
        }
    }
    spin_unlock(&m->lock);
}

void monitor_loss_init(struct monitor *m)
{
    const struct manifest_domain *md = m->domain->manifest;
    uint64_t ms = md ? md->monitor_timeout : MANIFEST_MONITOR_TIMEOUT;

    m->timeout_ns = ms * 1000000;
    timer_init(&m->timer, timer_fired);
    work_init(&m->broken, broken_step);
}

/* ---- Ends -------------------------------------------------------------- */

void monitor_listener_ended(struct domain *listener)
{
    domain_for_each(d)
    {
        struct monitor *m = monitor_of(d);

        if (!m || read_once(m->listener) != listener) {
            continue;
        }
        spin_lock(&m->lock);
        if (m->listener == listener) {
            monitor_break(m, MONITOR_LOSS_ENDED);
        }
        spin_unlock(&m->lock);
    }
}

void monitor_target_ended(struct domain *d)
{
    struct monitor *m = monitor_of(d);
    struct domain *listener = NULL;
    evtchn_port_t port = 0;

    if (!m) {
        return;
    }
    spin_lock(&m->lock);
    if (m->state == MONITOR_ON && read_once(d->state) >= DOMAIN_SHUTDOWN) {
        m->ring.format->tell(m, RAVELIN_RING_ON);
        listener = m->listener;
        port = m->port;
    }
    spin_unlock(&m->lock);
    if (listener) {
        evtchn_service_raise(listener, port);
    }
}

int monitor_destroy(struct domain *d)
{
    struct monitor *m = monitor_of(d);
    int rc = m ? monitor_detach(m) : 0;

    return rc == -RV_EBUSY ? -RV_ERESTART : 0;
}
