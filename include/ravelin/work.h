/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work that must happen soon but not here: items are queued from anywhere,
 * under any lock, and run from the CPU loop of some CPU with no lock held. An
 * item that is not finished in one bounded step asks to be run again.
 */
#pragma once

#include "ravelin/types.h"

struct work_item {
    struct work_item *next;
    /** One bounded step. 0: finished, the item is free for reuse and may have
     * been freed; -ERESTART: to be run again. */
    int (*fn)(struct work_item *item);
    uint32_t queued; /* atomic */
};

/** `fn` as above; the item is not queued. */
void work_init(struct work_item *item, int (*fn)(struct work_item *item));
/** Queues; does nothing if it is queued already. Needs no memory. */
void work_queue(struct work_item *item);
/** Runs one step of everything queued so far. CPU loop, no lock held. */
void work_run(void);
/** Is anything queued? A CPU must not go idle then. */
bool work_is_pending(void);
