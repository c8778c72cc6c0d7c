/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls whose arguments or results lie on pages with restricted rights:
 * what is told, that nothing has happened before the answer, and that the call
 * is executed as a whole after it. Each run of the dispatcher is one session
 * of the double-fetch detector.
 */
#include "access_fixture.h"
#include "monitor_fixture.h"

#include "public/event_channel.h"
#include "public/memory.h"
#include "public/vcpu.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/monitor_access.h"
#include "ravelin/vconsole.h"
#include "ravelin/vmexit.h"

#include "fake.h"

#define CALL_AT 0x8000u /* the instruction */
#define DATA HC_FREE    /* the page that loses rights */
#define DATA_GFN (DATA >> PAGE_SHIFT)
#define PAGES 30u
#define EVTCHN 32u
#define CONSOLE_IO 18u
#define MEMORY 12u
#define VCPU_OP 24u
#define CALL_FLAGS (RAVELIN_EVENT_GLA | RAVELIN_EVENT_HYPERCALL)
#define KIND_FLAGS                                                   \
    (RAVELIN_EVENT_READ | RAVELIN_EVENT_WRITE | RAVELIN_EVENT_EXEC | \
     RAVELIN_EVENT_GLA | RAVELIN_EVENT_WALK | RAVELIN_EVENT_HYPERCALL)

static struct vcpu *v;

/* The listener's ring is elsewhere: in its own memory. */
static int call_setup(void **state)
{
    static const uint8_t vmmcall[] = {0x0f, 0x01, 0xd9};
    static const uint8_t zeroes[PAGE_SIZE];
    const struct vcpu_segment cs = {.selector = 8, .attr = 0xa9b, .limit = ~0u};
    int rc = monitor_setup(state);

    v = watched->vcpu[0];
    v->regs.rip = CALL_AT;
    hv->segment_set(v, SEG_CS, &cs);
    fixture_phys_put(watched, CALL_AT, vmmcall, sizeof(vmmcall));
    for (unsigned i = 0; i < PAGES; i++) {
        fixture_phys_put(watched, DATA + i * PAGE_SIZE, zeroes, PAGE_SIZE);
    }
    own_ring_attach(2);
    return rc;
}

static int call_teardown(void **state)
{
    int rc = monitor_teardown(state);

    watched_enter(0);
    monitor_step_cancel(v);
    watched_leave();
    assert_int_equal(rights_set(watched, DATA_GFN, PAGES, ACCESS_ALL), 0);
    return rc;
}

#define CALL_CASE(name) \
    cmocka_unit_test_setup_teardown(name, call_setup, call_teardown)

static void restrict_to(uint64_t page, uint64_t count, uint8_t mode)
{
    assert_int_equal(rights_set(watched, DATA_GFN + page, count, mode), 0);
}

static void call_load(uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
    v->regs.gpr[REG_RAX] = nr;
    v->regs.gpr[REG_RDI] = a0;
    v->regs.gpr[REG_RSI] = a1;
    v->regs.gpr[REG_RDX] = a2;
}

/* The instruction is executed; true: it is done. */
static bool call_execute(void)
{
    struct vmexit exit = {
        .reason = VMEXIT_HYPERCALL, .insn_len = 3, .code_bits = 64};
    struct fake_fetch_report report;
    struct vcpu_regs before = v->regs;

    watched_enter(0);
    fake_fetch_begin(FAKE_FLIP);
    hypercall_dispatch(v, &exit);
    fake_fetch_end(&report);
    if (v->stepping) {
        monitor_step_settle(v);
    }
    watched_leave();
    assert_int_equal(report.violation_count, 0);
    if (v->regs.rip == CALL_AT) {
        assert_int_equal(v->regs.gpr[REG_RAX], before.gpr[REG_RAX]);
        return false;
    }
    assert_int_equal(v->regs.rip, CALL_AT + 3);
    assert_false(v->stepping);
    return true;
}

static long result(void)
{
    return (long)v->regs.gpr[REG_RAX];
}

/* The `number`th event, from 0, is about this access. */
static void event_check(uint32_t number, uint64_t at, uint32_t flags)
{
    const struct ravelin_event *ev = own_ring_event(number);

    assert_int_equal(own_ring()->prod, number + 1);
    assert_int_equal(ev->reason, RAVELIN_REASON_VIOLATION);
    assert_int_equal(ev->value, at);
    assert_int_equal(ev->gla, at);
    assert_int_equal(ev->rip, CALL_AT);
    assert_int_equal(ev->flags & KIND_FLAGS, flags | CALL_FLAGS);
    assert_int_equal(ev->flags >> RAVELIN_EVENT_LENGTH_SHIFT & 15, 3);
}

