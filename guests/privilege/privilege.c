/* SPDX-License-Identifier: MIT */
/*
 * Privilege: a plain guest is refused every control operation, every operation
 * on another domain, and every hypercall from user mode; nothing happens.
 *
 * Environments: all. `target=` is the id of another living domain (default
 * 0). In a domain with the control role it skips.
 */

#include "domctl.h"
#include "guest.h"

#include <xen/platform.h>

const char test_title[] = "privilege: what a plain guest may not do";

static unsigned int target;

/* What a control domain lives by: refused with this very error. */
static const uint8_t basic[] = {1,  2,  3,  4,  5,  9,  11,
                                12, 13, 14, 15, 16, 25, 86};

/*
 * The other numbers of this ABI. Some check arguments before the caller, and
 * not every hypervisor has them; but none may say yes.
 */
static const uint8_t others[] = {
    10, 17, 18, 19, 20, 21, 22, 24, 27, 28, 29, 33, 34, 35, 36, 37, 38,
    39, 40, 42, 43, 45, 46, 47, 48, 50, 54, 55, 56, 57, 59, 60, 61, 62,
    63, 64, 66, 67, 68, 69, 71, 72, 73, 74, 77, 78, 79, 82, 83, 84, 85,
};

static void domctl_refused(unsigned int domid)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(basic); i++) {
        struct xen_domctl op = {0};

        if (!CHECK_EQ(domctl(basic[i], domid, &op), -XEN_EPERM)) {
            printf("  domctl %u on %u\n", basic[i], domid);
        }
    }
    for (i = 0; i < ARRAY_SIZE(others); i++) {
        struct xen_domctl op = {0};

        if (!CHECK(domctl(others[i], domid, &op) < 0)) {
            printf("  domctl %u on %u\n", others[i], domid);
        }
    }
}

static void others_refused(void)
{
    struct xen_domctl odd = {0};
    struct xen_sysctl sys = {
        .cmd = XEN_SYSCTL_physinfo,
        .interface_version = XEN_SYSCTL_INTERFACE_VERSION,
    };
    struct xen_platform_op platform = {
        .cmd = XENPF_settime64,
        .interface_version = XENPF_INTERFACE_VERSION,
    };

    CHECK_EQ(hypercall(__HYPERVISOR_sysctl, (unsigned long)&sys, 0, 0, 0, 0),
             -XEN_EPERM);
    CHECK_EQ(sys.u.physinfo.total_pages, 0);
    CHECK(hypercall(__HYPERVISOR_platform_op, (unsigned long)&platform, 0, 0, 0,
                    0) < 0);
    odd.cmd = XEN_DOMCTL_getdomaininfo;
    odd.interface_version = XEN_DOMCTL_INTERFACE_VERSION - 1;
    CHECK(hypercall(__HYPERVISOR_domctl, (unsigned long)&odd, 0, 0, 0, 0) < 0);
}

static void another_domain(void)
{
    struct xen_hvm_param p = {.domid = (domid_t)target, .index = 1};
    struct evtchn_reset reset = {.dom = (domid_t)target};
    struct evtchn_status status = {.dom = (domid_t)target, .port = 1};
    struct xen_add_to_physmap map = {
        .domid = (domid_t)target,
        .space = XENMAPSPACE_shared_info,
        .gpfn = 0x100,
    };
    struct xen_memory_reservation r = {
        .domid = (domid_t)target,
        .nr_extents = 1,
    };
    struct sched_remote_shutdown down = {
        .domain_id = (domid_t)target,
        .reason = SHUTDOWN_crash,
    };
    domid_t id = (domid_t)target;
    xen_pfn_t pfn = 0x100;

    set_xen_guest_handle(r.extent_start, &pfn);
    CHECK_EQ(hvm_op(HVMOP_get_param, &p), -XEN_EPERM);
    CHECK_EQ(hvm_op(HVMOP_set_param, &p), -XEN_EPERM);
    CHECK_EQ(event_channel_op(EVTCHNOP_reset, &reset), -XEN_EPERM);
    CHECK_EQ(event_channel_op(EVTCHNOP_status, &status), -XEN_EPERM);
    CHECK_EQ(event_unbound(target, own_domid()), -XEN_EPERM);
    CHECK_EQ(memory_op(XENMEM_add_to_physmap, &map), -XEN_EPERM);
    CHECK(memory_op(XENMEM_populate_physmap, &r) <= 0);
    CHECK(memory_op(XENMEM_decrease_reservation, &r) <= 0);
    CHECK(memory_op(XENMEM_current_reservation, &id) < 0);
    CHECK_EQ(sched_op(SCHEDOP_remote_shutdown, &down), -XEN_EPERM);
}

static void no_foreign_frames(void)
{
    xen_ulong_t idx = 0x100;
    xen_pfn_t at = 0x60000;
    int err = 0;
    struct xen_add_to_physmap_batch op = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn_foreign,
        .size = 1,
        .u.foreign_domid = (domid_t)target,
    };

    set_xen_guest_handle(op.idxs, &idx);
    set_xen_guest_handle(op.gpfns, &at);
    set_xen_guest_handle(op.errs, &err);
    CHECK(memory_op(XENMEM_add_to_physmap_batch, &op) < 0 || err < 0);
}

static long user_hypercall(long nr)
{
    return hypercall_raw((unsigned long)nr, 0, 0, 0, 0, 0);
}

static void from_user_mode(void)
{
    long nr;

    for (nr = 0; nr < 64; nr++) {
        long rc = user_call(user_hypercall, nr);

        if (!CHECK(rc == -XEN_EPERM)) {
            printf("  hypercall %ld from user mode: %ld\n", nr, rc);
        }
    }
}

void test_main(void)
{
    uint64_t pages;

    target = (unsigned int)cmdline_number("target", 0);
    from_user_mode();
    if (!sysctl_free_pages(&pages)) {
        report_skip("a control domain");
        return;
    }
    domctl_refused(target);
    domctl_refused(own_domid());
    others_refused();
    another_domain();
    no_foreign_frames();
}
