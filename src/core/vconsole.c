/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One console per domain: a queue for input, the channel for output, and
 * optionally the HVM console ring between them and the guest.
 *
 * Threat surface: the ring page. Our two indices are kept here and only
 * published there; the guest's two are read once each and bounded. Bytes are
 * opaque. Events are raised with no lock held, as their locks rank lower.
 */
#include "ravelin/vconsole.h"

#include "arch/host.h"
#include "public/hvm/params.h"
#include "public/io/console.h"
#include "ravelin/console.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/legacy.h"
#include "ravelin/quiesce.h"

#define INPUT_SIZE 1024u /* power of two */
/* A line that takes nothing for so long is taken for dead. */
#define STALL_MAX_NS 1000000000LL

/* The public layout with the words that the guest may change marked. */
struct console_ring {
    char in[1024];
    char out[2048];
    struct shared_u32 in_cons;
    struct shared_u32 in_prod;
    struct shared_u32 out_cons;
    struct shared_u32 out_prod;
};
static_assert(sizeof(struct console_ring) == sizeof(struct xencons_interface),
              "public io/console.h, struct xencons_interface");
static_assert(offsetof(struct console_ring, out_prod) ==
                  offsetof(struct xencons_interface, out_prod),
              "public io/console.h, order of the indices");

struct vconsole {
    struct quiesce_item free_item;
    struct spinlock lock; /* rank DEVICE; protects what follows */
    unsigned channel;
    bool is_dead;
    struct console_ring *ring; /* pinned; NULL: none */
    mfn_t ring_frame;
    evtchn_port_t port;
    uint32_t out_cons;       /* ours, never read back from the ring */
    uint32_t in_prod;        /* likewise */
    bool is_stalled;         /* the line has not taken all ring output */
    uint64_t stall_start_ns; /* of console_io output; 0: it flows */
    uint32_t input_head;     /* free-running */
    uint32_t input_tail;
    char input[INPUT_SIZE];
};
static_assert(sizeof(struct vconsole) <= PAGE_SIZE, "a console is one page");

static uint32_t stalled_count; /* atomic: consoles with is_stalled */

/* ---- The ring, console locked ----------------------------------------- */

static void stalled_set(struct vconsole *c, bool stalled)
{
    if (stalled != c->is_stalled) {
        c->is_stalled = stalled;
        __atomic_fetch_add(&stalled_count, stalled ? 1u : -1u,
                           __ATOMIC_RELAXED);
    }
}

static size_t ring_peek(const struct vconsole *c, char *buf, size_t n)
{
    const struct console_ring *ring = c->ring;

    for (size_t i = 0; i < n; i++) {
        uint32_t at = (c->out_cons + (uint32_t)i) % sizeof(ring->out);

        buf[i] = read_once(ring->out[at]);
    }
    return n;
}

/* Moves ring output to the line; true if the guest got room again. */
static bool ring_drain(struct vconsole *c)
{
    uint32_t before = c->out_cons;
    uint32_t pending = shared_u32_read(&c->ring->out_prod) - c->out_cons;
    char buf[256];

    if (pending > sizeof(c->ring->out)) {
        /* Nonsense: the guest has lost its output. */
        c->out_cons += pending;
        pending = 0;
    }
    while (pending > 0) {
        size_t n = ring_peek(c, buf, rv_min(pending, (uint32_t)sizeof(buf)));
        size_t taken = console_write(c->channel, buf, n);

        c->out_cons += (uint32_t)taken;
        pending -= (uint32_t)taken;
        if (taken < n) {
            break;
        }
    }
    stalled_set(c, pending > 0);
    if (c->out_cons == before) {
        return false;
    }
    shared_u32_write(&c->ring->out_cons, c->out_cons);
    return true;
}

/* Moves waiting input into the ring; true if there is something new. */
static bool ring_feed(struct vconsole *c)
{
    uint32_t used = c->in_prod - shared_u32_read(&c->ring->in_cons);
    uint32_t before = c->in_prod;

    while (used < sizeof(c->ring->in) && c->input_tail != c->input_head) {
        char byte = c->input[c->input_tail++ % INPUT_SIZE];

        write_once(c->ring->in[c->in_prod++ % sizeof(c->ring->in)], byte);
        used++;
    }
    if (c->in_prod == before) {
        return false;
    }
    shared_u32_write(&c->ring->in_prod, c->in_prod);
    return true;
}

static void ring_serve(struct domain *d, struct vconsole *c)
{
    bool drained = false;
    bool fed = false;

    spin_lock(&c->lock);
    if (c->ring != NULL) {
        drained = ring_drain(c);
        fed = ring_feed(c);
    }
    spin_unlock(&c->lock);
    if (drained || fed) {
        evtchn_service_raise(d, c->port);
    }
}

static void ring_notified(struct vcpu *v, evtchn_port_t port rv_unused)
{
    struct vconsole *c = load_acquire(&v->domain->console);

    if (c != NULL) {
        ring_serve(v->domain, c);
    }
}

/* ---- Life ------------------------------------------------------------- */

int vconsole_create(struct domain *d)
{
    struct vconsole *c;
    int rc;

    if (d->console != NULL) {
        return -RV_EEXIST;
    }
    c = page_alloc();
    if (c == NULL) {
        return -RV_ENOMEM;
    }
    spin_init(&c->lock, LOCK_RANK_DEVICE);
    c->channel = console_channel_of_domain(d->id);
    rc = console_channel_open(c->channel, d->name, true);
    if (rc != 0) {
        page_free(c);
        return rc;
    }
    store_release(&d->console, c);
    return 0;
}

