/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring and request protocol of src/v4v/space.c and send.c: two senders, one
 * receiver, a ring of a few slots. Checked: no wake-up is lost (a sender that
 * waits is woken once there is room), no message is lost, duplicated or out of
 * order, the indices stay apart.
 *
 * What is modelled finer than the code's locks: rx_ptr is written by the guest
 * outside of any lock; the hypervisor's lock-free look at the number of
 * requests is one step of its own; stores of the guest pass through a store
 * buffer of one entry that drains at any moment, or at a full barrier.
 *
 * MUTANT n removes one step of the protocol; each mutant must be found out:
 *   1  the sender does not look at rx_ptr again after it has entered a request
 *   2  the receiver has no full barrier between rx_ptr and the count
 *   3  the lock is let go between the event and taking the request out
 *   4  a sender that waits clears its event after it has tried, not before
 *   5  room is taken to the last slot
 */
#ifndef MUTANT
#define MUTANT 0
#endif

#ifndef SLOTS
#define SLOTS 3
#endif
#define MESSAGES 2
#define SENDERS 2

/* Free slots; one always stays free, so that full and empty differ. */
#define USED(r) ((tx + SLOTS - (r)) % SLOTS)
#if MUTANT == 5
#define ROOM(r) (USED(r) < SLOTS)
#else
#define ROOM(r) (USED(r) < SLOTS - 1)
#endif

byte ring[SLOTS];
byte tx;           /* written under the lock */
byte rx;           /* what the hypervisor can see */
bool buffered;     /* the receiver's store has not drained */
byte buffer;
bit lock;
bool wants[SENDERS]; /* requests, under the lock */
byte waiting;        /* their number; read without the lock */
bool event[SENDERS]; /* pending bits */
byte delivered;
byte next[SENDERS];  /* number of the next message of each */

inline acquire() { atomic { lock == 0 -> lock = 1 } }
inline release() { lock = 0 }

inline signal_all() {
    i = 0;
    do
    :: i < SENDERS ->
        if
        :: wants[i] && ROOM(rx) ->
            wants[i] = false;
            waiting--;
            event[i] = true
        :: else
        fi;
        i++
    :: else -> break
    od
}

/* One send: 1 delivered, 0 to wait. */
inline send(me, n, ok) {
    acquire();
    if
    :: ROOM(rx) -> ok = 1
    :: else ->
        if
        :: !wants[me] -> wants[me] = true; waiting++
        :: else
        fi;
        ok = 0;
#if MUTANT != 1
        if
        :: ROOM(rx) -> wants[me] = false; waiting--; ok = 1
        :: else
        fi
#endif
    fi;
    if
    :: ok ->
        ring[tx] = me * 16 + n;
        assert((tx + 1) % SLOTS != rx || MUTANT == 5);
        tx = (tx + 1) % SLOTS
    :: else
    fi;
    release()
}

proctype sender(byte me) {
    byte n = 0;
    bit ok;

    do
    :: n < MESSAGES ->
#if MUTANT != 4
        event[me] = false;
#endif
        send(me, n, ok);
#if MUTANT == 4
        event[me] = false;
#endif
        if
        :: ok -> n++
        :: else ->
wait:       event[me]
        fi
    :: else -> break
    od
}

/* The store buffer drains whenever it likes. */
active proctype drain() {
end:
    do
    :: atomic { buffered -> rx = buffer; buffered = false }
    od
}

active proctype receiver() {
    byte mine = 0; /* the guest sees its own store at once */
    byte i, message;
    bool woken;

    run sender(0);
    run sender(1);
    do
    :: delivered == SENDERS * MESSAGES -> break
    :: delivered < SENDERS * MESSAGES ->
        (tx != mine);
        message = ring[mine];
        assert(message % 16 == next[message / 16]);
        next[message / 16]++;
        delivered++;
        mine = (mine + 1) % SLOTS;
        /* rx_ptr: into the buffer, which is empty or drains first. */
        atomic { !buffered -> buffered = true; buffer = mine };
        /* notify */
#if MUTANT != 2
        !buffered; /* full barrier */
#endif
        if
        :: waiting == 0
        :: else ->
            !buffered; /* taking a lock is a barrier too */
            acquire();
#if MUTANT == 3
            woken = wants[0] && ROOM(rx);
            event[0] = event[0] || woken;
            release();
            acquire();
            if
            :: woken && wants[0] -> wants[0] = false; waiting--
            :: else
            fi;
            signal_all();
#else
            signal_all();
#endif
            release()
        fi
    od;
    assert(delivered == SENDERS * MESSAGES)
}
