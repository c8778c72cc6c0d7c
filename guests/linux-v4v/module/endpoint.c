// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What all endpoints have: a ring, a port, sending with memory of what there
 * was no room for, and waiting.
 */

#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "endpoint.h"
#include "hyper.h"

#define STREAM_PORT_MASK 0xffffffu
#define PORT_TRIES 1024

static atomic_t port_last = ATOMIC_INIT(0);

struct v4v_end *v4v_end_alloc(void)
{
    struct v4v_end *e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);

    if (e) {
        mutex_init(&e->setup);
        mutex_init(&e->rx_lock);
        mutex_init(&e->tx_lock);
        init_waitqueue_head(&e->wait);
        INIT_LIST_HEAD(&e->node);
    }
    return e;
}

void v4v_end_close(struct v4v_end *e)
{
    v4v_watch_remove(e);
    if (v4v_stream_close(e) == -EAGAIN) {
        v4v_watch_close_later(e);
    } else {
        v4v_end_free(e);
    }
}

void v4v_end_free(struct v4v_end *e)
{
    v4v_rx_close(&e->rx);
    kvfree(e->staged);
    kfree(e);
}

static u32 port_choose(void)
{
    return V4V_DEV_STREAM_PORTS |
           ((u32)atomic_inc_return(&port_last) & STREAM_PORT_MASK);
}

int v4v_end_open(struct v4v_end *e, u32 port, u16 partner, u32 ring_size)
{
    struct v4v_ring_id id = {.partner = partner};
    unsigned int tries = port ? 1 : PORT_TRIES;
    int rc = -EADDRINUSE;

    while (rc == -EADDRINUSE && tries-- > 0) {
        id.addr.port = port ? port : port_choose();
        rc = v4v_rx_open(&e->rx, &id, ring_size);
    }
    if (rc) {
        return rc;
    }
    e->local = id.addr;
    e->conid = get_random_u32();
    v4v_watch_add(e);
    return 0;
}

void v4v_end_stop(struct v4v_end *e, int error)
{
    e->error = error;
    smp_store_release(&e->state, V4V_DEV_ENDED);
    wake_up_interruptible(&e->wait);
}

/* ---- Sending ------------------------------------------------------------ */

long v4v_end_send(struct v4v_end *e, const struct v4v_addr *to,
                  const void *data, u32 size, u32 type)
{
    u32 events = v4v_watch_events();
    long rc = v4v_hyper_send(&e->local, to, data, size, type);

    if (rc == -EAGAIN || rc == -EBUSY) {
        e->tx_to = *to;
        e->tx_need = size;
        v4v_watch_block(e, rc == -EBUSY, events);
        return -EAGAIN;
    }
    v4v_watch_unblock(e);
    return rc;
}

/* An event says that something has changed; the hypervisor knows what. */
static void tx_check(struct v4v_end *e)
{
    struct v4v_ring_data_ent answer;
    u32 events = v4v_watch_events();
    int rc = v4v_hyper_ask(&e->tx_to, e->tx_need, &answer);
    bool exists = rc == 0 && answer.flags & V4V_RING_DATA_F_EXISTS;

    if (!exists || answer.flags & V4V_RING_DATA_F_SUFFICIENT ||
        e->tx_need > answer.max_message_size) {
        v4v_watch_unblock(e);
    } else {
        v4v_watch_block(e, !(answer.flags & V4V_RING_DATA_F_PENDING), events);
    }
}

bool v4v_end_tx_is_ready(struct v4v_end *e)
{
    /* Whoever holds the lock is sending, and wakes us after it. */
    if (READ_ONCE(e->tx_state) == V4V_TX_CHECK && mutex_trylock(&e->tx_lock)) {
        if (READ_ONCE(e->tx_state) == V4V_TX_CHECK) {
            tx_check(e);
        }
        mutex_unlock(&e->tx_lock);
    }
    return READ_ONCE(e->tx_state) == V4V_TX_OPEN;
}

/* ---- Waiting ------------------------------------------------------------ */

bool v4v_end_rx_is_ready(const struct v4v_end *e)
{
    return v4v_end_state(e) == V4V_DEV_ENDED || READ_ONCE(e->has_ended) ||
           v4v_rx_unread(&e->rx) != 0;
}

static bool tx_is_worth_trying(const struct v4v_end *e)
{
    u32 state = READ_ONCE(e->tx_state);

    return state == V4V_TX_OPEN || state == V4V_TX_CHECK ||
           v4v_end_state(e) == V4V_DEV_ENDED;
}

/* Before every wait: whoever is flooded with messages that do not count must
 * still be killable. */
static int wait_begin(void)
{
    cond_resched();
    return signal_pending(current) ? -ERESTARTSYS : 0;
}

static int wait_end(long rc, long *left)
{
    if (rc < 0) {
        return (int)rc;
    }
    if (left) {
        *left = rc;
        return rc == 0 ? -ETIMEDOUT : 0;
    }
    return 0;
}

int v4v_end_rx_wait(struct v4v_end *e, u32 state, long *left)
{
    long rc = wait_begin();

    if (rc == 0) {
        rc = wait_event_interruptible_timeout(
            e->wait, v4v_end_rx_is_ready(e) || v4v_end_state(e) != state,
            left ? *left : MAX_SCHEDULE_TIMEOUT);
    }
    return wait_end(rc, left);
}

int v4v_end_tx_wait(struct v4v_end *e, long *left)
{
    long rc = wait_begin();

    if (rc == 0) {
        rc = wait_event_interruptible_timeout(e->wait, tx_is_worth_trying(e),
                                              left ? *left
                                                   : MAX_SCHEDULE_TIMEOUT);
    }
    return wait_end(rc, left);
}
