// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What goes through a stream. Data stays in the ring until a program reads it,
 * so the ring is the flow control; what is not data is dealt with when it comes
 * first. A message counts if it comes from the peer's address under the
 * connection's number; others of the same domain are dropped, and so is data
 * after the peer's FIN.
 *
 * Threat surface: everything the peer's domain writes.
 */

#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "endpoint.h"

#define HEADER ((u32)sizeof(struct v4v_ring_message_header))
#define STREAM_HEADER ((u32)sizeof(struct v4v_stream_header))
#define PIECE_MIN 16

/* ---- Control ------------------------------------------------------------ */

u32 v4v_stream_features(const struct v4v_end *e,
                        const struct v4v_ring_message_header *m)
{
    struct v4v_stream_open o;

    if (m->len < HEADER + sizeof(o)) {
        return 0;
    }
    v4v_rx_copy(&e->rx, 0, &o, sizeof(o));
    return o.features & V4V_STREAM_FIN;
}

static void answer_take(struct v4v_end *e,
                        const struct v4v_ring_message_header *m, u32 flags)
{
    if (flags & V4V_SHF_RST) {
        v4v_end_stop(e, ECONNREFUSED);
    } else if (flags & V4V_SHF_ACK) {
        e->peer = m->source;
        e->features = v4v_stream_features(e, m);
        v4v_stream_piece_set(e);
        smp_store_release(&e->state, V4V_DEV_CONNECTED);
        wake_up_interruptible(&e->wait);
    }
}

static void control_take(struct v4v_end *e, u32 flags)
{
    if (flags & V4V_SHF_RST) {
        v4v_end_stop(e, 0);
    }
    if (flags & V4V_SHF_FIN && e->features & V4V_STREAM_FIN && !e->has_ended) {
        WRITE_ONCE(e->has_ended, true);
        wake_up_interruptible(&e->wait);
    }
    if (flags & V4V_SHF_PING) {
        e->owes_pong = true;
    }
    if (flags & V4V_SHF_PONG) {
        e->pongs++;
    }
}

static void pong_send(struct v4v_end *e)
{
    long rc;

    if (!e->owes_pong || v4v_end_state(e) != V4V_DEV_CONNECTED) {
        return;
    }
    rc = v4v_stream_tell(&e->local, &e->peer, V4V_SHF_PONG, e->conid);
    e->owes_pong = rc == -EAGAIN || rc == -EBUSY;
}

static bool address_is(const struct v4v_addr *a, const struct v4v_addr *b)
{
    return a->domain == b->domain && a->port == b->port;
}

/* True: the first message is data, and not all of it has been read. */
static bool message_is_data(struct v4v_end *e,
                            const struct v4v_ring_message_header *m)
{
    struct v4v_stream_header h;

    if (m->len < HEADER + STREAM_HEADER ||
        m->message_type != V4V_MESSAGE_STREAM) {
        return false;
    }
    v4v_rx_copy(&e->rx, 0, &h, sizeof(h));
    if (h.conid != e->conid) {
        return false;
    }
    if (v4v_end_state(e) == V4V_DEV_CONNECTING) {
        answer_take(e, m, h.flags);
        return false;
    }
    if (!address_is(&m->source, &e->peer)) {
        return false;
    }
    if (h.flags) {
        control_take(e, h.flags);
        return false;
    }
    return !e->has_ended && m->len - HEADER - STREAM_HEADER > e->taken;
}

int v4v_stream_pump(struct v4v_end *e, struct v4v_ring_message_header *h)
{
    unsigned int i;

    pong_send(e);
    for (i = 0; i < V4V_PUMP_MAX; i++) {
        int rc;

        if (v4v_end_state(e) == V4V_DEV_ENDED) {
            return -ESHUTDOWN;
        }
        rc = v4v_rx_peek(&e->rx, h);
        if (rc == -EIO) {
            v4v_end_stop(e, EIO);
            return -ESHUTDOWN;
        }
        if (rc) {
            break;
        }
        if (message_is_data(e, h)) {
            return 0;
        }
        e->taken = 0;
        v4v_rx_drop(&e->rx, h);
        pong_send(e);
    }
    return e->has_ended ? -ESHUTDOWN : -EAGAIN;
}

/* ---- Reading ------------------------------------------------------------ */

/* Copies of the first message. Less than there was to copy: -EFAULT. */
static long message_read(struct v4v_end *e, struct iov_iter *to,
                         const struct v4v_ring_message_header *h)
{
    u32 left = h->len - HEADER - STREAM_HEADER - e->taken;
    u32 want = min_t(size_t, left, iov_iter_count(to));
    size_t done = v4v_rx_copy_iter(&e->rx, STREAM_HEADER + e->taken, want, to);

    e->taken += (u32)done;
    if (done == left) {
        e->taken = 0;
        v4v_rx_drop(&e->rx, h);
    }
    return done == 0 ? -EFAULT : (long)done;
}

/* As much as there is and fits. rx_lock is held. */
static long data_take(struct v4v_end *e, struct iov_iter *to)
{
    struct v4v_ring_message_header h;
    long done = 0, rc = 0;

    while (iov_iter_count(to) > 0) {
        rc = v4v_stream_pump(e, &h);
        if (rc == 0) {
            rc = message_read(e, to, &h);
        }
        if (rc < 0) {
            break;
        }
        done += rc;
    }
    v4v_rx_notify(&e->rx);
    if (done > 0) {
        return done;
    }
    /* What came before FIN is complete, whatever becomes of the peer. */
    return rc != -ESHUTDOWN ? rc : e->has_ended ? 0 : -e->error;
}

