/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one routine that every event goes through, and the state of a watched
 * domain. An event is either in the ring, waiting in its vCPU's slot for room
 * there, or counted as lost; its number is taken in all three cases.
 *
 * Threat surface: none of its own: events come from hooks, the ring is read by
 * the formats.
 */

#include "ravelin/debug_attach.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/insn.h"
#include "ravelin/log.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/time_info.h"

#include "monitor_internal.h"

static_assert(sizeof(struct monitor) <= PAGE_SIZE, "a monitor fits a page");
static_assert(VCPU_COUNT_MAX <= 32, "masks of vCPUs are 32 bits");

bool monitor_permits(const struct domain *who, const struct domain *target)
{
    if (who == target) {
        return false;
    }
    return is_control_domain(who) ||
           ((who->roles & ROLE_MONITOR) != 0 &&
            (read_once(who->monitor_targets) & target->manifest_bit) != 0);
}

/* ---- State ------------------------------------------------------------- */

static unsigned vcpus_order(const struct domain *d)
{
    size_t bytes = d->vcpu_count * sizeof(struct monitor_vcpu);
    unsigned order = 0;

    while (((size_t)PAGE_SIZE << order) < bytes) {
        order++;
    }
    return order;
}

static void state_free(struct monitor *m)
{
    const struct domain *d = m->domain;

    for (unsigned i = 0; m->vcpu && i < d->vcpu_count; i++) {
        monitor_step_free(&m->vcpu[i].step);
    }
    if (m->vcpu) {
        pages_free(m->vcpu, vcpus_order(d));
    }
    if (m->filter) {
        pages_free(m->filter, MONITOR_FILTER_ORDER);
    }
    page_free(m);
}

static struct monitor *state_create(struct domain *d)
{
    struct monitor *m = page_alloc();

    if (!m) {
        return NULL;
    }
    spin_init(&m->lock, LOCK_RANK_MONITOR);
    m->domain = d;
    monitor_loss_init(m);
    m->vcpu = pages_alloc(vcpus_order(d));
    if (!m->vcpu) {
        state_free(m);
        return NULL;
    }
    return m;
}

int monitor_get(struct domain *d, struct monitor **out)
{
    struct monitor *m = monitor_of(d);
    struct monitor *other = NULL;

    if (!m) {
        m = state_create(d);
        if (!m) {
            return -RV_ENOMEM;
        }
        if (!__atomic_compare_exchange_n(&d->monitor, &other, m, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            state_free(m);
            m = other;
        }
    }
    *out = m;
    return 0;
}

void monitor_free(struct domain *d)
{
    if (d->monitor) {
        state_free(d->monitor);
        d->monitor = NULL;
    }
}

/* ---- Events ------------------------------------------------------------ */

bool monitor_listens(const struct domain *d, unsigned reason)
{
    const struct monitor *m = monitor_of(d);

    return m && (read_once(m->mode[reason]) & HVMPME_MODE_MASK) != 0;
}

void monitor_break(struct monitor *m, enum monitor_loss why)
{
    if (m->state != MONITOR_ON) {
        return;
    }
    m->state = MONITOR_BROKEN;
    m->loss = why;
    for (unsigned i = 0; i < RAVELIN_REASON_COUNT; i++) {
        write_once(m->mode[i], 0);
    }
    /* One reference for one run of the work, which may still be to come for an
     * earlier listener. */
    if (!m->broken_is_queued && domain_get(m->domain)) {
        m->broken_is_queued = true;
        work_queue(&m->broken);
    }
}

static uint32_t flags_of(const struct vcpu *v, const struct monitor_event *ev)
{
    uint32_t bits = hv->code_bits_get(v) >> 5;

    return (uint32_t)ev->access << 1 | (ev->gla_valid ? RAVELIN_EVENT_GLA : 0) |
           (ev->table_walk ? RAVELIN_EVENT_WALK : 0) |
           (ev->hypercall ? RAVELIN_EVENT_HYPERCALL : 0) |
           hv->cpl_get(v) << RAVELIN_EVENT_CPL_SHIFT |
           bits << RAVELIN_EVENT_BITS_SHIFT |
           (uint32_t)(ev->insn_len & 15) << RAVELIN_EVENT_LENGTH_SHIFT;
}

static void record_fill(struct monitor *m, const struct vcpu *v,
                        const struct monitor_event *ev, bool pauses,
                        struct monitor_record *r)
{
    r->event = (struct ravelin_event){
        .sequence = m->sequence,
        .lost = (uint32_t)m->lost,
        .reason = ev->reason,
        .vcpu = (uint16_t)v->id,
        .flags = flags_of(v, ev) | (pauses ? RAVELIN_EVENT_PAUSED : 0),
        .time_ns = domain_time_ns(v->domain),
        .value = ev->value,
        .old = ev->old,
        .gla = ev->gla,
        .cr3 = v->paging.cr3,
        .rip = v->regs.rip,
    };
    r->page_type = ev->page_type;
}

/* Sequence numbers go round; 0 means that none is awaited. */
static void sequence_step(struct monitor *m)
{
    if (++m->sequence == 0) {
        m->sequence = 1;
    }
}

/* The lowest sequence number goes first, across its overflow. */
static unsigned queue_head(const struct monitor *m)
{
    unsigned best = VCPU_COUNT_MAX;

    for (uint32_t left = m->queued; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);

        if (best == VCPU_COUNT_MAX ||
            (int32_t)(m->vcpu[i].awaited - m->vcpu[best].awaited) < 0) {
            best = i;
        }
    }
    return best;
}

