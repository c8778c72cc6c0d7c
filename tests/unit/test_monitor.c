/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event engine with all three kinds of rings: what becomes of an event,
 * which answers are believed, what a hostile listener can do, and what follows
 * when it is lost. Everything that is read from a ring goes through the
 * double-fetch detector.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "public/hvm/params.h"
#include "public/vm_event.h"
#include "ravelin/cr.h"
#include "ravelin/sched.h"
#include "ravelin/vmexit.h"
#include "ravelin/work.h"

#include "fake.h"
#include "monitor_internal.h"

#define RING_GFN (HC_FREE >> PAGE_SHIFT)
#define OWN_SLOTS 64u

static struct domain *watched, *listener;
static struct monitor *mon;
static uint8_t *ring_page;

static struct vcpu *enter(unsigned id)
{
    struct vcpu *v = watched->vcpu[id];

    this_cpu()->current = v;
    return v;
}

static void leave(void)
{
    this_cpu()->current = NULL;
    this_cpu()->resched = false;
}

static struct monitor_event cr3_event(uint64_t value)
{
    return (struct monitor_event){
        .reason = RAVELIN_REASON_CR3, .value = value, .old = 0x1000};
}

static enum monitor_outcome raise(unsigned id, const struct monitor_event *ev)
{
    enum monitor_outcome rc = monitor_event(enter(id), ev);

    leave();
    return rc;
}

static enum monitor_outcome write_cr3(unsigned id, uint64_t value)
{
    struct monitor_event ev = cr3_event(value);

    return raise(id, &ev);
}

/* Under the detector: nothing is read twice. */
static void resume(void)
{
    struct fake_fetch_report report;

    fake_fetch_begin(FAKE_FLIP);
    monitor_resume(mon);
    fake_fetch_end(&report);
    assert_int_equal(report.violation_count, 0);
}

static bool waits(unsigned id)
{
    return (watched->vcpu[id]->flags & VCPU_WATCHED) != 0;
}

static void listen(unsigned reason, uint32_t mode)
{
    assert_int_equal(monitor_listen(mon, reason, mode), 0);
}

static void *frame_ptr(struct domain *d, uint64_t g)
{
    return host_ptr(mfn_to_hpa(p2m_lookup(&d->p2m, gfn(g)).mfn));
}

static void attach_own(uint32_t pages)
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