static void answer(uint32_t flags)
{
    assert_true(vcpu_waits(0));
    own_ring_answer(0, mon->sequence, flags);
    assert_false(vcpu_waits(0));
    watched_enter(0);
    monitor_attend(v);
    watched_leave();
}

static void close_load(uint64_t at)
{
    call_load(EVTCHN, EVTCHNOP_close, at, 0);
}

static void alloc_load(uint64_t at)
{
    const struct evtchn_alloc_unbound req = {.dom = DOMID_SELF};

    fixture_phys_put(watched, at, &req, sizeof(req));
    call_load(EVTCHN, EVTCHNOP_alloc_unbound, at, 0);
}

static uint32_t port_at(uint64_t at)
{
    struct evtchn_alloc_unbound req;

    fixture_phys_get(watched, &req, at, sizeof(req));
    return req.port;
}

/* ---- What is told, and what follows ------------------------------------ */

static void read_of_arguments_waits_and_is_permitted_once(void **state)
{
    (void)state;
    restrict_to(0, 1, 0);
    close_load(DATA + 8);
    assert_false(call_execute());
    event_check(0, DATA + 8, RAVELIN_EVENT_READ);
    answer(RAVELIN_ANSWER_STEP);
    assert_true(v->stepping);
    assert_true(call_execute());
    assert_int_equal(result(), -RV_EINVAL);
    assert_int_equal(own_ring()->prod, 1);
    /* Once: the next one is told again. */
    v->regs.rip = CALL_AT;
    close_load(DATA + 8);
    assert_false(call_execute());
    event_check(1, DATA + 8, RAVELIN_EVENT_READ);
    answer(RAVELIN_ANSWER_EMULATE);
    assert_true(call_execute());
}

static void write_of_results_finds_nothing_begun(void **state)
{
    uint32_t first, second;

    (void)state;
    alloc_load(DATA);
    assert_true(call_execute());
    assert_int_equal(result(), 0);
    first = port_at(DATA);
    assert_int_equal(evtchn_close(watched, first), 0);
    restrict_to(0, 1, RX);
    v->regs.rip = CALL_AT;
    alloc_load(DATA);
    assert_false(call_execute());
    event_check(0, DATA, RAVELIN_EVENT_WRITE);
    assert_int_equal(evtchn_close(watched, first), -RV_EINVAL);
    answer(RAVELIN_ANSWER_STEP);
    assert_true(call_execute());
    assert_int_equal(result(), 0);
    second = port_at(DATA);
    assert_int_equal(second, first);
    assert_int_equal(evtchn_close(watched, second), 0);
}

static void read_and_write_of_two_pages_are_told_one_by_one(void **state)
{
    const uint64_t at = DATA + PAGE_SIZE - 4;

    (void)state;
    restrict_to(0, 2, 0);
    alloc_load(at);
    assert_false(call_execute());
    event_check(0, at, RAVELIN_EVENT_READ);
    answer(RAVELIN_ANSWER_STEP);
    assert_false(call_execute());
    event_check(1, DATA + PAGE_SIZE, RAVELIN_EVENT_READ);
    answer(RAVELIN_ANSWER_STEP);
    assert_false(call_execute());
    event_check(2, at, RAVELIN_EVENT_WRITE);
    answer(RAVELIN_ANSWER_STEP);
    assert_false(call_execute());
    event_check(3, DATA + PAGE_SIZE, RAVELIN_EVENT_WRITE);
    answer(RAVELIN_ANSWER_STEP);
    assert_true(call_execute());
    assert_int_equal(result(), 0);
    assert_int_equal(own_ring()->prod, 4);
    assert_int_equal(evtchn_close(watched, port_at(at)), 0);
}

static void answer_with_rights_opened_lets_it_through(void **state)
{
    (void)state;
    restrict_to(0, 1, 0);
    close_load(DATA);
    assert_false(call_execute());
    restrict_to(0, 1, ACCESS_READ);
    answer(0);
    assert_false(v->stepping);
    assert_true(call_execute());
    assert_int_equal(result(), -RV_EINVAL);
}

static void answer_without_rights_is_told_again(void **state)
{
    (void)state;
    restrict_to(0, 1, 0);
    close_load(DATA);
    for (uint32_t i = 0; i < 3; i++) {
        assert_false(call_execute());
        event_check(i, DATA, RAVELIN_EVENT_READ);
        answer(0);
    }
}

static void filter_keeps_it_back_and_the_call_goes_on(void **state)
{
    const struct ravelin_range elsewhere = {0, 0xfff};

    (void)state;
    assert_int_equal(
        monitor_filter_set(mon, RAVELIN_FILTER_PLACE, &elsewhere, 1), 0);
    restrict_to(0, 1, 0);
    close_load(DATA);
    assert_false(call_execute());
    assert_false(vcpu_waits(0));
    assert_true(call_execute());
    assert_int_equal(result(), -RV_EINVAL);
    assert_int_equal(own_ring()->prod, 0);
    assert_int_equal(rights_get(watched, DATA_GFN), 0);
}

