/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl for monitors: the ring in a page of the watched domain (mem_event_op,
 * which is vm_event_op under another name), and what vm_event tools listen to
 * (monitor_op). Both are the same settings as those of hypercall monitor_op and
 * of the HVM parameters.
 *
 * Threat surface: as there.
 */
#include "public/hvm/params.h"
#include "public/mem_event.h"
#include "public/vm_event.h"

#include "domctl.h"
#include "ravelin/monitor_control.h"

static_assert(MEM_EVENT_RING_SIZE * sizeof(struct mem_event_st) + 64 <=
                      PAGE_SIZE &&
                  VM_EVENT_RING_SIZE * sizeof(struct vm_event_st) + 64 <=
                      PAGE_SIZE,
              "both rings fit their page");

static int ring_enable(struct vcpu *v, struct domain *d, struct monitor *m,
                       struct xen_domctl_mem_event_op *op)
{
    bool is_vm_event =
        d->manifest && d->manifest->monitor_abi == MANIFEST_MONITOR_VM_EVENT;
    const struct monitor_attach_request how = {
        .listener = v->domain,
        .format =
            is_vm_event ? &monitor_format_vm_event : &monitor_format_mem_event,
        .slot_size = is_vm_event ? sizeof(struct vm_event_st)
                                 : sizeof(struct mem_event_st),
        .slots = is_vm_event ? VM_EVENT_RING_SIZE : MEM_EVENT_RING_SIZE,
        .page_count = 1,
    };
    int rc = monitor_attach(m, &how);

    if (rc != 0) {
        return rc;
    }
    op->port = MONITOR_REMOTE_PORT;
    return CTL_REPLY;
}

int domctl_mem_event_op(struct vcpu *v, struct domain *d,
                        struct xen_domctl *ctl)
{
    struct xen_domctl_mem_event_op *op = &ctl->u.mem_event_op;
    struct monitor *m;
    int rc;

    if (op->op == XEN_VM_EVENT_GET_VERSION) {
        op->port = VM_EVENT_INTERFACE_VERSION;
        return CTL_REPLY;
    }
    if (op->mode != XEN_DOMCTL_MEM_EVENT_OP_ACCESS) {
        return -RV_EOPNOTSUPP;
    }
    rc = monitor_get(d, &m);
    if (rc != 0) {
        return rc;
    }
    switch (op->op) {
    case XEN_DOMCTL_MEM_EVENT_OP_ENABLE:
        return ring_enable(v, d, m, op);
    case XEN_DOMCTL_MEM_EVENT_OP_DISABLE:
        return monitor_detach(m);
    case XEN_DOMCTL_MEM_EVENT_OP_RESUME:
        monitor_resume(m);
        return 0;
    default:
        return -RV_EINVAL;
    }
}

/* ---- What vm_event tools listen to ------------------------------------- */

#define EVENT_BIT(event) (1u << XEN_DOMCTL_MONITOR_EVENT_##event)

static uint32_t mode_of(bool sync, bool onchange)
{
    return (sync ? HVMPME_mode_sync : HVMPME_mode_async) |
           (onchange ? HVMPME_onchangeonly : 0);
}

/* `bitmask` are bits whose change is of no interest. */
static int cr_filter_set(struct monitor *m, unsigned index, uint64_t bitmask)
{
    const struct ravelin_range bits = {~bitmask, ~bitmask};

    if (index == VM_EVENT_X86_CR3) {
        return bitmask == 0 ? 0 : -RV_EOPNOTSUPP;
    }
    return monitor_filter_set(
        m, index == VM_EVENT_X86_CR0 ? RAVELIN_FILTER_CR0 : RAVELIN_FILTER_CR4,
        &bits, bitmask != 0);
}