static void attach_page(const struct monitor_format *format, uint32_t slot_size,
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

static void attach_mem_event(void)
{
    attach_page(&monitor_format_mem_event, sizeof(struct mem_event_st),
                MEM_EVENT_RING_SIZE);
}

/* What the hypervisor writes for the watched domain is no place for answers:
 * the domain would give its own. */
static void attach_to_a_page_the_domain_registered_is_refused(void **state)
{
    const struct monitor_attach_request req = {
        .listener = listener,
        .format = &monitor_format_mem_event,
        .slot_size = sizeof(struct mem_event_st),
        .slots = MEM_EVENT_RING_SIZE,
        .page_count = 1,
    };
    struct vcpu *v = watched->vcpu[1];
    mfn_t before = v->vcpu_info_mfn;
    uint8_t *page = frame_ptr(watched, RING_GFN);

    (void)state;
    page[0] = 0x5a;
    watched->hvm_param[HVM_PARAM_MONITOR_RING_PFN] = RING_GFN;
    v->vcpu_info_mfn = p2m_lookup(&watched->p2m, gfn(RING_GFN)).mfn;
    assert_int_equal(monitor_attach(mon, &req), -RV_EBUSY);
    v->vcpu_info_mfn = before;
    assert_ptr_equal(frame_ptr(watched, RING_GFN), page);
    assert_int_equal(page[0], 0x5a);
    attach_mem_event();
}

static struct ravelin_ring *own(void)
{
    return (void *)ring_page;
}

static struct mem_event_sring *sring(void)
{
    return (void *)ring_page;
}

static const struct ravelin_event *own_event(uint32_t index)
{
    const struct ravelin_event *slots = frame_ptr(listener, RING_GFN + 1);

    return &slots[index % OWN_SLOTS];
}

static void answer_own(unsigned vcpu, uint32_t sequence, uint32_t flags)
{
    own()->answer[vcpu] = (struct ravelin_answer){sequence, flags};
    resume();
}

static int setup(void **state)
{
    (void)state;
    watched = hc_domain[HC_PLAIN];
    listener = hc_domain[HC_CONTROL];
    return monitor_get(watched, &mon);
}

static int teardown(void **state)
{
    (void)state;
    leave();
    monitor_drop(mon);
    while (work_is_pending()) {
        work_run();
    }
    fixture_quiesce();
    assert_int_equal(mon->state, MONITOR_OFF);
    assert_int_equal(mon->waiting, 0);
    return 0;
}

/* ---- Outcomes ---------------------------------------------------------- */

static void event_nobody_listens_is_unheard(void **state)
{
    (void)state;
    assert_int_equal(write_cr3(0, 1), MONITOR_UNHEARD);
    attach_own(2);
    assert_int_equal(write_cr3(0, 1), MONITOR_UNHEARD);
    assert_int_equal(mon->sequence, 0);
}

static void event_async_is_sent_and_pauses_nobody(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    assert_int_equal(write_cr3(0, 0x5000), MONITOR_SENT);
    assert_false(waits(0));
    assert_int_equal(own()->prod, 1);
    assert_int_equal(own_event(0)->sequence, 1);
    assert_int_equal(own_event(0)->value, 0x5000);
    assert_int_equal(own_event(0)->old, 0x1000);
    assert_int_equal(own_event(0)->reason, RAVELIN_REASON_CR3);
    assert_int_equal(own_event(0)->flags & RAVELIN_EVENT_PAUSED, 0);
}

static void event_sync_pauses_until_its_own_answer(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(1, 1), MONITOR_PAUSED);
    assert_true(waits(1));
    assert_int_equal(mon->waiting, 2);
    answer_own(1, 1, 0);
    assert_false(waits(1));
    assert_int_equal(mon->waiting, 0);
    assert_int_equal(mon->refused, 0);
}

static void event_unchanged_is_not_sent_with_onchangeonly(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync | HVMPME_onchangeonly);
    assert_int_equal(write_cr3(0, 0x1000), MONITOR_UNHEARD);
    assert_int_equal(write_cr3(0, 0x2000), MONITOR_PAUSED);
    answer_own(0, 1, 0);
}

static void event_of_a_waiting_vcpu_is_lost_and_counted(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 1), MONITOR_PAUSED);
    assert_int_equal(write_cr3(0, 2), MONITOR_LOST);
    assert_int_equal(mon->lost, 1);
    assert_int_equal(own()->lost, 1);
    assert_int_equal(mon->sequence, 2);
    answer_own(0, 2, 0);
    assert_true(waits(0));
    answer_own(0, 1, 0);
    assert_false(waits(0));
}

static void async_flood_counts_what_has_no_room(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    for (unsigned i = 0; i < OWN_SLOTS; i++) {
        assert_int_equal(write_cr3(0, i), MONITOR_SENT);
    }
    assert_int_equal(write_cr3(0, 99), MONITOR_LOST);
    assert_int_equal(write_cr3(1, 99), MONITOR_LOST);
    assert_int_equal(mon->lost, 2);
    own()->cons = 1;
    assert_int_equal(write_cr3(0, 100), MONITOR_SENT);
    assert_int_equal(own_event(OWN_SLOTS)->sequence, OWN_SLOTS + 3);
    assert_int_equal(own_event(OWN_SLOTS)->lost, 2);
}

static void sync_without_room_waits_in_its_slot(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    for (unsigned i = 0; i < OWN_SLOTS; i++) {
        assert_int_equal(write_cr3(0, i), MONITOR_SENT);
    }
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(1, 7), MONITOR_QUEUED);
    assert_int_equal(write_cr3(0, 8), MONITOR_QUEUED);
    assert_int_equal(own()->queued, 2);
    /* It cannot be answered before it has been told. */
    answer_own(1, OWN_SLOTS + 1, 0);
    assert_true(waits(1));
    assert_int_equal(mon->refused, 1);
    own()->cons = 1;
    resume();
    assert_int_equal(own()->queued, 1);
    assert_int_equal(own_event(OWN_SLOTS)->sequence, OWN_SLOTS + 1);
    assert_true(own_event(OWN_SLOTS)->flags & RAVELIN_EVENT_FULL);
    own()->cons = 2;
    resume();
    assert_int_equal(own()->queued, 0);
    assert_int_equal(own_event(OWN_SLOTS + 1)->vcpu, 0);
    own()->answer[1].sequence = 0;
    resume();
    answer_own(1, OWN_SLOTS + 1, 0);
    answer_own(0, OWN_SLOTS + 2, 0);
    assert_false(waits(0) || waits(1));
    assert_int_equal(mon->delayed, 2);
    assert_int_equal(mon->lost, 0);
}