static void nobody_listens_and_the_page_gets_its_rights(void **state)
{
    (void)state;
    monitor_drop(mon);
    restrict_to(0, 1, 0);
    close_load(DATA);
    assert_false(call_execute());
    assert_int_equal(rights_get(watched, DATA_GFN), ACCESS_ALL);
    assert_true(call_execute());
    assert_int_equal(result(), -RV_EINVAL);
}

static void lost_listener_lets_the_call_go_on(void **state)
{
    (void)state;
    restrict_to(0, 1, 0);
    close_load(DATA);
    assert_false(call_execute());
    monitor_drop(mon);
    assert_false(vcpu_waits(0));
    assert_false(call_execute());
    assert_true(call_execute());
    assert_int_equal(result(), -RV_EINVAL);
}

static void rx2rw_becomes_rw_and_nobody_waits(void **state)
{
    (void)state;
    restrict_to(0, 1, RX2RW);
    alloc_load(DATA);
    assert_false(call_execute());
    event_check(0, DATA, RAVELIN_EVENT_WRITE);
    assert_false(vcpu_waits(0));
    assert_int_equal(rights_get(watched, DATA_GFN), RW);
    assert_true(call_execute());
    assert_int_equal(result(), 0);
    assert_int_equal(evtchn_close(watched, port_at(DATA)), 0);
}

/* ---- What is no event -------------------------------------------------- */

/* Hardware has no right to write without that to read. */
static void write_that_the_rights_permit_is_done_at_once(void **state)
{
    (void)state;
    restrict_to(0, 1, ACCESS_WRITE);
    call_load(CONSOLE_IO, 1 /* read */, 16, DATA);
    assert_true(call_execute());
    assert_int_equal(own_ring()->prod, 0);
}

static void pages_type_is_not_the_monitors_business(void **state)
{
    struct p2m_locked p2m = p2m_lock(&watched->p2m);
    mfn_t m = p2m_lookup(&watched->p2m, gfn(DATA_GFN)).mfn;

    (void)state;
    frame_get_held(m);
    assert_int_equal(p2m_unmap(p2m, gfn(DATA_GFN), 0), 0);
    assert_int_equal(p2m_map(p2m, gfn(DATA_GFN), m, 0, P2M_RAM_RO, ACCESS_READ),
                     0);
    p2m_unlock(&p2m);
    call_load(EVTCHN, EVTCHNOP_alloc_unbound, DATA, 0);
    assert_true(call_execute());
    assert_int_equal(own_ring()->prod, 0);
    assert_true(result() == -RV_EFAULT || result() == -RV_EPERM);
    p2m = p2m_lock(&watched->p2m);
    frame_get_held(m);
    assert_int_equal(p2m_unmap(p2m, gfn(DATA_GFN), 0), 0);
    assert_int_equal(p2m_map(p2m, gfn(DATA_GFN), m, 0, P2M_RAM, ACCESS_ALL), 0);
    p2m_unlock(&p2m);
}

/* Areas that the hypervisor keeps up to date, for instance. */
static void copy_outside_a_hypercall_is_not_told(void **state)
{
    uint32_t word = 5;

    (void)state;
    restrict_to(0, 1, ACCESS_READ);
    watched_enter(0);
    assert_int_equal(guest_copy_out(v, guest_ref(DATA), &word, 4), -RV_EFAULT);
    watched_leave();
    close_load(DATA);
    assert_true(call_execute());
    assert_int_equal(own_ring()->prod, 0);
}

/* ---- Progress ---------------------------------------------------------- */

/* Three pieces on the first page, the rest on the second. */
static void continued_call_begins_where_it_was_stopped(void **state)
{
    (void)state;
    restrict_to(1, 1, 0);
    call_load(CONSOLE_IO, 0 /* write */, 1024, DATA + PAGE_SIZE - 768);
    assert_false(call_execute());
    event_check(0, DATA + PAGE_SIZE, RAVELIN_EVENT_READ);
    assert_int_equal(v->regs.gpr[REG_RSI], 256);
    assert_int_equal(v->regs.gpr[REG_RDX], DATA + PAGE_SIZE);
    answer(RAVELIN_ANSWER_STEP);
    assert_true(call_execute());
    assert_int_equal(result(), 0);
}

