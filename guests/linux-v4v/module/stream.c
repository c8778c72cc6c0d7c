// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Streams: how they begin and end. A connection has a ring of its own at either
 * end, so that one slow stream holds up no other. SYN goes to the listener, the
 * accepting side answers with ACK from the ring it has made, both name the
 * features that they know, RST refuses or ends.
 *
 * Threat surface: what other domains put into a listener's ring.
 */

#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include "endpoint.h"
#include "hyper.h"

#define LISTENER_RING (64 * 1024)
#define STREAM_RING (1024 * 1024)
#define CONNECT_MS 20000
/* Short enough for the hypervisor to copy in one go. */
#define PIECE_MAX (128 * 1024 - 64)
#define PIECE_UNKNOWN 2048
#define PIECE_MIN 16

#define HEADER ((u32)sizeof(struct v4v_ring_message_header))
#define STREAM_HEADER ((u32)sizeof(struct v4v_stream_header))

long v4v_stream_tell(const struct v4v_addr *from, const struct v4v_addr *to,
                     u32 flags, u32 conid)
{
    struct v4v_stream_header h = {.flags = flags, .conid = conid};

    return v4v_hyper_send(from, to, &h, sizeof(h), V4V_MESSAGE_STREAM);
}

/* Two messages fit into the peer's ring, so that it can read one while the next
 * is written. */
void v4v_stream_piece_set(struct v4v_end *e)
{
    struct v4v_ring_data_ent answer;
    u32 piece = PIECE_UNKNOWN;

    if (v4v_hyper_ask(&e->peer, 0, &answer) == 0 &&
        answer.flags & V4V_RING_DATA_F_EXISTS) {
        piece = answer.max_message_size / 2;
    }
    piece = clamp_t(u32, piece, PIECE_MIN + STREAM_HEADER, PIECE_MAX);
    WRITE_ONCE(e->piece, piece - STREAM_HEADER);
}

/* ---- Connecting --------------------------------------------------------- */

static int syn_send(struct v4v_end *e, bool no_wait, long *left)
{
    const struct v4v_stream_open syn = {
        .header = {.flags = V4V_SHF_SYN, .conid = e->conid},
        .features = V4V_STREAM_FIN,
    };
    long rc;

    do {
        mutex_lock(&e->tx_lock);
        rc = v4v_end_send(e, &e->peer, &syn, sizeof(syn), V4V_MESSAGE_STREAM);
        mutex_unlock(&e->tx_lock);
        if (rc != -EAGAIN || no_wait) {
            return rc < 0 ? (int)rc : 0;
        }
        rc = v4v_end_tx_wait(e, left);
    } while (rc == 0);
    return (int)rc;
}

/* 0: connected; -EAGAIN: no answer yet; or what became of it. */
static int answer_look(struct v4v_end *e)
{
    struct v4v_ring_message_header h;
    u32 state;
    int rc;

    mutex_lock(&e->rx_lock);
    v4v_stream_pump(e, &h);
    v4v_rx_notify(&e->rx);
    state = v4v_end_state(e);
    rc = state == V4V_DEV_CONNECTED ? 0 : -e->error;
    mutex_unlock(&e->rx_lock);
    return state == V4V_DEV_CONNECTING ? -EAGAIN : rc;
}

static int answer_await(struct v4v_end *e, long *left)
{
    int over = 0;

    for (;;) {
        int rc = answer_look(e);

        if (rc != -EAGAIN) {
            return rc;
        }
        if (over) {
            return over;
        }
        over = v4v_end_rx_wait(e, V4V_DEV_CONNECTING, left);
    }
}

/* A connection that was not made cannot be made any more: whoever wants to try
 * again opens the device again. */
