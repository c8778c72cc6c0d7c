/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_op, set_timer_op and vcpu_op.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "arch/host.h"
#include "public/hvm/hvm_vcpu.h"
#include "public/sched.h"
#include "public/vcpu.h"
#include "ravelin/evtchn.h"
#include "ravelin/sched.h"
#include "ravelin/time_info.h"

#define SCHED __HYPERVISOR_sched_op
#define VCPU __HYPERVISOR_vcpu_op
#define NO_VCPU 2 /* the domains have 0 and 1 */

/* ---- sched_op ---------------------------------------------------------- */

static void sched_yield_returns_0(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, SCHED, SCHEDOP_yield, 0, 0), 0);
}

static void sched_block_waits_and_unmasks(void **state)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    struct vcpu_info *info = v->vcpu_info;

    (void)state;
    info->evtchn_upcall_mask = 1;
    info->evtchn_upcall_pending = 0;
    assert_int_equal(hc_call(HC_PLAIN, false, SCHED, SCHEDOP_block, 0, 0), 0);
    assert_int_equal(info->evtchn_upcall_mask, 0);
    assert_true(v->flags & VCPU_BLOCKED);
    vcpu_wake(v);
    assert_false(v->flags & VCPU_BLOCKED);
}

static void sched_block_with_event_pending_does_not_wait(void **state)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    struct vcpu_info *info = v->vcpu_info;

    (void)state;
    v->domain->callback_vector = 0xf3;
    info->evtchn_upcall_pending = 1;
    assert_int_equal(hc_call(HC_PLAIN, false, SCHED, SCHEDOP_block, 0, 0), 0);
    assert_false(v->flags & VCPU_BLOCKED);
    info->evtchn_upcall_pending = 0;
    v->domain->callback_vector = 0;
}

static void sched_poll_bad_list_is_refused(void **state)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    struct sched_poll p = {.ports = {HC_BUF}, .nr_ports = 129};
    uint32_t port = 4096;

    (void)state;
    assert_int_equal(hc(HC_PLAIN, SCHED, SCHEDOP_poll, &p, sizeof(p)),
                     -RV_EINVAL);
    p.nr_ports = 1;
    hc_put(HC_PLAIN, HC_BUF, &port, sizeof(port));
    assert_int_equal(hc(HC_PLAIN, SCHED, SCHEDOP_poll, &p, sizeof(p)),
                     -RV_EINVAL);
    p.ports.gva = HC_BAD;
    assert_int_equal(hc(HC_PLAIN, SCHED, SCHEDOP_poll, &p, sizeof(p)),
                     -RV_EFAULT);
    assert_int_equal(hc_call(HC_PLAIN, false, SCHED, SCHEDOP_poll, HC_BAD, 0),
                     -RV_EFAULT);
    assert_int_equal(hc_call(HC_PLAIN, true, SCHED, SCHEDOP_poll, HC_BAD32, 0),
                     -RV_EFAULT);
    assert_false(v->flags & (VCPU_BLOCKED | VCPU_POLLING));
}

static void sched_poll_waits_for_port_or_time(void **state)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    struct compat_sched_poll p32 = {.ports = {HC_BUF}, .nr_ports = 1};
    struct sched_poll p = {.ports = {HC_BUF}, .nr_ports = 1};
    evtchn_port_t port;

    (void)state;
    assert_int_equal(evtchn_bind_ipi(v->domain, 0, &port), 0);
    hc_put(HC_PLAIN, HC_BUF, &port, sizeof(port));
    assert_int_equal(hc(HC_PLAIN, SCHED, SCHEDOP_poll, &p, sizeof(p)), 0);
    assert_true(v->flags & VCPU_POLLING);
    assert_int_equal(evtchn_send(v->domain, port), 0);
    assert_false(v->flags & (VCPU_BLOCKED | VCPU_POLLING));
    /* Still pending: no waiting at all, in either layout. */
    p32.timeout = 1000000000000u;
    assert_int_equal(hc32(HC_PLAIN, SCHED, SCHEDOP_poll, &p32, sizeof(p32)), 0);
    assert_false(v->flags & VCPU_POLLING);
    assert_int_equal(evtchn_close(v->domain, port), 0);
}

