/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a listener wants to hear, and what it can learn about its own watch.
 */

#include "ravelin/errno.h"

#include "monitor_internal.h"

/* Reasons that can be switched; the others are on while a ring is attached. */
static bool is_switchable(unsigned reason)
{
    return reason >= RAVELIN_REASON_CR0 && reason <= RAVELIN_REASON_MSR;
}

bool monitor_mode_is_valid(unsigned reason, uint32_t mode)
{
    const uint32_t known = HVMPME_MODE_MASK | HVMPME_onchangeonly;
    /* Of these there is no value that could change. */
    const uint32_t without_value = 1u << RAVELIN_REASON_INT3 |
                                   1u << RAVELIN_REASON_STEP |
                                   1u << RAVELIN_REASON_REQUEST;

    return is_switchable(reason) && (mode & ~known) == 0 &&
           (mode & HVMPME_MODE_MASK) <= HVMPME_mode_sync &&
           ((mode & HVMPME_onchangeonly) == 0 ||
            ((without_value >> reason) & 1) == 0);
}

int monitor_listen(struct monitor *m, unsigned reason, uint32_t mode)
{
    int rc = 0;

    if (!monitor_mode_is_valid(reason, mode)) {
        return -RV_EINVAL;
    }
    spin_lock(&m->lock);
    if (m->state == MONITOR_ON) {
        write_once(m->mode[reason], (uint8_t)mode);
    } else {
        rc = -RV_ENOENT;
    }
    spin_unlock(&m->lock);
    if (rc == 0) {
        monitor_latch(m->domain);
    }
    return rc;
}

uint32_t monitor_mode_get(struct monitor *m, unsigned reason)
{
    return read_once(m->mode[reason]);
}

void monitor_status_get(struct monitor *m, struct ravelin_monitor_status *out)
{
    static const uint16_t states[] = {
        [MONITOR_OFF] = 0,
        [MONITOR_CHANGING] = 0,
        [MONITOR_ON] = RAVELIN_RING_ON,
        [MONITOR_BROKEN] = RAVELIN_RING_FAILED,
    };

    spin_lock(&m->lock);
    out->state = states[m->state];
    out->vcpu_count = m->domain->vcpu_count;
    out->sequence = m->sequence;
    out->lost = m->lost;
    out->refused = m->refused;
    out->filtered = m->filtered;
    out->delayed = m->delayed;
    out->waiting = m->waiting;
    out->page_count = read_once(m->domain->page_count);
    spin_unlock(&m->lock);
}