static void filters_keep_back_and_count(void **state)
{
    const struct ravelin_range pages[] = {{5, 5}, {8, 9}};
    struct monitor_event cr4 = {
        .reason = RAVELIN_REASON_CR4, .value = 0x20, .old = 0xa0};
    const struct ravelin_range bit = {0x20, 0};

    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    listen(RAVELIN_REASON_CR4, HVMPME_mode_async);
    assert_int_equal(monitor_filter_set(mon, RAVELIN_FILTER_CR3, pages, 2), 0);
    assert_int_equal(write_cr3(0, 0x4fff), MONITOR_UNHEARD);
    assert_int_equal(write_cr3(0, 0x5018), MONITOR_SENT);
    assert_int_equal(write_cr3(0, 0x9000), MONITOR_SENT);
    assert_int_equal(write_cr3(0, 0xa000), MONITOR_UNHEARD);
    assert_int_equal(raise(0, &cr4), MONITOR_SENT);
    assert_int_equal(monitor_filter_set(mon, RAVELIN_FILTER_CR4, &bit, 1), 0);
    assert_int_equal(raise(0, &cr4), MONITOR_UNHEARD);
    cr4.value = 0x80;
    assert_int_equal(raise(0, &cr4), MONITOR_SENT);
    assert_int_equal(mon->filtered, 3);
    assert_int_equal(mon->sequence, 4);
}

static void sequence_skips_zero_when_it_goes_round(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    mon->sequence = UINT32_MAX;
    assert_int_equal(write_cr3(0, 1), MONITOR_PAUSED);
    assert_int_equal(own_event(0)->sequence, 1);
    answer_own(0, 1, 0);
    assert_false(waits(0));
}

/* ---- Hostile listeners: own ring --------------------------------------- */

static void own_index_out_of_range_breaks_the_watch(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    for (unsigned i = 0; i < OWN_SLOTS; i++) {
        assert_int_equal(write_cr3(0, i), MONITOR_SENT);
    }
    own()->cons = OWN_SLOTS + 1;
    assert_int_equal(write_cr3(0, 1), MONITOR_FAILED);
    assert_int_equal(write_cr3(0, 1), MONITOR_UNHEARD);
    work_run();
    assert_int_equal(mon->state, MONITOR_OFF);
    assert_int_equal(own()->state, RAVELIN_RING_FAILED);
}

static void own_forged_answers_are_counted_and_ignored(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 1), MONITOR_PAUSED);
    answer_own(1, 1, 0); /* another vCPU's slot */
    answer_own(0, 2, 0);
    answer_own(0, 1, 0x80000000);
    answer_own(0, 1, MONITOR_ANSWER_REGISTERS);
    assert_true(waits(0));
    assert_int_equal(mon->refused, 4);
    assert_int_equal(own()->refused, 4);
    answer_own(0, 1, 0);
    assert_false(waits(0));
    resume(); /* the same word again is nothing new */
    assert_int_equal(mon->refused, 4);
}

static void own_answer_is_left_to_the_vcpus_cpu(void **state)
{
    struct vcpu *v;

    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR4, HVMPME_mode_sync);
    v = enter(0);
    v->watch_due = false;
    assert_int_equal(
        monitor_event(v, &(struct monitor_event){.reason = RAVELIN_REASON_CR4,
                                                 .value = v->paging.cr4,
                                                 .old = v->paging.cr4 ^ 0x80}),
        MONITOR_PAUSED);
    leave();
    answer_own(0, 1, RAVELIN_ANSWER_DENY);
    assert_false(waits(0));
    assert_true(v->watch_due);
    enter(0);
    monitor_attend(v);
    leave();
    assert_int_equal(v->paging.cr4 & 0x80, 0x80);
    hv->creg_set(v, CREG_CR4, v->paging.cr4 ^ 0x80);
    assert_false(v->watch_due);
}

