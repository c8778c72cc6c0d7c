/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the engine share. Three locks, in this order: the rules
 * (one), a domain's table of rings (one per domain), a ring. Tokens prove that
 * one is held. Rings are found without a lock and freed after quiescence; who
 * has locked one looks at `is_dead` first.
 */
#pragma once

#include "ravelin/atomic.h"
#include "ravelin/v4v.h"

struct v4v_waiter {
    domid_t domain;
    uint32_t need; /* payload bytes */
};

struct v4v_ring_state {
    struct v4v_ring_state *hash_next; /* atomic; written under the table lock */
    struct domain *owner;
    uint32_t port;
    domid_t partner;
    bool is_orphan; /* atomic; who might send has died: nobody may */
    uint8_t abi;    /* enum manifest_abi of the owner */
    uint8_t order;  /* of this object */
    uint32_t len;
    uint32_t page_count;
    struct shared_u32 *rx; /* in the first page */
    struct shared_u32 *tx;

    struct spinlock lock; /* rank V4V_RING; protects what follows */
    bool is_dead;         /* unregistered: the pages are not ours any more */
    uint32_t tx_ptr;      /* ours; the guest's copy is never read back */
    uint32_t waiter_count;
    uint64_t holder;   /* serial of a long send under way; 0: none */
    uint64_t held_ns;  /* when it last went on */
    uint64_t messages; /* since registration */
    uint64_t bytes;
    struct v4v_waiter waiter[V4V_WAITERS_MAX];

    /* Pinning, before anybody can find the ring; letting go, after. */
    struct v4v_ring_state *pending_next; /* protected by the table lock */
    const struct vcpu *pending_of;       /* who registers it */
    struct guest_ref list;               /* of frames still to be read */
    uint64_t serial;                     /* of its registration */
    uint32_t page_next;                  /* to be pinned, or let go */
    bool replace;                        /* an existing ring gives way */
    struct work_item unpin_work;

    struct quiesce_item free_item;
    mfn_t page[]; /* INVALID_MFN: empty slot */
};

struct v4v_domain {
    struct spinlock lock; /* rank V4V_DOMAIN; protects what follows */
    bool is_dying;        /* no ring may be added */
    bool is_ended; /* atomic; no message may be added. Set before each ring is
                    * locked once, read with a ring locked */
    uint32_t ring_count; /* read without the lock for early refusals */
    uint64_t page_count; /* likewise; of all rings, those that are being pinned
                          * or let go included */
    uint32_t closing;    /* atomic; rings whose pages are being let go */
    struct v4v_ring_state *pending; /* being pinned, one per vCPU at most */
    uint32_t evtchn;                /* atomic; 0: not made yet */

    uint64_t hash_factor; /* odd, random, fixed */

    struct v4v_limits limits;   /* members atomic */
    uint32_t waiting;           /* atomic; entries in waiter[] of all rings */
    struct v4v_traffic traffic; /* members atomic */
    uint32_t destroy_bucket;    /* of the destruction, one step at a time */
    uint32_t destroy_next;
    struct v4v_ring_state *bucket[V4V_BUCKETS]; /* atomic; written under lock */
};
static_assert(sizeof(struct v4v_domain) <= PAGE_SIZE, "a page per domain");

/* A send's snapshot and progress, one per vCPU, made by its first send. */
struct v4v_send {
    uint64_t serial;  /* of the long send under way; 0: none */
    uint32_t iov_max; /* room in iov[] */
    uint8_t order;    /* of this object */
    uint32_t src_port;
    struct v4v_addr dst;
    uint32_t type;
    uint32_t iov_count;
    uint32_t total; /* payload bytes */
    /* How far: offset in the ring, iov, bytes of it. */
    uint32_t at;
    uint32_t next;
    uint32_t done;
    struct v4v_iov iov[];
};

struct v4v_ring_locked {
    struct v4v_ring_state *ring;
};
struct v4v_table_locked {
    struct v4v_domain *table;
};
struct v4v_rules_locked {
    bool held;
};

