/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings of a domain and what a tool is told of them: pauses, limits, weight,
 * affinity, vCPUs; and the operations that are not there.
 */
#include "domctl_fixture.h"

#include <string.h>

#include "ravelin/sched.h"

static void pause_is_counted(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;

    (void)state;
    assert_int_equal(dc_simple(XEN_DOMCTL_unpausedomain, id), -RV_EINVAL);
    assert_int_equal(dc_simple(XEN_DOMCTL_pausedomain, id), 0);
    assert_int_equal(dc_simple(XEN_DOMCTL_pausedomain, id), 0);
    assert_int_equal(hc_domain[HC_PLAIN]->pause_count, 2);
    assert_int_equal(dc_simple(XEN_DOMCTL_unpausedomain, id), 0);
    assert_int_equal(dc_simple(XEN_DOMCTL_unpausedomain, id), 0);
    assert_int_equal(dc_simple(XEN_DOMCTL_unpausedomain, id), -RV_EINVAL);
}

static void info_tells_state_and_memory(void **state)
{
    struct xen_domctl c =
        dc_request(XEN_DOMCTL_getdomaininfo, hc_domain[HC_PLAIN]->id);
    const struct xen_domctl_getdomaininfo *i = &c.u.getdomaininfo;

    (void)state;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(i->domain, hc_domain[HC_PLAIN]->id);
    assert_int_equal(i->tot_pages, hc_domain[HC_PLAIN]->page_count);
    assert_int_equal(i->max_pages, hc_domain[HC_PLAIN]->max_pages);
    assert_int_equal(i->max_vcpu_id, 1);
    assert_int_equal(i->nr_online_vcpus, 1);
    assert_true(i->flags & XEN_DOMINF_hvm_guest);
    assert_false(i->flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown));
    domain_shutdown(hc_domain[HC_PLAIN], SHUTDOWN_SUSPEND);
    c = dc_request(XEN_DOMCTL_getdomaininfo, hc_domain[HC_PLAIN]->id);
    assert_int_equal(dc_call(&c), 0);
    assert_true(i->flags & XEN_DOMINF_shutdown);
    assert_int_equal(i->flags >> XEN_DOMINF_shutdownshift, SHUTDOWN_SUSPEND);
    assert_int_equal(domain_resume(hc_domain[HC_PLAIN]), 0);
    c = dc_request(XEN_DOMCTL_getdomaininfo, DOMID_SELF);
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(i->domain, hc_domain[HC_CONTROL]->id);
    assert_true(i->flags & XEN_DOMINF_running);
}

static void limits_are_set_and_checked(void **state)
{
    domid_t d = dc_create(2);
    struct xen_domctl c = dc_request(XEN_DOMCTL_max_mem, d);

    (void)state;
    c.u.max_mem.max_memkb = 1024;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(domain_lookup(d)->max_pages, 256);
    c.u.max_mem.max_memkb = UINT64_MAX;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c = dc_request(XEN_DOMCTL_max_vcpus, d);
    c.u.max_vcpus.max = 2;
    assert_int_equal(dc_call(&c), 0);
    c.u.max_vcpus.max = 3;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c = dc_request(XEN_DOMCTL_setdomainhandle, d);
    memset(c.u.setdomainhandle.handle, 0x77, 16);
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(domain_lookup(d)->uuid[15], 0x77);
    dc_destroy(d);
}

static void scheduler_weight_is_set_and_told(void **state)
{
    domid_t d = hc_domain[HC_PLAIN]->id;
    struct xen_domctl c = dc_request(XEN_DOMCTL_scheduler_op, d);

    (void)state;
    c.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT;
    c.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    c.u.scheduler_op.u.credit.weight = 512;
    assert_int_equal(dc_call(&c), 0);
    c.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    c.u.scheduler_op.u.credit.weight = 0;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(c.u.scheduler_op.u.credit.weight, 512);
    c.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    c.u.scheduler_op.u.credit.weight = 0;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.u.scheduler_op.u.credit.weight = 1;
    c.u.scheduler_op.u.credit.cap = 50;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.u.scheduler_op.cmd = 2;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    assert_int_equal(hc_domain[HC_PLAIN]->weight, 512);
}

