/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The standard shared ring. Both producers' indices live in the page; the
 * hypervisor keeps its own and reads one word of the listener's, once, and
 * bounds it by what has been sent. A listener answers every request, so that
 * the number of free slots follows from the responses.
 *
 * Threat surface: rsp_prod and the slots, which the listener may change at any
 * time.
 */

#include "ring_shared.h"

#include "ravelin/errno.h"
#include "ravelin/guest_copy.h"

static struct shared_u32 *word(const struct monitor *m, size_t offset)
{
    return (struct shared_u32 *)(void *)(m->ring.page[0] + offset);
}
#define WORD(m, field) word((m), offsetof(struct mem_event_sring, field))

static void *slot_of(const struct monitor *m, uint32_t index)
{
    return m->ring.page[0] + SHARED_RING_HEADER +
           (index & (m->ring.slots - 1)) * m->ring.slot_size;
}

void shared_ring_init(struct monitor *m)
{
    shared_u32_write(WORD(m, req_event), 1);
    shared_u32_write(WORD(m, rsp_event), 1);
}

int shared_ring_room(struct monitor *m)
{
    struct monitor_ring *r = &m->ring;

    if (r->prod - r->cons == r->slots && r->format->take(m) != 0) {
        return -RV_EINVAL;
    }
    return r->prod - r->cons < r->slots;
}

bool shared_ring_put(struct monitor *m, const void *bytes, bool pauses)
{
    struct monitor_ring *r = &m->ring;

    guest_page_write(slot_of(m, r->prod), bytes, r->slot_size);
    r->prod++;
    shared_u32_write(WORD(m, req_prod), r->prod);
    full_barrier();
    return pauses || shared_u32_read(WORD(m, req_event)) == r->prod;
}

int shared_ring_take(struct monitor *m,
                     void (*fn)(struct monitor *m, const void *slot))
{
    struct monitor_ring *r = &m->ring;
    uint32_t prod = shared_u32_read(WORD(m, rsp_prod));

    if (prod - r->cons > r->prod - r->cons) {
        return -RV_EINVAL;
    }
    while (r->cons != prod) {
        fn(m, slot_of(m, r->cons));
        r->cons++;
    }
    shared_u32_write(WORD(m, rsp_event), r->cons + 1);
    return 0;
}

/* The page has no room for more: counters are asked for by other means. */
void shared_ring_tell(struct monitor *m rv_unused, uint32_t state rv_unused)
{
}
