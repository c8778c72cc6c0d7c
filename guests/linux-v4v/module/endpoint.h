/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * An endpoint: what an open file of /dev/v4v is. It has at most one ring, and
 * its state only moves forward: NEW to DATAGRAM or LISTENER, or over CONNECTING
 * to CONNECTED and ENDED.
 *
 * Locks, in the order of taking: setup (becoming something), the list's mutex
 * (watch.c), then rx_lock or tx_lock, never both, then the list's spinlock,
 * which the interrupt takes. The watch takes rx_lock and tx_lock by trying.
 */
#ifndef V4V_ENDPOINT_H
#define V4V_ENDPOINT_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "ring.h"
#include "v4v_dev.h"

/* Messages looked at with a lock held, whatever a sender sends. */
#define V4V_PUMP_MAX 256

enum v4v_tx_state {
    V4V_TX_OPEN,    /* a send may be tried */
    V4V_TX_BLOCKED, /* no room; an event will come */
    V4V_TX_BUSY,    /* no room, and no event will come */
    V4V_TX_CHECK,   /* an event came since */
};

struct v4v_end {
    struct mutex setup;
    wait_queue_head_t wait;
    struct list_head node; /* protected by the list's locks */
    u32 state;             /* enum v4v_dev_state; release, acquire */
    struct v4v_addr local; /* constant once there is a ring */

    struct mutex rx_lock;
    struct v4v_rx rx;     /* protected by rx_lock, but for its indices */
    struct v4v_addr peer; /* constant once CONNECTED; before: the listener */
    u32 conid;            /* constant once there is a ring */
    u32 taken;            /* bytes of the first message that were read */
    u32 pongs;
    u32 features;   /* V4V_STREAM_*, in use; constant once CONNECTED */
    int error;      /* positive errno of an ended stream, or 0 */
    bool owes_pong; /* PING not answered yet */
    bool has_ended; /* the peer has sent FIN */

    struct mutex tx_lock;
    struct v4v_addr tx_to; /* protected by tx_lock: where room is wanted */
    u32 tx_need;           /* protected by tx_lock: and how much */
    u32 tx_state;          /* enum v4v_tx_state, by the list's spinlock */
    u32 piece;             /* protected by tx_lock: bytes in one message */
    bool is_shut;          /* protected by tx_lock: we have sent FIN */
    u8 *staged;            /* protected by tx_lock: a message */
    u32 stamp;             /* protected by tx_lock: whose it is */
    u32 stream_ring_size;  /* of a listener's connections */
    unsigned long until;   /* of one that is closing: jiffies */
};

static inline u32 v4v_end_state(const struct v4v_end *e)
{
    return smp_load_acquire(&e->state);
}

/* ---- endpoint.c --------------------------------------------------------- */

struct v4v_end *v4v_end_alloc(void);
/** Ends what the endpoint was, and frees it, now or when its peer has been
 * told. Nobody else knows it any more. */
void v4v_end_close(struct v4v_end *e);
/** Frees the ring and the endpoint, which is on no list. */
void v4v_end_free(struct v4v_end *e);
/** Opens the ring at `port`, or at one of the streams' ports if it is 0, and
 * puts the endpoint on the list. */
int v4v_end_open(struct v4v_end *e, u32 port, u16 partner, u32 ring_size);
/** Ends a stream. rx_lock is held. */
void v4v_end_stop(struct v4v_end *e, int error);

/** Sends a message from the endpoint. -EAGAIN: tx_state says what to wait for.
 * tx_lock is held. */
long v4v_end_send(struct v4v_end *e, const struct v4v_addr *to,
                  const void *data, u32 size, u32 type);
/** Whether a send may succeed now; if not, the endpoint will be woken. */
bool v4v_end_tx_is_ready(struct v4v_end *e);
/** Whether there is a message or an end. */
bool v4v_end_rx_is_ready(const struct v4v_end *e);
/** Wait for the ones or the other; 0, -ERESTARTSYS, or -ETIMEDOUT once *left
 * jiffies have gone by (NULL: never). `state` is what the caller has seen:
 * another one ends the wait, too. */
int v4v_end_rx_wait(struct v4v_end *e, u32 state, long *left);
int v4v_end_tx_wait(struct v4v_end *e, long *left);

/* ---- datagram.c --------------------------------------------------------- */

int v4v_datagram_bind(struct v4v_end *e, struct v4v_dev_bind *req);
long v4v_datagram_send(struct v4v_end *e, const struct v4v_dev_message *m,
                       bool no_wait);
long v4v_datagram_receive(struct v4v_end *e, struct v4v_dev_message *m,
                          struct iov_iter *to, bool no_wait);

/* ---- stream.c ----------------------------------------------------------- */

int v4v_stream_listen(struct v4v_end *e, struct v4v_dev_bind *req);
int v4v_stream_connect(struct v4v_end *e, const struct v4v_dev_connect *req,
                       bool no_wait);
/** The next connection of a listener, as a new endpoint. */
int v4v_stream_accept(struct v4v_end *e, struct v4v_end **stream, bool no_wait);
int v4v_stream_ping(struct v4v_end *e);
/** Tells the peer, or those who wait to be accepted. -EAGAIN: not yet. */
int v4v_stream_close(struct v4v_end *e);
/** Sends a header without data from `from`. */
long v4v_stream_tell(const struct v4v_addr *from, const struct v4v_addr *to,
                     u32 flags, u32 conid);
/** Sets the size of messages by the peer's ring. */
void v4v_stream_piece_set(struct v4v_end *e);

/* ---- stream_data.c ------------------------------------------------------ */

/** Those features that SYN or ACK, the first message, names and we know. */
u32 v4v_stream_features(const struct v4v_end *e,
                        const struct v4v_ring_message_header *m);
/** Deals with what is not data. 0: data is first, -EAGAIN: nothing,
 * -ESHUTDOWN: the stream has ended, or the peer's side of it. rx_lock is
 * held. */
int v4v_stream_pump(struct v4v_end *e, struct v4v_ring_message_header *h);
ssize_t v4v_stream_read(struct v4v_end *e, struct iov_iter *to, bool no_wait);
ssize_t v4v_stream_write(struct v4v_end *e, struct iov_iter *from,
                         bool no_wait);
int v4v_stream_shutdown(struct v4v_end *e, bool no_wait);

/* ---- watch.c ------------------------------------------------------------ */

int v4v_watch_start(void);
void v4v_watch_stop(void);
void v4v_watch_add(struct v4v_end *e);
void v4v_watch_remove(struct v4v_end *e);
/** The number of events so far: taken before a send, it tells whether one came
 * during it. */
u32 v4v_watch_events(void);
/** Marks the endpoint as waiting for room since `events`. */
void v4v_watch_block(struct v4v_end *e, bool is_busy, u32 events);
void v4v_watch_unblock(struct v4v_end *e);
/** Takes an endpoint over whose peer has no room for its end now. */
void v4v_watch_close_later(struct v4v_end *e);

#endif
