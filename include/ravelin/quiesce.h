/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quiescence: the hypervisor is not preemptible, so a CPU that passes its loop
 * (VM entry, idle, scheduling) holds no pointer from before. An object unlinked
 * now may be freed once every online CPU has passed there: quiesce_defer()
 * queues exactly that.
 *
 * What a caller may rely on: unlink, then defer; the function runs after every
 * CPU has gone through quiesce_point() (or was idle) once, this CPU included.
 * So nothing deferred by the code that runs now can happen before that code
 * gets back to the CPU loop.
 */
#pragma once

#include "ravelin/atomic.h"
#include "ravelin/compiler.h"
#include "ravelin/types.h"

struct quiesce_item {
    struct quiesce_item *next;
    uint64_t epoch;
    void (*fn)(struct quiesce_item *item);
};

/**
 * Calls `fn(item)` once no CPU can still hold a reference obtained before
 * this call. `item` is usually embedded in the object to be freed. `fn` runs
 * on any CPU, with no lock held; it may defer again. Any lock below rank
 * QUIESCE may be held here.
 */
void quiesce_defer(struct quiesce_item *item,
                   void (*fn)(struct quiesce_item *item));
/** Defers the drop of one reference on a frame (uses the frame descriptor, so
 * it needs no memory and cannot fail). Several may be due on one frame. */
void quiesce_defer_frame_put(mfn_t f);

/* Not to be touched directly: atomic, number of deferred items and frames. */
extern uint64_t quiesce_pending;
void quiesce_point_slow(void);

/** This CPU holds no transient pointer and no lock now; runs some of what has
 * become safe. Three instructions when nothing is deferred. */
static inline void quiesce_point(void)
{
    if (unlikely(read_once(quiesce_pending) != 0)) {
        quiesce_point_slow();
    }
}

/**
 * This CPU goes idle (or offline): it is quiescent until quiesce_resume. Runs
 * some of what can run first; false if there is more of it: then this CPU is
 * not idle and should look whether it has anything better to do. If others hold
 * things up, a timer ends the idleness in time to kick them.
 */
bool quiesce_idle(void);
/** The CPU works again; also the first call of a CPU that comes online. */
void quiesce_resume(void);
/** Deferred items and frames not yet done with; for tests and statistics. */
uint64_t quiesce_pending_count(void);
