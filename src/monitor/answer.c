/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an answer to a vCPU that goes on. An answer is believed for one thing
 * only: that this vCPU, which waits with an event the listener has been given,
 * may go on in one of a few ways. What is to be done to the vCPU is left to its
 * own CPU, so an answer can be faster than the switch away from the vCPU.
 *
 * Threat surface: vCPU number and flags from another domain.
 */

#include "ravelin/cr.h"
#include "ravelin/errno.h"
#include "ravelin/insn.h"
#include "ravelin/log.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/vmexit.h"

#include "monitor_internal.h"

#define VECTOR_BP 3u

static void vcpu_go(struct monitor *m, unsigned i, uint32_t flags)
{
    struct monitor_vcpu *w = &m->vcpu[i];
    struct vcpu *v = m->domain->vcpu[i];

    w->awaited = 0;
    w->is_queued = false;
    m->waiting &= ~(1u << i);
    m->queued &= ~(1u << i);
    if (flags != 0) {
        w->answer = flags;
        w->is_answered = true;
        write_once(v->watch_due, true);
        write_once(v->attention, true);
    }
    vcpu_flags_clear(v, VCPU_WATCHED);
}

bool monitor_answer_is_due(const struct monitor *m, uint32_t vcpu)
{
    return vcpu < m->domain->vcpu_count && m->vcpu[vcpu].awaited != 0 &&
           !m->vcpu[vcpu].is_queued;
}

void monitor_answer(struct monitor *m, uint32_t vcpu, uint32_t flags)
{
    const uint32_t known = RAVELIN_ANSWER_MASK | MONITOR_ANSWER_REGISTERS;

    if (!monitor_answer_is_due(m, vcpu) || (flags & ~known) != 0) {
        m->refused++;
        return;
    }
    vcpu_go(m, vcpu, flags);
}

/* Without a listener a breakpoint is the guest's own; all else just goes on. */
void monitor_release_all(struct monitor *m)
{
    for (uint32_t left = m->waiting; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        bool is_int3 = m->vcpu[i].record.event.reason == RAVELIN_REASON_INT3;

        vcpu_go(m, i, is_int3 ? RAVELIN_ANSWER_INJECT : 0);
    }
}

void monitor_resume(struct monitor *m)
{
    struct domain *listener = NULL;
    evtchn_port_t port = 0;
    bool tell = false;
    uint64_t refused;

    spin_lock(&m->lock);
    if (m->state == MONITOR_ON) {
        refused = m->refused;
        if (m->ring.format->take(m) != 0) {
            monitor_break(m, MONITOR_LOSS_RING);
        } else if (m->queued) {
            tell = monitor_queue_flush(m);
            m->ring.format->tell(m, RAVELIN_RING_ON);
        } else if (m->refused != refused) {
            m->ring.format->tell(m, RAVELIN_RING_ON);
        }
        listener = m->listener;
        port = m->port;
    }
    spin_unlock(&m->lock);
    if (tell) {
        evtchn_service_raise(listener, port);
    }
}

/* ---- On the vCPU's own CPU --------------------------------------------- */

static void int3_settle(struct vcpu *v, const struct monitor_vcpu *w,
                        uint32_t flags)
{
    if (w->is_claimed) {
        return;
    }
    if (flags & RAVELIN_ANSWER_INJECT) {
        vcpu_soft_event_inject(v, VECTOR_BP, EVENT_SOFT_EXC, 1);
    } else if (flags & RAVELIN_ANSWER_SKIP) {
        vcpu_rip_advance(v, 1);
    }
}

/* Values that the processor would refuse are not loaded; the rest is. */
static void registers_load(struct vcpu *v, const struct monitor_vcpu *w)
{
    struct ravelin_registers regs;
    int rc;

    monitor_registers_read(v, &regs);
    memcpy(regs.gpr, w->gpr, sizeof(regs.gpr));
    regs.rip = w->rip;
    regs.rflags = w->rflags;
    rc = monitor_registers_write(v, &regs);
    if (rc != 0) {
        log_warn("%s: its monitor wants an impossible rip %016lx",
                 v->domain->name, w->rip);
    }
}

static void write_take_back(struct vcpu *v, unsigned cr,
                            const struct ravelin_event *ev, uint32_t flags)
{
    if (flags & RAVELIN_ANSWER_DENY) {
        cr_write_back(v, cr, ev->old);
    }
}

static void answer_apply(struct vcpu *v, const struct monitor_vcpu *w,
                         uint32_t flags)
{
    const struct ravelin_event *ev = &w->record.event;

    if (flags & MONITOR_ANSWER_REGISTERS) {
        registers_load(v, w);
    }
    switch (ev->reason) {
    case RAVELIN_REASON_CR0:
        write_take_back(v, 0, ev, flags);
        break;
    case RAVELIN_REASON_CR3:
        write_take_back(v, 3, ev, flags);
        break;
    case RAVELIN_REASON_CR4:
        write_take_back(v, 4, ev, flags);
        break;
    case RAVELIN_REASON_INT3:
        int3_settle(v, w, flags);
        break;
    case RAVELIN_REASON_VIOLATION:
        monitor_access_answer(v, &w->source, flags);
        break;
    default:
        break;
    }
}

void monitor_attend_request(struct vcpu *v)
{
    store_release(&v->watch_due, true);
    vcpu_kick(v);
}

void monitor_attend(struct vcpu *v)
{
    struct monitor *m = monitor_of(v->domain);
    struct monitor_vcpu *w = monitor_vcpu(v);
    bool is_answered;

    (void)__atomic_exchange_n(&v->watch_due, false, __ATOMIC_SEQ_CST);
    vcpu_intercepts_latch(v);
    if (!m) {
        return;
    }
    spin_lock(&m->lock);
    is_answered = w->is_answered;
    w->is_answered = false;
    spin_unlock(&m->lock);
    if (is_answered) {
        answer_apply(v, w, w->answer);
    }
    monitor_inject_attend(v);
    monitor_step_attend(v);
}
