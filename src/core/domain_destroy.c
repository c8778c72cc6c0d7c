/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Destruction in bounded steps, so that neither a controller's hypercall nor
 * the CPU loop is held up by a large domain. The stages come in the order in
 * which things can be let go: execution, what pins the domain's memory, the
 * memory; what remains is freed when nobody refers to the domain any more.
 */

#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/guest_copy.h"
#include "ravelin/legacy.h"
#include "ravelin/log.h"
#include "ravelin/monitor.h"
#include "ravelin/sched.h"
#include "ravelin/time_info.h"
#include "ravelin/v4v.h"
#include "ravelin/vconsole.h"

#include "domain_internal.h"

/* A domain that dies without a shutdown ends like one that was powered off. */
static int stage_begin(struct domain *d)
{
    bool was_shut_down;
    int rc;

    spin_lock(&d->lock);
    was_shut_down = d->state == DOMAIN_SHUTDOWN;
    rc = domain_state_set(d, DOMAIN_DYING);
    domain_vcpus_stop(d);
    spin_unlock(&d->lock);
    if (rc == 0 && !was_shut_down) {
        domain_ended(d, SHUTDOWN_POWEROFF);
    }
    return rc;
}

/* CPUs were told to drop the vCPUs; they do at their next turn. */
static int stage_vcpus(struct domain *d)
{
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        if (!vcpu_is_settled(d->vcpu[i])) {
            return -RV_ERESTART;
        }
    }
    return 0;
}

static int stage_events(struct domain *d)
{
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        vcpu_timers_cancel(d->vcpu[i]);
    }
    domain_watchdogs_cancel(d);
    return evtchn_domain_destroy(d);
}

static int stage_monitor(struct domain *d)
{
    monitor_listener_ended(d);
    return monitor_destroy(d);
}

static int stage_messages(struct domain *d)
{
    return v4v_domain_destroy(d);
}

/* What holds references on the domain's frames. */
static int stage_pins(struct domain *d)
{
    int rc = legacy_release(d);

    if (rc != 0) {
        return rc;
    }
    vconsole_destroy(d);
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        walk_cache_flush(d->vcpu[i]);
        evtchn_vcpu_info_reset(d->vcpu[i]);
    }
    return 0;
}

static int stage_memory(struct domain *d)
{
    return p2m_teardown(&d->p2m);
}

static int stage_end(struct domain *d)
{
    int rc;

    spin_lock(&d->lock);
    rc = domain_state_set(d, DOMAIN_DEAD);
    spin_unlock(&d->lock);
    if (rc == 0) {
        log_write(domain_log_level(d), "%s: destroyed", d->name);
        evtchn_virq_raise_global(VIRQ_DOM_EXC);
        domain_put(d); /* the one it was created with */
    }
    return rc;
}

static int (*const stages[])(struct domain *d) = {
    stage_begin,    stage_vcpus, stage_monitor, stage_events,
    stage_messages, stage_pins,  stage_memory,  stage_end,
};

int domain_destroy(struct domain *d)
{
    int rc = 0;

    if (__atomic_exchange_n(&d->destroy_busy, 1, __ATOMIC_ACQUIRE) != 0) {
        return -RV_ERESTART; /* another CPU is at it */
    }
    while (rc == 0 && d->destroy_stage < ARRAY_SIZE(stages)) {
        rc = stages[d->destroy_stage](d);
        if (rc == 0) {
            d->destroy_stage++;
        }
    }
    store_release(&d->destroy_busy, 0);
    return rc;
}

static int reaper_step(struct work_item *item)
{
    struct domain *d = container_of(item, struct domain, reaper);
    int rc = domain_destroy(d);

    if (rc != -RV_ERESTART) {
        domain_put(d);
    }
    return rc;
}

void domain_reap(struct domain *d)
{
    if (__atomic_exchange_n(&d->reap_requested, 1, __ATOMIC_ACQ_REL) == 0 &&
        domain_get(d)) {
        work_init(&d->reaper, reaper_step);
        work_queue(&d->reaper);
    }
}
