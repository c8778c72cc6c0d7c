/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shares are a domain's, not its vCPUs': CPU time is charged to a vCPU as often
 * as the domain had vCPUs that wanted a CPU, at every moment of it. The sum is
 * kept as an integral over time, so that it is exact whenever vCPUs come and
 * go.
 *
 * Threat surface: guests choose when their vCPUs sleep. A vCPU that sleeps for
 * a moment, at whatever moment, is left out for that moment and no longer.
 */

#include "public/vcpu.h"
#include "ravelin/time_info.h"

#include "sched_internal.h"

static bool is_active(uint32_t state)
{
    return state == RUNSTATE_running || state == RUNSTATE_runnable;
}

/* CPUs' readings of the clock may reach us out of order. */
static uint64_t share_sum(const struct sched_share *s, uint64_t now)
{
    return s->vcpu_ns +
           (now > s->since_ns ? (now - s->since_ns) * s->active : 0);
}

/* With one vCPU the integral is the time itself. */
uint64_t sched_share_at(struct domain *d, uint64_t now)
{
    struct sched_share *s = &d->share;
    uint64_t sum = now;

    if (d->vcpu_count > 1) {
        spin_lock(&s->lock);
        sum = share_sum(s, now);
        spin_unlock(&s->lock);
    }
    return sum;
}

static void active_change(struct domain *d, bool more, uint64_t now)
{
    struct sched_share *s = &d->share;

    if (d->vcpu_count > 1) {
        spin_lock(&s->lock);
        s->vcpu_ns = share_sum(s, now);
        s->since_ns = rv_max(s->since_ns, now);
        write_once(s->active, more ? s->active + 1 : s->active - 1);
        spin_unlock(&s->lock);
    }
}

void sched_state_set(struct vcpu *v, uint32_t state, uint64_t now)
{
    bool active = is_active(state);

    if (active != is_active(v->runstate)) {
        active_change(v->domain, active, now);
    }
    runstate_set(v, state, now);
}