static void sched_shutdown_bad_argument_changes_nothing(void **state)
{
    struct sched_shutdown s = {SHUTDOWN_MAX + 1};

    (void)state;
    assert_int_equal(hc(HC_PLAIN, SCHED, SCHEDOP_shutdown, &s, sizeof(s)),
                     -RV_EINVAL);
    assert_int_equal(
        hc_call(HC_PLAIN, false, SCHED, SCHEDOP_shutdown, HC_BAD, 0),
        -RV_EFAULT);
    assert_int_equal(hc_domain[HC_PLAIN]->state, DOMAIN_RUNNING);
}

static void sched_pin_override_returns_eopnotsupp(void **state)
{
    struct sched_pin_override pin = {0};

    (void)state;
    assert_int_equal(
        hc(HC_PLAIN, SCHED, SCHEDOP_pin_override, &pin, sizeof(pin)),
        -RV_EPERM);
    assert_int_equal(
        hc(HC_HARDWARE, SCHED, SCHEDOP_pin_override, &pin, sizeof(pin)),
        -RV_EOPNOTSUPP);
}

static void sched_remote_shutdown_ends_another_domain(void **state)
{
    struct sched_remote_shutdown r = {
        .domain_id = hc_domain[HC_PLAIN]->id,
        .reason = SHUTDOWN_MAX + 1,
    };

    (void)state;
    assert_int_equal(
        hc(HC_PLAIN, SCHED, SCHEDOP_remote_shutdown, &r, sizeof(r)), -RV_EPERM);
    assert_int_equal(
        hc(HC_CONTROL, SCHED, SCHEDOP_remote_shutdown, &r, sizeof(r)),
        -RV_EINVAL);
    assert_int_equal(
        hc_call(HC_CONTROL, false, SCHED, SCHEDOP_remote_shutdown, HC_BAD, 0),
        -RV_EFAULT);
    r.domain_id = 77;
    assert_int_equal(
        hc(HC_CONTROL, SCHED, SCHEDOP_remote_shutdown, &r, sizeof(r)),
        -RV_ESRCH);
    assert_int_equal(hc_domain[HC_PLAIN]->state, DOMAIN_RUNNING);
    r.domain_id = hc_domain[HC_PLAIN]->id;
    r.reason = SHUTDOWN_SUSPEND;
    assert_int_equal(
        hc(HC_CONTROL, SCHED, SCHEDOP_remote_shutdown, &r, sizeof(r)), 0);
    assert_int_equal(hc_domain[HC_PLAIN]->state, DOMAIN_SHUTDOWN);
    assert_int_equal(domain_resume(hc_domain[HC_PLAIN]), 0);
}

static void sched_shutdown_stops_the_domain(void **state)
{
    struct sched_shutdown s = {SHUTDOWN_SUSPEND};

    (void)state;
    assert_int_equal(hc(HC_PLAIN, SCHED, SCHEDOP_shutdown, &s, sizeof(s)), 0);
    assert_int_equal(hc_domain[HC_PLAIN]->state, DOMAIN_SHUTDOWN);
    assert_int_equal(hc_domain[HC_PLAIN]->shutdown_code, SHUTDOWN_SUSPEND);
    assert_int_equal(domain_resume(hc_domain[HC_PLAIN]), 0);
}

