/* SPDX-License-Identifier: MIT */
/*
 * The two ways a line leaves a guest: the console_io hypercall, and the
 * console ring that PVH domains share with whoever serves their console.
 */

#include "guest.h"

#include <xen/io/console.h>

static struct xencons_interface *ring;
static evtchn_port_t ring_port;

static void ring_notify(void)
{
    struct evtchn_send send = {.port = ring_port};

    event_channel_op(EVTCHNOP_send, &send);
}

static void ring_wait(XENCONS_RING_IDX below)
{
    while (READ_ONCE(ring->out_prod) - READ_ONCE(ring->out_cons) >= below) {
        sched_op(SCHEDOP_yield, NULL);
    }
}

static void ring_write(const char *text, size_t size)
{
    while (size--) {
        ring_wait(sizeof(ring->out));
        ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = *text++;
        __atomic_store_n(&ring->out_prod, ring->out_prod + 1, __ATOMIC_RELEASE);
    }
    ring_notify();
}

int console_ring_use(void)
{
    uint64_t pfn, port;

    if (hvm_param_get(HVM_PARAM_CONSOLE_PFN, &pfn) || !pfn || pfn >> 20 ||
        hvm_param_get(HVM_PARAM_CONSOLE_EVTCHN, &port) || !port) {
        return -1;
    }
    ring = (struct xencons_interface *)(uintptr_t)(pfn << 12);
    ring_port = (evtchn_port_t)port;
    return 0;
}

void console_write(const char *text, size_t size)
{
    if (ring) {
        ring_write(text, size);
    } else {
        console_io(CONSOLEIO_write, (unsigned int)size, text);
    }
}

void console_drain(void)
{
    if (ring) {
        ring_wait(1);
    }
}
