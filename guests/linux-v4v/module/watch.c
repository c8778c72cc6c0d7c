// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Who has to be woken. The domain has one event for everything: a message has
 * arrived somewhere, or there is room somewhere. The interrupt wakes those for
 * whom there is something, and lets those who wait for room look again.
 *
 * Beside it a slow watch finds what no event tells: a peer that has vanished, a
 * ring for which too many wait, a request that another endpoint's request for
 * the same ring has replaced, an end that could not be told for want of room.
 */

#include <linux/jiffies.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "endpoint.h"
#include "hyper.h"

#define WATCH_IDLE HZ
#define WATCH_WAITING msecs_to_jiffies(100)
#define WATCH_SOON msecs_to_jiffies(20)
/* A peer that does not read shall not use up our quota of rings. */
#define CLOSING_MAX 16
#define CLOSING_TIME (30 * HZ)

static DEFINE_MUTEX(list_mutex);
static DEFINE_SPINLOCK(list_lock);
static LIST_HEAD(ends);    /* protected by both: changed with both held */
static LIST_HEAD(closing); /* protected by list_mutex */
static u32 closing_count;  /* protected by list_mutex */
static u32 event_count;    /* protected by list_lock */
static bool is_hurried;    /* protected by list_lock */

static void watch_run(struct work_struct *work);
static DECLARE_DELAYED_WORK(watch_work, watch_run);

u32 v4v_watch_events(void)
{
    return READ_ONCE(event_count);
}

/* list_lock is held. */
static void end_look_again(struct v4v_end *e)
{
    if (e->tx_state != V4V_TX_OPEN) {
        WRITE_ONCE(e->tx_state, V4V_TX_CHECK);
        wake_up_interruptible(&e->wait);
    }
}

static irqreturn_t event_take(int irq, void *data)
{
    struct v4v_end *e;

    spin_lock(&list_lock);
    WRITE_ONCE(event_count, event_count + 1);
    list_for_each_entry(e, &ends, node)
    {
        end_look_again(e);
        if (v4v_rx_unread(&e->rx) != 0) {
            wake_up_interruptible(&e->wait);
        }
    }
    if (!is_hurried) {
        is_hurried = true;
        mod_delayed_work(system_wq, &watch_work, WATCH_SOON);
    }
    spin_unlock(&list_lock);
    return IRQ_HANDLED;
}

void v4v_watch_add(struct v4v_end *e)
{
    mutex_lock(&list_mutex);
    spin_lock_irq(&list_lock);
    list_add_tail(&e->node, &ends);
    spin_unlock_irq(&list_lock);
    mutex_unlock(&list_mutex);
    queue_delayed_work(system_wq, &watch_work, WATCH_IDLE);
}

void v4v_watch_remove(struct v4v_end *e)
{
    mutex_lock(&list_mutex);
    spin_lock_irq(&list_lock);
    list_del_init(&e->node);
    spin_unlock_irq(&list_lock);
    mutex_unlock(&list_mutex);
}

void v4v_watch_block(struct v4v_end *e, bool is_busy, u32 events)
{
    u32 state = is_busy ? V4V_TX_BUSY : V4V_TX_BLOCKED;

    spin_lock_irq(&list_lock);
    if (event_count != events) {
        state = V4V_TX_CHECK;
        wake_up_interruptible(&e->wait);
    }
    WRITE_ONCE(e->tx_state, state);
    if (!is_hurried) {
        is_hurried = true;
        mod_delayed_work(system_wq, &watch_work,
                         is_busy ? WATCH_SOON : WATCH_WAITING);
    }
    spin_unlock_irq(&list_lock);
}

void v4v_watch_unblock(struct v4v_end *e)
{
    bool was_open;

    if (likely(READ_ONCE(e->tx_state) == V4V_TX_OPEN)) {
        return;
    }
    spin_lock_irq(&list_lock);
    was_open = e->tx_state == V4V_TX_OPEN;
    WRITE_ONCE(e->tx_state, V4V_TX_OPEN);
    spin_unlock_irq(&list_lock);
    if (!was_open) {
        wake_up_interruptible(&e->wait);
    }
}