static void sched_shutdown_code_is_kept_for_the_end(void **state)
{
    struct sched_shutdown s = {SHUTDOWN_MAX + 1};

    (void)state;
    assert_int_equal(hc(HC_PLAIN, SCHED, SCHEDOP_shutdown_code, &s, sizeof(s)),
                     -RV_EINVAL);
    assert_int_equal(
        hc_call(HC_PLAIN, false, SCHED, SCHEDOP_shutdown_code, HC_BAD, 0),
        -RV_EFAULT);
    s.reason = SHUTDOWN_SUSPEND;
    assert_int_equal(hc(HC_PLAIN, SCHED, SCHEDOP_shutdown_code, &s, sizeof(s)),
                     0);
    assert_int_equal(hc_domain[HC_PLAIN]->state, DOMAIN_RUNNING);
    s.reason = SHUTDOWN_POWEROFF;
    assert_int_equal(hc(HC_PLAIN, SCHED, SCHEDOP_shutdown, &s, sizeof(s)), 0);
    assert_int_equal(hc_domain[HC_PLAIN]->state, DOMAIN_SHUTDOWN);
    assert_int_equal(hc_domain[HC_PLAIN]->shutdown_code, SHUTDOWN_SUSPEND);
    /* Too late. */
    domain_shutdown_code_set(hc_domain[HC_PLAIN], SHUTDOWN_REBOOT);
    assert_int_equal(hc_domain[HC_PLAIN]->shutdown_code, SHUTDOWN_SUSPEND);
    assert_int_equal(domain_resume(hc_domain[HC_PLAIN]), 0);
    assert_false(hc_domain[HC_PLAIN]->shutdown_code_is_set);
}

static long watchdog(uint32_t id, uint32_t timeout)
{
    struct sched_watchdog w = {id, timeout};

    return hc(HC_PLAIN, SCHED, SCHEDOP_watchdog, &w, sizeof(w));
}

static void sched_watchdogs_are_two(void **state)
{
    struct watchdog *w = hc_domain[HC_PLAIN]->watchdog;

    (void)state;
    assert_int_equal(
        hc_call(HC_PLAIN, false, SCHED, SCHEDOP_watchdog, HC_BAD, 0),
        -RV_EFAULT);
    assert_int_equal(watchdog(0, 0), -RV_EINVAL);
    assert_int_equal(watchdog(1, 10), -RV_EINVAL);
    assert_int_equal(watchdog(2, 0), -RV_EINVAL);
    assert_int_equal(watchdog(3, 10), -RV_EINVAL);
    assert_int_equal(watchdog(UINT32_MAX, 10), -RV_EINVAL);
    assert_int_equal(watchdog(0, 10), 1);
    assert_int_equal(watchdog(0, UINT32_MAX), 2);
    assert_int_equal(watchdog(0, 10), -RV_ENOSPC);
    assert_int_equal(w[0].timer.deadline_ns, arch_time_ns() + 10000000000u);
    assert_int_equal(w[1].timer.deadline_ns,
                     arch_time_ns() + UINT32_MAX * 1000000000ull);
    assert_int_equal(watchdog(1, 20), 0);
    assert_int_equal(w[0].timer.deadline_ns, arch_time_ns() + 20000000000u);
    assert_int_equal(watchdog(1, 0), 0);
    assert_int_equal(watchdog(1, 0), -RV_EINVAL);
    assert_false(timer_is_armed(&w[0].timer));
    assert_int_equal(watchdog(0, 1), 1);
    assert_int_equal(watchdog(1, 0), 0);
    assert_int_equal(watchdog(2, 0), 0);
    assert_false(timer_is_armed(&w[1].timer));
}

static void sched_documented_errors_are_all_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("sched_op");
}

/* ---- set_timer_op ------------------------------------------------------ */

static void timer_op_arms_and_stops(void **state)
{
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);

    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, __HYPERVISOR_set_timer_op,
                             domain_time_ns(v->domain) + 5000000, 0, 0),
                     0);
    assert_true(timer_is_armed(&v->singleshot));
    assert_int_equal(
        hc_call(HC_PLAIN, false, __HYPERVISOR_set_timer_op, 0, 0, 0), 0);
    assert_false(timer_is_armed(&v->singleshot));
    /* 32-bit: low and high word. */
    assert_int_equal(
        hc_call(HC_PLAIN, true, __HYPERVISOR_set_timer_op, 0, 1, 0), 0);
    assert_true(timer_is_armed(&v->singleshot));
    assert_int_equal(v->singleshot.deadline_ns,
                     domain_time_to_host(v->domain, 1ULL << 32));
    assert_int_equal(
        hc_call(HC_PLAIN, true, __HYPERVISOR_set_timer_op, 0, 0, 0), 0);
    hc_errors_all_provoked("set_timer_op");
}

/* ---- vcpu_op ----------------------------------------------------------- */

