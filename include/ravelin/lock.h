/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranked ticket locks. Every lock has a rank; a CPU may only take a lock whose
 * rank is higher than those it holds, which rules out deadlock by order.
 * lock_check_* verifies that per CPU in debug builds (include/build/debug) and
 * is empty in release builds (include/build/release). The order itself is
 * explained in docs/locking.md.
 *
 * The hypervisor runs with interrupts off, so no lock needs an irq-safe form.
 */
#pragma once

#include "arch_inline.h"
#include "ravelin/atomic.h"
#include "ravelin/types.h"

/* Ascending: hold a lower rank, take a higher one. */
enum lock_rank {
    LOCK_RANK_DOMAIN_TABLE = 1, /* the list of all domains */
    LOCK_RANK_DOMAIN,           /* one domain's life cycle and settings */
    LOCK_RANK_V4V_RULES,        /* the firewall of messages */
    LOCK_RANK_V4V_DOMAIN,       /* one domain's table of rings */
    LOCK_RANK_V4V_RING,         /* one ring */
    LOCK_RANK_MONITOR,          /* memory events of one domain */
    LOCK_RANK_P2M,              /* one domain's guest-physical map */
    LOCK_RANK_EVENT,            /* one domain's event channels */
    LOCK_RANK_LEGACY,           /* the devices of one legacy platform */
    LOCK_RANK_DEVICE,           /* one virtual device (console ring, ioapic) */
    LOCK_RANK_VLAPIC,           /* one vCPU's interrupt controller */
    LOCK_RANK_SCHED,            /* one CPU's run queue */
    LOCK_RANK_SCHED_SHARE,      /* one domain's count of active vCPUs */
    LOCK_RANK_TIMER,            /* one CPU's timer queue */
    LOCK_RANK_QUIESCE,          /* deferred frees */
    LOCK_RANK_FRAME_POOL,       /* the machine's free frames */
    LOCK_RANK_CONSOLE,          /* serial line and log */
    LOCK_RANK_COUNT
};

struct spinlock {
    uint16_t next;    /* ticket handed to the next taker */
    uint16_t serving; /* ticket that may enter */
    uint8_t rank;     /* enum lock_rank */
};

#define SPINLOCK_INIT(r)                     \
    {                                        \
        .next = 0, .serving = 0, .rank = (r) \
    }

#include "lock_check.h"

static inline void spin_init(struct spinlock *lock, enum lock_rank rank)
{
    lock->next = 0;
    lock->serving = 0;
    lock->rank = (uint8_t)rank;
}

static inline void spin_lock(struct spinlock *lock)
{
    lock_check_acquire(lock);

    uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

    while (unlikely(load_acquire(&lock->serving) != ticket)) {
        cpu_relax();
    }
}

static inline bool rv_must_check spin_trylock(struct spinlock *lock)
{
    uint16_t serving = load_acquire(&lock->serving);
    uint16_t expected = serving;

    if (!__atomic_compare_exchange_n(&lock->next, &expected,
                                     (uint16_t)(serving + 1), false,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return false;
    }
    lock_check_try_acquired(lock);
    return true;
}

static inline void spin_unlock(struct spinlock *lock)
{
    lock_check_release(lock);
    store_release(&lock->serving, (uint16_t)(lock->serving + 1));
}

static inline bool spin_is_locked(const struct spinlock *lock)
{
    return read_once(lock->next) != read_once(lock->serving);
}
