/* SPDX-License-Identifier: MIT */
/*
 * Argo by its reference header: register, send to oneself, look, notify,
 * unregister, and the errors a client depends on. A domain whose manifest entry
 * chooses `message-abi: argo`.
 *
 * Environments: all.
 */

#include "guest.h"

#include <xen/argo.h>

const char test_title[] = "argo: messages to oneself through the Argo ABI";

#define PORT 5
#define LEN (4096 - 64)

static xen_argo_ring_t *ring;
static xen_argo_gfn_t gfn;
static unsigned int self;

static long argo_op(unsigned int cmd, const void *a1, const void *a2,
                    unsigned long a3, unsigned long a4)
{
    return hypercall(__HYPERVISOR_argo_op, cmd, (unsigned long)a1,
                     (unsigned long)a2, a3, a4);
}

static long ring_register(uint32_t len, unsigned long pages,
                          unsigned long flags)
{
    xen_argo_register_ring_t reg = {
        .aport = PORT,
        .partner_id = (uint16_t)self,
        .len = len,
    };

    return argo_op(XEN_ARGO_OP_register_ring, &reg, &gfn, pages, flags);
}

static long send(uint32_t port, const char *text, uint32_t size)
{
    xen_argo_send_addr_t addr = {
        .src = {.aport = 7, .domain_id = (uint16_t)self},
        .dst = {.aport = port, .domain_id = (uint16_t)self},
    };
    xen_argo_iov_t iov[2];

    memset(iov, 0, sizeof(iov));
    set_xen_guest_handle(iov[0].iov_hnd, (uint8_t *)(uintptr_t)text);
    iov[0].iov_len = size / 2;
    set_xen_guest_handle(iov[1].iov_hnd, (uint8_t *)(uintptr_t)text + size / 2);
    iov[1].iov_len = size - size / 2;
    return argo_op(XEN_ARGO_OP_sendv, &addr, iov, 2, 4711);
}

static void message_check(const char *text, uint32_t size)
{
    const struct xen_argo_ring_message_header *h =
        (const void *)(ring->ring + ring->rx_ptr);

    CHECK_EQ(h->len, size + sizeof(*h));
    CHECK_EQ(h->source.aport, 7);
    CHECK_EQ(h->source.domain_id, self);
    CHECK_EQ(h->message_type, 4711);
    CHECK_EQ(memcmp(h->data, text, size), 0);
}

static uint16_t ask(uint32_t port, uint32_t need)
{
    struct {
        xen_argo_ring_data_t head;
        xen_argo_ring_data_ent_t ent;
    } data;

    memset(&data, 0, sizeof(data));
    data.head.nent = 1;
    data.ent.ring.aport = port;
    data.ent.ring.domain_id = (uint16_t)self;
    data.ent.space_required = need;
    CHECK_EQ(argo_op(XEN_ARGO_OP_notify, &data, NULL, 0, 0), 0);
    return data.ent.flags;
}

static void traffic(void)
{
    static const char text[] = "from here to here";
    xen_argo_unregister_ring_t un = {
        .aport = PORT,
        .partner_id = (uint16_t)self,
    };

    CHECK_EQ(ask(PORT, 100), XEN_ARGO_RING_EXISTS | XEN_ARGO_RING_EMPTY |
                                 XEN_ARGO_RING_SUFFICIENT);
    CHECK_EQ(ask(PORT, LEN), XEN_ARGO_RING_EXISTS | XEN_ARGO_RING_EMPTY |
                                 XEN_ARGO_RING_EMSGSIZE);
    CHECK_EQ(send(PORT, text, sizeof(text)), sizeof(text));
    message_check(text, sizeof(text));
    CHECK_EQ(ask(PORT, 100), XEN_ARGO_RING_EXISTS | XEN_ARGO_RING_SUFFICIENT);
    CHECK_EQ(send(PORT + 1, text, 4), -XEN_ECONNREFUSED);
    CHECK_EQ(ask(PORT + 1, 1), 0);
    CHECK_EQ(argo_op(XEN_ARGO_OP_notify, NULL, NULL, 0, 0), 0);
    CHECK_EQ(argo_op(XEN_ARGO_OP_unregister_ring, &un, NULL, 0, 0), 0);
    CHECK_EQ(argo_op(XEN_ARGO_OP_unregister_ring, &un, NULL, 0, 0),
             -XEN_ENOENT);
    CHECK_EQ(send(PORT, text, 4), -XEN_ECONNREFUSED);
}

void test_main(void)
{
    self = own_domid();
    ring = page_alloc();
    if (!CHECK(ring)) {
        return;
    }
    gfn = PFN(ring);
    if (ring_register(LEN, 1, 0) == -XEN_EINVAL) {
        report_skip("this domain does not speak Argo");
        return;
    }
    CHECK_EQ(ring_register(LEN, 1, XEN_ARGO_REGISTER_FLAG_FAIL_EXIST),
             -XEN_EEXIST);
    CHECK_EQ(ring_register(LEN, 1, 0), 0);
    CHECK_EQ(ring_register(LEN + 16, 1, 0), -XEN_EINVAL);
    CHECK_EQ(ring_register(LEN, 1, 2), -XEN_EINVAL);
    traffic();
}
