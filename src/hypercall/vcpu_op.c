/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vcpu_op: life of the caller's own vCPUs and the areas they share with the
 * hypervisor. Timers are in vcpu_timer.c, first states in vcpu_context.c.
 *
 * Threat surface: vCPU numbers; linear addresses, which are kept as numbers
 * and written through guest_copy only while their vCPU is current.
 */
#include "public/vcpu.h"

#include "handlers.h"
#include "ravelin/evtchn.h"
#include "ravelin/hvm_context.h"
#include "ravelin/monitor_access.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/time_info.h"

/* `v` is paused: nobody can start it while its state is loaded. */
static int invoke_initialise(struct vcpu *v, const struct vcpu_state *state)
{
    int rc = 0;

    if (!vcpu_is_settled(v)) {
        return -RV_ERESTART;
    }
    spin_lock(&v->domain->lock);
    if (v->is_initialised || vcpu_is_up(v)) {
        rc = -RV_EEXIST;
    } else {
        vcpu_state_load(v, state);
        v->is_initialised = true;
    }
    spin_unlock(&v->domain->lock);
    return rc;
}

long vcpu_op_initialise(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);
    struct vcpu_hvm_context ctx;
    struct vcpu_state state;
    int rc;

    if (target == NULL) {
        return -RV_ENOENT;
    }
    if (arg_copy_in(v, a, 2, &ctx, sizeof(ctx)) != 0) {
        return -RV_EFAULT;
    }
    if (vcpu_state_from_context(&state, &ctx) != 0 ||
        vcpu_state_check(v->domain, &state) != 0) {
        return -RV_EINVAL;
    }
    if (target == v || vcpu_is_up(target)) {
        return -RV_EEXIST;
    }
    vcpu_pause_sync(target);
    rc = invoke_initialise(target, &state);
    vcpu_unpause(target);
    return rc;
}

long vcpu_op_up(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);

    if (target == NULL) {
        return -RV_ENOENT;
    }
    if (!read_once(target->is_initialised)) {
        return -RV_EINVAL;
    }
    /* Up already is as good. */
    return vcpu_is_up(target) || vcpu_up(target) == 0 || vcpu_is_up(target)
               ? 0
               : -RV_EINVAL;
}

long vcpu_op_down(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);

    if (target == NULL) {
        return -RV_ENOENT;
    }
    vcpu_down(target);
    return 0;
}

long vcpu_op_is_up(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);

    return target == NULL ? -RV_ENOENT : vcpu_is_up(target);
}

/* Writes the runstate of `of` in the caller's layout. 0; -EFAULT. */
static int runstate_out(struct vcpu *v, struct vcpu *of, bool is_32bit,
                        struct guest_ref to)
{
    struct compat_vcpu_runstate_info small;
    struct vcpu_runstate_info info;

    memset(&info, 0, sizeof(info));
    vcpu_runstate_get(of, &info);
    if (!is_32bit) {
        return guest_copy_out(v, to, &info, sizeof(info));
    }
    small.state = info.state;
    small.state_entry_time = info.state_entry_time;
    for (unsigned i = 0; i < ARRAY_SIZE(small.time); i++) {
        small.time[i] = info.time[i];
    }
    return guest_copy_out(v, to, &small, sizeof(small));
}

long vcpu_op_get_runstate_info(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);

    if (target == NULL) {
        return -RV_ENOENT;
    }
    return runstate_out(v, target, a->is_32bit, guest_ref(a->arg[2]));
}

/* The linear address in a register_*_memory_area structure, which is eight
 * bytes for all callers, the upper half meaningless to 32-bit ones. */
static int decode_area(struct vcpu *v, const struct hypercall_args *a,
                       gva_t *out)
{
    uint64_t address;

    if (arg_copy_in(v, a, 2, &address, sizeof(address)) != 0) {
        return -RV_EFAULT;
    }
    *out = gva(a->is_32bit ? (uint32_t)address : address);
    return 0;
}

long vcpu_op_register_runstate_memory_area(struct vcpu *v,
                                           struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);
    gva_t area;

    if (target == NULL) {
        return -RV_ENOENT;
    }
    if (decode_area(v, a, &area) != 0) {
        return -RV_EFAULT;
    }
    if (target == v && area.v != 0 &&
        runstate_out(v, v, a->is_32bit, guest_ref(area.v)) != 0) {
        return -RV_EFAULT;
    }
    write_once(target->runstate_gva.v, area.v);
    return 0;
}

long vcpu_op_register_vcpu_time_memory_area(struct vcpu *v,
                                            struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);
    struct vcpu_time_info empty;
    gva_t area;

    if (target == NULL) {
        return -RV_ENOENT;
    }
    if (decode_area(v, a, &area) != 0) {
        return -RV_EFAULT;
    }
    if (target != v || area.v == 0) {
        write_once(target->time_gva.v, area.v);
        return 0;
    }
    memset(&empty, 0, sizeof(empty));
    if (guest_copy_out(v, guest_ref(area.v), &empty, sizeof(empty)) != 0) {
        return -RV_EFAULT;
    }
    write_once(v->time_gva.v, area.v);
    vcpu_time_publish(v);
    return 0;
}

static long info_move(struct vcpu *v, gfn_t g, uint32_t offset)
{
    /* Until the vCPU has the page, nobody may take it away: who does so looks
     * for it there afterwards. */
    struct p2m_locked p2m = p2m_lock(&v->domain->p2m);
    long rc = -RV_EINVAL;
    mfn_t m;
    char *page = guest_page_pin(v->domain, g, &m);

    if (page != NULL) {
        if (evtchn_vcpu_info_move(v, page + offset, m)) {
            rc = 0;
        } else {
            guest_page_unpin(m);
        }
    }
    p2m_unlock(&p2m);
    if (rc == 0) {
        monitor_call_commit(v); /* it cannot be moved once more */
        vcpu_time_publish(v);
    }
    return rc;
}

long vcpu_op_register_vcpu_info(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);
    struct vcpu_register_vcpu_info req;

    if (target == NULL) {
        return -RV_ENOENT;
    }
    if (arg_copy_in(v, a, 2, &req, sizeof(req)) != 0) {
        return -RV_EFAULT;
    }
    if (req.offset > PAGE_SIZE - sizeof(struct vcpu_info) ||
        req.offset % sizeof(uint64_t) != 0) {
        return -RV_EINVAL;
    }
    if (target != v && vcpu_is_up(target)) {
        return -RV_EINVAL;
    }
    return info_move(target, gfn(req.mfn), req.offset);
}

long vcpu_op_send_nmi(struct vcpu *v, struct hypercall_args *a)
{
    struct vcpu *target = vcpu_find(v->domain, a->arg[1]);

    if (target == NULL) {
        return -RV_ENOENT;
    }
    write_once(target->nmi_pending, true);
    vcpu_notify(target);
    return 0;
}

long vcpu_op_get_physid(struct vcpu *v, struct hypercall_args *a)
{
    return vcpu_find(v->domain, a->arg[1]) == NULL ? -RV_ENOENT : -RV_EINVAL;
}