ssize_t v4v_stream_read(struct v4v_end *e, struct iov_iter *to, bool no_wait)
{
    u32 state;
    long rc;

    do {
        state = v4v_end_state(e);
        if (mutex_lock_interruptible(&e->rx_lock)) {
            return -ERESTARTSYS;
        }
        rc = data_take(e, to);
        mutex_unlock(&e->rx_lock);
        if (rc != -EAGAIN || no_wait) {
            return rc;
        }
        rc = v4v_end_rx_wait(e, state, NULL);
    } while (rc == 0);
    return rc;
}

/* ---- Writing ------------------------------------------------------------ */

/* The message that one writer has put together; another may have put its own in
 * its place while the first waited. */
struct stage {
    u32 size; /* of the data; 0: none */
    u32 stamp;
};

static u32 staged_max(const struct v4v_end *e)
{
    return READ_ONCE(e->piece);
}

/* tx_lock is held. */
static int stage_fill(struct v4v_end *e, struct iov_iter *from,
                      struct stage *st)
{
    const struct v4v_stream_header h = {.conid = e->conid};

    if (st->size > 0 && st->stamp == e->stamp) {
        return 0;
    }
    iov_iter_revert(from, st->size);
    st->size = 0;
    if (!e->staged) {
        e->staged = kvmalloc(STREAM_HEADER + staged_max(e), GFP_KERNEL_ACCOUNT);
    }
    if (!e->staged) {
        return -ENOMEM;
    }
    st->stamp = ++e->stamp;
    memcpy(e->staged, &h, sizeof(h));
    st->size = (u32)copy_from_iter(
        e->staged + sizeof(h),
        min_t(size_t, iov_iter_count(from), staged_max(e)), from);
    return st->size == 0 ? -EFAULT : 0;
}

/* One message. Returns its bytes. tx_lock is held. */
static long stage_send(struct v4v_end *e, struct iov_iter *from,
                       struct stage *st)
{
    long rc;

    for (;;) {
        rc = stage_fill(e, from, st);
        if (rc) {
            return rc;
        }
        rc = v4v_end_send(e, &e->peer, e->staged, STREAM_HEADER + st->size,
                          V4V_MESSAGE_STREAM);
        if (rc != -EMSGSIZE || e->piece <= PIECE_MIN) {
            break;
        }
        WRITE_ONCE(e->piece, e->piece / 2);
        e->stamp++;
    }
    if (rc >= 0) {
        rc = st->size;
        st->size = 0;
    }
    return rc;
}

/* Nobody takes what we send: the peer has closed, which it says in our ring, or
 * it is gone. */
static int stream_lost(struct v4v_end *e)
{
    struct v4v_ring_message_header h;
    int rc = -EPIPE;

    mutex_lock(&e->rx_lock);
    if (v4v_stream_pump(e, &h) != 0 && v4v_end_state(e) != V4V_DEV_ENDED &&
        v4v_rx_unread(&e->rx) == 0) {
        v4v_end_stop(e, ECONNRESET);
    }
    v4v_rx_notify(&e->rx);
    if (v4v_end_state(e) == V4V_DEV_ENDED && e->error) {
        rc = -e->error;
    }
    mutex_unlock(&e->rx_lock);
    return rc;
}

/* 0: tx_lock is held. */
static int tx_begin(struct v4v_end *e)
{
    if (v4v_end_state(e) == V4V_DEV_ENDED) {
        return e->error ? -e->error : -EPIPE;
    }
    if (v4v_end_state(e) != V4V_DEV_CONNECTED) {
        return -ENOTCONN;
    }
    return mutex_lock_interruptible(&e->tx_lock) ? -ERESTARTSYS : 0;
}

static long write_once(struct v4v_end *e, struct iov_iter *from,
                       struct stage *st)
{
    long rc = tx_begin(e);

    if (rc) {
        return rc;
    }
    rc = e->is_shut ? -EPIPE : stage_send(e, from, st);
    mutex_unlock(&e->tx_lock);
    return rc == -ECONNREFUSED ? stream_lost(e) : rc;
}

ssize_t v4v_stream_write(struct v4v_end *e, struct iov_iter *from, bool no_wait)
{
    struct stage st = {.size = 0};
    ssize_t done = 0;
    long rc = 0;

    while (st.size > 0 || iov_iter_count(from) > 0) {
        rc = write_once(e, from, &st);
        if (rc > 0) {
            done += rc;
            cond_resched();
            continue;
        }
        if (rc != -EAGAIN || no_wait) {
            break;
        }
        rc = v4v_end_tx_wait(e, NULL);
        if (rc) {
            break;
        }
    }
    return done > 0 ? done : rc;
}

static int shut_once(struct v4v_end *e)
{
    const struct v4v_stream_header fin = {
        .flags = V4V_SHF_FIN,
        .conid = e->conid,
    };
    long rc = tx_begin(e);

    if (rc) {
        return (int)rc;
    }
    if (!(e->features & V4V_STREAM_FIN)) {
        rc = -EOPNOTSUPP;
    } else if (!e->is_shut) {
        rc = v4v_end_send(e, &e->peer, &fin, sizeof(fin), V4V_MESSAGE_STREAM);
        WRITE_ONCE(e->is_shut, rc >= 0);
    }
    mutex_unlock(&e->tx_lock);
    if (rc == -ECONNREFUSED) {
        return stream_lost(e);
    }
    return rc < 0 ? (int)rc : 0;
}

int v4v_stream_shutdown(struct v4v_end *e, bool no_wait)
{
    int rc;

    do {
        rc = shut_once(e);
        if (rc != -EAGAIN || no_wait) {
            return rc;
        }
        rc = v4v_end_tx_wait(e, NULL);
    } while (rc == 0);
    return rc;
}