static struct vcpu_hvm_context context_64(void)
{
    struct vcpu_hvm_context c = {.mode = VCPU_HVM_MODE_64B};

    c.cpu_regs.x86_64.rip = 0x100000;
    c.cpu_regs.x86_64.rdi = 0x1234;
    c.cpu_regs.x86_64.rflags = 2;
    c.cpu_regs.x86_64.cr0 = 0x80000011;
    c.cpu_regs.x86_64.cr3 = 0x2000;
    c.cpu_regs.x86_64.cr4 = 0x20;
    c.cpu_regs.x86_64.efer = 0x500;
    return c;
}

static void vcpu_without_such_vcpu_returns_enoent(void **state)
{
    uint8_t zero[256] = {0};

    (void)state;
    for (uint64_t op = VCPUOP_initialise;
         op <= VCPUOP_register_vcpu_time_memory_area; op++) {
        assert_int_equal(hc_vcpu_op(HC_PLAIN, op, NO_VCPU, zero, sizeof(zero)),
                         -RV_ENOENT);
        assert_int_equal(
            hc_vcpu_op(HC_PLAIN, op, UINT32_MAX, zero, sizeof(zero)),
            -RV_ENOENT);
        assert_int_equal(
            hc_vcpu_op(HC_PLAIN, op, 1ULL << 32, zero, sizeof(zero)),
            -RV_ENOENT);
    }
}

static void vcpu_bad_pointer_returns_efault(void **state)
{
    static const uint8_t ops[] = {0, 4, 5, 6, 8, 10, 13};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        assert_int_equal(hc_call(HC_PLAIN, false, VCPU, ops[i], 0, HC_BAD),
                         -RV_EFAULT);
        assert_int_equal(hc_call(HC_PLAIN, true, VCPU, ops[i], 0, HC_BAD32),
                         -RV_EFAULT);
    }
}

static void vcpu_up_without_state_returns_einval(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_up, 1, 0),
                     -RV_EINVAL);
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_is_up, 1, 0), 0);
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_is_up, 0, 0), 1);
}

static void vcpu_initialise_bad_state_returns_einval(void **state)
{
    struct vcpu_hvm_context c = context_64();

    (void)state;
    c.pad = 1;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 0, 1, &c, sizeof(c)), -RV_EINVAL);
    c = context_64();
    c.mode = 2;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 0, 1, &c, sizeof(c)), -RV_EINVAL);
    c = context_64();
    c.cpu_regs.x86_64.rip = 0x8000000000000000u;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 0, 1, &c, sizeof(c)), -RV_EINVAL);
    assert_false(hc_vcpu(HC_PLAIN, 1)->is_initialised);
}

static void vcpu_initialise_then_up_runs_it_once(void **state)
{
    struct vcpu_hvm_context c = context_64();
    struct vcpu *v = hc_vcpu(HC_PLAIN, 1);

    (void)state;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 0, 1, &c, sizeof(c)), 0);
    assert_int_equal(v->regs.rip, 0x100000);
    assert_int_equal(v->regs.gpr[REG_RDI], 0x1234);
    assert_int_equal(hv->creg_get(v, CREG_CR3), 0x2000);
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 0, 1, &c, sizeof(c)), -RV_EEXIST);
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 0, 0, &c, sizeof(c)), -RV_EEXIST);
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_up, 1, 0), 0);
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_up, 1, 0), 0);
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_is_up, 1, 0), 1);
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_down, 1, 0), 0);
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_is_up, 1, 0), 0);
}

static void vcpu_runstate_info_is_told_in_both_layouts(void **state)
{
    struct compat_vcpu_runstate_info small;
    struct vcpu_runstate_info big;

    (void)state;
    assert_int_equal(
        hc_vcpu_op(HC_PLAIN, VCPUOP_get_runstate_info, 1, &big, sizeof(big)),
        0);
    assert_int_equal(big.state, RUNSTATE_offline);
    assert_int_equal(
        hc_call(HC_PLAIN, true, VCPU, VCPUOP_get_runstate_info, 1, HC_ARG), 0);
    hc_get(HC_PLAIN, HC_ARG, &small, sizeof(small));
    assert_int_equal(small.state, RUNSTATE_offline);
    assert_int_equal(small.state_entry_time, big.state_entry_time);
}