static void affinity_is_a_map_of_cpus(void **state)
{
    struct xen_domctl c =
        dc_request(XEN_DOMCTL_setvcpuaffinity, hc_domain[HC_PLAIN]->id);
    struct xen_domctl_vcpuaffinity *a = &c.u.vcpuaffinity;
    uint64_t map = 1;

    (void)state;
    a->flags = XEN_VCPUAFFINITY_HARD;
    a->cpumap_hard.bitmap.gva = HC_BUF;
    a->cpumap_hard.nr_bits = 64;
    hc_put(HC_CONTROL, HC_BUF, &map, sizeof(map));
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(sched_affinity_get(hc_vcpu(HC_PLAIN, 0)), 1);
    map = 0;
    hc_put(HC_CONTROL, HC_BUF, &map, sizeof(map));
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    map = 1ULL << 40;
    hc_put(HC_CONTROL, HC_BUF, &map, sizeof(map));
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    a->cpumap_hard.nr_bits = 5000;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    a->cpumap_hard.nr_bits = 8;
    a->cpumap_hard.bitmap.gva = HC_BAD;
    assert_int_equal(dc_call(&c), -RV_EFAULT);
    a->flags = XEN_VCPUAFFINITY_SOFT;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    a->flags = XEN_VCPUAFFINITY_HARD;
    a->vcpu = 2;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.cmd = XEN_DOMCTL_getvcpuaffinity;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    a->vcpu = 0;
    assert_int_equal(dc_call(&c), -RV_EFAULT);
    map = UINT64_MAX;
    hc_put(HC_CONTROL, HC_BUF, &map, sizeof(map));
    a->cpumap_hard.bitmap.gva = HC_BUF;
    assert_int_equal(dc_call(&c), 0);
    hc_get(HC_CONTROL, HC_BUF, &map, sizeof(map));
    assert_int_equal(map, ~0xffULL | 1); /* eight bits were asked for */
}

static void vcpuinfo_tells_one_vcpu(void **state)
{
    struct xen_domctl c =
        dc_request(XEN_DOMCTL_getvcpuinfo, hc_domain[HC_PLAIN]->id);

    (void)state;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(c.u.getvcpuinfo.online, 1);
    c.u.getvcpuinfo.vcpu = 1;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(c.u.getvcpuinfo.online, 0);
    c.u.getvcpuinfo.vcpu = 2;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
}

static void trigger_raises_nmi_only(void **state)
{
    struct xen_domctl c =
        dc_request(XEN_DOMCTL_sendtrigger, hc_domain[HC_PLAIN]->id);

    (void)state;
    c.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_NMI;
    c.u.sendtrigger.vcpu = 1;
    assert_int_equal(dc_call(&c), 0);
    assert_true(hc_vcpu(HC_PLAIN, 1)->nmi_pending);
    c.u.sendtrigger.vcpu = 2;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_RESET;
    assert_int_equal(dc_call(&c), -RV_EOPNOTSUPP);
}

static void unsupported_operations_return_eopnotsupp(void **state)
{
    static const uint8_t cmds[] = {10, 12, 13, 35, 85, 86};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
        assert_int_equal(dc_simple(cmds[i], hc_domain[HC_PLAIN]->id),
                         -RV_EOPNOTSUPP);
    }
}

static void get_address_size_of_a_guest_is_64(void **state)
{
    struct xen_domctl c =
        dc_request(XEN_DOMCTL_get_address_size, hc_domain[HC_PLAIN]->id);

    (void)state;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(c.u.address_size.size, 64);
}

static void hypercall_init_fills_a_page_of_ram_only(void **state)
{
    struct xen_domctl c =
        dc_request(XEN_DOMCTL_hypercall_init, hc_domain[HC_PLAIN]->id);

    (void)state;
    c.u.hypercall_init.gmfn = HC_HOLE >> PAGE_SHIFT;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.u.hypercall_init.gmfn = UINT64_MAX;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.u.hypercall_init.gmfn = HC_FREE >> PAGE_SHIFT;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(fixture_phys_u64(hc_domain[HC_PLAIN], HC_FREE) & 0xff,
                     0xb8);
}

int domctl_settings_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pause_is_counted),
        cmocka_unit_test(info_tells_state_and_memory),
        cmocka_unit_test(limits_are_set_and_checked),
        cmocka_unit_test(scheduler_weight_is_set_and_told),
        cmocka_unit_test(affinity_is_a_map_of_cpus),
        cmocka_unit_test(vcpuinfo_tells_one_vcpu),
        cmocka_unit_test(trigger_raises_nmi_only),
        cmocka_unit_test(unsupported_operations_return_eopnotsupp),
        cmocka_unit_test(get_address_size_of_a_guest_is_64),
        cmocka_unit_test(hypercall_init_fills_a_page_of_ram_only),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
