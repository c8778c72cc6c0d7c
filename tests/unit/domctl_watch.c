/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations for those who watch a domain: debuggers that attach and step,
 * event rings of monitors, and what they listen to.
 */
#include "domctl_fixture.h"

#include "public/hvm/hvm_op.h"
#include "public/hvm/params.h"
#include "ravelin/debug_attach.h"
#include "ravelin/evtchn.h"
#include "ravelin/monitor.h"

static const struct debug_client another = {.breakpoint = NULL};

static long debugging(domid_t d, uint8_t enable)
{
    struct xen_domctl c = dc_request(XEN_DOMCTL_setdebugging, d);

    c.u.setdebugging.enable = enable;
    return dc_call(&c);
}

static long step(domid_t d, uint32_t vcpu, uint32_t op)
{
    struct xen_domctl c = dc_request(XEN_DOMCTL_debug_op, d);

    c.u.debug_op.vcpu = vcpu;
    c.u.debug_op.op = op;
    return dc_call(&c);
}

static struct xen_domctl status(domid_t d)
{
    struct xen_domctl c = dc_request(XEN_DOMCTL_gdbsx_domstatus, d);

    assert_int_equal(dc_call(&c), 0);
    return c;
}

static void debugger_stops_the_domain_and_lets_it_go(void **state)
{
    struct domain *d = hc_domain[HC_PLAIN];
    struct vcpu *v = hc_vcpu(HC_PLAIN, 1);
    struct xen_domctl c = dc_request(XEN_DOMCTL_gdbsx_unpausevcpu, d->id);
    uint32_t pauses = d->pause_count;
    uint64_t rip = v->regs.rip;

    (void)state;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    assert_int_equal(step(d->id, 0, 1), -RV_ENOENT);
    assert_int_equal(debugging(d->id, 1), 0);
    assert_int_equal(debugging(d->id, 1), 0);
    assert_int_equal(debug_attach(d, &another, NULL), -RV_EBUSY);
    assert_int_equal(status(d->id).u.gdbsx_domstatus.vcpu_id, UINT32_MAX);
    assert_true(debug_int3(v, gva(rip)));
    assert_int_equal(v->regs.rip, rip + 1);
    assert_int_equal(d->pause_count, pauses + 1);
    assert_true(debug_int3(v, gva(rip)));
    assert_int_equal(d->pause_count, pauses + 1);
    c = status(d->id);
    assert_int_equal(c.u.gdbsx_domstatus.paused, 1);
    assert_int_equal(c.u.gdbsx_domstatus.vcpu_id, 1);
    assert_int_equal(c.u.gdbsx_domstatus.vcpu_ev, 3);
    assert_int_equal(status(d->id).u.gdbsx_domstatus.vcpu_id, UINT32_MAX);
    c = dc_request(XEN_DOMCTL_gdbsx_unpausevcpu, d->id);
    c.u.gdbsx_pauseunp_vcpu.vcpu = 2;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.u.gdbsx_pauseunp_vcpu.vcpu = 1;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(d->pause_count, pauses);
    assert_int_equal(step(d->id, 2, 1), -RV_EINVAL);
    assert_int_equal(step(d->id, 1, 2), -RV_EINVAL);
    assert_int_equal(step(d->id, 1, 1), 0);
    assert_true(debug_wants_step(v));
    assert_false(debug_wants_step(hc_vcpu(HC_PLAIN, 0)));
    debug_stepped(v);
    assert_int_equal(status(d->id).u.gdbsx_domstatus.vcpu_ev, 1);
    /* Who leaves lets go what stands for him. */
    assert_int_equal(debugging(d->id, 0), 0);
    assert_int_equal(d->pause_count, pauses);
    assert_false(debug_int3(v, gva(rip)));
    v->regs.rip = rip;
}