/* ---- Hostile listeners: shared rings ----------------------------------- */

static void mem_event_layout_and_answer(void **state)
{
    const struct mem_event_st *ev;
    struct monitor_event fault = {
        .reason = RAVELIN_REASON_VIOLATION,
        .access = ACCESS_WRITE,
        .value = 0x12345678,
        .gla = 0xffff800000000678,
        .gla_valid = true,
    };

    (void)state;
    attach_mem_event();
    ev = (const void *)(ring_page + 64);
    assert_int_equal(raise(0, &fault), MONITOR_PAUSED);
    assert_int_equal(sring()->req_prod, 1);
    assert_int_equal(ev->type, MEM_EVENT_TYPE_ACCESS);
    assert_int_equal(ev->flags, MEM_EVENT_FLAG_VCPU_PAUSED);
    assert_int_equal(ev->gfn, 0x12345);
    assert_int_equal(ev->offset, 0x678);
    assert_int_equal(ev->gla, 0xffff800000000678);
    assert_int_equal(ev->reason, MEM_EVENT_REASON_VIOLATION);
    assert_int_equal(ev->rights, MEM_EVENT_ACCESS_W | MEM_EVENT_GLA_VALID |
                                     1u << MEM_EVENT_SEQUENCE_SHIFT);
    sring()->rsp_prod = 1;
    resume();
    assert_false(waits(0));
    assert_int_equal(sring()->rsp_event, 2);
}

static void mem_event_forged_responses_are_counted(void **state)
{
    struct mem_event_st *slot;

    (void)state;
    attach_mem_event();
    slot = (void *)(ring_page + 64);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 1), MONITOR_PAUSED);
    assert_int_equal(write_cr3(1, 1), MONITOR_PAUSED);
    slot[0].vcpu_id = 0xffffffff;
    slot[1].vcpu_id = 2; /* has two */
    sring()->rsp_prod = 2;
    resume();
    assert_int_equal(mon->refused, 2);
    assert_true(waits(0) && waits(1));
    /* Both slots are used up: what is left is the end. */
    sring()->rsp_prod = 3;
    resume();
    assert_int_equal(mon->state, MONITOR_BROKEN);
    work_run();
    assert_false(waits(0) || waits(1));
}

static void mem_event_acknowledgement_resumes_nobody(void **state)
{
    struct mem_event_st *slot;

    (void)state;
    attach_mem_event();
    slot = (void *)(ring_page + 64);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 1), MONITOR_PAUSED);
    slot->flags = 0;
    sring()->rsp_prod = 1;
    resume();
    assert_true(waits(0));
    assert_int_equal(mon->ring.cons, 1);
    monitor_drop(mon);
    assert_false(waits(0));
}

static void mem_event_unasked_response_breaks_the_watch(void **state)
{
    (void)state;
    attach_mem_event();
    sring()->rsp_prod = 0x80000000;
    resume();
    assert_int_equal(mon->state, MONITOR_BROKEN);
}

static void mem_event_full_ring_takes_what_was_answered(void **state)
{
    (void)state;
    attach_mem_event();
    listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    for (unsigned i = 0; i < MEM_EVENT_RING_SIZE; i++) {
        assert_int_equal(write_cr3(0, i), MONITOR_SENT);
    }
    assert_int_equal(write_cr3(0, 1), MONITOR_LOST);
    for (unsigned i = 0; i < MEM_EVENT_RING_SIZE; i++) {
        ((struct mem_event_st *)(void *)(ring_page + 64))[i].flags = 0;
    }
    sring()->rsp_prod = 3;
    assert_int_equal(write_cr3(0, 2), MONITOR_SENT);
    assert_int_equal(mon->ring.cons, 3);
}

