/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's timer: one-shot, periodic and TSC deadline over the
 * hypervisor's timers. The input clock is 1 GHz, so that one undivided tick
 * is one nanosecond and nothing is ever rounded.
 *
 * Threat surface: counts, dividers and deadlines of the guest, at any rate.
 * Missed periods collapse into one and a period never costs the host more
 * than one callback per PERIOD_FLOOR_NS.
 */
#include "arch/host.h"
#include "ravelin/msr_policy.h"
#include "ravelin/vlapic.h"

#include "vlapic_private.h"

#define PERIOD_FLOOR_NS 100000u
/* Deadlines beyond this never come (145 years) and must not wrap. */
#define DEADLINE_FAR_NS (1UL << 62)

static struct vlapic *timer_owner(struct timer *t)
{
    return container_of(t, struct vlapic, timer.timer);
}

/* First end of a period after `now`. */
static uint64_t period_next(const struct apic_timer *at, uint64_t now)
{
    uint64_t period = (uint64_t)at->initial << at->shift;
    uint64_t next = at->deadline_ns + period;

    if (next <= now) {
        next += ((now - next) / period + 1) * period;
    }
    return next;
}

/* The count-down ended; decides what follows. Lock held. */
static void timer_expire(struct vlapic *vl, uint64_t now)
{
    struct apic_timer *at = &vl->timer;

    if (at->mode != APIC_TIMER_PERIODIC || at->initial == 0) {
        at->deadline_ns = 0;
        at->tsc_deadline = 0;
        return;
    }
    at->deadline_ns = period_next(at, now);
    if (at->deadline_ns < now + PERIOD_FLOOR_NS) {
        at->deadline_ns = now + PERIOD_FLOOR_NS;
    }
    timer_set(&at->timer, at->deadline_ns);
}

static void timer_fired(struct timer *t)
{
    struct vlapic *vl = timer_owner(t);
    uint64_t now = arch_time_ns();
    bool due;

    spin_lock(&vl->lock);
    due = vl->timer.deadline_ns != 0 && now >= vl->timer.deadline_ns;
    if (due) {
        timer_expire(vl, now);
    } else if (vl->timer.deadline_ns != 0 && !timer_is_armed(t)) {
        /* Re-programmed while this call was on its way. */
        timer_set(t, vl->timer.deadline_ns);
    }
    spin_unlock(&vl->lock);
    if (due) {
        vlapic_lvt_raise(vl, APIC_LVT_TIMER);
    }
}

void vlapic_timer_init(struct vlapic *vl)
{
    struct apic_timer *at = &vl->timer;

    timer_init(&at->timer, timer_fired);
    at->deadline_ns = 0;
    at->tsc_deadline = 0;
    at->initial = 0;
    at->divide = 0;
    at->shift = 1; /* encoding 0: divide by 2 */
    at->mode = APIC_TIMER_ONESHOT;
}

void vlapic_timer_stop(struct vlapic *vl)
{
    spin_lock(&vl->lock);
    vl->timer.deadline_ns = 0;
    vl->timer.tsc_deadline = 0;
    vl->timer.initial = 0;
    spin_unlock(&vl->lock);
    timer_cancel(&vl->timer.timer);
}

/* Current count in ticks; 0 when stopped. Lock held. */
static uint64_t ticks_left(const struct apic_timer *at)
{
    uint64_t now = arch_time_ns();

    if (at->deadline_ns == 0 || at->deadline_ns <= now ||
        at->mode == APIC_TIMER_DEADLINE) {
        return 0;
    }
    uint64_t left =
        (at->deadline_ns - now + (1u << at->shift) - 1) >> at->shift;

    return left < at->initial ? left : at->initial;
}

uint32_t vlapic_timer_current_read(struct vlapic *vl)
{
    uint64_t left;

    spin_lock(&vl->lock);
    left = ticks_left(&vl->timer);
    spin_unlock(&vl->lock);
    return (uint32_t)left;
}

void vlapic_timer_initial_write(struct vlapic *vl, uint32_t count)
{
    struct apic_timer *at = &vl->timer;

    if (at->mode == APIC_TIMER_DEADLINE) {
        return; /* ignored by the processor in this mode */
    }
    if (count == 0) {
        vlapic_timer_stop(vl);
        return;
    }
    spin_lock(&vl->lock);
    at->initial = count;
    at->deadline_ns = arch_time_ns() + ((uint64_t)count << at->shift);
    timer_set(&at->timer, at->deadline_ns);
    spin_unlock(&vl->lock);
}

/* Bits 0, 1 and 3: 0 = by 2, 1 = by 4, ... 6 = by 128, 7 = by 1. */
static uint8_t divide_shift(uint32_t divide)
{
    uint32_t code = (divide & 3u) | ((divide >> 1) & 4u);

    return (uint8_t)((code + 1u) & 7u);
}

void vlapic_timer_divide_write(struct vlapic *vl, uint32_t divide)
{
    struct apic_timer *at = &vl->timer;
    uint64_t left;

    spin_lock(&vl->lock);
    left = ticks_left(at);
    at->divide = divide;
    at->shift = divide_shift(divide);
    if (left != 0) {
        at->deadline_ns = arch_time_ns() + (left << at->shift);
        timer_set(&at->timer, at->deadline_ns);
    }
    spin_unlock(&vl->lock);
}

void vlapic_timer_mode_set(struct vlapic *vl, enum apic_timer_mode mode)
{
    struct apic_timer *at = &vl->timer;
    bool was_deadline = at->mode == APIC_TIMER_DEADLINE;

    if (mode == (enum apic_timer_mode)at->mode) {
        return;
    }
    if (was_deadline || mode == APIC_TIMER_DEADLINE ||
        mode == APIC_TIMER_RESERVED) {
        vlapic_timer_stop(vl);
    }
    spin_lock(&vl->lock);
    at->mode = (uint8_t)mode;
    spin_unlock(&vl->lock);
}

/* ---- TSC deadline ---- */

uint64_t vlapic_timer_deadline_read(struct vlapic *vl)
{
    uint64_t value;

    spin_lock(&vl->lock);
    value = vl->timer.tsc_deadline;
    spin_unlock(&vl->lock);
    return value;
}

void vlapic_timer_deadline_write(struct vlapic *vl, uint64_t tsc)
{
    struct apic_timer *at = &vl->timer;
    uint64_t offset = msr_tsc_offset(vl->vcpu);
    uint64_t now = arch_tsc_read() + offset;
    uint64_t deadline = 1; /* already past */

    if (at->mode != APIC_TIMER_DEADLINE) {
        return;
    }
    if (tsc == 0) {
        vlapic_timer_stop(vl);
        return;
    }
    if (tsc > now) {
        deadline = arch_tsc_to_ns(tsc - offset) + 1;
        if (tsc - now > DEADLINE_FAR_NS || deadline > DEADLINE_FAR_NS) {
            deadline = DEADLINE_FAR_NS;
        }
    }
    spin_lock(&vl->lock);
    at->tsc_deadline = tsc;
    at->deadline_ns = deadline;
    timer_set(&at->timer, at->deadline_ns);
    spin_unlock(&vl->lock);
}

void vlapic_tsc_changed(struct vcpu *v)
{
    struct vlapic *vl = v->vlapic;
    uint64_t tsc = vlapic_timer_deadline_read(vl);

    if (tsc != 0) {
        vlapic_timer_deadline_write(vl, tsc);
    }
}
