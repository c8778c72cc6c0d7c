/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's queue of deferred work: a lock-free stack that a CPU takes as a
 * whole, turns round and runs. The CPU that queued something runs it at its
 * next turn of the loop unless another one is faster.
 */

#include "ravelin/work.h"

#include "ravelin/atomic.h"
#include "ravelin/cpu.h"
#include "ravelin/errno.h"

static struct work_item *work_head;

void work_init(struct work_item *item, int (*fn)(struct work_item *item))
{
    item->next = NULL;
    item->fn = fn;
    item->queued = 0;
}

static void work_push(struct work_item *item)
{
    struct work_item *head = read_once(work_head);

    do {
        item->next = head;
    } while (!__atomic_compare_exchange_n(&work_head, &head, item, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    write_once(this_cpu()->resched, true);
}

void work_queue(struct work_item *item)
{
    if (__atomic_exchange_n(&item->queued, 1, __ATOMIC_SEQ_CST) == 0) {
        work_push(item);
    }
}

static void work_step(struct work_item *item)
{
    int (*fn)(struct work_item *) = item->fn;

    /* Cleared before the step: what is queued while it runs is not lost. */
    __atomic_store_n(&item->queued, 0, __ATOMIC_SEQ_CST);
    if (fn(item) == -RV_ERESTART) {
        work_queue(item);
    }
}

void work_run(void)
{
    struct work_item *item =
        __atomic_exchange_n(&work_head, NULL, __ATOMIC_SEQ_CST);
    struct work_item *ordered = NULL;

    while (item) {
        struct work_item *next = item->next;

        item->next = ordered;
        ordered = item;
        item = next;
    }
    while (ordered) {
        struct work_item *next = ordered->next;

        work_step(ordered);
        ordered = next;
    }
}

bool work_is_pending(void)
{
    return read_once(work_head) != NULL;
}
