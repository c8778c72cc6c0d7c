/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this directory share: the state of one watched domain, the
 * three formats of rings behind one small table of functions, and the steps
 * from an answer to the vCPU that waits for it.
 */
#pragma once

#include "public/mem_event.h"
#include "ravelin/atomic.h"
#include "ravelin/lock.h"
#include "ravelin/monitor_control.h"
#include "ravelin/timer.h"
#include "ravelin/work.h"

#include "access_state.h"
#include "step_state.h"

/* An event with everything that a format may want of it. */
struct monitor_record {
    struct ravelin_event event;
    uint8_t page_type; /* HVMMEM_*, VIOLATION */
};

/* One kind of ring. All with m->lock held. */
struct monitor_format {
    /* The ring's contents at attach; the pages are cleared. */
    void (*init)(struct monitor *m);
    /* Free slots; negative: what the listener wrote makes no sense. */
    int (*room)(struct monitor *m);
    /* Fills the next slot, of which there is one, and publishes it. Does the
     * listener have to be told? */
    bool (*put)(struct monitor *m, const struct vcpu *v,
                const struct monitor_record *r);
    /* Reads what the listener answered, each byte once, and hands it to
     * monitor_answer(). 0; -EINVAL the ring makes no sense. */
    int (*take)(struct monitor *m);
    /* Tells the listener how many events wait for room, and RAVELIN_RING_*. */
    void (*tell)(struct monitor *m, uint32_t state);
};

struct monitor_ring {
    const struct monitor_format *format; /* NULL: nobody is attached */
    uint32_t slots;                      /* a power of two */
    uint32_t slot_size;
    uint32_t prod; /* own copies: what the listener sees is only written */
    uint32_t cons;
    uint32_t page_count;
    mfn_t frame[RAVELIN_MONITOR_PAGES_MAX];
    uint8_t *page[RAVELIN_MONITOR_PAGES_MAX];
};

/* One vCPU's part. Protected by m->lock, but for step, copy and inject. */
struct monitor_vcpu {
    struct monitor_record record; /* of the event that it waits with */
    struct monitor_event source;  /* VIOLATION: likewise */
    uint32_t awaited;             /* its sequence; 0: it does not wait */
    bool is_queued;               /* not yet in the ring */
    bool is_claimed;              /* INT3: the debugger's, too */
    bool is_answered;             /* for monitor_attend() */
    uint32_t answer;              /* RAVELIN_ANSWER_*, and the next */
    uint64_t gpr[REG_COUNT];      /* MONITOR_ANSWER_REGISTERS: to load */
    uint64_t rip;
    uint64_t rflags;
    uint32_t msrs_closed; /* bits of latch.c; own CPU only */
    uint32_t seen;        /* last answer word read from a slot */
    uint32_t checked;     /* awaited when last looked at for a timeout */
    struct monitor_step step;
    struct monitor_copy copy;
    struct monitor_inject inject;
};

/* Of `answer`, beside the listener's own flags. */
#define MONITOR_ANSWER_REGISTERS 1u

struct monitor_filter {
    uint32_t count;
    struct ravelin_range range[RAVELIN_FILTER_MAX];
};

/* How a listener was lost. */
enum monitor_loss {
    MONITOR_LOSS_RING,  /* its ring makes no sense */
    MONITOR_LOSS_ENDED, /* it has ended */
    MONITOR_LOSS_TIME,  /* it does not answer */
};

enum monitor_state {
    MONITOR_OFF,
    MONITOR_CHANGING, /* being attached or detached */
    MONITOR_ON,
    MONITOR_BROKEN, /* its end is queued */
};

struct monitor {
    struct spinlock lock; /* rank MONITOR: all below */
    struct domain *domain;
    struct domain *listener; /* a reference, while attached */
    evtchn_port_t port;      /* of the listener; 0: none */
    enum monitor_state state;
    enum monitor_loss loss; /* BROKEN: why */
    /* HVMPME_* by reason; read without the lock by hooks. */
    uint8_t mode[RAVELIN_REASON_COUNT];
    uint32_t sequence;
    uint32_t waiting; /* mask of vCPUs with awaited != 0 */
    uint32_t queued;  /* of these, not yet in the ring */
    uint64_t lost;
    uint64_t refused;
    uint64_t filtered;
    uint64_t delayed;
    struct monitor_ring ring;
    gfn_t ring_gfn;    /* place of the page taken from the watched domain */
    bool ring_is_page; /* frame[0] came from there */
    struct monitor_filter *filter; /* RAVELIN_FILTER_KINDS; NULL: none set */
    uint32_t filter_reasons;       /* mask of those that have to pass one */
    struct timer timer;            /* runs while a vCPU waits */
    bool timer_runs;
    uint64_t timeout_ns;
    struct work_item broken; /* applies the policy for a lost listener */
    bool broken_is_queued;   /* it holds a reference on the domain */
    struct monitor_access access;
    struct monitor_vcpu *vcpu; /* one for each */
};

static inline struct monitor_vcpu *monitor_vcpu(const struct vcpu *v)
{
    struct monitor *m = monitor_of(v->domain);

    return m ? &m->vcpu[v->id] : NULL;
}

/* ---- monitor.c --------------------------------------------------------- */

/** Puts what waits for room, in order, as far as there is room. Does the
 * listener have to be told? m->lock held. */
bool monitor_queue_flush(struct monitor *m);
/** The listener is lost: from now on nobody listens, and the policy follows
 * soon. m->lock held. */
void monitor_break(struct monitor *m, enum monitor_loss why);

/* The order of the pages that hold all filters of a domain. */
#define MONITOR_FILTER_ORDER 1u

/* ---- filter.c ---------------------------------------------------------- */

/** The reason is in m->filter_reasons; m->lock held. */
bool monitor_filter_passes(const struct monitor *m,
                           const struct monitor_event *ev);
/** Would a write of this register be told? Any CPU. */
bool monitor_msr_is_wanted(struct monitor *m, uint32_t msr);
/** m->lock held. */
void monitor_filters_clear(struct monitor *m);

/* ---- answer.c ---------------------------------------------------------- */

/** An answer for a vCPU, from a ring: believed if that vCPU waits with an
 * event that is in the ring, else counted. m->lock held. */
void monitor_answer(struct monitor *m, uint32_t vcpu, uint32_t flags);
/** Would it be believed? m->lock held. */
bool monitor_answer_is_due(const struct monitor *m, uint32_t vcpu);
/** Every waiting vCPU goes on as if nobody listened. m->lock held. */
void monitor_release_all(struct monitor *m);

/* ---- loss.c ------------------------------------------------------------ */

void monitor_loss_init(struct monitor *m);
/** A vCPU has begun to wait. m->lock held. */
void monitor_timer_start(struct monitor *m);
