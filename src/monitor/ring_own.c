/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ravelin's own ring, in pages of the listener: a header page with indices and
 * one answer word for each vCPU, then events of fixed size. Everything that is
 * read from the listener is one word, read once; what the hypervisor writes
 * there it never reads.
 */

#include "ravelin/errno.h"
#include "ravelin/guest_copy.h"
#include "ravelin/string.h"

#include "monitor_internal.h"

static_assert(sizeof(struct ravelin_answer) == sizeof(struct shared_u64),
              "an answer is read as one word");

/* The header's words as they may be touched: each by one access. */
static struct shared_u32 *word(const struct monitor *m, size_t offset)
{
    return (struct shared_u32 *)(void *)(m->ring.page[0] + offset);
}
#define WORD(m, field) word((m), offsetof(struct ravelin_ring, field))

static void own_init(struct monitor *m)
{
    const struct ravelin_ring header = {
        .magic = RAVELIN_RING_MAGIC,
        .version = RAVELIN_MONITOR_VERSION,
        .event_size = m->ring.slot_size,
        .event_count = m->ring.slots,
        .vcpu_count = m->domain->vcpu_count,
        .state = RAVELIN_RING_ON,
        .wanted = 1,
    };

    guest_page_write(m->ring.page[0], &header, sizeof(header));
}

/* The listener's index is looked at only when its last known value leaves no
 * room. */
static int own_room(struct monitor *m)
{
    struct monitor_ring *r = &m->ring;
    uint32_t cons;

    if (likely(r->prod - r->cons < r->slots)) {
        return 1;
    }
    cons = shared_u32_read(WORD(m, cons));
    if (r->prod - cons > r->slots) {
        return -RV_EINVAL;
    }
    r->cons = cons;
    return r->prod - cons < r->slots;
}

static void *slot_of(const struct monitor *m)
{
    const struct monitor_ring *r = &m->ring;
    uint32_t at = (r->prod & (r->slots - 1)) * r->slot_size;

    return r->page[1 + at / PAGE_SIZE] + at % PAGE_SIZE;
}

static void full_put(void *slot, const struct vcpu *v,
                     const struct ravelin_event *event)
{
    struct ravelin_event_full full;

    full.event = *event;
    full.event.flags |= RAVELIN_EVENT_REGS;
    hv->exit_raw_get(v, full.raw);
    monitor_registers_read(v, &full.regs);
    guest_page_write(slot, &full, sizeof(full));
}

static bool own_put(struct monitor *m, const struct vcpu *v,
                    const struct monitor_record *rec)
{
    struct monitor_ring *r = &m->ring;
    uint32_t wanted;

    if (r->slot_size == sizeof(struct ravelin_event)) {
        guest_page_write(slot_of(m), &rec->event, sizeof(rec->event));
    } else {
        full_put(slot_of(m), v, &rec->event);
    }
    r->prod++;
    shared_u32_write(WORD(m, prod), r->prod);
    /* The listener writes `wanted`, then looks at `prod` again. */
    full_barrier();
    wanted = shared_u32_read(WORD(m, wanted));
    return r->prod == wanted || (rec->event.flags & RAVELIN_EVENT_PAUSED);
}

static void answer_take(struct monitor *m, uint32_t i)
{
    const struct shared_u64 *slot =
        (const void *)(m->ring.page[0] + offsetof(struct ravelin_ring, answer) +
                       i * sizeof(struct ravelin_answer));
    uint64_t raw = shared_u64_read(slot);
    uint32_t sequence = (uint32_t)raw;
    struct monitor_vcpu *w = &m->vcpu[i];

    if (sequence == w->seen) {
        return;
    }
    if (sequence == w->awaited && (raw >> 32 & ~RAVELIN_ANSWER_MASK) != 0) {
        m->refused++; /* it may be put right */
        return;
    }
    w->seen = sequence;
    if (sequence != w->awaited) {
        m->refused++;
        return;
    }
    monitor_answer(m, i, (uint32_t)(raw >> 32));
}

static int own_take(struct monitor *m)
{
    for (uint32_t i = 0; i < m->domain->vcpu_count; i++) {
        answer_take(m, i);
    }
    return 0;
}

/* For the listener it is over as soon as the watched domain has ended, though
 * its memory can still be read. */
static void own_tell(struct monitor *m, uint32_t state)
{
    if (state == RAVELIN_RING_ON &&
        read_once(m->domain->state) >= DOMAIN_SHUTDOWN) {
        state = RAVELIN_RING_OVER;
    }
    shared_u32_write(WORD(m, lost), (uint32_t)m->lost);
    shared_u32_write(WORD(m, refused), (uint32_t)m->refused);
    shared_u32_write(WORD(m, filtered), (uint32_t)m->filtered);
    shared_u32_write(WORD(m, queued), (uint32_t)__builtin_popcount(m->queued));
    shared_u32_write(WORD(m, state), state);
}

const struct monitor_format monitor_format_own = {
    .init = own_init,
    .room = own_room,
    .put = own_put,
    .take = own_take,
    .tell = own_tell,
};
