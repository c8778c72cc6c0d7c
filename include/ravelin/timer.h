/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines: each CPU has a queue of timers ordered by absolute nanoseconds and
 * arms its one-shot interrupt for the earliest. Callbacks run on the CPU that
 * armed the timer, from the CPU loop, with no lock held; they may re-arm their
 * timer but not free it. The queue is a heap
 * made of links inside the timers, so arming needs no memory and cannot fail.
 */
#pragma once

#include "ravelin/types.h"

struct cpu;
struct timer_queue;

struct timer {
    uint64_t deadline_ns; /* protected by the queue's lock, like the links */
    void (*fn)(struct timer *t);
    struct cpu *cpu;     /* atomic: queue it is in; NULL: not armed */
    struct cpu *firing;  /* atomic: CPU that runs the callback now */
    uint32_t cancelling; /* atomic: cancels going on; nobody arms meanwhile */
    struct timer *child;
    struct timer *sibling;
    struct timer *prev; /* left sibling, or parent of a first child */
};

#define TIMER_NEVER UINT64_MAX

/** Gives `cpu` its queue. Once per CPU, before the first timer_set() there.
 * 0; -ENOMEM. */
int rv_must_check timer_cpu_init(struct cpu *cpu);
/** Must precede every other use; also again after a cancel. */
void timer_init(struct timer *t, void (*fn)(struct timer *t));
/**
 * (Re-)arms on this CPU; a past deadline fires at the next timers_run(). Wakes
 * nobody: this CPU's hardware timer is armed before return. Any lock of a
 * lower rank than TIMER may be held.
 */
void timer_set(struct timer *t, uint64_t deadline_ns);
/**
 * Disarms; wins against who arms it meanwhile. After return the callback is not
 * running on another CPU, so the caller must hold no lock that the callback
 * takes, and a callback may cancel no timer but its own (two could wait for
 * each other).
 */
void timer_cancel(struct timer *t);
/** Disarms without waiting: the callback may still be running elsewhere. */
void timer_disarm(struct timer *t);
bool timer_is_armed(const struct timer *t);
/** Earliest deadline on this CPU; TIMER_NEVER if none. */
uint64_t timer_next_deadline(void);
/** Runs what is due on this CPU and arms the hardware for the next. */
void timers_run(void);
