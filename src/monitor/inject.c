/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Injected traps: one may wait per vCPU. The caller fills it in, the vCPU's own
 * CPU delivers it before the next entry, where the architecture's rules for two
 * events at once apply; what became of it is told to the monitor.
 *
 * Threat surface: see the header. The guest sees an exception like any other.
 * Ref: AMD APM Vol 2, 8.2 "Vectors", 8.2.9 "#DF-Double-Fault Exception".
 */

#include "ravelin/inject_trap.h"

#include "ravelin/errno.h"
#include "ravelin/vmexit.h"

#include "monitor_internal.h"

#define VECTOR_BP 3u
#define VECTOR_OF 4u
/* INT3 and INTO are one byte long. */
#define SOFT_LENGTH 1u
/* #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP, #VC, #SX. */
#define WITH_ERROR 0x60227d00u
/* Not exceptions: NMI has its own way, 9 and 15 are reserved, #MC is about the
 * machine, 22 to 27 and 31 do not exist. */
#define NO_EXCEPTION 0x8fc48204u
#define ERROR_NEVER 0xffff0000u

static bool request_is_valid(const struct trap_request *req)
{
    uint32_t bit;

    if (req->vector > 31) {
        return false;
    }
    bit = 1u << req->vector;
    if ((NO_EXCEPTION & bit) != 0 ||
        req->has_error != ((WITH_ERROR & bit) != 0)) {
        return false;
    }
    /* No processor pushes more than 16 bits; #PF has its own. */
    return !req->has_error || (req->error & ERROR_NEVER) == 0;
}

static uint8_t type_of(uint8_t vector)
{
    return vector == VECTOR_BP || vector == VECTOR_OF ? EVENT_SOFT_EXC
                                                      : EVENT_EXCEPTION;
}

int trap_inject(struct vcpu *v, const struct trap_request *req)
{
    uint32_t idle = INJECT_IDLE;
    struct monitor_inject *in;
    struct monitor *m;
    int rc;

    if (!request_is_valid(req)) {
        return -RV_EINVAL;
    }
    rc = monitor_get(v->domain, &m);
    if (rc) {
        return rc;
    }
    in = &m->vcpu[v->id].inject;
    if (!__atomic_compare_exchange_n(&in->state, &idle, INJECT_FILLING, false,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return -RV_EBUSY;
    }
    in->trap = *req;
    store_release(&in->state, INJECT_READY);
    monitor_attend_request(v);
    return 0;
}

static const uint8_t outcome_of[] = {
    [COLLISION_NONE] = RAVELIN_INJECT_DELIVERED,
    [COLLISION_BENIGN] = RAVELIN_INJECT_MERGED,
    [COLLISION_DOUBLE] = RAVELIN_INJECT_DOUBLE,
    [COLLISION_TRIPLE] = RAVELIN_INJECT_TRIPLE,
};

static void outcome_tell(struct vcpu *v, uint8_t vector, uint8_t other,
                         uint64_t outcome)
{
    struct monitor_event ev = {
        .reason = RAVELIN_REASON_INJECT,
        .always_async = true,
        .value = vector,
        .old = outcome,
        .gla = other,
    };
    enum monitor_outcome ignored rv_unused = monitor_event(v, &ev);
}

void monitor_inject_attend(struct vcpu *v)
{
    struct monitor_inject *in = &monitor_vcpu(v)->inject;
    struct vcpu_event ev = {.valid = true};
    enum vcpu_collision collision;
    uint8_t other;

    if (load_acquire(&in->state) != INJECT_READY) {
        return;
    }
    ev.vector = in->trap.vector;
    ev.type = type_of(ev.vector);
    ev.has_error = in->trap.has_error;
    ev.error = in->trap.error;
    ev.insn_len = ev.type == EVENT_SOFT_EXC ? SOFT_LENGTH : 0;
    ev.cr2 = in->trap.cr2;
    store_release(&in->state, INJECT_IDLE);
    collision = vcpu_event_try(v, &ev, &other);
    outcome_tell(v, ev.vector, other, outcome_of[collision]);
}
