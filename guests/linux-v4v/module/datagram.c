// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Datagrams: every message of the ring as it came, of whatever type.
 */

#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "endpoint.h"

#define RING_DEFAULT (64 * 1024)
#define HEADER ((u32)sizeof(struct v4v_ring_message_header))

/* Of a message that there is room for: with its header and a free slot. */
#define SIZE_MAX_DATAGRAM (V4V_RING_LEN_MAX - 2 * V4V_SLOT)

int v4v_datagram_bind(struct v4v_end *e, struct v4v_dev_bind *req)
{
    u32 size = req->ring_size ? req->ring_size : RING_DEFAULT;
    int rc;

    if (v4v_end_state(e) != V4V_DEV_NEW || req->pad != 0) {
        return -EINVAL;
    }
    rc = v4v_end_open(e, req->port, req->partner, size);
    if (rc == 0) {
        req->port = e->local.port;
        smp_store_release(&e->state, V4V_DEV_DATAGRAM);
    }
    return rc;
}

static long send_once(struct v4v_end *e, const struct v4v_dev_message *m,
                      const void *data)
{
    long rc;

    if (mutex_lock_interruptible(&e->tx_lock)) {
        return -ERESTARTSYS;
    }
    rc = v4v_end_send(e, &m->addr, data, m->size, m->type);
    mutex_unlock(&e->tx_lock);
    return rc;
}

long v4v_datagram_send(struct v4v_end *e, const struct v4v_dev_message *m,
                       bool no_wait)
{
    void *data;
    long rc;

    if (v4v_end_state(e) != V4V_DEV_DATAGRAM || m->addr.pad != 0) {
        return -EINVAL;
    }
    if (m->size > SIZE_MAX_DATAGRAM) {
        return -EMSGSIZE;
    }
    data = vmemdup_user(u64_to_user_ptr(m->data), m->size);
    if (IS_ERR(data)) {
        return PTR_ERR(data);
    }
    do {
        rc = send_once(e, m, data);
        if (rc != -EAGAIN || no_wait) {
            break;
        }
        rc = v4v_end_tx_wait(e, NULL);
    } while (rc == 0);
    kvfree(data);
    return rc;
}

/* rx_lock is held. */
static long message_take(struct v4v_end *e, struct v4v_dev_message *m,
                         struct iov_iter *to)
{
    struct v4v_ring_message_header h;
    u32 size, want;
    int rc = v4v_rx_peek(&e->rx, &h);

    if (rc) {
        return rc;
    }
    size = h.len - HEADER;
    want = min_t(size_t, size, iov_iter_count(to));
    if (v4v_rx_copy_iter(&e->rx, 0, want, to) != want) {
        return -EFAULT;
    }
    m->addr = h.source;
    m->type = h.message_type;
    v4v_rx_drop(&e->rx, &h);
    v4v_rx_notify(&e->rx);
    return size;
}

long v4v_datagram_receive(struct v4v_end *e, struct v4v_dev_message *m,
                          struct iov_iter *to, bool no_wait)
{
    long rc;

    if (v4v_end_state(e) != V4V_DEV_DATAGRAM) {
        return -EINVAL;
    }
    do {
        if (mutex_lock_interruptible(&e->rx_lock)) {
            return -ERESTARTSYS;
        }
        rc = message_take(e, m, to);
        mutex_unlock(&e->rx_lock);
        if (rc != -EAGAIN || no_wait) {
            return rc;
        }
        rc = v4v_end_rx_wait(e, V4V_DEV_DATAGRAM, NULL);
    } while (rc == 0);
    return rc;
}