static inline struct v4v_ring_locked v4v_ring_lock(struct v4v_ring_state *ring)
{
    spin_lock(&ring->lock);
    return (struct v4v_ring_locked){ring};
}
static inline void v4v_ring_unlock(struct v4v_ring_locked *held)
{
    spin_unlock(&held->ring->lock);
    held->ring = NULL;
}
static inline struct v4v_table_locked v4v_table_lock(struct v4v_domain *t)
{
    spin_lock(&t->lock);
    return (struct v4v_table_locked){t};
}
static inline void v4v_table_unlock(struct v4v_table_locked *held)
{
    spin_unlock(&held->table->lock);
    held->table = NULL;
}

/* ---- table.c: rings by id ---------------------------------------------- */

/** Exactly this ring, orphans included; NULL. Lock-free: valid until the next
 * quiescent point. */
struct v4v_ring_state *v4v_ring_find(const struct v4v_domain *t, uint32_t port,
                                     domid_t partner);
/** The ring that `sender` may send to: its own first, then the shared one,
 * locked and alive. False: there is none. */
bool rv_must_check v4v_ring_find_lock(struct domain *owner, uint32_t port,
                                      domid_t sender,
                                      struct v4v_ring_locked *out);
void v4v_ring_insert(struct v4v_table_locked held, struct v4v_ring_state *ring);
void v4v_ring_remove(struct v4v_table_locked held, struct v4v_ring_state *ring);
/** Makes a removed ring unusable, wakes who waits, frees it in time. */
void v4v_ring_close(struct v4v_ring_state *ring);

/* ---- register.c --------------------------------------------------------- */

/** Drops registrations that are not finished: of one vCPU, or NULL: all. */
void v4v_pending_drop(struct v4v_domain *t, const struct vcpu *v);

/* ---- pin.c: the pages of rings ------------------------------------------ */

/* Bits of a serial that go round through the guest's registers. */
#define V4V_TOKEN_MASK 0xffffffu
/** A number for a call that has to be continued; its token is not 0. */
uint64_t v4v_serial_next(void);

/** Pins the next piece. 0: all pages are pinned; -ERESTART; -EINVAL, -EFAULT.
 */
int rv_must_check v4v_ring_pin(struct vcpu *v, struct v4v_ring_state *ring);
/** Lets the pages of a ring go that nobody uses any more, takes them out of the
 * domain's count and frees the ring; a large one in pieces, later. */
void v4v_ring_release(struct v4v_ring_state *ring);

/* ---- space.c: indices and those who wait ------------------------------- */

/* The payload that fits now; V4V_NO_ROOM: not even an empty message. */
#define V4V_NO_ROOM (-1)
int32_t v4v_ring_room(struct v4v_ring_locked held);
/** Bytes between rx_ptr and tx_ptr; len if rx_ptr is garbage. */
uint32_t v4v_ring_used(struct v4v_ring_locked held);
/** The largest payload the ring can ever take. */
static inline uint32_t v4v_ring_payload_max(const struct v4v_ring_state *ring)
{
    return ring->len - 2 * V4V_SLOT;
}
/**
 * Enters a request, or replaces the domain's earlier one. 0: it fits now, no
 * request is left; -EAGAIN: an event will come; -EBUSY: too many wait.
 */
int rv_must_check v4v_wait(struct v4v_ring_locked held, domid_t domain,
                           uint32_t need);
void v4v_wait_cancel(struct v4v_ring_locked held, domid_t domain);
/** Wakes those whose request fits, or all. */
void v4v_wake(struct v4v_ring_locked held, bool all);

/** Tells a domain that something arrived or that there is space. */
void v4v_signal(struct domain *d);

/* ---- rules.c ------------------------------------------------------------ */

/** Decides and counts. */
bool v4v_rules_permit(const struct v4v_addr *src, const struct v4v_addr *dst);
/** May `src` send to `dst` from any port at all? */
bool v4v_rules_permit_some(domid_t src, const struct v4v_addr *dst);