static void vm_event_wrong_version_and_flags_are_refused(void **state)
{
    struct vm_event_st *slot;

    (void)state;
    attach_page(&monitor_format_vm_event, sizeof(struct vm_event_st),
                VM_EVENT_RING_SIZE);
    slot = (void *)(ring_page + 64);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 0x3000), MONITOR_PAUSED);
    assert_int_equal(slot->version, VM_EVENT_INTERFACE_VERSION);
    assert_int_equal(slot->reason, VM_EVENT_REASON_WRITE_CTRLREG);
    assert_int_equal(slot->u.write_ctrlreg.index, VM_EVENT_X86_CR3);
    assert_int_equal(slot->u.write_ctrlreg.new_value, 0x3000);
    slot->version = 6;
    sring()->rsp_prod = 1;
    resume();
    assert_true(waits(0));
    assert_int_equal(mon->refused, 1);
    monitor_drop(mon);
    attach_page(&monitor_format_vm_event, sizeof(struct vm_event_st),
                VM_EVENT_RING_SIZE);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 0x3000), MONITOR_PAUSED);
    slot->flags |= 1u << 7; /* another view of memory: there is none */
    sring()->rsp_prod = 1;
    resume();
    assert_true(waits(0));
    assert_int_equal(mon->refused, 1);
}

static void vm_event_registers_are_loaded_by_the_vcpus_cpu(void **state)
{
    struct vcpu *v = watched->vcpu[0];
    struct vm_event_st *slot;

    (void)state;
    attach_page(&monitor_format_vm_event, sizeof(struct vm_event_st),
                VM_EVENT_RING_SIZE);
    slot = (void *)(ring_page + 64);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 0x3000), MONITOR_PAUSED);
    slot->regs.rbx = 0x77;
    slot->regs.rip = 0x4444;
    slot->flags |= VM_EVENT_FLAG_SET_REGISTERS;
    sring()->rsp_prod = 1;
    resume();
    slot->regs.rbx = 0x88; /* too late */
    enter(0);
    monitor_attend(v);
    leave();
    assert_int_equal(v->regs.gpr[REG_RBX], 0x77);
    assert_int_equal(v->regs.rip, 0x4444);
}

static void answer_comes_before_init(void **state)
{
    struct vcpu *v = watched->vcpu[1];

    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(1, 0x2000), MONITOR_PAUSED);
    answer_own(1, 1, RAVELIN_ANSWER_DENY);
    v->init_pending = true;
    enter(1);
    assert_false(vmentry_attend(v)); /* it waits for STARTUP */
    leave();
    assert_int_equal(hv->creg_get(v, CREG_CR3), 0);
    assert_true(v->intercepts.cr3_write);
}

/* ---- Loss -------------------------------------------------------------- */

static void listener_end_releases_waiting_vcpus(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 1), MONITOR_PAUSED);
    monitor_listener_ended(listener);
    assert_int_equal(mon->state, MONITOR_BROKEN);
    assert_int_equal(write_cr3(1, 1), MONITOR_UNHEARD);
    work_run();
    assert_int_equal(mon->state, MONITOR_OFF);
    assert_false(waits(0));
    assert_int_equal(own()->state, RAVELIN_RING_OVER);
}

static void lost_listener_leaves_int3_to_the_guest(void **state)
{
    struct vcpu *v = watched->vcpu[0];

    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_INT3, HVMPME_mode_sync);
    enter(0);
    v->pending.valid = false;
    assert_int_equal(
        monitor_event(v, &(struct monitor_event){.reason = RAVELIN_REASON_INT3,
                                                 .gla = 0x1000}),
        MONITOR_PAUSED);
    leave();
    monitor_listener_ended(listener);
    work_run();
    assert_false(waits(0));
    enter(0);
    monitor_attend(v);
    leave();
    assert_true(v->pending.valid);
    assert_int_equal(v->pending.vector, 3);
    assert_int_equal(v->pending.type, EVENT_SOFT_EXC);
    assert_int_equal(v->pending.insn_len, 1);
    v->pending.valid = false;
}

static void silent_listener_is_lost_after_two_looks(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 1), MONITOR_PAUSED);
    assert_true(timer_is_armed(&mon->timer));
    mon->timer.fn(&mon->timer);
    assert_int_equal(mon->state, MONITOR_ON);
    answer_own(0, 1, 0);
    assert_int_equal(write_cr3(0, 2), MONITOR_PAUSED);
    mon->timer.fn(&mon->timer); /* another event: it lives */
    assert_int_equal(mon->state, MONITOR_ON);
    mon->timer.fn(&mon->timer);
    assert_int_equal(mon->state, MONITOR_BROKEN);
    work_run();
    assert_false(waits(0));
}