static void batch_is_stopped_before_the_page_is_moved(void **state)
{
    const uint64_t from[2] = {DATA_GFN + 5, DATA_GFN + 7};
    const uint64_t to[2] = {DATA_GFN + 6, DATA_GFN + 8};
    const struct xen_add_to_physmap_batch req = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn,
        .size = 2,
        .idxs.gva = HC_ARG + 128,
        .gpfns.gva = HC_ARG + 256,
        .errs.gva = DATA + PAGE_SIZE - 4, /* one on each page */
    };
    mfn_t m[2];
    int32_t errs[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        m[i] = p2m_lookup(&watched->p2m, gfn(from[i])).mfn;
    }
    hc_put(HC_PLAIN, HC_ARG, &req, sizeof(req));
    hc_put(HC_PLAIN, HC_ARG + 128, from, sizeof(from));
    hc_put(HC_PLAIN, HC_ARG + 256, to, sizeof(to));
    restrict_to(1, 1, ACCESS_READ);
    call_load(MEMORY, XENMEM_add_to_physmap_batch, HC_ARG, 0);
    assert_false(call_execute());
    event_check(0, DATA + PAGE_SIZE, RAVELIN_EVENT_WRITE);
    assert_int_equal(p2m_lookup(&watched->p2m, gfn(to[0])).mfn.v, m[0].v);
    assert_int_equal(p2m_lookup(&watched->p2m, gfn(from[1])).mfn.v, m[1].v);
    answer(RAVELIN_ANSWER_STEP);
    assert_true(call_execute());
    assert_int_equal(result(), 0);
    assert_int_equal(p2m_lookup(&watched->p2m, gfn(to[1])).mfn.v, m[1].v);
    hc_get(HC_PLAIN, DATA + PAGE_SIZE - 4, errs, sizeof(errs));
    assert_int_equal(errs[0] | errs[1], 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(p2m_populate(watched, gfn(from[i]), 0), 0);
    }
}

static void console_input_is_not_lost(void **state)
{
    char text[6] = "";

    (void)state;
    vconsole_input(watched->id + 1u, "input", 5);
    restrict_to(0, 1, RX);
    call_load(CONSOLE_IO, 1 /* read */, 16, DATA);
    assert_false(call_execute());
    event_check(0, DATA, RAVELIN_EVENT_WRITE);
    answer(RAVELIN_ANSWER_STEP);
    assert_true(call_execute());
    assert_int_equal(result(), 5);
    hc_get(HC_PLAIN, DATA, text, 5);
    assert_string_equal(text, "input");
}

/* The time area is written as well, but is not what was asked for. */
static void call_that_can_be_done_once_is_not_done_twice(void **state)
{
    const struct vcpu_register_vcpu_info req = {.mfn = DATA_GFN + 5};

    (void)state;
    v->time_gva = gva(DATA);
    hc_put(HC_PLAIN, HC_ARG, &req, sizeof(req));
    restrict_to(0, 1, ACCESS_READ | ACCESS_EXEC);
    call_load(VCPU_OP, VCPUOP_register_vcpu_info, 0, HC_ARG);
    assert_true(call_execute());
    assert_int_equal(result(), 0);
    v->time_gva = gva(0);
}

/* A step opens 24 pages; the call that wants one more is told and fails. */
static void more_pages_than_a_step_opens_end_the_call(void **state)
{
    unsigned told = 0;

    (void)state;
    restrict_to(0, PAGES, 0);
    call_load(CONSOLE_IO, 0 /* write */, PAGES * PAGE_SIZE, DATA);
    while (!call_execute()) {
        if (vcpu_waits(0)) {
            event_check(told, DATA + told * PAGE_SIZE, RAVELIN_EVENT_READ);
            answer(RAVELIN_ANSWER_STEP);
            told++;
        }
    }
    assert_int_equal(result(), -RV_EFAULT);
    assert_false(vcpu_waits(0));
    assert_int_equal(told, P2M_VIEW_OPENINGS);
    event_check(told, DATA + told * PAGE_SIZE, RAVELIN_EVENT_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALL_CASE(read_of_arguments_waits_and_is_permitted_once),
        CALL_CASE(write_of_results_finds_nothing_begun),
        CALL_CASE(read_and_write_of_two_pages_are_told_one_by_one),
        CALL_CASE(answer_with_rights_opened_lets_it_through),
        CALL_CASE(answer_without_rights_is_told_again),
        CALL_CASE(filter_keeps_it_back_and_the_call_goes_on),
        CALL_CASE(nobody_listens_and_the_page_gets_its_rights),
        CALL_CASE(lost_listener_lets_the_call_go_on),
        CALL_CASE(rx2rw_becomes_rw_and_nobody_waits),
        CALL_CASE(write_that_the_rights_permit_is_done_at_once),
        CALL_CASE(pages_type_is_not_the_monitors_business),
        CALL_CASE(copy_outside_a_hypercall_is_not_told),
        CALL_CASE(continued_call_begins_where_it_was_stopped),
        CALL_CASE(batch_is_stopped_before_the_page_is_moved),
        CALL_CASE(console_input_is_not_lost),
        CALL_CASE(call_that_can_be_done_once_is_not_done_twice),
        CALL_CASE(more_pages_than_a_step_opens_end_the_call),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
