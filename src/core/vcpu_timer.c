/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timers a guest asks for: one-shot and periodic VIRQ_TIMER, and the end of
 * a SCHEDOP_poll. Deadlines are in guest system time.
 */

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/sched.h"
#include "ravelin/time_info.h"

static void singleshot_expired(struct timer *t)
{
    struct vcpu *v = container_of(t, struct vcpu, singleshot);

    evtchn_virq_raise(v, VIRQ_TIMER);
}

/* Ticks that were missed are not made up for; the phase is kept. */
static void periodic_expired(struct timer *t)
{
    struct vcpu *v = container_of(t, struct vcpu, periodic);
    uint64_t period = read_once(v->periodic_ns);
    uint64_t late;

    if (period == 0) {
        return;
    }
    late = arch_time_ns() - t->deadline_ns;
    timer_set(t, t->deadline_ns + (late / period + 1) * period);
    evtchn_virq_raise(v, VIRQ_TIMER);
}

static void poll_expired(struct timer *t)
{
    struct vcpu *v = container_of(t, struct vcpu, poll_timer);

    if (read_once(v->flags) & VCPU_POLLING) {
        vcpu_wake(v);
    }
}

void vcpu_timers_init(struct vcpu *v)
{
    timer_init(&v->singleshot, singleshot_expired);
    timer_init(&v->periodic, periodic_expired);
    timer_init(&v->poll_timer, poll_expired);
}

void vcpu_timers_cancel(struct vcpu *v)
{
    write_once(v->periodic_ns, 0);
    timer_cancel(&v->singleshot);
    timer_cancel(&v->periodic);
    timer_cancel(&v->poll_timer);
}

void vcpu_singleshot_set(struct vcpu *v, uint64_t ns)
{
    timer_set(&v->singleshot, domain_time_to_host(v->domain, ns));
}

void vcpu_singleshot_stop(struct vcpu *v)
{
    timer_disarm(&v->singleshot);
}

int vcpu_periodic_set(struct vcpu *v, uint64_t period_ns)
{
    uint64_t deadline = arch_time_ns() + period_ns;

    if (period_ns != 0 &&
        (period_ns < VCPU_PERIOD_MIN_NS || deadline < period_ns)) {
        return -RV_EINVAL;
    }
    write_once(v->periodic_ns, period_ns);
    if (period_ns == 0) {
        timer_disarm(&v->periodic);
    } else {
        timer_set(&v->periodic, deadline);
    }
    return 0;
}