static int connect_end(struct v4v_end *e, int rc)
{
    if (rc == 0 || rc == -EINPROGRESS || rc == -ERESTARTSYS) {
        return rc;
    }
    mutex_lock(&e->rx_lock);
    if (v4v_end_state(e) == V4V_DEV_CONNECTING) {
        v4v_end_stop(e, -rc);
    } else if (v4v_end_state(e) == V4V_DEV_CONNECTED) {
        rc = 0; /* the watch has seen the answer at the last moment */
    }
    mutex_unlock(&e->rx_lock);
    return rc;
}

static int connect_begin(struct v4v_end *e, const struct v4v_dev_connect *req)
{
    u32 size = req->ring_size ? req->ring_size : STREAM_RING;
    int rc;

    if (req->to.pad != 0 || req->to.port == V4V_PORT_ANY) {
        return -EINVAL;
    }
    e->peer = req->to;
    rc = v4v_end_open(e, 0, req->to.domain, size);
    if (rc == 0) {
        smp_store_release(&e->state, V4V_DEV_CONNECTING);
    }
    return rc;
}

int v4v_stream_connect(struct v4v_end *e, const struct v4v_dev_connect *req,
                       bool no_wait)
{
    long left =
        msecs_to_jiffies(req->timeout_ms ? req->timeout_ms : CONNECT_MS);
    int rc;

    switch (v4v_end_state(e)) {
    case V4V_DEV_NEW:
        rc = connect_begin(e, req);
        if (rc) {
            return rc;
        }
        rc = syn_send(e, no_wait, &left);
        if (rc == 0) {
            rc = no_wait ? -EINPROGRESS : answer_await(e, &left);
        }
        return connect_end(e, rc);
    case V4V_DEV_CONNECTING:
        rc = answer_look(e);
        if (rc == -EAGAIN) {
            rc = no_wait ? -EALREADY : answer_await(e, &left);
        }
        return rc == -EALREADY ? rc : connect_end(e, rc);
    case V4V_DEV_CONNECTED:
        return no_wait ? 0 : -EISCONN;
    case V4V_DEV_ENDED:
        return e->error ? -e->error : -EISCONN;
    default:
        return -EINVAL;
    }
}

/* ---- Accepting ---------------------------------------------------------- */

int v4v_stream_listen(struct v4v_end *e, struct v4v_dev_bind *req)
{
    int rc;

    if (v4v_end_state(e) != V4V_DEV_NEW || req->pad != 0 ||
        req->ring_size > V4V_DEV_RING_MAX) {
        return -EINVAL;
    }
    rc = v4v_end_open(e, req->port, req->partner, LISTENER_RING);
    if (rc == 0) {
        req->port = e->local.port;
        e->stream_ring_size = req->ring_size ? req->ring_size : STREAM_RING;
        smp_store_release(&e->state, V4V_DEV_LISTENER);
    }
    return rc;
}

struct syn {
    struct v4v_addr from;
    u32 conid;
    u32 features;
};

static bool message_is_syn(const struct v4v_end *e,
                           const struct v4v_ring_message_header *m,
                           struct syn *syn)
{
    struct v4v_stream_header h;

    if (m->len < HEADER + STREAM_HEADER ||
        m->message_type != V4V_MESSAGE_STREAM) {
        return false;
    }
    v4v_rx_copy(&e->rx, 0, &h, sizeof(h));
    syn->from = m->source;
    syn->conid = h.conid;
    syn->features = v4v_stream_features(e, m);
    return h.flags == V4V_SHF_SYN;
}

/* The next SYN; what else there is goes away. rx_lock is held. */
static int syn_take(struct v4v_end *e, struct syn *syn)
{
    unsigned int i;

    for (i = 0; i < V4V_PUMP_MAX; i++) {
        struct v4v_ring_message_header h;
        int rc = v4v_rx_peek(&e->rx, &h);
        bool is_syn;

        if (rc) {
            return rc;
        }
        is_syn = message_is_syn(e, &h, syn);
        v4v_rx_drop(&e->rx, &h);
        if (is_syn) {
            return 0;
        }
    }
    return -EAGAIN;
}

