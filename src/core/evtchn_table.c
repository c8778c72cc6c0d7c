/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channel tables: locks, ports, memory. A page of ports is allocated when
 * the first of them is needed and stays until the domain is freed.
 */

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"

#include "evtchn_internal.h"

static_assert(EVTCHN_PER_BUCKET * sizeof(struct evtchn) == PAGE_SIZE,
              "a bucket fills a page");
static_assert(sizeof(struct evtchn_table) <= PAGE_SIZE, "a table fits a page");

/* Closes per call before the caller is asked to come back. */
#define CLOSE_BATCH 256u

int evtchn_domain_init(struct domain *d)
{
    struct evtchn_table *t = page_alloc();

    if (!t) {
        return -RV_ENOMEM;
    }
    spin_init(&t->lock, LOCK_RANK_EVENT);
    t->free_hint = 1; /* port 0 is never used */
    d->evtchn = t;
    return 0;
}

void evtchn_domain_free(struct domain *d)
{
    struct evtchn_table *t = d->evtchn;

    if (!t) {
        return;
    }
    for (unsigned i = 0; i < EVTCHN_BUCKET_COUNT; i++) {
        if (t->bucket[i]) {
            page_free(t->bucket[i]);
        }
    }
    d->evtchn = NULL;
    page_free(t);
}

struct evtchn_locked evtchn_lock(struct domain *d)
{
    spin_lock(&d->evtchn->lock);
    return (struct evtchn_locked){.d = d};
}

struct evtchn_locked evtchn_lock_pair(struct domain *d, struct domain *partner)
{
    struct domain *first = d->id < partner->id ? d : partner;
    struct domain *second = first == d ? partner : d;

    if (d == partner) {
        return evtchn_lock(d);
    }
    spin_lock(&first->evtchn->lock);
    /* Ordered by id, hence no deadlock; a try, because the rank is the same. */
    while (!spin_trylock(&second->evtchn->lock)) {
        cpu_relax();
    }
    return (struct evtchn_locked){.d = d, .partner = partner};
}

void evtchn_unlock(struct evtchn_locked *held)
{
    if (held->partner) {
        spin_unlock(&held->partner->evtchn->lock);
    }
    spin_unlock(&held->d->evtchn->lock);
    *held = (struct evtchn_locked){0};
}

static struct evtchn *port_entry_make(struct evtchn_table *t,
                                      evtchn_port_t port)
{
    struct evtchn **slot = &t->bucket[port / EVTCHN_PER_BUCKET];
    struct evtchn *bucket = *slot;

    if (!bucket) {
        bucket = page_alloc();
        if (!bucket) {
            return NULL;
        }
        store_release(slot, bucket);
    }
    return &bucket[port % EVTCHN_PER_BUCKET];
}

int evtchn_port_find_free(struct evtchn_locked held, evtchn_port_t *port)
{
    struct evtchn_table *t = held.d->evtchn;
    unsigned limit =
        rv_min(held.d->evtchn_port_max + 1, evtchn_abi_limit(held.d));

    if (t->dying) {
        return -RV_EINVAL;
    }
    for (evtchn_port_t p = t->free_hint; p < limit; p++) {
        struct evtchn *chan = port_entry_make(t, p);

        if (!chan) {
            return -RV_ENOMEM;
        }
        if (evtchn_word_state(chan->word) == EVTCHN_FREE) {
            t->free_hint = p;
            *port = p;
            return 0;
        }
    }
    return -RV_ENOSPC;
}

void evtchn_port_bind(struct evtchn_locked held rv_unused, struct domain *d,
                      evtchn_port_t port, uint64_t word)
{
    store_release(&evtchn_find(d, port)->word, word);
}

void evtchn_port_release(struct evtchn_locked held, evtchn_port_t port)
{
    struct evtchn_table *t = held.d->evtchn;

    evtchn_port_bind(held, held.d, port, 0);
    evtchn_pending_clear(held.d, port);
    t->free_hint = rv_min(t->free_hint, port);
}

/* Closes up to CLOSE_BATCH ports of which `services` says whether it includes
 * those of the hypervisor. */
static int ports_close(struct domain *d, bool services)
{
    unsigned budget = CLOSE_BATCH;

    for (evtchn_port_t p = 1; p < EVTCHN_2L_NR_CHANNELS; p++) {
        enum evtchn_state state = evtchn_word_state(evtchn_read(d, p));

        if (state == EVTCHN_FREE || (state == EVTCHN_SERVICE && !services)) {
            continue;
        }
        if (budget-- == 0) {
            return -RV_ERESTART;
        }
        /* Fails only if the guest was faster, which is as good. */
        (void)!evtchn_close_any(d, p);
    }
    return 0;
}

int evtchn_domain_destroy(struct domain *d)
{
    struct evtchn_locked held = evtchn_lock(d);

    d->evtchn->dying = true;
    evtchn_unlock(&held);
    return ports_close(d, true);
}

int evtchn_reset(struct domain *d)
{
    return ports_close(d, false);
}
