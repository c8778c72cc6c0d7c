/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug builds: the lock order of docs/locking.md, checked per CPU. Before the
 * first CPU structure exists there is only one CPU and nothing to check.
 */

#include "ravelin/cpu.h"
#include "ravelin/panic.h"

void lock_check_acquire(const struct spinlock *lock)
{
    struct cpu *c = this_cpu();

    if (!c) {
        return;
    }
    for (unsigned rank = lock->rank; rank < LOCK_RANK_COUNT; rank++) {
        if (unlikely(c->locks_held[rank] != 0)) {
            c->locks_held[rank] = 0; /* so that the panic can be printed */
            panic("lock order: rank %u wanted while rank %u is held",
                  lock->rank, rank);
        }
    }
    c->locks_held[lock->rank]++;
}

void lock_check_try_acquired(const struct spinlock *lock)
{
    struct cpu *c = this_cpu();

    if (c) {
        c->locks_held[lock->rank]++;
    }
}

void lock_check_release(const struct spinlock *lock)
{
    struct cpu *c = this_cpu();

    if (!c) {
        return;
    }
    if (unlikely(c->locks_held[lock->rank] == 0)) {
        panic("lock of rank %u released by a CPU that does not hold it",
              lock->rank);
    }
    c->locks_held[lock->rank]--;
}