static void vcpu_runstate_area_is_written_and_kept(void **state)
{
    struct vcpu_register_runstate_memory_area area = {.addr = {.p = HC_BAD}};
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);

    (void)state;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 5, 0, &area, sizeof(area)),
                     -RV_EFAULT);
    assert_int_equal(v->runstate_gva.v, 0);
    area.addr.p = HC_BUF;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 5, 0, &area, sizeof(area)), 0);
    assert_int_equal(v->runstate_gva.v, HC_BUF);
    /* A 32-bit caller's upper half means nothing. */
    area.addr.p = 0xffffffff00000000u;
    hc_put(HC_PLAIN, HC_ARG, &area, sizeof(area));
    assert_int_equal(hc_call(HC_PLAIN, true, VCPU, 5, 0, HC_ARG), 0);
    assert_int_equal(v->runstate_gva.v, 0);
}

static void vcpu_time_area_is_written_and_kept(void **state)
{
    struct vcpu_register_time_memory_area area = {.addr = {.p = HC_BAD}};
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    struct vcpu_time_info t;

    (void)state;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 13, 0, &area, sizeof(area)),
                     -RV_EFAULT);
    assert_int_equal(v->time_gva.v, 0);
    area.addr.p = HC_BUF;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 13, 0, &area, sizeof(area)), 0);
    assert_int_equal(v->time_gva.v, HC_BUF);
    hc_get(HC_PLAIN, HC_BUF, &t, sizeof(t));
    assert_int_equal(t.version & 1, 0);
    assert_true(t.tsc_to_system_mul != 0);
    area.addr.p = 0;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 13, 0, &area, sizeof(area)), 0);
    assert_int_equal(v->time_gva.v, 0);
}

static void vcpu_periodic_timer_out_of_bounds_returns_einval(void **state)
{
    struct vcpu_set_periodic_timer p = {999999};
    struct vcpu *v = hc_vcpu(HC_PLAIN, 1);

    (void)state;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 6, 1, &p, sizeof(p)), -RV_EINVAL);
    p.period_ns = (1ULL << 62) + 1;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 6, 1, &p, sizeof(p)), -RV_EINVAL);
    assert_false(timer_is_armed(&v->periodic));
    p.period_ns = 1000000;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 6, 1, &p, sizeof(p)), 0);
    assert_true(timer_is_armed(&v->periodic));
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, 7, 1, 0), 0);
    assert_false(timer_is_armed(&v->periodic));
}

static void vcpu_singleshot_timer_is_the_callers(void **state)
{
    struct vcpu_set_singleshot_timer s = {1, VCPU_SSHOTTMR_future, 0};
    struct compat_vcpu_set_singleshot_timer s32 = {1ULL << 40, 0};
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);

    (void)state;
    fake_time_advance(1000);
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 8, 1, &s, sizeof(s)), -RV_EINVAL);
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 9, 1, &s, sizeof(s)), -RV_EINVAL);
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 8, 0, &s, sizeof(s)), -RV_ETIME);
    assert_false(timer_is_armed(&v->singleshot));
    s.flags = 0;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 8, 0, &s, sizeof(s)), 0);
    assert_true(timer_is_armed(&v->singleshot));
    hc_put(HC_PLAIN, HC_ARG, &s32, sizeof(s32));
    assert_int_equal(hc_call(HC_PLAIN, true, VCPU, 8, 0, HC_ARG), 0);
    assert_int_equal(v->singleshot.deadline_ns,
                     domain_time_to_host(v->domain, 1ULL << 40));
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, 9, 0, 0), 0);
    assert_false(timer_is_armed(&v->singleshot));
}

