/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small hooks of exit handlers: each names what happened and leaves the
 * rest to monitor_event(). They come after the guest's instruction has had its
 * effect, so every outcome leaves the vCPU where it is right to go on: at once,
 * or when the answer has come.
 */

#include "monitor_internal.h"

/* The guest goes on whether it was told, lost or unheard; if the vCPU has to
 * wait, it does so by its flags. */
static void settled(enum monitor_outcome outcome rv_unused)
{
}

void monitor_cr_written(struct vcpu *v, unsigned cr, uint64_t old,
                        uint64_t value)
{
    const struct monitor_event ev = {
        .reason = cr == 0   ? RAVELIN_REASON_CR0
                  : cr == 3 ? RAVELIN_REASON_CR3
                            : RAVELIN_REASON_CR4,
        .value = value,
        .old = old,
    };

    settled(monitor_event(v, &ev));
}

void monitor_msr_written(struct vcpu *v, uint32_t msr, uint64_t old,
                         uint64_t value)
{
    const struct monitor_event ev = {
        .reason = RAVELIN_REASON_MSR,
        .value = value,
        .old = old,
        .gla = msr,
    };

    settled(monitor_event(v, &ev));
}

void monitor_guest_request(struct vcpu *v)
{
    const struct monitor_event ev = {.reason = RAVELIN_REASON_REQUEST};

    settled(monitor_event(v, &ev));
}
