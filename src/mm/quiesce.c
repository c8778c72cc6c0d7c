/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Epochs: each deferral gets a number; a CPU at a quiescent point publishes the
 * latest number it knows. What has a number that all CPUs have published can
 * be done. No guest value reaches this file, but guests decide how much is
 * deferred, so every pass has a budget.
 *
 * Memory ordering. (1) A deferral follows the unlinking in program order and
 * hands out its number under the lock; a CPU that acquires the number sees the
 * unlinking, so what it looks up afterwards does not find the object. (2) A
 * CPU publishes with release, the collector reads with acquire, so its last
 * use happens before the object is freed. (3) A CPU that leaves idle publishes
 * first and has a full barrier before its first lookup, and a collector reads
 * the published numbers under a lock taken after the unlinking: either the
 * collector sees the CPU awake, or the CPU sees the object unlinked.
 */

#include "ravelin/quiesce.h"

#include "arch/host.h"
#include "frame.h"
#include "ravelin/cpu.h"
#include "ravelin/lock.h"

#define BATCH 32u
/* A CPU works off so many of them before it looks what else there is: at a
 * point, if much is waiting; and when it has nothing else to do. */
#define POINT_BATCHES 8u
#define IDLE_BATCHES 8u
#define PENDING_MANY 1024u
#define EPOCH_IDLE UINT64_MAX
/* How long a CPU in guest mode may hold things up before it is kicked out. */
#define PATIENCE_NS 1000000u

uint64_t quiesce_pending;

static struct {
    struct spinlock lock;
    uint64_t epoch;       /* atomic; last number handed out */
    uint64_t progress_ns; /* atomic; when the queues last moved */
    struct quiesce_item *item_head;
    struct quiesce_item *item_tail;
    uint32_t frame_head;
    uint32_t frame_tail;
} q = {
    .lock = SPINLOCK_INIT(LOCK_RANK_QUIESCE),
    .frame_head = FRAME_LINK_NONE,
    .frame_tail = FRAME_LINK_NONE,
};

/* Work taken off the queues, done without the lock. */
struct batch {
    struct quiesce_item *items;
    unsigned item_count;
    unsigned frame_count;
    struct {
        mfn_t frame;
        uint32_t drops;
    } frames[BATCH];
};

static uint64_t epoch_next(void)
{
    uint64_t epoch = q.epoch + 1;

    store_release(&q.epoch, epoch);
    return epoch;
}

static void pending_add(void)
{
    if (__atomic_fetch_add(&quiesce_pending, 1, __ATOMIC_ACQ_REL) == 0) {
        write_once(q.progress_ns, arch_time_ns());
    }
}

void quiesce_defer(struct quiesce_item *item,
                   void (*fn)(struct quiesce_item *item))
{
    spin_lock(&q.lock);
    item->next = NULL;
    item->fn = fn;
    item->epoch = epoch_next();
    if (q.item_tail) {
        q.item_tail->next = item;
    } else {
        q.item_head = item;
    }
    q.item_tail = item;
    pending_add();
    spin_unlock(&q.lock);
}

static void frame_queue(uint32_t f)
{
    frame_of(mfn(f))->next = FRAME_LINK_NONE;
    if (q.frame_tail != FRAME_LINK_NONE) {
        frame_of(mfn(q.frame_tail))->next = f;
    } else {
        q.frame_head = f;
    }
    q.frame_tail = f;
}

static uint32_t frame_dequeue(void)
{
    uint32_t f = q.frame_head;

    q.frame_head = frame_of(mfn(f))->next;
    if (q.frame_head == FRAME_LINK_NONE) {
        q.frame_tail = FRAME_LINK_NONE;
    }
    return f;
}

/* A frame is queued once, with the number of the latest drop. */
void quiesce_defer_frame_put(mfn_t f)
{
    struct frame *fr = frame_of(f);
    uint32_t drops;

    spin_lock(&q.lock);
    fr->epoch = epoch_next();
    drops = ++fr->deferred;
    if (drops == 1) {
        frame_queue((uint32_t)f.v);
        pending_add();
    }
    spin_unlock(&q.lock);
    /* Still safe: this CPU has not passed a quiescent point. */
    frame_disown(f, drops);
}

/* Smallest number published by all CPUs. */
static uint64_t epoch_safe(void)
{
    uint64_t safe = EPOCH_IDLE;

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct cpu *c = cpu_by_id(i);

        if (c && read_once(c->online)) {
            uint64_t seen = load_acquire(&c->quiesce_epoch);

            safe = rv_min(safe, seen);
        }
    }
    return safe;
}

