/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vcpu_info: where it is, what it says about upcalls, and SCHEDOP_poll.
 *
 * Threat surface: the page belongs to the guest and may change at any time; a
 * flag is read once, and what it says concerns that guest only.
 */

#include "ravelin/errno.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/time_info.h"
#include "ravelin/vlapic.h"
#include "ravelin/vmexit.h"

#include "evtchn_internal.h"

/* Both layouts have the two flags in front. */
static const struct vcpu_info *info_of(const struct vcpu *v)
{
    return v->vcpu_info;
}

bool evtchn_is_pending(const struct vcpu *v)
{
    const struct vcpu_info *info = info_of(v);

    return read_once(info->evtchn_upcall_pending) != 0 &&
           read_once(info->evtchn_upcall_mask) == 0;
}

bool evtchn_is_flagged(const struct vcpu *v)
{
    return v->upcall_vector == 0 && v->domain->callback_vector != 0 &&
           read_once(info_of(v)->evtchn_upcall_pending) != 0;
}

int evtchn_upcall_vector(const struct vcpu *v)
{
    if (v->upcall_vector != 0 || v->domain->callback_vector == 0 ||
        !evtchn_is_pending(v)) {
        return -1;
    }
    return v->domain->callback_vector;
}

void evtchn_upcall_vector_set(struct vcpu *v, uint8_t vector)
{
    write_once(v->upcall_vector, vector);
    full_barrier();
    if (vector != 0 && read_once(info_of(v)->evtchn_upcall_pending) != 0) {
        evtchn_upcall_raise(v);
    }
}

void evtchn_callback_vector_set(struct domain *d, uint8_t vector)
{
    write_once(d->callback_vector, vector);
    full_barrier(); /* pairs with the sender: pending, then who is told */
    for (unsigned i = 0; vector != 0 && i < d->vcpu_count; i++) {
        if (evtchn_is_flagged(d->vcpu[i])) {
            vcpu_notify(d->vcpu[i]);
        }
    }
}

/* A disabled APIC takes nothing in; INIT empties it. So the line is looked at
 * again when the guest enables it. */
void evtchn_upcall_raise(struct vcpu *v)
{
    if (v->upcall_vector != 0 && vlapic_is_enabled(v)) {
        vlapic_irq_set(v, v->upcall_vector, false);
    } else {
        vcpu_notify(v);
    }
}

void evtchn_upcall_apic_enabled(struct vcpu *v)
{
    /* Pairs with the sender: pending first, then is the APIC enabled? */
    full_barrier();
    if (v->upcall_vector != 0 &&
        read_once(info_of(v)->evtchn_upcall_pending) != 0) {
        evtchn_upcall_raise(v);
    }
}

void evtchn_upcall_unmask(struct vcpu *v)
{
    struct vcpu_info *info = v->vcpu_info;

    write_once(info->evtchn_upcall_mask, 0);
}

static void *shared_vcpu_info(const struct vcpu *v)
{
    return (char *)v->domain->shared_info + v->id * sizeof(struct vcpu_info);
}

static void selectors_fill(struct vcpu *v)
{
    char *info = v->vcpu_info;

    if (v->domain->is_32bit_abi) {
        uint32_t *sel = (void *)(info + offsetof(struct compat_vcpu_info,
                                                 evtchn_pending_sel));

        __atomic_store_n(sel, UINT32_MAX, __ATOMIC_SEQ_CST);
    } else {
        uint64_t *sel =
            (void *)(info + offsetof(struct vcpu_info, evtchn_pending_sel));

        __atomic_store_n(sel, UINT64_MAX, __ATOMIC_SEQ_CST);
    }
}

bool evtchn_vcpu_info_move(struct vcpu *v, void *info, mfn_t m)
{
    struct evtchn_locked held = evtchn_lock(v->domain);
    bool first = mfn_is_invalid(v->vcpu_info_mfn);
    struct vcpu_info *moved;

    if (first) {
        memcpy(info, v->vcpu_info, sizeof(struct vcpu_info));
        v->vcpu_info_mfn = m;
        store_release(&v->vcpu_info, info);
    }
    evtchn_unlock(&held);
    if (!first) {
        return false;
    }
    /* A sender may have marked the old place meanwhile: look at everything. */
    full_barrier();
    selectors_fill(v);
    moved = info;
    write_once(moved->evtchn_upcall_pending, 1);
    evtchn_upcall_raise(v);
    return true;
}

void evtchn_vcpu_info_reset(struct vcpu *v)
{
    struct evtchn_locked held = evtchn_lock(v->domain);
    mfn_t m = v->vcpu_info_mfn;

    v->vcpu_info_mfn = INVALID_MFN;
    store_release(&v->vcpu_info, shared_vcpu_info(v));
    evtchn_unlock(&held);
    if (!mfn_is_invalid(m)) {
        quiesce_defer_frame_put(m);
    }
}

static bool poll_is_satisfied(const struct domain *d,
                              const evtchn_port_t *ports, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (evtchn_port_is_pending(d, ports[i])) {
            return true;
        }
    }
    return false;
}

int evtchn_poll(struct vcpu *v, const evtchn_port_t *ports, unsigned count,
                uint64_t deadline_ns)
{
    struct domain *d = v->domain;

    if (count > EVTCHN_POLL_MAX) {
        return -RV_EINVAL;
    }
    for (unsigned i = 0; i < count; i++) {
        if (ports[i] >= evtchn_abi_limit(d)) {
            return -RV_EINVAL;
        }
    }
    write_once(v->poll_port, count == 0   ? 0
                             : count == 1 ? (int32_t)ports[0]
                                          : -1);
    timer_set(&v->poll_timer, deadline_ns != 0
                                  ? domain_time_to_host(d, deadline_ns)
                                  : TIMER_NEVER);
    __atomic_fetch_add(&d->poller_count, 1, __ATOMIC_SEQ_CST);
    vcpu_flags_set(v, VCPU_BLOCKED | VCPU_POLLING);
    full_barrier();
    if (vcpu_event_is_due(v) || poll_is_satisfied(d, ports, count)) {
        vcpu_wake(v);
    }
    return 0;
}