static void debugger_attach_twice_or_without_memory_is_refused(void **state)
{
    struct domain *d = hc_domain[HC_PLAIN];

    (void)state;
    hc_alloc_fail();
    assert_int_equal(debugging(d->id, 1), -RV_ENOMEM);
    hc_alloc_heal();
    assert_int_equal(debug_attach(d, &another, NULL), 0);
    assert_int_equal(debugging(d->id, 1), -RV_EBUSY);
    assert_int_equal(debugging(d->id, 0), 0);
    assert_int_equal(debug_detach(d), 0);
    assert_int_equal(debug_detach(d), -RV_ENOENT);
}

/* ---- For monitors ------------------------------------------------------ */

static long mem_event(domid_t d, uint32_t op, uint32_t mode)
{
    struct xen_domctl c = dc_request(XEN_DOMCTL_mem_event_op, d);

    c.u.mem_event_op.op = op;
    c.u.mem_event_op.mode = mode;
    return dc_call(&c);
}

static long access_op(uint32_t op)
{
    return mem_event(hc_domain[HC_PLAIN]->id, op,
                     XEN_DOMCTL_MEM_EVENT_OP_ACCESS);
}

static void ring_page_set(uint64_t gfn)
{
    struct xen_hvm_param p = {
        .domid = hc_domain[HC_PLAIN]->id,
        .index = HVM_PARAM_MONITOR_RING_PFN,
        .value = gfn,
    };

    assert_int_equal(
        hc(HC_CONTROL, __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p)), 0);
}

/* The page leaves the domain's memory and comes back, cleared. */
static void mem_event_op_takes_the_page_and_returns_it(void **state)
{
    struct xen_domctl c =
        dc_request(XEN_DOMCTL_mem_event_op, hc_domain[HC_PLAIN]->id);
    const gfn_t ring = gfn(HC_FREE >> PAGE_SHIFT);
    struct p2m *p2m = &hc_domain[HC_PLAIN]->p2m;
    uint64_t pattern = 0x5a5a;
    mfn_t frame = p2m_lookup(p2m, ring).mfn;

    (void)state;
    hc_put(HC_PLAIN, HC_FREE, &pattern, sizeof(pattern));
    assert_int_equal(access_op(XEN_DOMCTL_MEM_EVENT_OP_ENABLE), -RV_ENOENT);
    ring_page_set(HC_HOLE >> PAGE_SHIFT);
    assert_int_equal(access_op(XEN_DOMCTL_MEM_EVENT_OP_ENABLE), -RV_ENOENT);
    ring_page_set(~0ull);
    assert_int_equal(access_op(XEN_DOMCTL_MEM_EVENT_OP_ENABLE), -RV_ENOENT);
    ring_page_set(ring.v);
    c.u.mem_event_op.mode = XEN_DOMCTL_MEM_EVENT_OP_ACCESS;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(c.u.mem_event_op.port, EVTCHN_2L_NR_CHANNELS);
    assert_int_equal(p2m_lookup(p2m, ring).type, P2M_NONE);
    assert_int_equal(access_op(XEN_DOMCTL_MEM_EVENT_OP_ENABLE), -RV_EBUSY);
    assert_int_equal(access_op(XEN_DOMCTL_MEM_EVENT_OP_RESUME), 0);
    assert_int_equal(access_op(XEN_DOMCTL_MEM_EVENT_OP_DISABLE), 0);
    assert_int_equal(access_op(XEN_DOMCTL_MEM_EVENT_OP_DISABLE), -RV_ENOENT);
    assert_true(mfn_eq(p2m_lookup(p2m, ring).mfn, frame));
    hc_get(HC_PLAIN, HC_FREE, &pattern, sizeof(pattern));
    assert_int_equal(pattern, 0);
    fixture_quiesce();
}

static void mem_event_op_bad_values_are_refused(void **state)
{
    domid_t plain = hc_domain[HC_PLAIN]->id;

    (void)state;
    assert_int_equal(access_op(7), -RV_EINVAL);
    assert_int_equal(mem_event(plain, 0, XEN_DOMCTL_MEM_EVENT_OP_PAGING),
                     -RV_EOPNOTSUPP);
    assert_int_equal(mem_event(plain, 0, 0), -RV_EOPNOTSUPP);
    assert_int_equal(mem_event(DOMID_SELF, 0, 2), -RV_EPERM);
    assert_int_equal(mem_event(hc_domain[HC_CONTROL]->id, 0, 2), -RV_EPERM);
    assert_int_equal(mem_event(99, 0, 2), -RV_ESRCH);
    /* The version needs no domain. */
    assert_int_equal(mem_event(DOMID_INVALID, XEN_VM_EVENT_GET_VERSION, 0), 0);
}

