/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl: who may ask what of whom, and the life of domains, up to a loop that
 * creates, fills, runs and destroys them and counts the machine's frames. The
 * other operations have their files; all run here, and the last test checks
 * that no documented error was missed.
 */
#include "domctl_fixture.h"

#include <string.h>

#include "public/memory.h"
#include "ravelin/frame_pool.h"
#include "ravelin/work.h"

#define CYCLES 100

/* Every operation, with a domain it may act on. */
static void each(void (*fn)(uint32_t cmd, domid_t d), domid_t d)
{
    static const uint16_t cmds[] = {
        1,  2,  3,  4,  5,  9,  10, 11, 12, 13, 14, 15, 16, 17,   18,
        22, 25, 28, 33, 34, 35, 36, 54, 55, 56, 77, 85, 86, 1002, 1003,
    };

    for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
        fn(cmds[i], d);
    }
}

static void wrong_version(uint32_t cmd, domid_t d)
{
    struct xen_domctl c = dc_request(cmd, d);

    c.interface_version--;
    assert_int_equal(dc_call(&c), -RV_EACCES);
}

static void set_padding(uint32_t cmd, domid_t d)
{
    struct xen_domctl c = dc_request(cmd, d);

    c._pad[cmd % 3] = 1;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
}

static void not_control(uint32_t cmd, domid_t d)
{
    struct xen_domctl c = dc_request(cmd, d);

    assert_int_equal(hc(HC_PLAIN, __HYPERVISOR_domctl, 0, &c, sizeof(c)),
                     -RV_EPERM);
    assert_int_equal(hc(HC_HARDWARE, __HYPERVISOR_domctl, 0, &c, sizeof(c)),
                     -RV_EPERM);
}

static void no_domain(uint32_t cmd, domid_t d)
{
    if (cmd != XEN_DOMCTL_createdomain) {
        assert_int_equal(dc_simple(cmd, d), -RV_ESRCH);
    }
}

static void to_itself(uint32_t cmd, domid_t d)
{
    switch (cmd) {
    case XEN_DOMCTL_createdomain:
    case XEN_DOMCTL_getdomaininfo:
    case XEN_DOMCTL_getvcpuinfo:
    case XEN_DOMCTL_getvcpuaffinity:
    case XEN_DOMCTL_get_address_size:
    case XEN_DOMCTL_setdomainhandle:
        break;
    case XEN_DOMCTL_mem_event_op:
    case XEN_DOMCTL_monitor_op:
        assert_int_equal(dc_simple(cmd, d), -RV_EPERM);
        assert_int_equal(dc_simple(cmd, DOMID_SELF), -RV_EPERM);
        break;
    default:
        assert_int_equal(dc_simple(cmd, d), -RV_EINVAL);
        assert_int_equal(dc_simple(cmd, DOMID_SELF), -RV_EINVAL);
    }
}

/* A structure that ends in a page that is not there: cmd is readable. */
static void bad_pointer(uint32_t cmd, domid_t d)
{
    struct xen_domctl c = dc_request(cmd, d);
    uint64_t at = HC_RAM_END - 8;

    hc_put(HC_CONTROL, at, &c, 8);
    assert_int_equal(hc_call(HC_CONTROL, false, __HYPERVISOR_domctl, at, 0, 0),
                     -RV_EFAULT);
}

static void domctl_bad_version_caller_or_target_is_refused(void **state)
{
    domid_t d = hc_domain[HC_PLAIN]->id;

    (void)state;
    each(wrong_version, d);
    each(set_padding, d);
    each(not_control, d);
    each(no_domain, 99);
    each(no_domain, DOMID_INVALID);
    each(to_itself, hc_domain[HC_CONTROL]->id);
    each(bad_pointer, d);
    assert_int_equal(dc_simple(6, d), -RV_ENOSYS);
    assert_int_equal(dc_simple(1000, d), -RV_ENOSYS);
    assert_int_equal(dc_simple(UINT32_MAX, d), -RV_ENOSYS);
    assert_int_equal(hc_domain[HC_PLAIN]->state, DOMAIN_RUNNING);
}

static void create_bad_options_return_einval(void **state)
{
    struct xen_domctl c;
    unsigned before = domain_count();

    (void)state;
#define REFUSED(change)                            \
    do {                                           \
        c = dc_create_request(0, 1);               \
        change;                                    \
        assert_int_equal(dc_call(&c), -RV_EINVAL); \
    } while (0)
    REFUSED(c.u.createdomain.flags = XEN_DOMCTL_CDF_hvm);
    REFUSED(c.u.createdomain.flags |= 1u << 5);
    REFUSED(c.u.createdomain.max_vcpus = 0);
    REFUSED(c.u.createdomain.max_vcpus = VCPU_COUNT_MAX + 1);
    REFUSED(c.u.createdomain.iommu_opts = 1);
    REFUSED(c.u.createdomain.vmtrace_size = 4096);
    REFUSED(c.u.createdomain.cpupool_id = 1);
    REFUSED(c.u.createdomain.arch.emulation_flags = XEN_X86_EMU_IOAPIC);
    REFUSED(c.u.createdomain.arch.misc_flags = 1);
#undef REFUSED
    assert_int_equal(domain_count(), before);
}

