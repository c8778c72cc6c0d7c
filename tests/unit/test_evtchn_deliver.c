/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events on their way: the bits of both layouts, masks, upcall vectors, a
 * vcpu_info that moves, and vCPUs that poll.
 */

#include "evtchn_fixture.h"

#include "arch/host.h"
#include "fake.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/sched.h"
#include "ravelin/time_info.h"
#include "ravelin/vlapic.h"

#define MS 1000000UL

/* ---- Delivery ---- */

static void evtchn_send_sets_the_bits_of_the_64bit_layout(void **state)
{
    (void)state;
    evtchn_port_t port = 0;

    while (port < 200) {
        assert_int_equal(evtchn_bind_ipi(et_a, 0, &port), 0);
    }
    assert_int_equal(evtchn_send(et_a, 200), 0);
    assert_int_equal(et_shared(et_a)->evtchn_pending[3], 1UL << 8);
    assert_int_equal(et_info(et_a, 0)->evtchn_pending_sel, 1UL << 3);
    assert_int_equal(et_info(et_a, 0)->evtchn_upcall_pending, 1);
}

static void evtchn_send_sets_the_bits_of_the_32bit_layout(void **state)
{
    (void)state;
    struct compat_shared_info *narrow = et_a->shared_info;
    evtchn_port_t port = 0;

    et_a->is_32bit_abi = true;
    while (port < 200) {
        assert_int_equal(evtchn_bind_ipi(et_a, 1, &port), 0);
    }
    assert_int_equal(evtchn_send(et_a, 200), 0);
    assert_int_equal(narrow->evtchn_pending[6], 1u << 8);
    assert_int_equal(narrow->vcpu_info[1].evtchn_pending_sel, 1u << 6);
    assert_int_equal(narrow->vcpu_info[1].evtchn_upcall_pending, 1);
}

static void evtchn_send_masked_port_waits_for_unmask(void **state)
{
    (void)state;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(et_a, 0, &port), 0);
    et_shared(et_a)->evtchn_mask[0] = 1UL << port;
    assert_int_equal(evtchn_send(et_a, port), 0);
    assert_true(evtchn_port_is_pending(et_a, port));
    assert_int_equal(et_info(et_a, 0)->evtchn_upcall_pending, 0);
    assert_int_equal(evtchn_unmask(et_a, port), 0);
    assert_int_equal(et_shared(et_a)->evtchn_mask[0], 0);
    assert_int_equal(et_info(et_a, 0)->evtchn_upcall_pending, 1);
    assert_int_equal(evtchn_unmask(et_a, 99), -RV_EINVAL);
    assert_int_equal(evtchn_unmask(et_a, 4096), -RV_EINVAL);
}

static void evtchn_send_pending_port_is_not_raised_again(void **state)
{
    (void)state;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(et_a, 0, &port), 0);
    assert_int_equal(evtchn_send(et_a, port), 0);
    et_info(et_a, 0)->evtchn_upcall_pending = 0;
    assert_int_equal(evtchn_send(et_a, port), 0);
    assert_int_equal(et_info(et_a, 0)->evtchn_upcall_pending, 0);
}

static void evtchn_send_wakes_blocked_vcpu(void **state)
{
    (void)state;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(et_b, 0, &port), 0);
    core_cpu(1);
    vcpu_block(et_b->vcpu[0]);
    assert_null(core_turn(1));
    core_cpu(0);
    assert_int_equal(evtchn_send(et_b, port), 0);
    assert_ptr_equal(core_turn(1), et_b->vcpu[0]);
}

static void evtchn_upcall_vector_follows_callback_and_mask(void **state)
{
    (void)state;
    struct vcpu *v = et_a->vcpu[0];

    et_info(et_a, 0)->evtchn_upcall_pending = 1;
    assert_int_equal(evtchn_upcall_vector(v), -1); /* no callback set */
    et_a->callback_vector = 0xf3;
    assert_int_equal(evtchn_upcall_vector(v), 0xf3);
    et_info(et_a, 0)->evtchn_upcall_mask = 1;
    assert_int_equal(evtchn_upcall_vector(v), -1);
    et_info(et_a, 0)->evtchn_upcall_mask = 0;
    v->upcall_vector = 0x40;
    assert_int_equal(evtchn_upcall_vector(v), -1);
    v->upcall_vector = 0;
    et_info(et_a, 0)->evtchn_upcall_pending = 0;
    assert_int_equal(evtchn_upcall_vector(v), -1);
}

static void evtchn_upcall_vector_set_goes_through_the_local_apic(void **state)
{
    (void)state;
    struct vcpu *v = et_a->vcpu[0];
    evtchn_port_t port;

    vlapic_mmio_write(v, 0xf0, 0x1ff); /* software-enable */
    assert_int_equal(evtchn_bind_ipi(et_a, 0, &port), 0);
    evtchn_upcall_vector_set(v, 0x52);
    assert_int_equal(vlapic_irq_pending(v), -1);
    assert_int_equal(evtchn_send(et_a, port), 0);
    assert_int_equal(vlapic_irq_pending(v), 0x52);
    vlapic_irq_accept(v, 0x52);
    vlapic_eoi(v);
    evtchn_upcall_vector_set(v, 0x61); /* pending: raised at once */
    assert_int_equal(vlapic_irq_pending(v), 0x61);
}

