/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the domain module share: the table, the state machine and
 * the parts a domain consists of.
 */
#pragma once

#include "ravelin/domain.h"
#include "ravelin/log.h"

/* Frames a 48-bit nested page table can map. */
#define DOMAIN_GFN_LIMIT (1UL << 36)

/* Reserves an id, or the lowest free one from 1 for DOMID_INVALID. 0; -EINVAL,
 * -EEXIST, -ERESTART, -ENOSPC as domain_create(). */
int rv_must_check domain_table_reserve(domid_t wanted, domid_t *id);
void domain_table_release(domid_t id);
/* Makes a domain with a reserved id visible, or invisible again. */
void domain_table_insert(struct domain *d);
void domain_table_remove(struct domain *d);

/* The only writer of d->state. d->lock is held. 0; -EINVAL no legal move. */
int rv_must_check domain_state_set(struct domain *d, enum domain_state next);

/* Keeps all vCPUs from running until domain_resume(). With d->lock held, so
 * that it goes with the state. */
void domain_vcpus_stop(struct domain *d);
/* Execution of `d` has ended: tells controllers, may end the machine. */
void domain_ended(struct domain *d, enum shutdown_code code);

/* Creates vCPU `id` of `d`, down; stores it in d->vcpu[]. 0; -ENOMEM; -EINVAL
 * from the scheduler. */
int rv_must_check vcpu_create(struct domain *d, uint32_t id,
                              const struct domain_config *cfg);
/* Frees it; nobody can hold a pointer to it. */
void vcpu_destroy(struct vcpu *v);

void domain_watchdogs_init(struct domain *d);
/* For good; no lock held, nobody can start one any more. */
void domain_watchdogs_cancel(struct domain *d);

/* Frees a domain whose memory is gone or was never there: parts in reverse
 * order of creation, NULL-safe each. */
void domain_free(struct domain *d);

/* The comings and goings of domains that a controller makes are its business;
 * those of the manifest's domains are everybody's. */
static inline enum log_level domain_log_level(const struct domain *d)
{
    return d->manifest ? LOG_INFO : LOG_DEBUG;
}
