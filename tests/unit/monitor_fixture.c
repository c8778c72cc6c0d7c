/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watched domain and its listener of the tests of the event engine.
 */
#include "monitor_fixture.h"

#include "public/hvm/params.h"
#include "ravelin/work.h"

#include "fake.h"

struct domain *watched, *listener;
struct monitor *mon;
uint8_t *ring_page;

struct vcpu *watched_enter(unsigned id)
{
    struct vcpu *v = watched->vcpu[id];

    this_cpu()->current = v;
    return v;
}

void watched_leave(void)
{
    this_cpu()->current = NULL;
    this_cpu()->resched = false;
}

static struct monitor_event cr3_event(uint64_t value)
{
    return (struct monitor_event){
        .reason = RAVELIN_REASON_CR3, .value = value, .old = 0x1000};
}

enum monitor_outcome event_raise(unsigned id, const struct monitor_event *ev)
{
    enum monitor_outcome rc = monitor_event(watched_enter(id), ev);

    watched_leave();
    return rc;
}

enum monitor_outcome event_cr3(unsigned id, uint64_t value)
{
    struct monitor_event ev = cr3_event(value);

    return event_raise(id, &ev);
}

/* Under the detector: nothing is read twice. */
void answers_take(void)
{
    struct fake_fetch_report report;

    fake_fetch_begin(FAKE_FLIP);
    monitor_resume(mon);
    fake_fetch_end(&report);
    assert_int_equal(report.violation_count, 0);
}

bool vcpu_waits(unsigned id)
{
    return (watched->vcpu[id]->flags & VCPU_WATCHED) != 0;
}

void reason_listen(unsigned reason, uint32_t mode)
{
    assert_int_equal(monitor_listen(mon, reason, mode), 0);
}

void *frame_ptr(struct domain *d, uint64_t g)
{
    return host_ptr(mfn_to_hpa(p2m_lookup(&d->p2m, gfn(g)).mfn));
}

void own_ring_attach(uint32_t pages)
{
    uint64_t gfns[RAVELIN_MONITOR_PAGES_MAX];
    const struct monitor_attach_request req = {
        .listener = listener,
        .format = &monitor_format_own,
        .slot_size = sizeof(struct ravelin_event),
        .slots = (pages - 1) * OWN_SLOTS,
        .page_count = pages,
        .gfns = gfns,
    };
    evtchn_port_t port;

    for (uint32_t i = 0; i < pages; i++) {
        gfns[i] = RING_GFN + i;
    }
    ring_page = frame_ptr(listener, RING_GFN);
    assert_int_equal(monitor_attach(mon, &req), 0);
    assert_int_equal(monitor_port_bind(mon, listener, &port), 0);
}

void page_ring_attach(const struct monitor_format *format, uint32_t slot_size,
                      uint32_t slots)
{
    const struct monitor_attach_request req = {
        .listener = listener,
        .format = format,
        .slot_size = slot_size,
        .slots = slots,
        .page_count = 1,
    };

    watched->hvm_param[HVM_PARAM_MONITOR_RING_PFN] = RING_GFN;
    ring_page = frame_ptr(watched, RING_GFN);
    assert_int_equal(monitor_attach(mon, &req), 0);
}

void mem_event_attach(void)
{
    page_ring_attach(&monitor_format_mem_event, sizeof(struct mem_event_st),
                     MEM_EVENT_RING_SIZE);
}

struct ravelin_ring *own_ring(void)
{
    return (void *)ring_page;
}

struct mem_event_sring *page_ring(void)
{
    return (void *)ring_page;
}

const struct ravelin_event *own_ring_event(uint32_t index)
{
    const struct ravelin_event *slots = frame_ptr(listener, RING_GFN + 1);

    return &slots[index % OWN_SLOTS];
}

void own_ring_answer(unsigned vcpu, uint32_t sequence, uint32_t flags)
{
    own_ring()->answer[vcpu] = (struct ravelin_answer){sequence, flags};
    answers_take();
}

int monitor_setup(void **state)
{
    (void)state;
    watched = hc_domain[HC_PLAIN];
    listener = hc_domain[HC_CONTROL];
    return monitor_get(watched, &mon);
}

int monitor_teardown(void **state)
{
    (void)state;
    watched_leave();
    monitor_drop(mon);
    while (work_is_pending()) {
        work_run();
    }
    fixture_quiesce();
    assert_int_equal(mon->state, MONITOR_OFF);
    assert_int_equal(mon->waiting, 0);
    return 0;
}
