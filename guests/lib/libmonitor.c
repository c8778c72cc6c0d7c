/* SPDX-License-Identifier: MIT */
/*
 * The ring of a monitor and the calls about the watched domain. The hypervisor
 * writes events and its index; the monitor writes its own index and one answer
 * word for each virtual CPU.
 */

#include "libmonitor.h"

#include "guest.h"

#define SMALL_EVENT ((uint32_t)sizeof(struct ravelin_event))
#define FULL_EVENT ((uint32_t)sizeof(struct ravelin_event_full))

static long monitor_op(unsigned int op, const void *arg)
{
    return hypercall2(__HYPERVISOR_ravelin_monitor_op, op, arg);
}

static uint64_t address_of(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* ---- Opening and closing ------------------------------------------------- */

static long ring_attach(struct monitor *m)
{
    uint64_t gfn[RAVELIN_MONITOR_PAGES_MAX];
    struct ravelin_monitor_attach op = {
        .domid = (uint16_t)m->domid,
        .version = RAVELIN_MONITOR_VERSION,
        .event_size = m->event_size,
        .page_count = m->page_count,
        .gfns = address_of(gfn),
    };
    uint32_t i;
    long rc;

    for (i = 0; i < m->page_count; i++) {
        gfn[i] = PFN(m->ring) + i;
    }
    rc = monitor_op(RAVELIN_MONITOR_attach, &op);
    if (!rc) {
        m->port = op.port;
        m->vcpu_count = op.vcpu_count;
    }
    return rc;
}

static void pages_drop(struct monitor *m)
{
    if (m->ring) {
        pages_free(m->ring, m->page_count);
    }
    if (m->tables) {
        pages_free(m->tables, MONITOR_LEVELS_MAX);
    }
    m->ring = NULL;
    m->tables = NULL;
}

long monitor_open(struct monitor *m, unsigned int domid,
                  unsigned int slot_pages, bool with_registers)
{
    long rc;

    memset(m, 0, sizeof(*m));
    m->domid = domid;
    m->event_size = with_registers ? FULL_EVENT : SMALL_EVENT;
    m->event_count = slot_pages * (uint32_t)PAGE_SIZE / m->event_size;
    m->page_count = slot_pages + 1;
    m->wake_after = 1;
    if (m->page_count > RAVELIN_MONITOR_PAGES_MAX) {
        return -XEN_EINVAL;
    }
    m->ring = pages_alloc(m->page_count, 1);
    m->tables = pages_alloc(MONITOR_LEVELS_MAX, 1);
    if (!m->ring || !m->tables) {
        pages_drop(m);
        return -XEN_ENOMEM;
    }
    m->slots = (uint8_t *)m->ring + PAGE_SIZE;
    rc = ring_attach(m);
    if (rc) {
        pages_drop(m);
    }
    return rc;
}

static struct ravelin_monitor_target target_of(const struct monitor *m)
{
    return (struct ravelin_monitor_target){.domid = (uint16_t)m->domid};
}

/* A domain that is gone has taken the attachment with it. */
long monitor_close(struct monitor *m)
{
    struct ravelin_monitor_target op = target_of(m);
    long rc;

    if (!m->ring) {
        return -XEN_ENOENT;
    }
    rc = monitor_op(RAVELIN_MONITOR_detach, &op);
    event_close(m->port);
    pages_drop(m);
    return rc;
}

bool monitor_is_on(const struct monitor *m)
{
    return m->ring && READ_ONCE(m->ring->state) == RAVELIN_RING_ON;
}

/* ---- What to hear of ----------------------------------------------------- */

long monitor_listen(struct monitor *m, unsigned int reason, uint32_t mode)
{
    struct ravelin_monitor_listen op = {
        .domid = (uint16_t)m->domid,
        .reason = (uint16_t)reason,
        .mode = mode,
    };

    return monitor_op(RAVELIN_MONITOR_listen, &op);
}

long monitor_filter(struct monitor *m, unsigned int kind,
                    const struct ravelin_range *ranges, uint32_t count)
{
    struct ravelin_monitor_filter op = {
        .domid = (uint16_t)m->domid,
        .kind = (uint16_t)kind,
        .count = count,
        .ranges = address_of(ranges),
    };

    return monitor_op(RAVELIN_MONITOR_filter, &op);
}

/* ---- Taking and answering ------------------------------------------------ */

bool monitor_next(struct monitor *m, struct ravelin_event_full *ev)
{
    uint32_t prod = __atomic_load_n(&m->ring->prod, __ATOMIC_ACQUIRE);
    const uint8_t *slot =
        m->slots + (m->cons & (m->event_count - 1)) * m->event_size;

    if (prod == m->cons) {
        return false;
    }
    if (m->event_size == FULL_EVENT) {
        memcpy(ev, slot, sizeof(*ev));
    } else {
        memcpy(&ev->event, slot, sizeof(ev->event));
    }
    m->cons++;
    return true;
}

void monitor_answer(struct monitor *m, const struct ravelin_event *ev,
                    uint32_t flags)
{
    uint64_t word =
        (uint64_t)(flags & RAVELIN_ANSWER_MASK) << 32 | ev->sequence;

    if (!(ev->flags & RAVELIN_EVENT_PAUSED) || ev->vcpu >= m->vcpu_count) {
        return;
    }
#ifdef __x86_64__
    __atomic_store_n((uint64_t *)(void *)&m->ring->answer[ev->vcpu], word,
                     __ATOMIC_RELEASE);
#else
    __atomic_store_n(&m->ring->answer[ev->vcpu].flags, (uint32_t)(word >> 32),
                     __ATOMIC_RELEASE);
    __atomic_store_n(&m->ring->answer[ev->vcpu].sequence, (uint32_t)word,
                     __ATOMIC_RELEASE);
#endif
    m->must_send = true;
}

void monitor_flush(struct monitor *m)
{
    __atomic_store_n(&m->ring->cons, m->cons, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* Events that wait for room are in no slot, so that nothing else would
     * ever tell of them. */
    if (m->must_send || READ_ONCE(m->ring->queued)) {
        m->must_send = false;
        event_send(m->port);
    }
}

/* Takes answers and waits in one call. Where the hypervisor does not know the
 * domain any more there is nothing to wait for. */
static void ring_wait(struct monitor *m, uint64_t deadline)
{
    uint64_t until = deadline == MONITOR_FOREVER ? 0 : deadline;

    m->must_send = false;
#ifdef __x86_64__
    hypercall(__HYPERVISOR_ravelin_monitor_op, RAVELIN_MONITOR_wait, m->domid,
              until, 0, 0);
#else
    hypercall(__HYPERVISOR_ravelin_monitor_op, RAVELIN_MONITOR_wait, m->domid,
              (uint32_t)until, (uint32_t)(until >> 32), 0);
#endif
}

bool monitor_wait(struct monitor *m, uint64_t deadline)
{
    for (;;) {
        event_clear(m->port);
        __atomic_store_n(&m->ring->cons, m->cons, __ATOMIC_RELEASE);
        WRITE_ONCE(m->ring->wanted, m->cons + m->wake_after);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (READ_ONCE(m->ring->prod) != m->cons) {
            monitor_flush(m);
            return true;
        }
        if (!monitor_is_on(m) || clock_ns() >= deadline) {
            monitor_flush(m);
            return false;
        }
        ring_wait(m, deadline);
    }
}

void monitor_loop(struct monitor *m, const struct monitor_handler *h)
{
    struct ravelin_event_full ev;
    bool is_on;

    do {
        is_on = monitor_is_on(m);
        while (monitor_next(m, &ev)) {
            uint32_t flags = h->on_event(h->ctx, &ev);

            monitor_answer(m, &ev.event, flags);
        }
        if (h->on_idle && h->on_idle(h->ctx) == MONITOR_STOP) {
            return;
        }
    } while (is_on | monitor_wait(m, clock_ns() + h->idle_ns));
}

long monitor_status(struct monitor *m, struct ravelin_monitor_status *status)
{
    memset(status, 0, sizeof(*status));
    status->domid = (uint16_t)m->domid;
    return monitor_op(RAVELIN_MONITOR_status, status);
}

/* ---- The watched domain -------------------------------------------------- */

long monitor_registers_get(struct monitor *m, unsigned int vcpu,
                           struct ravelin_registers *regs)
{
    struct ravelin_monitor_registers op = {
        .domid = (uint16_t)m->domid,
        .vcpu = (uint16_t)vcpu,
    };
    long rc = monitor_op(RAVELIN_MONITOR_registers_get, &op);

    *regs = op.regs;
    return rc;
}

long monitor_registers_set(struct monitor *m, unsigned int vcpu,
                           const struct ravelin_registers *regs)
{
    struct ravelin_monitor_registers op = {
        .domid = (uint16_t)m->domid,
        .vcpu = (uint16_t)vcpu,
        .regs = *regs,
    };

    return monitor_op(RAVELIN_MONITOR_registers_set, &op);
}