static int cr_listen(struct monitor *m, const struct xen_domctl_monitor_op *op)
{
    static const uint8_t reasons[] = {
        [VM_EVENT_X86_CR0] = RAVELIN_REASON_CR0,
        [VM_EVENT_X86_CR3] = RAVELIN_REASON_CR3,
        [VM_EVENT_X86_CR4] = RAVELIN_REASON_CR4,
    };
    bool on = op->op == XEN_DOMCTL_MONITOR_OP_ENABLE;
    int rc;

    if (op->u.mov_to_cr.index >= ARRAY_SIZE(reasons)) {
        return -RV_EOPNOTSUPP; /* XCR0 */
    }
    rc = cr_filter_set(m, op->u.mov_to_cr.index,
                       on ? op->u.mov_to_cr.bitmask : 0);
    return rc != 0 ? rc
                   : monitor_listen(m, reasons[op->u.mov_to_cr.index],
                                    on ? mode_of(op->u.mov_to_cr.sync != 0,
                                                 op->u.mov_to_cr.onchangeonly)
                                       : HVMPME_mode_disabled);
}

/* One register at a time is listened to this way; lists go through
 * monitor_op. */
static int msr_listen(struct monitor *m, const struct xen_domctl_monitor_op *op)
{
    const struct ravelin_range msr = {op->u.mov_to_msr.msr,
                                      op->u.mov_to_msr.msr};
    bool on = op->op == XEN_DOMCTL_MONITOR_OP_ENABLE;
    int rc = monitor_filter_set(m, RAVELIN_FILTER_MSR, &msr, on);

    return rc != 0 ? rc
                   : monitor_listen(
                         m, RAVELIN_REASON_MSR,
                         on ? mode_of(true, op->u.mov_to_msr.onchangeonly)
                            : HVMPME_mode_disabled);
}

static int plain_listen(struct monitor *m,
                        const struct xen_domctl_monitor_op *op, unsigned reason,
                        bool sync)
{
    bool on = op->op == XEN_DOMCTL_MONITOR_OP_ENABLE;

    return monitor_listen(m, reason,
                          on ? mode_of(sync, false) : HVMPME_mode_disabled);
}

static int event_listen(struct monitor *m,
                        const struct xen_domctl_monitor_op *op)
{
    switch (op->event) {
    case XEN_DOMCTL_MONITOR_EVENT_WRITE_CTRLREG:
        return cr_listen(m, op);
    case XEN_DOMCTL_MONITOR_EVENT_MOV_TO_MSR:
        return msr_listen(m, op);
    case XEN_DOMCTL_MONITOR_EVENT_SINGLESTEP:
        return plain_listen(m, op, RAVELIN_REASON_STEP, true);
    case XEN_DOMCTL_MONITOR_EVENT_SOFTWARE_BREAKPOINT:
        return plain_listen(m, op, RAVELIN_REASON_INT3, true);
    case XEN_DOMCTL_MONITOR_EVENT_GUEST_REQUEST:
        return plain_listen(m, op, RAVELIN_REASON_REQUEST,
                            op->u.guest_request.sync != 0);
    default:
        return -RV_EOPNOTSUPP;
    }
}

int domctl_monitor_op(struct vcpu *v rv_unused, struct domain *d,
                      struct xen_domctl *ctl)
{
    struct xen_domctl_monitor_op *op = &ctl->u.monitor_op;
    struct monitor *m;
    int rc;

    switch (op->op) {
    case XEN_DOMCTL_MONITOR_OP_GET_CAPABILITIES:
        op->event = EVENT_BIT(WRITE_CTRLREG) | EVENT_BIT(MOV_TO_MSR) |
                    EVENT_BIT(SINGLESTEP) | EVENT_BIT(SOFTWARE_BREAKPOINT) |
                    EVENT_BIT(GUEST_REQUEST);
        return CTL_REPLY;
    case XEN_DOMCTL_MONITOR_OP_ENABLE:
    case XEN_DOMCTL_MONITOR_OP_DISABLE:
        rc = monitor_get(d, &m);
        return rc != 0 ? rc : event_listen(m, op);
    default:
        return -RV_EOPNOTSUPP;
    }
}
