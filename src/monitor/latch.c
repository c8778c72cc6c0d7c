/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From settings to intercepts, on vCPUs that may be running. A vCPU computes
 * its own set before it enters its guest; whoever changes a setting says so to
 * all of them and waits until each has left guest mode once.
 */

#include "ravelin/debug_attach.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"

#include "monitor_internal.h"

#define EXCEPTION_BP (1u << 3)

static bool intercepts_equal(const struct vcpu_intercepts *a,
                             const struct vcpu_intercepts *b)
{
    return a->cr0_write == b->cr0_write && a->cr3_write == b->cr3_write &&
           a->cr4_write == b->cr4_write && a->soft_int == b->soft_int &&
           a->dr_access == b->dr_access && a->exceptions == b->exceptions;
}

/*
 * Registers that a backend may leave to the guest, since it switches them with
 * the rest of its state. Their writes exit while they are listened to.
 */
static const uint32_t msrs_open[] = {
    0x174,      0x175,      0x176,                  /* SYSENTER_* */
    0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* STAR .. SFMASK */
    0xc0000100, 0xc0000101, 0xc0000102,             /* FS, GS, KERNEL_GS */
};

static void msrs_latch(struct vcpu *v)
{
    struct monitor *m = monitor_of(v->domain);
    struct monitor_vcpu *w = monitor_vcpu(v);
    bool listens = monitor_listens(v->domain, RAVELIN_REASON_MSR);

    if (!m || (!listens && w->msrs_closed == 0)) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(msrs_open); i++) {
        bool close = listens && monitor_msr_is_wanted(m, msrs_open[i]);

        if (close != ((w->msrs_closed >> i) & 1)) {
            w->msrs_closed ^= 1u << i;
            hv->msr_passthrough(v, msrs_open[i], true, !close);
        }
    }
}

void vcpu_intercepts_latch(struct vcpu *v)
{
    const struct domain *d = v->domain;
    struct vcpu_intercepts in = {
        .cr8_write = v->intercepts.cr8_write,
        .irq_window = v->intercepts.irq_window,
        .nmi_window = v->intercepts.nmi_window,
        .pause = v->intercepts.pause,
        .cr0_write = monitor_listens(d, RAVELIN_REASON_CR0) || d->emulates_real,
        .cr3_write = monitor_listens(d, RAVELIN_REASON_CR3),
        .cr4_write = monitor_listens(d, RAVELIN_REASON_CR4),
    };

    if (monitor_listens(d, RAVELIN_REASON_INT3) || debug_wants_int3(d)) {
        if (hv->breakpoint_is_exception()) {
            in.exceptions |= EXCEPTION_BP;
        } else {
            in.soft_int = true;
        }
    }
    if (!intercepts_equal(&in, &v->intercepts)) {
        v->intercepts = in;
        hv->intercepts_set(v, &in);
    }
    msrs_latch(v);
}

void vcpu_intercepts_reset(struct vcpu *v)
{
    memset(&v->intercepts, 0, sizeof(v->intercepts));
    write_once(v->watch_due, true);
    write_once(v->attention, true);
}

/* A vCPU that is not loaded passes monitor_attend() before it enters: its
 * attention is set before `running` is looked at, and a CPU that loads it does
 * the two the other way round. */
static bool may_be_in_guest(const struct vcpu *v)
{
    full_barrier();
    return v != this_cpu()->current && load_acquire(&v->running);
}

void monitor_latch(struct domain *d)
{
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        monitor_attend_request(d->vcpu[i]);
    }
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        if (may_be_in_guest(d->vcpu[i])) {
            vcpu_pause_sync(d->vcpu[i]);
            vcpu_unpause(d->vcpu[i]);
        }
    }
}
