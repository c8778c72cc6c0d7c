/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channel tables. What a port is bound to stands in one 64-bit word, so
 * that senders read a consistent binding without a lock; it is written under
 * the event lock of its domain only. Tables live until the domain is freed
 * after quiescence.
 */
#pragma once

#include "ravelin/evtchn.h"

#define EVTCHN_PER_BUCKET 256u
#define EVTCHN_BUCKET_COUNT (EVTCHN_2L_NR_CHANNELS / EVTCHN_PER_BUCKET)

/*
 * Legal moves: FREE -> any other; UNBOUND <-> INTERDOMAIN (partner binds or
 * closes); any -> FREE (close).
 */
enum evtchn_state {
    EVTCHN_FREE,
    EVTCHN_UNBOUND,     /* domain: who may bind */
    EVTCHN_INTERDOMAIN, /* domain, port: the other end */
    EVTCHN_VIRQ,        /* virq */
    EVTCHN_IPI,
    EVTCHN_SERVICE, /* fn */
};

struct evtchn {
    uint64_t word; /* atomic; see evtchn_word() */
    evtchn_service_fn fn;
};

struct evtchn_table {
    struct spinlock lock; /* rank EVENT */
    bool dying;           /* no more allocations; protected by lock */
    uint32_t free_hint;   /* no free port below; protected by lock */
    struct evtchn *bucket[EVTCHN_BUCKET_COUNT]; /* atomic, NULL: all free */
};

/* The binding word: state 0-3, vCPU 8-15, domain 16-31, port 32-47, virq
 * 48-55. */
static inline uint64_t evtchn_word(enum evtchn_state state, uint32_t vcpu,
                                   domid_t domain, uint32_t port, uint32_t virq)
{
    return (uint64_t)state | (uint64_t)vcpu << 8 | (uint64_t)domain << 16 |
           (uint64_t)port << 32 | (uint64_t)virq << 48;
}
static inline enum evtchn_state evtchn_word_state(uint64_t w)
{
    return (enum evtchn_state)(w & 0xf);
}
static inline uint32_t evtchn_word_vcpu(uint64_t w)
{
    return (w >> 8) & 0xff;
}
static inline domid_t evtchn_word_domain(uint64_t w)
{
    return (domid_t)(w >> 16);
}
static inline uint32_t evtchn_word_port(uint64_t w)
{
    return (w >> 32) & 0xffff;
}
static inline uint32_t evtchn_word_virq(uint64_t w)
{
    return (w >> 48) & 0xff;
}
static inline uint64_t evtchn_word_with_vcpu(uint64_t w, uint32_t vcpu)
{
    return (w & ~0xff00UL) | (uint64_t)vcpu << 8;
}

/* The entry of a port, NULL if it is out of range or was never used. */
static inline struct evtchn *evtchn_find(const struct domain *d,
                                         evtchn_port_t port)
{
    struct evtchn *bucket;

    if (unlikely(port >= EVTCHN_2L_NR_CHANNELS)) {
        return NULL;
    }
    bucket = load_acquire(&d->evtchn->bucket[port / EVTCHN_PER_BUCKET]);
    return likely(bucket) ? &bucket[port % EVTCHN_PER_BUCKET] : NULL;
}

/* The binding of a port; FREE if there is none. */
static inline uint64_t evtchn_read(const struct domain *d, evtchn_port_t port)
{
    const struct evtchn *chan = evtchn_find(d, port);

    return chan ? load_acquire(&chan->word) : 0;
}

/* Proof that the event lock of `d` (and of `partner`) is held. */
struct evtchn_locked {
    struct domain *d;
    struct domain *partner; /* NULL, or another domain */
};

struct evtchn_locked evtchn_lock(struct domain *d);
/* Both, in ascending order of ids; `partner` may be `d`. */
struct evtchn_locked evtchn_lock_pair(struct domain *d, struct domain *partner);
void evtchn_unlock(struct evtchn_locked *held);

/* Finds a free port of held.d and makes its entry exist; the caller binds it
 * before it lets go of the lock. 0; -EINVAL dying; -ENOSPC; -ENOMEM. */
int rv_must_check evtchn_port_find_free(struct evtchn_locked held,
                                        evtchn_port_t *port);
/* Writes the binding of a port of `d`, which is held. */
void evtchn_port_bind(struct evtchn_locked held, struct domain *d,
                      evtchn_port_t port, uint64_t word);
/* Makes a port of held.d free and takes back what it had pending. */
void evtchn_port_release(struct evtchn_locked held, evtchn_port_t port);

/* Closes whatever the port is bound to. -EINVAL: it is free. */
int rv_must_check evtchn_close_any(struct domain *d, evtchn_port_t port);

/* Sets the pending bit and delivers: upcall and pollers. */
void evtchn_raise(struct domain *d, evtchn_port_t port, uint32_t vcpu);
/* Clears the pending bit. */
void evtchn_pending_clear(struct domain *d, evtchn_port_t port);

/* Virqs that a domain binds once, on vCPU 0. */
bool evtchn_virq_is_global(uint32_t virq);

/* Where bits and selectors are, in the layout of the domain's ABI. */
static inline uint64_t *evtchn_pending_bits(const struct domain *d)
{
    return (void *)((char *)d->shared_info +
                    (d->is_32bit_abi
                         ? offsetof(struct compat_shared_info, evtchn_pending)
                         : offsetof(struct shared_info, evtchn_pending)));
}
static inline uint64_t *evtchn_mask_bits(const struct domain *d)
{
    return (void *)((char *)d->shared_info +
                    (d->is_32bit_abi
                         ? offsetof(struct compat_shared_info, evtchn_mask)
                         : offsetof(struct shared_info, evtchn_mask)));
}
static inline unsigned evtchn_abi_limit(const struct domain *d)
{
    return d->is_32bit_abi ? COMPAT_EVTCHN_2L_NR_CHANNELS
                           : EVTCHN_2L_NR_CHANNELS;
}
