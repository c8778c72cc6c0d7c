// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The hypercall and the event. Both go the kernel's own ways: its hypercall
 * wrapper knows the instruction of this processor, or the page, and its event
 * code owns the upcall; a second way beside them would have to agree with them
 * about both.
 *
 * An event comes with a message for which our ring had room, or with room that
 * we asked for: nobody can raise more of them than we take messages out.
 */

#include <linux/module.h>

#include <xen/events.h>
#include <xen/xen.h>

#include <asm/xen/hypercall.h>

#include "hyper.h"

static int event_irq;

static long v4v_op(unsigned int cmd, const void *arg1, const void *arg2,
                   u32 arg3, u32 arg4)
{
    return xen_single_call(__HYPERVISOR_v4v_op, cmd, (unsigned long)arg1,
                           (unsigned long)arg2, arg3, arg4);
}

int v4v_hyper_start(irq_handler_t handler)
{
    struct v4v_info info = {.evtchn = 0};
    int irq;

    if (!xen_domain() || v4v_op(V4VOP_info, &info, NULL, 0, 0) != 0 ||
        info.ring_magic != V4V_RING_MAGIC) {
        return -ENODEV;
    }
    /* A port that is something else here already is not ours to bind. */
    if ((int)irq_from_evtchn(info.evtchn) > 0) {
        return -EBUSY;
    }
    irq = bind_evtchn_to_irqhandler(info.evtchn, handler, 0, "v4v", &event_irq);
    if (irq < 0) {
        return irq;
    }
    event_irq = irq;
    return 0;
}

/* Closes the port, too; the next V4VOP_info makes a new one. */
void v4v_hyper_stop(void)
{
    unbind_from_irqhandler(event_irq, &event_irq);
}

int v4v_hyper_register(struct v4v_ring *ring, const u64 *pfn, u32 count)
{
    return (int)v4v_op(V4VOP_register_ring, ring, pfn, count, 0);
}

int v4v_hyper_unregister(struct v4v_ring *ring)
{
    return (int)v4v_op(V4VOP_unregister_ring, ring, NULL, 0, 0);
}

long v4v_hyper_send(const struct v4v_addr *from, const struct v4v_addr *to,
                    const void *data, u32 size, u32 type)
{
    const struct v4v_send_addr addr = {.src = *from, .dst = *to};
    const struct v4v_iov iov = {
        .iov_base = (unsigned long)data,
        .iov_len = size,
    };

    return v4v_op(V4VOP_sendv, &addr, &iov, 1, type);
}

void v4v_hyper_notify(void)
{
    v4v_op(V4VOP_notify, NULL, NULL, 0, 0);
}

int v4v_hyper_ask(const struct v4v_addr *to, u32 need,
                  struct v4v_ring_data_ent *answer)
{
    struct {
        struct v4v_ring_data head;
        struct v4v_ring_data_ent ent;
    } data = {
        .head = {.magic = V4V_RING_DATA_MAGIC, .nent = 1},
        .ent = {.ring = *to, .space_required = need},
    };
    long rc = v4v_op(V4VOP_notify, &data, NULL, 0, 0);

    *answer = data.ent;
    return (int)rc;
}