/* ---- The slow watch ----------------------------------------------------- */

/* Does the ring on the other side exist? Asking replaces the request for room
 * there, so it asks for the same. tx_lock is held. */
static bool peer_exists(struct v4v_end *e)
{
    struct v4v_ring_data_ent answer;
    bool is_waiting = READ_ONCE(e->tx_state) != V4V_TX_OPEN;

    return v4v_hyper_ask(&e->peer, is_waiting ? e->tx_need : 0, &answer) != 0 ||
           answer.flags & V4V_RING_DATA_F_EXISTS;
}

/* What the peer said before it vanished is in the ring, and comes first. */
static void end_check_peer(struct v4v_end *e)
{
    struct v4v_ring_message_header h;
    u32 state;
    bool exists = true;

    if (!wq_has_sleeper(&e->wait) || !mutex_trylock(&e->rx_lock)) {
        return;
    }
    state = v4v_end_state(e);
    if ((state == V4V_DEV_CONNECTED || state == V4V_DEV_CONNECTING) &&
        v4v_rx_unread(&e->rx) == 0 && mutex_trylock(&e->tx_lock)) {
        exists = peer_exists(e);
        mutex_unlock(&e->tx_lock);
    }
    if (!exists && v4v_stream_pump(e, &h) != 0 && v4v_end_state(e) == state &&
        v4v_rx_unread(&e->rx) == 0) {
        v4v_end_stop(e, state == V4V_DEV_CONNECTED ? ECONNRESET : ECONNREFUSED);
    }
    v4v_rx_notify(&e->rx);
    mutex_unlock(&e->rx_lock);
}

/* Returns how soon to look again. */
static unsigned long end_watch(struct v4v_end *e)
{
    bool is_waiting;

    end_check_peer(e);
    spin_lock_irq(&list_lock);
    is_waiting = e->tx_state != V4V_TX_OPEN;
    end_look_again(e);
    spin_unlock_irq(&list_lock);
    return is_waiting ? WATCH_WAITING : WATCH_IDLE;
}

/* The ring stays until the peer knows, or else it would seem that we vanished.
 * list_mutex is held, or nobody else is there. */
static void closing_close(bool is_last)
{
    struct v4v_end *e, *next;

    list_for_each_entry_safe(e, next, &closing, node)
    {
        if (v4v_stream_close(e) == 0 || is_last ||
            time_after(jiffies, e->until)) {
            list_del(&e->node);
            closing_count--;
            v4v_end_free(e);
        }
    }
}

static void watch_run(struct work_struct *work)
{
    unsigned long delay = WATCH_IDLE;
    struct v4v_end *e;

    spin_lock_irq(&list_lock);
    is_hurried = false;
    spin_unlock_irq(&list_lock);
    mutex_lock(&list_mutex);
    list_for_each_entry(e, &ends, node)
    {
        delay = min(delay, end_watch(e));
    }
    closing_close(false);
    if (!list_empty(&closing)) {
        delay = min(delay, WATCH_WAITING);
    }
    if (!list_empty(&ends) || !list_empty(&closing)) {
        queue_delayed_work(system_wq, &watch_work, delay);
    }
    mutex_unlock(&list_mutex);
}

void v4v_watch_close_later(struct v4v_end *e)
{
    e->until = jiffies + CLOSING_TIME;
    mutex_lock(&list_mutex);
    if (closing_count < CLOSING_MAX) {
        closing_count++;
        list_add_tail(&e->node, &closing);
        e = NULL;
    }
    mutex_unlock(&list_mutex);
    if (e) {
        v4v_end_free(e);
    }
    mod_delayed_work(system_wq, &watch_work, WATCH_SOON);
}

int v4v_watch_start(void)
{
    return v4v_hyper_start(event_take);
}

/* There are no files any more, nor can there be new ones. */
void v4v_watch_stop(void)
{
    v4v_hyper_stop();
    cancel_delayed_work_sync(&watch_work);
    closing_close(true);
}