bool monitor_queue_flush(struct monitor *m)
{
    bool tell = false;

    while (m->queued) {
        int room = m->ring.format->room(m);
        unsigned i = queue_head(m);

        if (room < 0) {
            monitor_break(m, MONITOR_LOSS_RING);
            return false;
        }
        if (room == 0) {
            break;
        }
        m->queued &= ~(1u << i);
        m->vcpu[i].is_queued = false;
        tell |= m->ring.format->put(m, m->domain->vcpu[i], &m->vcpu[i].record);
    }
    return tell;
}

static enum monitor_outcome lose(struct monitor *m)
{
    m->lost++;
    m->ring.format->tell(m, RAVELIN_RING_ON);
    return MONITOR_LOST;
}

/* The listener is told at once what waits, and then looked at once more: who
 * takes events does it the other way round. */
static enum monitor_outcome queue(struct monitor *m, unsigned vcpu, bool *tell)
{
    struct monitor_vcpu *w = &m->vcpu[vcpu];

    w->is_queued = true;
    w->record.event.flags |= RAVELIN_EVENT_FULL;
    m->queued |= 1u << vcpu;
    m->delayed++;
    m->ring.format->tell(m, RAVELIN_RING_ON);
    full_barrier();
    *tell = monitor_queue_flush(m);
    return w->is_queued ? MONITOR_QUEUED : MONITOR_PAUSED;
}

/* From here on the vCPU waits for the answer. */
static void wait_begin(struct monitor *m, struct vcpu *v,
                       struct monitor_vcpu *w, const struct monitor_event *ev)
{
    if (ev->reason == RAVELIN_REASON_VIOLATION) {
        w->source = *ev;
    }
    w->awaited = m->sequence;
    w->is_claimed = false;
    m->waiting |= 1u << v->id;
    vcpu_flags_set(v, VCPU_WATCHED);
    monitor_timer_start(m);
}

static enum monitor_outcome event_place(struct monitor *m, struct vcpu *v,
                                        const struct monitor_event *ev,
                                        bool pauses, bool *tell)
{
    struct monitor_vcpu *w = &m->vcpu[v->id];
    struct monitor_record local;
    struct monitor_record *r = pauses ? &w->record : &local;
    int room;

    sequence_step(m);
    if (w->awaited != 0) {
        return lose(m); /* it waits with another event already */
    }
    record_fill(m, v, ev, pauses, r);
    room = m->queued ? 0 : m->ring.format->room(m);
    if (room < 0) {
        monitor_break(m, MONITOR_LOSS_RING);
        return MONITOR_FAILED;
    }
    if (room == 0 && !pauses) {
        return lose(m);
    }
    if (pauses) {
        wait_begin(m, v, w, ev);
    }
    if (room == 0) {
        return queue(m, v->id, tell);
    }
    *tell = m->ring.format->put(m, v, r);
    return pauses ? MONITOR_PAUSED : MONITOR_SENT;
}

enum monitor_outcome monitor_event(struct vcpu *v,
                                   const struct monitor_event *ev)
{
    struct monitor *m = monitor_of(v->domain);
    enum monitor_outcome outcome = MONITOR_UNHEARD;
    struct domain *listener = NULL;
    evtchn_port_t port = 0;
    bool tell = false;
    uint8_t mode;

    debug_event(v, ev->reason);
    if (!m) {
        return MONITOR_UNHEARD;
    }
    mode = read_once(m->mode[ev->reason]);
    if ((mode & HVMPME_MODE_MASK) == 0 ||
        ((mode & HVMPME_onchangeonly) && ev->value == ev->old)) {
        return MONITOR_UNHEARD;
    }
    spin_lock(&m->lock);
    if (m->state == MONITOR_BROKEN) {
        outcome = MONITOR_FAILED;
    } else if (m->state == MONITOR_ON &&
               unlikely((m->filter_reasons >> ev->reason) & 1) &&
               !monitor_filter_passes(m, ev)) {
        m->filtered++;
    } else if (m->state == MONITOR_ON) {
        bool pauses =
            (mode & HVMPME_MODE_MASK) == HVMPME_mode_sync && !ev->always_async;

        outcome = event_place(m, v, ev, pauses, &tell);
        listener = m->listener;
        port = m->port;
    }
    spin_unlock(&m->lock);
    if (tell) {
        evtchn_service_raise(listener, port);
    }
    return outcome;
}