/* One ring per console, and none for one that is going. */
static int ring_install(struct vconsole *c, struct console_ring *ring, mfn_t m,
                        evtchn_port_t port)
{
    int rc = 0;

    spin_lock(&c->lock);
    if (c->is_dead) {
        rc = -RV_EINVAL;
    } else if (c->ring != NULL) {
        rc = -RV_EEXIST;
    } else {
        shared_u32_write(&ring->in_cons, 0);
        shared_u32_write(&ring->in_prod, 0);
        shared_u32_write(&ring->out_cons, 0);
        shared_u32_write(&ring->out_prod, 0);
        c->ring_frame = m;
        c->port = port;
        store_release(&c->ring, ring);
    }
    spin_unlock(&c->lock);
    return rc;
}

static void params_publish(struct domain *d, gfn_t g, evtchn_port_t port)
{
    spin_lock(&d->lock);
    write_once(d->hvm_param[HVM_PARAM_CONSOLE_PFN], g.v);
    write_once(d->hvm_param[HVM_PARAM_CONSOLE_EVTCHN], port);
    spin_unlock(&d->lock);
}

int vconsole_ring_attach(struct domain *d, gfn_t g)
{
    struct vconsole *c = load_acquire(&d->console);
    struct console_ring *ring;
    evtchn_port_t port;
    mfn_t m;
    int rc;

    if (c == NULL) {
        return -RV_ENODEV;
    }
    ring = guest_page_pin(d, g, &m);
    if (ring == NULL) {
        return -RV_EINVAL;
    }
    rc = evtchn_service_bind(d, ring_notified, &port);
    if (rc != 0) {
        guest_page_unpin(m);
        return rc;
    }
    rc = ring_install(c, ring, m, port);
    if (rc != 0) {
        evtchn_service_unbind(d, port);
        guest_page_unpin(m);
        return rc;
    }
    params_publish(d, g, port);
    return 0;
}

static void vconsole_free(struct quiesce_item *item)
{
    page_free(container_of(item, struct vconsole, free_item));
}

/* Other CPUs may hold the pointer for the rest of their turn: they find a
 * console without a ring. */
void vconsole_destroy(struct domain *d)
{
    struct vconsole *c = d->console;

    if (c == NULL) {
        return;
    }
    store_release(&d->console, NULL);
    spin_lock(&c->lock);
    c->is_dead = true;
    if (c->ring != NULL) {
        ring_drain(c);
        c->ring = NULL;
        guest_page_unpin(c->ring_frame);
    }
    stalled_set(c, false);
    spin_unlock(&c->lock);
    console_channel_close(c->channel);
    quiesce_defer(&c->free_item, vconsole_free);
}

/* ---- Output and input ------------------------------------------------- */

/* Has console_io output been stuck for too long? Console locked. */
static bool line_is_dead(struct vconsole *c, bool progress)
{
    uint64_t now = arch_time_ns();

    if (progress) {
        c->stall_start_ns = 0;
        return false;
    }
    if (c->stall_start_ns == 0) {
        c->stall_start_ns = now;
    }
    /* The clock of another CPU may be a little ahead of ours. */
    return (int64_t)(now - c->stall_start_ns) > STALL_MAX_NS;
}

size_t vconsole_write(struct domain *d, const char *buf, size_t n)
{
    struct vconsole *c = load_acquire(&d->console);
    size_t taken;

    if (c == NULL) {
        return n;
    }
    taken = console_write(c->channel, buf, n);
    if (unlikely(taken < n) || unlikely(read_once(c->stall_start_ns) != 0)) {
        spin_lock(&c->lock);
        if (line_is_dead(c, taken > 0)) {
            taken = n;
        }
        spin_unlock(&c->lock);
    }
    return taken;
}

size_t vconsole_read(struct domain *d, char *buf, size_t n)
{
    struct vconsole *c = load_acquire(&d->console);
    size_t got = 0;

    if (c == NULL) {
        return 0;
    }
    spin_lock(&c->lock);
    while (got < n && c->input_tail != c->input_head) {
        buf[got++] = c->input[c->input_tail++ % INPUT_SIZE];
    }
    spin_unlock(&c->lock);
    return got;
}

/* Queues what fits; true if a ring took some of it. */
static bool input_queue(struct vconsole *c, const char *buf, size_t n)
{
    bool fed = false;

    spin_lock(&c->lock);
    for (size_t i = 0; i < n && c->input_head - c->input_tail < INPUT_SIZE;
         i++) {
        c->input[c->input_head++ % INPUT_SIZE] = buf[i];
    }
    if (c->ring != NULL) {
        fed = ring_feed(c);
    }
    spin_unlock(&c->lock);
    return fed;
}

void vconsole_input(unsigned channel, const char *buf, size_t n)
{
    struct vconsole *c;
    struct domain *d;

    if (channel == CONSOLE_CHANNEL_LOG || channel > DOMID_FIRST_RESERVED) {
        return;
    }
    d = domain_lookup((domid_t)(channel - 1));
    c = d != NULL ? load_acquire(&d->console) : NULL;
    if (c == NULL) {
        return;
    }
    if (input_queue(c, buf, n)) {
        evtchn_service_raise(d, c->port);
    } else if (d->legacy != NULL) {
        legacy_input(d);
    } else if (load_acquire(&c->ring) == NULL) {
        evtchn_virq_raise(d->vcpu[0], VIRQ_CONSOLE);
    }
}

void vconsole_poll(void)
{
    if (likely(read_once(stalled_count) == 0)) {
        return;
    }
    domain_for_each(d)
    {
        struct vconsole *c = load_acquire(&d->console);

        if (c != NULL && read_once(c->is_stalled)) {
            ring_serve(d, c);
        }
    }
}
