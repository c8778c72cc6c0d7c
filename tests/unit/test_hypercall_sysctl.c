/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl: what a tool is told of the machine, its domains and its log.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "public/sysctl.h"
#include "ravelin/frame_pool.h"
#include "ravelin/log.h"

static struct xen_sysctl sys_request(uint32_t cmd)
{
    struct xen_sysctl c;

    memset(&c, 0, sizeof(c));
    c.cmd = cmd;
    c.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return c;
}

static long sys(enum hc_who who, struct xen_sysctl *c)
{
    return hc(who, __HYPERVISOR_sysctl, 0, c, sizeof(*c));
}

static void sysctl_bad_version_caller_or_pointer_is_refused(void **state)
{
    static const uint8_t cmds[] = {1, 3, 4, 6, 9};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
        struct xen_sysctl c = sys_request(cmds[i]);
        uint64_t at = HC_RAM_END - 8;

        assert_int_equal(sys(HC_PLAIN, &c), -RV_EPERM);
        hc_put(HC_CONTROL, at, &c, 8);
        assert_int_equal(
            hc_call(HC_CONTROL, false, __HYPERVISOR_sysctl, at, 0, 0),
            -RV_EFAULT);
        c.interface_version++;
        assert_int_equal(sys(HC_CONTROL, &c), -RV_EACCES);
    }
    for (uint32_t cmd = 10; cmd < 40; cmd++) {
        struct xen_sysctl c = sys_request(cmd);

        assert_int_equal(sys(HC_CONTROL, &c), -RV_ENOSYS);
    }
}

static void sysctl_tells_of_the_machine(void **state)
{
    struct xen_sysctl c = sys_request(XEN_SYSCTL_physinfo);

    (void)state;
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_int_equal(c.u.physinfo.nr_cpus, 1);
    assert_int_equal(c.u.physinfo.free_pages, frame_free_count());
    assert_int_equal(c.u.physinfo.total_pages, frame_total_count());
    c = sys_request(XEN_SYSCTL_sched_id);
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_int_equal(c.u.sched_id.sched_id, XEN_SCHEDULER_CREDIT);
    c = sys_request(XEN_SYSCTL_availheap);
    c.u.availheap.node = -1;
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_int_equal(c.u.availheap.avail_bytes, frame_free_count() * 4096);
    c.u.availheap.node = 1;
    assert_int_equal(sys(HC_CONTROL, &c), -RV_EINVAL);
    c.u.availheap.node = 0;
    c.u.availheap.max_bitwidth = 32;
    assert_int_equal(sys(HC_CONTROL, &c), -RV_EINVAL);
}

static void sysctl_lists_domains_in_order(void **state)
{
    struct xen_sysctl c = sys_request(XEN_SYSCTL_getdomaininfolist);
    struct xen_domctl_getdomaininfo info[3];

    (void)state;
    c.u.getdomaininfolist.max_domains = 10;
    c.u.getdomaininfolist.buffer.gva = HC_BUF;
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_int_equal(c.u.getdomaininfolist.num_domains, 3);
    hc_get(HC_CONTROL, HC_BUF, info, sizeof(info));
    assert_int_equal(info[0].domain, 3);
    assert_int_equal(info[1].domain, 4);
    assert_int_equal(info[2].domain, 5);
    c = sys_request(XEN_SYSCTL_getdomaininfolist);
    c.u.getdomaininfolist.first_domain = 4;
    c.u.getdomaininfolist.max_domains = 1;
    c.u.getdomaininfolist.buffer.gva = HC_BUF;
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_int_equal(c.u.getdomaininfolist.num_domains, 1);
    hc_get(HC_CONTROL, HC_BUF, info, sizeof(info[0]));
    assert_int_equal(info[0].domain, 4);
    c.u.getdomaininfolist.buffer.gva = HC_BAD;
    assert_int_equal(sys(HC_CONTROL, &c), -RV_EFAULT);
}

static struct xen_sysctl log_request(bool clear, const uint32_t *from,
                                     uint32_t count)
{
    struct xen_sysctl c = sys_request(XEN_SYSCTL_readconsole);

    c.u.readconsole.clear = clear;
    c.u.readconsole.incremental = from != NULL;
    c.u.readconsole.index = from != NULL ? *from : 0x12345678;
    c.u.readconsole.buffer.gva = HC_BUF;
    c.u.readconsole.count = count;
    return c;
}

static void sysctl_reads_the_log(void **state)
{
    struct xen_sysctl c = log_request(true, NULL, UINT32_MAX);
    static char text[1000];
    uint32_t first;
    uint32_t index;

    (void)state;
    log_level_set(LOG_INFO);
    log_info("old");
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_in_range(c.u.readconsole.count, 1, LOG_RING_SIZE);
    first = index = c.u.readconsole.index;
    for (unsigned i = 0; i < 20; i++) {
        log_info("a line of the log, number %u", i);
    }
    c = log_request(false, &index, 600);
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_int_equal(c.u.readconsole.count, 600);
    assert_int_equal(c.u.readconsole.index, first + 600);
    hc_get(HC_CONTROL, HC_BUF, text, 600);
    assert_memory_equal(text, "(rv) [", 6);
    assert_non_null(strstr(text, "a line of the log, number 1\n"));
    index = c.u.readconsole.index;
    c = log_request(false, &index, UINT32_MAX);
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_in_range(c.u.readconsole.count, 400, 2000);
    /* All that was not cleared; and nothing when it is. */
    c = log_request(true, NULL, UINT32_MAX);
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_int_equal(c.u.readconsole.count, c.u.readconsole.index - first);
    c = log_request(false, NULL, UINT32_MAX);
    c.u.readconsole.buffer.gva = 0;
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_int_equal(c.u.readconsole.count, 0);
    log_info("one more");
    c = log_request(true, NULL, 5);
    c.u.readconsole.buffer.gva = HC_BAD;
    assert_int_equal(sys(HC_CONTROL, &c), -RV_EFAULT);
    c = log_request(false, NULL, 5);
    assert_int_equal(sys(HC_CONTROL, &c), 0);
    assert_int_equal(c.u.readconsole.count, 5);
}

static void sysctl_documented_errors_are_all_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("sysctl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sysctl_bad_version_caller_or_pointer_is_refused),
        cmocka_unit_test(sysctl_tells_of_the_machine),
        cmocka_unit_test(sysctl_lists_domains_in_order),
        cmocka_unit_test(sysctl_reads_the_log),
        cmocka_unit_test(sysctl_documented_errors_are_all_provoked),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
