/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a domain after creation: the one table of legal moves, shutdown,
 * resume, what a crash leads to, and when the machine itself ends. Only the
 * hardware domain takes the machine with it; any other domain, however
 * privileged, leaves the rest running.
 */

#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/log.h"
#include "ravelin/machine_end.h"
#include "ravelin/monitor.h"
#include "ravelin/sched.h"
#include "ravelin/v4v.h"

#include "domain_internal.h"

#define TO(state) (1u << (state))

static const uint8_t legal_moves[DOMAIN_STATE_COUNT] = {
    [DOMAIN_BUILDING] =
        TO(DOMAIN_RUNNING) | TO(DOMAIN_SHUTDOWN) | TO(DOMAIN_DYING),
    [DOMAIN_RUNNING] = TO(DOMAIN_SHUTDOWN) | TO(DOMAIN_DYING),
    [DOMAIN_SHUTDOWN] = TO(DOMAIN_RUNNING) | TO(DOMAIN_DYING),
    [DOMAIN_DYING] = TO(DOMAIN_DEAD),
    [DOMAIN_DEAD] = 0,
};

static uint32_t last_end_policy = MANIFEST_LAST_STAY;

int domain_state_set(struct domain *d, enum domain_state next)
{
    if ((legal_moves[d->state] & TO(next)) == 0) {
        return -RV_EINVAL;
    }
    write_once(d->state, next);
    return 0;
}

void domain_vcpus_stop(struct domain *d)
{
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        vcpu_flags_set(d->vcpu[i], VCPU_DEAD);
    }
}

/* ---- The machine's end ------------------------------------------------- */

static void hardware_domain_ended(const struct domain *d,
                                  enum shutdown_code code)
{
    bool restart = code == SHUTDOWN_REBOOT;

    log_info("%s was the hardware domain: the machine %s", d->name,
             restart ? "restarts" : "ends");
    machine_end((unsigned)code, restart);
}

static void last_end_check(void)
{
    if (read_once(last_end_policy) != MANIFEST_LAST_POWEROFF) {
        return;
    }
    domain_for_each(d)
    {
        if (read_once(d->state) == DOMAIN_RUNNING) {
            return;
        }
    }
    log_info("no domain is running any more: the machine ends");
    machine_end(0, false);
}

void domain_last_end_set(enum manifest_last_end policy)
{
    write_once(last_end_policy, policy);
    last_end_check();
}

void domain_ended(struct domain *d, enum shutdown_code code)
{
    evtchn_virq_raise_global(VIRQ_DOM_EXC);
    if (code == SHUTDOWN_SUSPEND) {
        return;
    }
    if (is_hardware_domain(d)) {
        hardware_domain_ended(d, code);
    }
    last_end_check();
}

/* ---- Moves ------------------------------------------------------------- */

void domain_shutdown(struct domain *d, enum shutdown_code code)
{
    int rc;

    spin_lock(&d->lock);
    rc = domain_state_set(d, DOMAIN_SHUTDOWN);
    if (d->shutdown_code_is_set && code != SHUTDOWN_CRASH) {
        code = d->shutdown_code;
    }
    if (rc == 0) {
        d->shutdown_code = code;
        domain_vcpus_stop(d);
    }
    spin_unlock(&d->lock);
    if (rc == 0) {
        log_write(domain_log_level(d), "%s: shut down, code %u", d->name,
                  (unsigned)code);
        if (code != SHUTDOWN_SUSPEND) {
            v4v_domain_end(d);
            monitor_listener_ended(d);
            monitor_target_ended(d);
        }
        domain_ended(d, code);
    }
}

void domain_shutdown_code_set(struct domain *d, enum shutdown_code code)
{
    spin_lock(&d->lock);
    if (d->state < DOMAIN_SHUTDOWN) {
        d->shutdown_code = code;
        d->shutdown_code_is_set = true;
    }
    spin_unlock(&d->lock);
}

void domain_crash_apply(struct domain *d)
{
    domain_shutdown(d, SHUTDOWN_CRASH);
    if (d->crash_policy == MANIFEST_CRASH_DESTROY && !is_hardware_domain(d)) {
        domain_reap(d);
    }
}

int domain_resume(struct domain *d)
{
    int rc = -RV_EINVAL;

    spin_lock(&d->lock);
    if (d->state == DOMAIN_SHUTDOWN && d->shutdown_code == SHUTDOWN_SUSPEND) {
        rc = domain_state_set(d, DOMAIN_RUNNING);
        d->shutdown_code_is_set = false;
    }
    for (unsigned i = 0; rc == 0 && i < d->vcpu_count; i++) {
        vcpu_flags_clear(d->vcpu[i], VCPU_DEAD);
    }
    spin_unlock(&d->lock);
    return rc;
}

int domain_unpause(struct domain *d)
{
    int rc = -RV_EINVAL;

    spin_lock(&d->lock);
    if (d->pause_count != 0) {
        rc = 0;
        d->pause_count--;
        if (d->pause_count == 0 && d->state == DOMAIN_BUILDING) {
            rc = domain_state_set(d, DOMAIN_RUNNING);
        }
        for (unsigned i = 0; d->pause_count == 0 && i < d->vcpu_count; i++) {
            vcpu_unpause(d->vcpu[i]);
        }
    }
    spin_unlock(&d->lock);
    return rc;
}