static long monitor_event_op(uint32_t op, uint32_t event, uint8_t index,
                             uint64_t bitmask)
{
    struct xen_domctl c =
        dc_request(XEN_DOMCTL_monitor_op, hc_domain[HC_PLAIN]->id);

    c.u.monitor_op.op = op;
    c.u.monitor_op.event = event;
    c.u.monitor_op.u.mov_to_cr.index = index;
    c.u.monitor_op.u.mov_to_cr.sync = 1;
    c.u.monitor_op.u.mov_to_cr.bitmask = bitmask;
    return dc_call(&c);
}

static void monitor_op_listens_through_the_same_settings(void **state)
{
    struct domain *d = hc_domain[HC_PLAIN];
    struct xen_domctl c = dc_request(XEN_DOMCTL_monitor_op, d->id);
    long rc;

    (void)state;
    c.u.monitor_op.op = XEN_DOMCTL_MONITOR_OP_GET_CAPABILITIES;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(c.u.monitor_op.event, 0x1f);
    assert_int_equal(monitor_event_op(0, 0, 1, 0), -RV_ENOENT);
    ring_page_set(HC_FREE >> PAGE_SHIFT);
    assert_int_equal(access_op(XEN_DOMCTL_MEM_EVENT_OP_ENABLE), 0);
    assert_int_equal(monitor_event_op(0, 0, 1, 0), 0);
    assert_true(monitor_listens(d, RAVELIN_REASON_CR3));
    assert_int_equal(monitor_event_op(1, 0, 1, 0), 0);
    assert_false(monitor_listens(d, RAVELIN_REASON_CR3));
    assert_int_equal(monitor_event_op(0, 0, 3, 0), -RV_EOPNOTSUPP);
    assert_int_equal(monitor_event_op(0, 0, 1, 1), -RV_EOPNOTSUPP);
    assert_int_equal(monitor_event_op(0, 9, 0, 0), -RV_EOPNOTSUPP);
    assert_int_equal(monitor_event_op(3, 0, 0, 0), -RV_EOPNOTSUPP);
    hc_alloc_fail();
    rc = monitor_event_op(0, 0, 0, 0x80);
    hc_alloc_heal();
    assert_int_equal(rc, -RV_ENOMEM);
    for (uint32_t event = 1; event <= 4; event++) {
        assert_int_equal(monitor_event_op(0, event, 0, 0), 0);
        assert_int_equal(monitor_event_op(1, event, 0, 0), 0);
    }
    assert_int_equal(access_op(XEN_DOMCTL_MEM_EVENT_OP_DISABLE), 0);
    c = dc_request(XEN_DOMCTL_monitor_op, DOMID_SELF);
    assert_int_equal(dc_call(&c), -RV_EPERM);
    fixture_quiesce();
}

/* The state of a watch is made on first use. */
static void monitor_calls_without_memory_return_enomem(void **state)
{
    (void)state;
    assert_null(hc_domain[HC_PLAIN]->monitor);
    hc_alloc_fail();
    assert_int_equal(access_op(XEN_DOMCTL_MEM_EVENT_OP_ENABLE), -RV_ENOMEM);
    hc_alloc_heal();
}

int domctl_watch_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monitor_calls_without_memory_return_enomem),
        cmocka_unit_test(mem_event_op_takes_the_page_and_returns_it),
        cmocka_unit_test(mem_event_op_bad_values_are_refused),
        cmocka_unit_test(monitor_op_listens_through_the_same_settings),
        cmocka_unit_test(debugger_stops_the_domain_and_lets_it_go),
        cmocka_unit_test(debugger_attach_twice_or_without_memory_is_refused),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
