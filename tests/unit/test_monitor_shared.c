/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event engine with a ring in a page of the watched domain: the layouts of
 * both kinds, and what a hostile listener can write there.
 */
#include "monitor_fixture.h"

#include "public/hvm/params.h"

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
    mem_event_attach();
    ev = (const void *)(ring_page + 64);
    assert_int_equal(event_raise(0, &fault), MONITOR_PAUSED);
    assert_int_equal(page_ring()->req_prod, 1);
    assert_int_equal(ev->type, MEM_EVENT_TYPE_ACCESS);
    assert_int_equal(ev->flags, MEM_EVENT_FLAG_VCPU_PAUSED);
    assert_int_equal(ev->gfn, 0x12345);
    assert_int_equal(ev->offset, 0x678);
    assert_int_equal(ev->gla, 0xffff800000000678);
    assert_int_equal(ev->reason, MEM_EVENT_REASON_VIOLATION);
    assert_int_equal(ev->rights, MEM_EVENT_ACCESS_W | MEM_EVENT_GLA_VALID |
                                     1u << MEM_EVENT_SEQUENCE_SHIFT);
    page_ring()->rsp_prod = 1;
    answers_take();
    assert_false(vcpu_waits(0));
    assert_int_equal(page_ring()->rsp_event, 2);
}

static void mem_event_forged_responses_are_counted(void **state)
{
    struct mem_event_st *slot;

    (void)state;
    mem_event_attach();
    slot = (void *)(ring_page + 64);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 1), MONITOR_PAUSED);
    assert_int_equal(event_cr3(1, 1), MONITOR_PAUSED);
    slot[0].vcpu_id = 0xffffffff;
    slot[1].vcpu_id = 2; /* has two */
    page_ring()->rsp_prod = 2;
    answers_take();
    assert_int_equal(mon->refused, 2);
    assert_true(vcpu_waits(0) && vcpu_waits(1));
    /* Both slots are used up: what is left is the end. */
    page_ring()->rsp_prod = 3;
    answers_take();
    assert_int_equal(mon->state, MONITOR_BROKEN);
    work_run();
    assert_false(vcpu_waits(0) || vcpu_waits(1));
}

static void mem_event_acknowledgement_resumes_nobody(void **state)
{
    struct mem_event_st *slot;

    (void)state;
    mem_event_attach();
    slot = (void *)(ring_page + 64);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 1), MONITOR_PAUSED);
    slot->flags = 0;
    page_ring()->rsp_prod = 1;
    answers_take();
    assert_true(vcpu_waits(0));
    assert_int_equal(mon->ring.cons, 1);
    monitor_drop(mon);
    assert_false(vcpu_waits(0));
}

static void mem_event_unasked_response_breaks_the_watch(void **state)
{
    (void)state;
    mem_event_attach();
    page_ring()->rsp_prod = 0x80000000;
    answers_take();
    assert_int_equal(mon->state, MONITOR_BROKEN);
}

static void mem_event_full_ring_takes_what_was_answered(void **state)
{
    (void)state;
    mem_event_attach();
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    for (unsigned i = 0; i < MEM_EVENT_RING_SIZE; i++) {
        assert_int_equal(event_cr3(0, i), MONITOR_SENT);
    }
    assert_int_equal(event_cr3(0, 1), MONITOR_LOST);
    for (unsigned i = 0; i < MEM_EVENT_RING_SIZE; i++) {
        ((struct mem_event_st *)(void *)(ring_page + 64))[i].flags = 0;
    }
    page_ring()->rsp_prod = 3;
    assert_int_equal(event_cr3(0, 2), MONITOR_SENT);
    assert_int_equal(mon->ring.cons, 3);
}

static void vm_event_wrong_version_and_flags_are_refused(void **state)
{
    struct vm_event_st *slot;

    (void)state;
    page_ring_attach(&monitor_format_vm_event, sizeof(struct vm_event_st),
                     VM_EVENT_RING_SIZE);
    slot = (void *)(ring_page + 64);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 0x3000), MONITOR_PAUSED);
    assert_int_equal(slot->version, VM_EVENT_INTERFACE_VERSION);
    assert_int_equal(slot->reason, VM_EVENT_REASON_WRITE_CTRLREG);
    assert_int_equal(slot->u.write_ctrlreg.index, VM_EVENT_X86_CR3);
    assert_int_equal(slot->u.write_ctrlreg.new_value, 0x3000);
    slot->version = 6;
    page_ring()->rsp_prod = 1;
    answers_take();
    assert_true(vcpu_waits(0));
    assert_int_equal(mon->refused, 1);
    monitor_drop(mon);
    page_ring_attach(&monitor_format_vm_event, sizeof(struct vm_event_st),
                     VM_EVENT_RING_SIZE);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 0x3000), MONITOR_PAUSED);
    slot->flags |= 1u << 7; /* another view of memory: there is none */
    page_ring()->rsp_prod = 1;
    answers_take();
    assert_true(vcpu_waits(0));
    assert_int_equal(mon->refused, 1);
}

static void vm_event_registers_are_loaded_by_the_vcpus_cpu(void **state)
{
    struct vcpu *v = watched->vcpu[0];
    struct vm_event_st *slot;

    (void)state;
    page_ring_attach(&monitor_format_vm_event, sizeof(struct vm_event_st),
                     VM_EVENT_RING_SIZE);
    slot = (void *)(ring_page + 64);
    reason_listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    assert_int_equal(event_cr3(0, 0x3000), MONITOR_PAUSED);
    slot->regs.rbx = 0x77;
    slot->regs.rip = 0x4444;
    slot->flags |= VM_EVENT_FLAG_SET_REGISTERS;
    page_ring()->rsp_prod = 1;
    answers_take();
    slot->regs.rbx = 0x88; /* too late */
    watched_enter(0);
    monitor_attend(v);
    watched_leave();
    assert_int_equal(v->regs.gpr[REG_RBX], 0x77);
    assert_int_equal(v->regs.rip, 0x4444);
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
    mem_event_attach();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MONITOR_CASE(mem_event_layout_and_answer),
        MONITOR_CASE(mem_event_forged_responses_are_counted),
        MONITOR_CASE(mem_event_acknowledgement_resumes_nobody),
        MONITOR_CASE(mem_event_unasked_response_breaks_the_watch),
        MONITOR_CASE(mem_event_full_ring_takes_what_was_answered),
        MONITOR_CASE(vm_event_wrong_version_and_flags_are_refused),
        MONITOR_CASE(vm_event_registers_are_loaded_by_the_vcpus_cpu),
        MONITOR_CASE(attach_to_a_page_the_domain_registered_is_refused),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