static void create_makes_a_paused_plain_guest(void **state)
{
    struct xen_domctl c = dc_create_request(40, 2);
    struct domain *d;

    (void)state;
    memset(c.u.createdomain.handle, 0x11, 16);
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(c.domain, 40);
    d = domain_lookup(40);
    assert_non_null(d);
    assert_int_equal(d->roles, 0);
    assert_int_equal(d->state, DOMAIN_BUILDING);
    assert_int_equal(d->pause_count, 1);
    assert_int_equal(d->vcpu_count, 2);
    assert_int_equal(d->uuid[3], 0x11);
    c = dc_create_request(40, 1);
    assert_int_equal(dc_call(&c), -RV_EEXIST);
    dc_destroy(40);
    assert_null(domain_lookup(40));
}

/* Each allocation of a creation fails in turn; nothing may be left. */
static void create_any_allocation_fails_returns_enomem(void **state)
{
    uint64_t free_before;
    unsigned failures = 0;
    long rc;

    (void)state;
    dc_destroy(dc_create(1));
    free_before = frame_free_count();
    for (int64_t i = 0;; i++) {
        struct xen_domctl c = dc_create_request(0, 1);

        frame_pool_fail_after(i);
        rc = dc_call(&c);
        frame_pool_fail_after(-1);
        if (rc == 0) {
            dc_destroy(c.domain);
            break;
        }
        assert_int_equal(rc, -RV_ENOMEM);
        failures++;
        while (work_is_pending()) {
            work_run();
            fixture_quiesce();
        }
        fixture_quiesce();
        assert_int_equal(frame_free_count(), free_before);
    }
    assert_true(failures > 5);
    assert_int_equal(frame_free_count(), free_before);
}

/* The answer cannot be written: the new domain must not stay unknown. */
static void create_result_that_cannot_be_told_is_undone(void **state)
{
    struct xen_domctl c = dc_create_request(41, 1);
    struct domain *self = hc_domain[HC_CONTROL];
    gfn_t g = gfn(HC_FREE >> PAGE_SHIFT);
    struct p2m_locked p2m;

    (void)state;
    hc_put(HC_CONTROL, HC_FREE, &c, sizeof(c));
    p2m = p2m_lock(&self->p2m);
    assert_int_equal(p2m_access_set(p2m, g, ACCESS_READ), 0);
    p2m_unlock(&p2m);
    assert_int_equal(
        hc_call(HC_CONTROL, false, __HYPERVISOR_domctl, HC_FREE, 0, 0),
        -RV_EFAULT);
    p2m = p2m_lock(&self->p2m);
    assert_int_equal(p2m_access_set(p2m, g, ACCESS_ALL), 0);
    p2m_unlock(&p2m);
    while (work_is_pending()) {
        work_run();
        fixture_quiesce();
    }
    fixture_quiesce();
    assert_null(domain_lookup(41));
}

/* ---- Life cycle as a tool does it -------------------------------------- */

static void populate(domid_t d, unsigned pages)
{
    struct xen_memory_reservation r = {
        .extent_start = {HC_BUF},
        .nr_extents = pages,
        .domid = d,
    };

    for (unsigned i = 0; i < pages; i++) {
        uint64_t g = i;

        hc_put(HC_CONTROL, HC_BUF + i * 8, &g, sizeof(g));
    }
    assert_int_equal(hc(HC_CONTROL, __HYPERVISOR_memory_op,
                        XENMEM_populate_physmap, &r, sizeof(r)),
                     pages);
}

static void build(domid_t d)
{
    struct xen_domctl c = dc_request(XEN_DOMCTL_max_mem, d);

    c.u.max_mem.max_memkb = 1024;
    assert_int_equal(dc_call(&c), 0);
    populate(d, 200);
    c = dc_request(XEN_DOMCTL_hypercall_init, d);
    c.u.hypercall_init.gmfn = 3;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(dc_simple(XEN_DOMCTL_unpausedomain, d), 0);
}

static void domctl_100_cycles_leak_no_frame(void **state)
{
    uint64_t before;

    (void)state;
    dc_destroy(dc_create(2));
    before = frame_free_count();
    for (unsigned i = 0; i < CYCLES; i++) {
        domid_t d = dc_create(2);

        build(d);
        assert_int_equal(domain_lookup(d)->page_count, 200);
        dc_destroy(d);
        assert_int_equal(frame_free_count(), before);
    }
}

static void domctl_documented_errors_are_all_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("domctl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domctl_bad_version_caller_or_target_is_refused),
        cmocka_unit_test(create_bad_options_return_einval),
        cmocka_unit_test(create_makes_a_paused_plain_guest),
        cmocka_unit_test(create_any_allocation_fails_returns_enomem),
        cmocka_unit_test(create_result_that_cannot_be_told_is_undone),
        cmocka_unit_test(domctl_100_cycles_leak_no_frame),
    };
    const struct CMUnitTest last[] = {
        cmocka_unit_test(domctl_documented_errors_are_all_provoked),
    };
    int failed = group_run(tests, hc_setup, hc_teardown);

    failed += domctl_settings_run();
    failed += domctl_context_run();
    failed += domctl_watch_run();
    failed += cmocka_run_group_tests(last, NULL, NULL);
    return failed;
}