/* Numbers begin again with each listener; what was seen of the last one's must
 * not be held against the next. */
static void next_listener_gets_its_whole_time(void **state)
{
    (void)state;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 1), MONITOR_PAUSED);
    mon->timer.fn(&mon->timer);
    assert_int_equal(mon->state, MONITOR_ON);
    assert_int_equal(monitor_detach(mon), 0);
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 1), MONITOR_PAUSED);
    mon->timer.fn(&mon->timer);
    assert_int_equal(mon->state, MONITOR_ON);
    answer_own(0, 1, 0);
}

static void second_loss_before_the_work_ran_takes_one_reference(void **state)
{
    uint32_t before = watched->refcount;

    (void)state;
    attach_own(2);
    monitor_listener_ended(listener);
    assert_int_equal(monitor_detach(mon), 0);
    attach_own(2);
    monitor_listener_ended(listener);
    assert_int_equal(mon->state, MONITOR_BROKEN);
    while (work_is_pending()) {
        work_run();
    }
    assert_int_equal(mon->state, MONITOR_OFF);
    fixture_quiesce();
    assert_int_equal(watched->refcount, before);
}

static void policy_pause_keeps_the_domain_paused(void **state)
{
    static struct manifest_domain md;

    (void)state;
    manifest_domain_init(&md);
    md.on_monitor_loss = MANIFEST_LOSS_PAUSE;
    watched->manifest = &md;
    attach_own(2);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(write_cr3(0, 1), MONITOR_PAUSED);
    monitor_listener_ended(listener);
    work_run();
    assert_int_equal(watched->pause_count, 1);
    assert_false(waits(0));
    assert_int_equal(domain_unpause(watched), 0);
    watched->manifest = NULL;
}

static void target_end_is_told_and_the_ring_stays(void **state)
{
    (void)state;
    attach_own(2);
    monitor_target_ended(watched);
    assert_int_equal(own()->state, RAVELIN_RING_ON);
    watched->state = DOMAIN_SHUTDOWN;
    monitor_target_ended(watched);
    assert_int_equal(own()->state, RAVELIN_RING_OVER);
    assert_int_equal(mon->state, MONITOR_ON);
    watched->state = DOMAIN_RUNNING;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(event_nobody_listens_is_unheard),
        CASE(event_async_is_sent_and_pauses_nobody),
        CASE(event_sync_pauses_until_its_own_answer),
        CASE(event_unchanged_is_not_sent_with_onchangeonly),
        CASE(event_of_a_waiting_vcpu_is_lost_and_counted),
        CASE(async_flood_counts_what_has_no_room),
        CASE(sync_without_room_waits_in_its_slot),
        CASE(filters_keep_back_and_count),
        CASE(sequence_skips_zero_when_it_goes_round),
        CASE(own_index_out_of_range_breaks_the_watch),
        CASE(own_forged_answers_are_counted_and_ignored),
        CASE(own_answer_is_left_to_the_vcpus_cpu),
        CASE(mem_event_layout_and_answer),
        CASE(mem_event_forged_responses_are_counted),
        CASE(mem_event_acknowledgement_resumes_nobody),
        CASE(mem_event_unasked_response_breaks_the_watch),
        CASE(mem_event_full_ring_takes_what_was_answered),
        CASE(vm_event_wrong_version_and_flags_are_refused),
        CASE(vm_event_registers_are_loaded_by_the_vcpus_cpu),
        CASE(answer_comes_before_init),
        CASE(listener_end_releases_waiting_vcpus),
        CASE(lost_listener_leaves_int3_to_the_guest),
        CASE(attach_to_a_page_the_domain_registered_is_refused),
        CASE(silent_listener_is_lost_after_two_looks),
        CASE(next_listener_gets_its_whole_time),
        CASE(second_loss_before_the_work_ran_takes_one_reference),
        CASE(policy_pause_keeps_the_domain_paused),
        CASE(target_end_is_told_and_the_ring_stays),
    };

    return cmocka_run_group_tests(tests, hc_setup, hc_teardown);
}
