/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watchdogs of a domain: a guest that does not wind its watchdog up in time is
 * taken to be stuck and ends.
 *
 * Threat surface: id and seconds; a domain can end nobody but itself.
 */

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/log.h"

#include "domain_internal.h"

#define NS_PER_S 1000000000UL

static void watchdog_expired(struct timer *t)
{
    struct watchdog *w = container_of(t, struct watchdog, timer);

    log_write(domain_log_level(w->domain), "%s: its watchdog has run down",
              w->domain->name);
    domain_shutdown(w->domain, SHUTDOWN_WATCHDOG);
}

void domain_watchdogs_init(struct domain *d)
{
    for (unsigned i = 0; i < DOMAIN_WATCHDOG_COUNT; i++) {
        timer_init(&d->watchdog[i].timer, watchdog_expired);
        d->watchdog[i].domain = d;
    }
}

void domain_watchdogs_cancel(struct domain *d)
{
    for (unsigned i = 0; i < DOMAIN_WATCHDOG_COUNT; i++) {
        timer_cancel(&d->watchdog[i].timer);
    }
}

/* d->lock is held. */
static void wind(struct watchdog *w, uint32_t timeout_s)
{
    w->is_used = timeout_s != 0;
    timer_set(&w->timer,
              w->is_used ? arch_time_ns() + timeout_s * NS_PER_S : TIMER_NEVER);
}

static int start(struct domain *d, uint32_t timeout_s)
{
    if (timeout_s == 0) {
        return -RV_EINVAL;
    }
    for (unsigned i = 0; i < DOMAIN_WATCHDOG_COUNT; i++) {
        if (!d->watchdog[i].is_used) {
            wind(&d->watchdog[i], timeout_s);
            return (int)i + 1;
        }
    }
    return -RV_ENOSPC;
}

int domain_watchdog_set(struct domain *d, uint32_t id, uint32_t timeout_s)
{
    int rc = -RV_EINVAL;

    spin_lock(&d->lock);
    if (id == 0) {
        rc = start(d, timeout_s);
    } else if (id <= DOMAIN_WATCHDOG_COUNT && d->watchdog[id - 1].is_used) {
        wind(&d->watchdog[id - 1], timeout_s);
        rc = 0;
    }
    spin_unlock(&d->lock);
    return rc;
}