static int syn_await(struct v4v_end *e, struct syn *syn, bool no_wait)
{
    int rc;

    do {
        if (mutex_lock_interruptible(&e->rx_lock)) {
            return -ERESTARTSYS;
        }
        rc = syn_take(e, syn);
        v4v_rx_notify(&e->rx);
        mutex_unlock(&e->rx_lock);
        if (rc != -EAGAIN || no_wait) {
            return rc;
        }
        rc = v4v_end_rx_wait(e, V4V_DEV_LISTENER, NULL);
    } while (rc == 0);
    return rc;
}

/* Who knows no features gets the answer that he knows. */
static long ack_send(const struct v4v_end *e)
{
    const struct v4v_stream_open ack = {
        .header = {.flags = V4V_SHF_ACK, .conid = e->conid},
        .features = e->features,
    };

    return v4v_hyper_send(&e->local, &e->peer, &ack,
                          e->features ? sizeof(ack) : sizeof(ack.header),
                          V4V_MESSAGE_STREAM);
}

/* -ECONNREFUSED: who asked has gone, or the rules deny the answer. */
static int stream_make(struct v4v_end *e, const struct syn *syn)
{
    long rc;

    e->peer = syn->from;
    rc = v4v_end_open(e, 0, syn->from.domain, e->stream_ring_size);
    if (rc) {
        return (int)rc;
    }
    e->conid = syn->conid;
    e->features = syn->features;
    rc = ack_send(e);
    if (rc < 0) {
        return -ECONNREFUSED;
    }
    v4v_stream_piece_set(e);
    smp_store_release(&e->state, V4V_DEV_CONNECTED);
    return 0;
}

static int syn_answer(struct v4v_end *e, const struct syn *syn,
                      struct v4v_end **stream)
{
    struct v4v_end *s = v4v_end_alloc();
    int rc = -ENOMEM;

    if (s) {
        s->stream_ring_size = e->stream_ring_size;
        rc = stream_make(s, syn);
    }
    if (rc == 0) {
        *stream = s;
        return 0;
    }
    /* The rules may let the listener's port say what the new one may not. */
    v4v_stream_tell(&e->local, &syn->from, V4V_SHF_RST, syn->conid);
    if (s) {
        v4v_end_close(s);
    }
    return rc;
}

int v4v_stream_accept(struct v4v_end *e, struct v4v_end **stream, bool no_wait)
{
    struct syn syn;
    int rc;

    if (v4v_end_state(e) != V4V_DEV_LISTENER) {
        return -EINVAL;
    }
    do {
        rc = syn_await(e, &syn, no_wait);
        if (rc == 0) {
            rc = syn_answer(e, &syn, stream);
        }
    } while (rc == -ECONNREFUSED);
    return rc;
}

/* ---- The end ------------------------------------------------------------ */

int v4v_stream_ping(struct v4v_end *e)
{
    long rc;

    if (v4v_end_state(e) != V4V_DEV_CONNECTED) {
        return -ENOTCONN;
    }
    rc = v4v_stream_tell(&e->local, &e->peer, V4V_SHF_PING, e->conid);
    return rc < 0 ? (int)rc : 0;
}

/* First nobody can ask any more, then all who did are told. */
static void listener_close(struct v4v_end *e)
{
    unsigned int i;
    struct syn syn;

    v4v_rx_shut(&e->rx);
    for (i = 0; i < LISTENER_RING / (2 * V4V_SLOT); i++) {
        if (syn_take(e, &syn) != 0) {
            return;
        }
        v4v_stream_tell(&e->local, &syn.from, V4V_SHF_RST, syn.conid);
    }
}

int v4v_stream_close(struct v4v_end *e)
{
    long rc = 0;

    if (e->state == V4V_DEV_LISTENER) {
        listener_close(e);
    } else if (e->state == V4V_DEV_CONNECTED) {
        rc = v4v_stream_tell(&e->local, &e->peer, V4V_SHF_RST, e->conid);
    }
    return rc == -EAGAIN || rc == -EBUSY ? -EAGAIN : 0;
}