static void evtchn_vcpu_info_move_keeps_contents_and_rescans(void **state)
{
    (void)state;
    struct vcpu *v = et_a->vcpu[1];
    struct vcpu_info *moved;
    struct p2m_locked held;
    evtchn_port_t port;
    char *page;
    mfn_t m;

    held = p2m_lock(&et_a->p2m);
    assert_int_equal(frame_alloc_domain(et_a, 0, &m), 0);
    assert_int_equal(p2m_map(held, gfn(3), m, 0, P2M_RAM, 7), 0);
    p2m_unlock(&held);
    page = guest_page_pin(et_a, gfn(3), &m);
    assert_non_null(page);
    et_info(et_a, 1)->arch.cr2 = 0x1234;
    assert_true(evtchn_vcpu_info_move(v, page + 192, m));
    moved = (void *)(page + 192);
    assert_int_equal(moved->arch.cr2, 0x1234);
    assert_int_equal(moved->evtchn_upcall_pending, 1);
    assert_int_equal(moved->evtchn_pending_sel, UINT64_MAX);
    vcpu_time_publish(v);
    assert_int_equal(moved->time.version, 4); /* published there */
    assert_false(evtchn_vcpu_info_move(v, page, m));
    et_upcall_take(et_a, 1);
    assert_int_equal(evtchn_bind_ipi(et_a, 1, &port), 0);
    assert_int_equal(evtchn_send(et_a, port), 0);
    assert_int_equal(moved->evtchn_upcall_pending, 1);
    assert_int_equal(et_shared(et_a)->vcpu_info[1].evtchn_upcall_pending, 0);
}

/* ---- Polling ---- */

static void evtchn_poll_pending_port_does_not_block(void **state)
{
    (void)state;
    struct vcpu *v = cpu_by_id(0)->current;
    evtchn_port_t ports[2];

    assert_int_equal(evtchn_bind_ipi(et_a, 0, &ports[0]), 0);
    assert_int_equal(evtchn_bind_ipi(et_a, 1, &ports[1]), 0);
    et_shared(et_a)->evtchn_mask[0] = ~0UL;
    assert_int_equal(evtchn_send(et_a, ports[1]), 0);
    assert_int_equal(evtchn_poll(v, ports, 2, 0), 0);
    assert_int_equal(v->flags, 0);
    assert_int_equal(et_a->poller_count, 0);
}

static void evtchn_poll_masked_port_wakes(void **state)
{
    (void)state;
    struct vcpu *v = cpu_by_id(0)->current;
    evtchn_port_t ports[3];

    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(evtchn_bind_ipi(et_a, v->id, &ports[i]), 0);
    }
    et_shared(et_a)->evtchn_mask[0] = ~0UL;
    assert_int_equal(evtchn_poll(v, &ports[1], 1, 0), 0);
    assert_int_equal(v->flags, VCPU_BLOCKED | VCPU_POLLING);
    assert_int_equal(et_a->poller_count, 1);
    core_cpu(1);
    assert_int_equal(evtchn_send(et_a, ports[0]), 0); /* not the one */
    assert_int_equal(v->flags, VCPU_BLOCKED | VCPU_POLLING);
    assert_int_equal(evtchn_send(et_a, ports[1]), 0);
    assert_int_equal(v->flags, 0);
    assert_int_equal(et_a->poller_count, 0);
    assert_false(et_info(et_a, v->id)->evtchn_upcall_pending);
}

static void evtchn_poll_timeout_wakes(void **state)
{
    (void)state;
    struct vcpu *v = cpu_by_id(0)->current;
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_ipi(et_a, 0, &port), 0);
    assert_int_equal(evtchn_poll(v, &port, 1, domain_time_ns(et_a) + 5 * MS),
                     0);
    core_turn(0);
    fake_time_advance(4 * MS);
    core_turn(0);
    assert_int_equal(v->flags, VCPU_BLOCKED | VCPU_POLLING);
    fake_time_advance(1 * MS);
    core_turn(0);
    assert_int_equal(v->flags, 0);
    assert_int_equal(et_a->poller_count, 0);
}

static void evtchn_poll_bad_arguments_return_einval(void **state)
{
    (void)state;
    static evtchn_port_t many[EVTCHN_POLL_MAX + 1];
    struct vcpu *v = cpu_by_id(0)->current;
    evtchn_port_t port = 4096;

    assert_int_equal(evtchn_poll(v, &port, 1, 0), -RV_EINVAL);
    assert_int_equal(evtchn_poll(v, many, EVTCHN_POLL_MAX + 1, 0), -RV_EINVAL);
    assert_int_equal(v->flags, 0);
    assert_int_equal(et_a->poller_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ET_CASE(evtchn_send_sets_the_bits_of_the_64bit_layout),
        ET_CASE(evtchn_send_sets_the_bits_of_the_32bit_layout),
        ET_CASE(evtchn_send_masked_port_waits_for_unmask),
        ET_CASE(evtchn_send_pending_port_is_not_raised_again),
        ET_CASE(evtchn_send_wakes_blocked_vcpu),
        ET_CASE(evtchn_upcall_vector_follows_callback_and_mask),
        ET_CASE(evtchn_upcall_vector_set_goes_through_the_local_apic),
        ET_CASE(evtchn_vcpu_info_move_keeps_contents_and_rescans),
        ET_CASE(evtchn_poll_pending_port_does_not_block),
        ET_CASE(evtchn_poll_masked_port_wakes),
        ET_CASE(evtchn_poll_timeout_wakes),
        ET_CASE(evtchn_poll_bad_arguments_return_einval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