static void vcpu_register_info_moves_it_once(void **state)
{
    struct vcpu_register_vcpu_info r = {.mfn = HC_FREE >> PAGE_SHIFT};
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);

    (void)state;
    r.offset = PAGE_SIZE - sizeof(struct vcpu_info) + 8;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 10, 0, &r, sizeof(r)), -RV_EINVAL);
    r.offset = 4;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 10, 0, &r, sizeof(r)), -RV_EINVAL);
    r.offset = 64;
    r.mfn = HC_HOLE >> PAGE_SHIFT;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 10, 0, &r, sizeof(r)), -RV_EINVAL);
    r.mfn = UINT64_MAX;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 10, 0, &r, sizeof(r)), -RV_EINVAL);
    r.mfn = HC_FREE >> PAGE_SHIFT;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 10, 0, &r, sizeof(r)), 0);
    ((struct vcpu_info *)v->vcpu_info)->pad0[0] = 0x77;
    assert_int_equal(fixture_phys_u64(v->domain, HC_FREE + 64) >> 16 & 0xff,
                     0x77);
    r.offset = 128;
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 10, 0, &r, sizeof(r)), -RV_EINVAL);
    /* Somebody else's, while it is up. */
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_up, 1, 0), 0);
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 10, 1, &r, sizeof(r)), -RV_EINVAL);
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_down, 1, 0), 0);
    assert_int_equal(hc_vcpu_op(HC_PLAIN, 10, 1, &r, sizeof(r)), 0);
}

static void vcpu_send_nmi_is_pending_on_its_vcpu(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_send_nmi, 1, 0), 0);
    assert_true(hc_vcpu(HC_PLAIN, 1)->nmi_pending);
}

static void vcpu_get_physid_returns_einval(void **state)
{
    uint64_t id = 0;

    (void)state;
    assert_int_equal(
        hc_vcpu_op(HC_PLAIN, VCPUOP_get_physid, 0, &id, sizeof(id)),
        -RV_EINVAL);
}

static void vcpu_documented_errors_are_all_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("vcpu_op");
}

static void vcpu_down_of_the_last_one_powers_off(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, VCPU, VCPUOP_down, 0, 0), 0);
    assert_int_equal(hc_domain[HC_PLAIN]->state, DOMAIN_SHUTDOWN);
    assert_int_equal(hc_domain[HC_PLAIN]->shutdown_code, SHUTDOWN_POWEROFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sched_yield_returns_0),
        cmocka_unit_test(sched_block_waits_and_unmasks),
        cmocka_unit_test(sched_block_with_event_pending_does_not_wait),
        cmocka_unit_test(sched_poll_bad_list_is_refused),
        cmocka_unit_test(sched_poll_waits_for_port_or_time),
        cmocka_unit_test(sched_shutdown_bad_argument_changes_nothing),
        cmocka_unit_test(sched_pin_override_returns_eopnotsupp),
        cmocka_unit_test(sched_remote_shutdown_ends_another_domain),
        cmocka_unit_test(sched_shutdown_stops_the_domain),
        cmocka_unit_test(sched_shutdown_code_is_kept_for_the_end),
        cmocka_unit_test(sched_watchdogs_are_two),
        cmocka_unit_test(sched_documented_errors_are_all_provoked),
        cmocka_unit_test(timer_op_arms_and_stops),
        cmocka_unit_test(vcpu_without_such_vcpu_returns_enoent),
        cmocka_unit_test(vcpu_bad_pointer_returns_efault),
        cmocka_unit_test(vcpu_up_without_state_returns_einval),
        cmocka_unit_test(vcpu_initialise_bad_state_returns_einval),
        cmocka_unit_test(vcpu_initialise_then_up_runs_it_once),
        cmocka_unit_test(vcpu_runstate_info_is_told_in_both_layouts),
        cmocka_unit_test(vcpu_runstate_area_is_written_and_kept),
        cmocka_unit_test(vcpu_time_area_is_written_and_kept),
        cmocka_unit_test(vcpu_periodic_timer_out_of_bounds_returns_einval),
        cmocka_unit_test(vcpu_singleshot_timer_is_the_callers),
        cmocka_unit_test(vcpu_register_info_moves_it_once),
        cmocka_unit_test(vcpu_send_nmi_is_pending_on_its_vcpu),
        cmocka_unit_test(vcpu_get_physid_returns_einval),
        cmocka_unit_test(vcpu_documented_errors_are_all_provoked),
        cmocka_unit_test(vcpu_down_of_the_last_one_powers_off),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
