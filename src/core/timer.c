/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU timer queues: a pairing heap of intrusive nodes. Arming is constant
 * time, taking the earliest is logarithmic amortised, and nothing is allocated,
 * so guests that arm timers can exhaust nothing.
 * Ref: Fredman, Sedgewick, Sleator, Tarjan: "The Pairing Heap", 1986.
 */

#include "ravelin/timer.h"

#include "arch/host.h"
#include "ravelin/cpu.h"
#include "ravelin/errno.h"

/* Callbacks per timers_run(): what is left fires at once again, after the CPU
 * loop has had a turn. */
#define TIMER_BATCH 64u

struct timer_queue {
    struct spinlock lock;
    struct timer *root;
    uint64_t armed_ns; /* what the hardware is set to; own CPU only */
} rv_aligned(64);

static struct timer_queue timer_queues[CPU_COUNT_MAX];

/* ---- Heap -------------------------------------------------------------- */

static struct timer *heap_merge(struct timer *a, struct timer *b)
{
    if (!a || !b) {
        return a ? a : b;
    }
    if (b->deadline_ns < a->deadline_ns) {
        struct timer *swap = a;

        a = b;
        b = swap;
    }
    b->sibling = a->child;
    if (b->sibling) {
        b->sibling->prev = b;
    }
    b->prev = a;
    a->child = b;
    return a;
}

static struct timer *heap_cut(struct timer *t)
{
    t->prev = NULL;
    t->sibling = NULL;
    return t;
}

/* Two passes over a list of siblings: pairs left to right, then all of them
 * right to left. */
static struct timer *heap_merge_siblings(struct timer *first)
{
    struct timer *pairs = NULL;
    struct timer *root = NULL;

    while (first) {
        struct timer *a = first;
        struct timer *b = a->sibling;
        struct timer *merged;

        first = b ? b->sibling : NULL;
        heap_cut(a);
        merged = b ? heap_merge(a, heap_cut(b)) : a;
        merged->sibling = pairs;
        pairs = merged;
    }
    while (pairs) {
        struct timer *next = pairs->sibling;

        root = heap_merge(root, heap_cut(pairs));
        pairs = next;
    }
    return root;
}

static void heap_insert(struct timer_queue *q, struct timer *t)
{
    t->child = NULL;
    q->root = heap_merge(q->root, heap_cut(t));
}

static void heap_remove(struct timer_queue *q, struct timer *t)
{
    struct timer *below = heap_merge_siblings(t->child);

    if (q->root == t) {
        q->root = below;
    } else {
        if (t->prev->child == t) {
            t->prev->child = t->sibling;
        } else {
            t->prev->sibling = t->sibling;
        }
        if (t->sibling) {
            t->sibling->prev = t->prev;
        }
        q->root = heap_merge(q->root, below);
    }
    t->child = NULL;
    heap_cut(t);
}

/* ---- Queue ------------------------------------------------------------- */

int timer_cpu_init(struct cpu *cpu)
{
    struct timer_queue *q;

    if (cpu->id >= CPU_COUNT_MAX) {
        return -RV_EINVAL;
    }
    q = &timer_queues[cpu->id];
    spin_init(&q->lock, LOCK_RANK_TIMER);
    q->root = NULL;
    q->armed_ns = TIMER_NEVER;
    cpu->timers = q;
    return 0;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){.deadline_ns = TIMER_NEVER, .fn = fn};
}

/* Own CPU, lock held: the hardware must not sleep past the earliest. */
static void queue_arm(struct timer_queue *q)
{
    uint64_t first = q->root ? q->root->deadline_ns : TIMER_NEVER;

    if (first < q->armed_ns) {
        q->armed_ns = first;
        arch_timer_arm(first);
    }
}

void timer_disarm(struct timer *t)
{
    struct cpu *c;

    while ((c = load_acquire(&t->cpu)) != NULL) {
        struct timer_queue *q = c->timers;

        spin_lock(&q->lock);
        if (load_acquire(&t->cpu) == c) {
            heap_remove(q, t);
            store_release(&t->cpu, NULL);
        }
        spin_unlock(&q->lock);
    }
}

/* Own queue: arms `t` unless another CPU has done so meanwhile; false then. */
static bool queue_add(struct timer_queue *q, struct timer *t,
                      uint64_t deadline_ns)
{
    struct cpu *none = NULL;
    bool done = true;

    spin_lock(&q->lock);
    if (read_once(t->cancelling) == 0) {
        done = __atomic_compare_exchange_n(&t->cpu, &none, this_cpu(), false,
                                           __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
        if (done) {
            t->deadline_ns = deadline_ns;
            heap_insert(q, t);
            queue_arm(q);
        }
    }
    spin_unlock(&q->lock);
    return done;
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    /* Two CPUs may arm the same timer: the later one wins. */
    do {
        timer_disarm(t);
    } while (deadline_ns != TIMER_NEVER &&
             !queue_add(this_cpu()->timers, t, deadline_ns));
}

static void firing_wait(const struct timer *t)
{
    const struct cpu *firing;

    while ((firing = load_acquire(&t->firing)) != NULL &&
           firing != this_cpu()) {
        cpu_relax();
    }
}

/*
 * `cancelling` is set before `firing` is looked at; whoever fires sets
 * `firing` before its callback can look at `cancelling`. So a callback that
 * the first wait does not see cannot arm the timer again, and what was armed
 * before is either disarmed here or seen firing by the second wait.
 */
void timer_cancel(struct timer *t)
{
    __atomic_fetch_add(&t->cancelling, 1, __ATOMIC_SEQ_CST);
    full_barrier();
    firing_wait(t);
    timer_disarm(t);
    firing_wait(t);
    __atomic_fetch_sub(&t->cancelling, 1, __ATOMIC_SEQ_CST);
}

bool timer_is_armed(const struct timer *t)
{
    return load_acquire(&t->cpu) != NULL;
}

uint64_t timer_next_deadline(void)
{
    struct timer_queue *q = this_cpu()->timers;
    uint64_t first;

    spin_lock(&q->lock);
    first = q->root ? q->root->deadline_ns : TIMER_NEVER;
    spin_unlock(&q->lock);
    return first;
}

/* Takes the earliest timer if it is due; it counts as firing from then on, in
 * the same critical section, so that timer_cancel() cannot miss it. One whose
 * callback still runs on another CPU, where it was armed before, has to wait
 * for its end. */
static struct timer *queue_pop_due(struct timer_queue *q, uint64_t now)
{
    struct timer *t;

    spin_lock(&q->lock);
    t = q->root;
    if (t && t->deadline_ns <= now && load_acquire(&t->firing) == NULL) {
        heap_remove(q, t);
        write_once(t->firing, this_cpu());
        store_release(&t->cpu, NULL);
    } else {
        t = NULL;
    }
    spin_unlock(&q->lock);
    full_barrier(); /* pairs with timer_cancel() */
    return t;
}

void timers_run(void)
{
    struct timer_queue *q = this_cpu()->timers;
    uint64_t now = arch_time_ns();

    for (unsigned i = 0; i < TIMER_BATCH; i++) {
        struct timer *t = queue_pop_due(q, now);

        if (!t) {
            break;
        }
        t->fn(t);
        store_release(&t->firing, NULL);
    }
    spin_lock(&q->lock);
    q->armed_ns = q->root ? q->root->deadline_ns : TIMER_NEVER;
    arch_timer_arm(q->armed_ns);
    spin_unlock(&q->lock);
}
