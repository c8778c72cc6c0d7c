/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runstates of the Xen ABI: how long a vCPU ran, waited for a CPU, slept, or
 * was kept from running. Guests compute stolen time from them.
 */

#include "arch/host.h"
#include "ravelin/guest_copy.h"
#include "ravelin/string.h"
#include "ravelin/time_info.h"

#include "sched_internal.h"

void runstate_set(struct vcpu *v, uint32_t state, uint64_t now)
{
    uint64_t since = v->runstate_since_ns;

    if (v->runstate == state) {
        return;
    }
    if (now > since) {
        v->runstate_ns[v->runstate] += now - since;
        v->runstate_since_ns = now;
    }
    v->runstate = state;
}

/* Guest times count from the domain's creation. */
static void runstate_fill(const struct vcpu *v, struct vcpu_runstate_info *out)
{
    memset(out, 0, sizeof(*out));
    out->state = (int32_t)v->runstate;
    out->state_entry_time = v->runstate_since_ns - v->domain->boot_time_ns;
    for (unsigned i = 0; i < 4; i++) {
        out->time[i] = v->runstate_ns[i];
    }
}

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out)
{
    struct sched_cpu *sc = sched_lock_of(v);
    uint64_t now = arch_time_ns();

    runstate_fill(v, out);
    if (now > v->runstate_since_ns) {
        out->time[out->state] += now - v->runstate_since_ns;
    }
    spin_unlock(&sc->lock);
}

static int area_write(struct vcpu *v, const struct vcpu_runstate_info *info)
{
    struct guest_ref ref = guest_ref(v->runstate_gva.v);
    struct compat_vcpu_runstate_info compat;

    if (!v->domain->is_32bit_abi) {
        return guest_copy_out(v, ref, info, sizeof(*info));
    }
    compat.state = info->state;
    compat.state_entry_time = info->state_entry_time;
    for (unsigned i = 0; i < 4; i++) {
        compat.time[i] = info->time[i];
    }
    return guest_copy_out(v, ref, &compat, sizeof(compat));
}

void vcpu_runstate_publish(struct vcpu *v)
{
    struct vcpu_runstate_info info;

    if (likely(v->runstate_gva.v == 0)) {
        return;
    }
    runstate_fill(v, &info);
    /* A guest that took the area's mapping away gets no update. */
    if (v->domain->runstate_update_flag) {
        info.state_entry_time |= XEN_RUNSTATE_UPDATE;
        if (area_write(v, &info) != 0) {
            return;
        }
        info.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
    }
    (void)!area_write(v, &info);
}