static void batch_take_items(struct batch *b, uint64_t safe)
{
    struct quiesce_item **tail = &b->items;

    while (q.item_head && q.item_head->epoch <= safe && b->item_count < BATCH) {
        struct quiesce_item *item = q.item_head;

        q.item_head = item->next;
        if (!q.item_head) {
            q.item_tail = NULL;
        }
        item->next = NULL;
        *tail = item;
        tail = &item->next;
        b->item_count++;
    }
}

static void batch_take_frames(struct batch *b, uint64_t safe)
{
    for (unsigned i = 0; i < BATCH && q.frame_head != FRAME_LINK_NONE; i++) {
        uint32_t f = frame_dequeue();
        struct frame *fr = frame_of(mfn(f));

        if (fr->epoch > safe) {
            frame_queue(f);
            continue;
        }
        b->frames[b->frame_count].frame = mfn(f);
        b->frames[b->frame_count].drops = fr->deferred;
        b->frame_count++;
        fr->deferred = 0;
    }
}

static void batch_run(struct batch *b)
{
    while (b->items) {
        struct quiesce_item *item = b->items;

        b->items = item->next;
        item->fn(item);
    }
    for (unsigned i = 0; i < b->frame_count; i++) {
        for (uint32_t n = b->frames[i].drops; n > 0; n--) {
            frame_put(b->frames[i].frame);
        }
    }
}

/* With q.lock held, which is released. True if anything was done. */
static bool batch_collect(void)
{
    struct batch b;
    unsigned done;

    b.items = NULL;
    b.item_count = 0;
    b.frame_count = 0;

    uint64_t safe = epoch_safe();

    batch_take_items(&b, safe);
    batch_take_frames(&b, safe);
    spin_unlock(&q.lock);

    done = b.item_count + b.frame_count;
    if (done == 0) {
        return false;
    }
    batch_run(&b);
    write_once(q.progress_ns, arch_time_ns());
    __atomic_fetch_sub(&quiesce_pending, done, __ATOMIC_ACQ_REL);
    return true;
}

/* CPUs that run a guest since before the latest deferral pass a quiescent
 * point on their way back into it. */
static void laggards_kick(void)
{
    uint64_t epoch = load_acquire(&q.epoch);

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct cpu *c = cpu_by_id(i);

        if (c && read_once(c->in_guest) &&
            load_acquire(&c->quiesce_epoch) < epoch) {
            arch_cpu_kick(c);
        }
    }
    write_once(q.progress_ns, arch_time_ns());
}

static void epoch_publish(uint64_t epoch)
{
    store_release(&this_cpu()->quiesce_epoch, epoch);
    full_barrier();
}

/* Nothing can be done: kicks if it has been so for a while. The clocks of two
 * CPUs may differ a little. */
static void laggards_consider(void)
{
    int64_t waited = (int64_t)(arch_time_ns() - read_once(q.progress_ns));

    if (waited > (int64_t)PATIENCE_NS) {
        laggards_kick();
    }
}

void quiesce_point_slow(void)
{
    unsigned left =
        read_once(quiesce_pending) > PENDING_MANY ? POINT_BATCHES : 1;

    epoch_publish(load_acquire(&q.epoch));
    for (; left > 0 && spin_trylock(&q.lock); left--) {
        if (!batch_collect()) {
            laggards_consider();
            break;
        }
    }
}

/* The interrupt is all that is wanted: the CPU goes round its loop. */
static void idle_ended(struct timer *t rv_unused)
{
}

/* The lock is waited for here: of all CPUs that go idle at the same time, the
 * last one to get it sees what the others have published. */
bool quiesce_idle(void)
{
    struct timer *timer = &this_cpu()->quiesce_timer;

    for (unsigned i = 0; read_once(quiesce_pending) != 0; i++) {
        if (i == IDLE_BATCHES) {
            return false;
        }
        epoch_publish(load_acquire(&q.epoch));
        spin_lock(&q.lock);
        if (!batch_collect()) {
            laggards_consider();
            timer->fn = idle_ended;
            timer_set(timer, read_once(q.progress_ns) + PATIENCE_NS + 1);
            break;
        }
    }
    epoch_publish(EPOCH_IDLE);
    return true;
}

void quiesce_resume(void)
{
    epoch_publish(load_acquire(&q.epoch));
}

uint64_t quiesce_pending_count(void)
{
    return read_once(quiesce_pending);
}
