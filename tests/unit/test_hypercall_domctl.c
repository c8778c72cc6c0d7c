/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl and sysctl. The last test creates, fills, runs and destroys domains
 * in a loop and counts the machine's frames.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "public/domctl.h"
#include "public/hvm/hvm_op.h"
#include "public/hvm/params.h"
#include "public/hvm/save.h"
#include "public/memory.h"
#include "public/sysctl.h"
#include "ravelin/debug_attach.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"
#include "ravelin/log.h"
#include "ravelin/monitor.h"
#include "ravelin/sched.h"
#include "ravelin/work.h"

#define CYCLES 100

static struct xen_domctl request(uint32_t cmd, domid_t d)
{
    struct xen_domctl c;

    memset(&c, 0, sizeof(c));
    c.cmd = cmd;
    c.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    c.domain = d;
    return c;
}

static long call(struct xen_domctl *c)
{
    return hc(HC_CONTROL, __HYPERVISOR_domctl, 0, c, sizeof(*c));
}

static long simple(uint32_t cmd, domid_t d)
{
    struct xen_domctl c = request(cmd, d);

    return call(&c);
}

static struct xen_domctl create_request(domid_t d, uint32_t vcpus)
{
    struct xen_domctl c = request(XEN_DOMCTL_createdomain, d);

    c.u.createdomain.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
    c.u.createdomain.max_vcpus = vcpus;
    c.u.createdomain.max_evtchn_port = 1023;
    c.u.createdomain.arch.emulation_flags = XEN_X86_EMU_LAPIC;
    return c;
}

static domid_t create(uint32_t vcpus)
{
    struct xen_domctl c = create_request(0, vcpus);

    assert_int_equal(call(&c), 0);
    assert_non_null(domain_lookup(c.domain));
    return c.domain;
}

static void destroy(domid_t d)
{
    assert_int_equal(simple(XEN_DOMCTL_destroydomain, d), 0);
    fixture_quiesce();
}

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
    struct xen_domctl c = request(cmd, d);

    c.interface_version--;
    assert_int_equal(call(&c), -RV_EACCES);
}

static void set_padding(uint32_t cmd, domid_t d)
{
    struct xen_domctl c = request(cmd, d);

    c._pad[cmd % 3] = 1;
    assert_int_equal(call(&c), -RV_EINVAL);
}

static void not_control(uint32_t cmd, domid_t d)
{
    struct xen_domctl c = request(cmd, d);

    assert_int_equal(hc(HC_PLAIN, __HYPERVISOR_domctl, 0, &c, sizeof(c)),
                     -RV_EPERM);
    assert_int_equal(hc(HC_HARDWARE, __HYPERVISOR_domctl, 0, &c, sizeof(c)),
                     -RV_EPERM);
}

static void no_domain(uint32_t cmd, domid_t d)
{
    if (cmd != XEN_DOMCTL_createdomain) {
        assert_int_equal(simple(cmd, d), -RV_ESRCH);
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
        assert_int_equal(simple(cmd, d), -RV_EPERM);
        assert_int_equal(simple(cmd, DOMID_SELF), -RV_EPERM);
        break;
    default:
        assert_int_equal(simple(cmd, d), -RV_EINVAL);
        assert_int_equal(simple(cmd, DOMID_SELF), -RV_EINVAL);
    }
}

/* A structure that ends in a page that is not there: cmd is readable. */
static void bad_pointer(uint32_t cmd, domid_t d)
{
    struct xen_domctl c = request(cmd, d);
    uint64_t at = HC_RAM_END - 8;

    hc_put(HC_CONTROL, at, &c, 8);
    assert_int_equal(hc_call(HC_CONTROL, false, __HYPERVISOR_domctl, at, 0, 0),
                     -RV_EFAULT);
}

static void domctl_common_checks(void **state)
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
    assert_int_equal(simple(6, d), -RV_ENOSYS);
    assert_int_equal(simple(1000, d), -RV_ENOSYS);
    assert_int_equal(simple(UINT32_MAX, d), -RV_ENOSYS);
    assert_int_equal(hc_domain[HC_PLAIN]->state, DOMAIN_RUNNING);
}

static void create_bad_options_return_einval(void **state)
{
    struct xen_domctl c;
    unsigned before = domain_count();

    (void)state;
#define REFUSED(change)                         \
    do {                                        \
        c = create_request(0, 1);               \
        change;                                 \
        assert_int_equal(call(&c), -RV_EINVAL); \
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
    struct xen_domctl c = create_request(40, 2);
    struct domain *d;

    (void)state;
    memset(c.u.createdomain.handle, 0x11, 16);
    assert_int_equal(call(&c), 0);
    assert_int_equal(c.domain, 40);
    d = domain_lookup(40);
    assert_non_null(d);
    assert_int_equal(d->roles, 0);
    assert_int_equal(d->state, DOMAIN_BUILDING);
    assert_int_equal(d->pause_count, 1);
    assert_int_equal(d->vcpu_count, 2);
    assert_int_equal(d->uuid[3], 0x11);
    c = create_request(40, 1);
    assert_int_equal(call(&c), -RV_EEXIST);
    destroy(40);
    assert_null(domain_lookup(40));
}

/* Each allocation of a creation fails in turn; nothing may be left. */
static void create_any_allocation_fails_returns_enomem(void **state)
{
    uint64_t free_before;
    unsigned failures = 0;
    long rc;

    (void)state;
    destroy(create(1));
    free_before = frame_free_count();
    for (int64_t i = 0;; i++) {
        struct xen_domctl c = create_request(0, 1);

        frame_pool_fail_after(i);
        rc = call(&c);
        frame_pool_fail_after(-1);
        if (rc == 0) {
            destroy(c.domain);
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
    struct xen_domctl c = create_request(41, 1);
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

static void pause_is_counted(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;

    (void)state;
    assert_int_equal(simple(XEN_DOMCTL_unpausedomain, id), -RV_EINVAL);
    assert_int_equal(simple(XEN_DOMCTL_pausedomain, id), 0);
    assert_int_equal(simple(XEN_DOMCTL_pausedomain, id), 0);
    assert_int_equal(hc_domain[HC_PLAIN]->pause_count, 2);
    assert_int_equal(simple(XEN_DOMCTL_unpausedomain, id), 0);
    assert_int_equal(simple(XEN_DOMCTL_unpausedomain, id), 0);
    assert_int_equal(simple(XEN_DOMCTL_unpausedomain, id), -RV_EINVAL);
}

static void info_tells_state_and_memory(void **state)
{
    struct xen_domctl c =
        request(XEN_DOMCTL_getdomaininfo, hc_domain[HC_PLAIN]->id);
    const struct xen_domctl_getdomaininfo *i = &c.u.getdomaininfo;

    (void)state;
    assert_int_equal(call(&c), 0);
    assert_int_equal(i->domain, hc_domain[HC_PLAIN]->id);
    assert_int_equal(i->tot_pages, hc_domain[HC_PLAIN]->page_count);
    assert_int_equal(i->max_pages, hc_domain[HC_PLAIN]->max_pages);
    assert_int_equal(i->max_vcpu_id, 1);
    assert_int_equal(i->nr_online_vcpus, 1);
    assert_true(i->flags & XEN_DOMINF_hvm_guest);
    assert_false(i->flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown));
    domain_shutdown(hc_domain[HC_PLAIN], SHUTDOWN_SUSPEND);
    c = request(XEN_DOMCTL_getdomaininfo, hc_domain[HC_PLAIN]->id);
    assert_int_equal(call(&c), 0);
    assert_true(i->flags & XEN_DOMINF_shutdown);
    assert_int_equal(i->flags >> XEN_DOMINF_shutdownshift, SHUTDOWN_SUSPEND);
    assert_int_equal(domain_resume(hc_domain[HC_PLAIN]), 0);
    c = request(XEN_DOMCTL_getdomaininfo, DOMID_SELF);
    assert_int_equal(call(&c), 0);
    assert_int_equal(i->domain, hc_domain[HC_CONTROL]->id);
    assert_true(i->flags & XEN_DOMINF_running);
}

static void limits_are_set_and_checked(void **state)
{
    domid_t d = create(2);
    struct xen_domctl c = request(XEN_DOMCTL_max_mem, d);

    (void)state;
    c.u.max_mem.max_memkb = 1024;
    assert_int_equal(call(&c), 0);
    assert_int_equal(domain_lookup(d)->max_pages, 256);
    c.u.max_mem.max_memkb = UINT64_MAX;
    assert_int_equal(call(&c), -RV_EINVAL);
    c = request(XEN_DOMCTL_max_vcpus, d);
    c.u.max_vcpus.max = 2;
    assert_int_equal(call(&c), 0);
    c.u.max_vcpus.max = 3;
    assert_int_equal(call(&c), -RV_EINVAL);
    c = request(XEN_DOMCTL_setdomainhandle, d);
    memset(c.u.setdomainhandle.handle, 0x77, 16);
    assert_int_equal(call(&c), 0);
    assert_int_equal(domain_lookup(d)->uuid[15], 0x77);
    destroy(d);
}

static void scheduler_weight_is_set_and_told(void **state)
{
    domid_t d = hc_domain[HC_PLAIN]->id;
    struct xen_domctl c = request(XEN_DOMCTL_scheduler_op, d);

    (void)state;
    c.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT;
    c.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    c.u.scheduler_op.u.credit.weight = 512;
    assert_int_equal(call(&c), 0);
    c.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    c.u.scheduler_op.u.credit.weight = 0;
    assert_int_equal(call(&c), 0);
    assert_int_equal(c.u.scheduler_op.u.credit.weight, 512);
    c.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    c.u.scheduler_op.u.credit.weight = 0;
    assert_int_equal(call(&c), -RV_EINVAL);
    c.u.scheduler_op.u.credit.weight = 1;
    c.u.scheduler_op.u.credit.cap = 50;
    assert_int_equal(call(&c), -RV_EINVAL);
    c.u.scheduler_op.cmd = 2;
    assert_int_equal(call(&c), -RV_EINVAL);
    c.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
    assert_int_equal(call(&c), -RV_EINVAL);
    assert_int_equal(hc_domain[HC_PLAIN]->weight, 512);
}

static void affinity_is_a_map_of_cpus(void **state)
{
    struct xen_domctl c =
        request(XEN_DOMCTL_setvcpuaffinity, hc_domain[HC_PLAIN]->id);
    struct xen_domctl_vcpuaffinity *a = &c.u.vcpuaffinity;
    uint64_t map = 1;

    (void)state;
    a->flags = XEN_VCPUAFFINITY_HARD;
    a->cpumap_hard.bitmap.gva = HC_BUF;
    a->cpumap_hard.nr_bits = 64;
    hc_put(HC_CONTROL, HC_BUF, &map, sizeof(map));
    assert_int_equal(call(&c), 0);
    assert_int_equal(sched_affinity_get(hc_vcpu(HC_PLAIN, 0)), 1);
    map = 0;
    hc_put(HC_CONTROL, HC_BUF, &map, sizeof(map));
    assert_int_equal(call(&c), -RV_EINVAL);
    map = 1ULL << 40;
    hc_put(HC_CONTROL, HC_BUF, &map, sizeof(map));
    assert_int_equal(call(&c), -RV_EINVAL);
    a->cpumap_hard.nr_bits = 5000;
    assert_int_equal(call(&c), -RV_EINVAL);
    a->cpumap_hard.nr_bits = 8;
    a->cpumap_hard.bitmap.gva = HC_BAD;
    assert_int_equal(call(&c), -RV_EFAULT);
    a->flags = XEN_VCPUAFFINITY_SOFT;
    assert_int_equal(call(&c), -RV_EINVAL);
    a->flags = XEN_VCPUAFFINITY_HARD;
    a->vcpu = 2;
    assert_int_equal(call(&c), -RV_EINVAL);
    c.cmd = XEN_DOMCTL_getvcpuaffinity;
    assert_int_equal(call(&c), -RV_EINVAL);
    a->vcpu = 0;
    assert_int_equal(call(&c), -RV_EFAULT);
    map = UINT64_MAX;
    hc_put(HC_CONTROL, HC_BUF, &map, sizeof(map));
    a->cpumap_hard.bitmap.gva = HC_BUF;
    assert_int_equal(call(&c), 0);
    hc_get(HC_CONTROL, HC_BUF, &map, sizeof(map));
    assert_int_equal(map, ~0xffULL | 1); /* eight bits were asked for */
}

static void vcpuinfo_tells_one_vcpu(void **state)
{
    struct xen_domctl c =
        request(XEN_DOMCTL_getvcpuinfo, hc_domain[HC_PLAIN]->id);

    (void)state;
    assert_int_equal(call(&c), 0);
    assert_int_equal(c.u.getvcpuinfo.online, 1);
    c.u.getvcpuinfo.vcpu = 1;
    assert_int_equal(call(&c), 0);
    assert_int_equal(c.u.getvcpuinfo.online, 0);
    c.u.getvcpuinfo.vcpu = 2;
    assert_int_equal(call(&c), -RV_EINVAL);
}

static void trigger_raises_nmi_only(void **state)
{
    struct xen_domctl c =
        request(XEN_DOMCTL_sendtrigger, hc_domain[HC_PLAIN]->id);

    (void)state;
    c.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_NMI;
    c.u.sendtrigger.vcpu = 1;
    assert_int_equal(call(&c), 0);
    assert_true(hc_vcpu(HC_PLAIN, 1)->nmi_pending);
    c.u.sendtrigger.vcpu = 2;
    assert_int_equal(call(&c), -RV_EINVAL);
    c.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_RESET;
    assert_int_equal(call(&c), -RV_EOPNOTSUPP);
}

static void unsupported_operations_return_eopnotsupp(void **state)
{
    static const uint8_t cmds[] = {10, 12, 13, 35, 85, 86};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
        assert_int_equal(simple(cmds[i], hc_domain[HC_PLAIN]->id),
                         -RV_EOPNOTSUPP);
    }
}

/* ---- Debuggers ---------------------------------------------------------- */

static const struct debug_client another = {.breakpoint = NULL};

static long debugging(domid_t d, uint8_t enable)
{
    struct xen_domctl c = request(XEN_DOMCTL_setdebugging, d);

    c.u.setdebugging.enable = enable;
    return call(&c);
}

static long step(domid_t d, uint32_t vcpu, uint32_t op)
{
    struct xen_domctl c = request(XEN_DOMCTL_debug_op, d);

    c.u.debug_op.vcpu = vcpu;
    c.u.debug_op.op = op;
    return call(&c);
}

static struct xen_domctl status(domid_t d)
{
    struct xen_domctl c = request(XEN_DOMCTL_gdbsx_domstatus, d);

    assert_int_equal(call(&c), 0);
    return c;
}

static void debugger_stops_the_domain_and_lets_it_go(void **state)
{
    struct domain *d = hc_domain[HC_PLAIN];
    struct vcpu *v = hc_vcpu(HC_PLAIN, 1);
    struct xen_domctl c = request(XEN_DOMCTL_gdbsx_unpausevcpu, d->id);
    uint32_t pauses = d->pause_count;
    uint64_t rip = v->regs.rip;

    (void)state;
    assert_int_equal(call(&c), -RV_EINVAL);
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
    c = request(XEN_DOMCTL_gdbsx_unpausevcpu, d->id);
    c.u.gdbsx_pauseunp_vcpu.vcpu = 2;
    assert_int_equal(call(&c), -RV_EINVAL);
    c.u.gdbsx_pauseunp_vcpu.vcpu = 1;
    assert_int_equal(call(&c), 0);
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

static void debugger_attach_errors(void **state)
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

static void small_ones_answer(void **state)
{
    struct xen_domctl c =
        request(XEN_DOMCTL_get_address_size, hc_domain[HC_PLAIN]->id);

    (void)state;
    assert_int_equal(call(&c), 0);
    assert_int_equal(c.u.address_size.size, 64);
    c = request(XEN_DOMCTL_hypercall_init, hc_domain[HC_PLAIN]->id);
    c.u.hypercall_init.gmfn = HC_HOLE >> PAGE_SHIFT;
    assert_int_equal(call(&c), -RV_EINVAL);
    c.u.hypercall_init.gmfn = UINT64_MAX;
    assert_int_equal(call(&c), -RV_EINVAL);
    c.u.hypercall_init.gmfn = HC_FREE >> PAGE_SHIFT;
    assert_int_equal(call(&c), 0);
    assert_int_equal(fixture_phys_u64(hc_domain[HC_PLAIN], HC_FREE) & 0xff,
                     0xb8);
}

/* ---- Processor state --------------------------------------------------- */

#define RECORD_AT (HC_BUF + 32 + 8) /* behind the header, of vCPU 0 */

static struct xen_domctl context_request(uint32_t cmd, domid_t d, uint32_t size)
{
    struct xen_domctl c = request(cmd, d);

    c.u.hvmcontext.size = size;
    c.u.hvmcontext.buffer.gva = HC_BUF;
    return c;
}

static void context_of_a_running_domain_returns_einval(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;

    (void)state;
    assert_int_equal(simple(XEN_DOMCTL_gethvmcontext, id), -RV_EINVAL);
    assert_int_equal(simple(XEN_DOMCTL_sethvmcontext, id), -RV_EINVAL);
    assert_int_equal(simple(XEN_DOMCTL_gethvmcontext_partial, id), -RV_EINVAL);
}

static void context_goes_out_and_in_again(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    struct xen_domctl c;
    struct hvm_hw_cpu rec;
    uint32_t size;

    (void)state;
    assert_int_equal(simple(XEN_DOMCTL_pausedomain, id), 0);
    c = request(XEN_DOMCTL_gethvmcontext, id);
    assert_int_equal(call(&c), 0);
    size = c.u.hvmcontext.size;
    assert_int_equal(size, 8 + 24 + 8 + sizeof(rec) + 8);
    c = context_request(XEN_DOMCTL_gethvmcontext, id, size - 1);
    assert_int_equal(call(&c), -RV_ENOSPC);
    v->regs.gpr[REG_R13] = 0x1313;
    c = context_request(XEN_DOMCTL_gethvmcontext, id, size);
    assert_int_equal(call(&c), 0);
    hc_get(HC_CONTROL, RECORD_AT, &rec, sizeof(rec));
    assert_int_equal(rec.r13, 0x1313);
    assert_int_equal(rec.cr3, hv->creg_get(v, CREG_CR3));
    rec.r13 = 0x1414;
    hc_put(HC_CONTROL, RECORD_AT, &rec, sizeof(rec));
    c = context_request(XEN_DOMCTL_sethvmcontext, id, size);
    assert_int_equal(call(&c), 0);
    assert_int_equal(v->regs.gpr[REG_R13], 0x1414);
    assert_int_equal(simple(XEN_DOMCTL_unpausedomain, id), 0);
}

static void context_bad_record_changes_nothing(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    uint32_t size = 8 + 24 + 8 + sizeof(struct hvm_hw_cpu) + 8;
    struct hvm_save_descriptor desc;
    struct hvm_hw_cpu rec;
    struct hvm_hw_cpu good;
    struct xen_domctl c;

    (void)state;
    assert_int_equal(simple(XEN_DOMCTL_pausedomain, id), 0);
    c = context_request(XEN_DOMCTL_gethvmcontext, id, size);
    assert_int_equal(call(&c), 0);
    hc_get(HC_CONTROL, RECORD_AT, &good, sizeof(good));
#define REFUSED(change)                                          \
    do {                                                         \
        rec = good;                                              \
        rec.r13 = 0x6666;                                        \
        change;                                                  \
        hc_put(HC_CONTROL, RECORD_AT, &rec, sizeof(rec));        \
        c = context_request(XEN_DOMCTL_sethvmcontext, id, size); \
        assert_int_equal(call(&c), -RV_EINVAL);                  \
        assert_int_equal(v->regs.gpr[REG_R13], good.r13);        \
    } while (0)
    REFUSED(rec.cr0 = 1ULL << 32);
    REFUSED(rec.msr_efer |= 1ULL << 63);
    REFUSED(rec.pending_event = 1u << 31);
    REFUSED(rec.rip = 0x8000000000000000u);
    REFUSED(rec.gs_base = 0x8000000000000000u);
#undef REFUSED
    hc_put(HC_CONTROL, RECORD_AT, &good, sizeof(good));
    hc_get(HC_CONTROL, RECORD_AT - 8, &desc, sizeof(desc));
    desc.instance = 2;
    hc_put(HC_CONTROL, RECORD_AT - 8, &desc, sizeof(desc));
    assert_int_equal(call(&c), -RV_EINVAL);
    desc.instance = 0;
    desc.length--;
    hc_put(HC_CONTROL, RECORD_AT - 8, &desc, sizeof(desc));
    assert_int_equal(call(&c), -RV_EINVAL);
    desc.length = UINT32_MAX;
    hc_put(HC_CONTROL, RECORD_AT - 8, &desc, sizeof(desc));
    assert_int_equal(call(&c), -RV_EINVAL);
    c.u.hvmcontext.size = 7;
    assert_int_equal(call(&c), -RV_EINVAL);
    c.u.hvmcontext.size = 1u << 20;
    assert_int_equal(call(&c), -RV_EINVAL);
    c.u.hvmcontext.size = size;
    c.u.hvmcontext.buffer.gva = HC_BAD;
    assert_int_equal(call(&c), -RV_EFAULT);
    c.cmd = XEN_DOMCTL_gethvmcontext;
    assert_int_equal(call(&c), -RV_EFAULT);
    c = context_request(XEN_DOMCTL_sethvmcontext, id, size);
    hc_alloc_fail();
    assert_int_equal(call(&c), -RV_ENOMEM);
    hc_alloc_heal();
    assert_int_equal(simple(XEN_DOMCTL_unpausedomain, id), 0);
}

static void context_partial_gives_one_record(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    struct xen_domctl c = request(XEN_DOMCTL_gethvmcontext_partial, id);
    struct xen_domctl_hvmcontext_partial *p = &c.u.hvmcontext_partial;
    struct hvm_hw_cpu rec;

    (void)state;
    assert_int_equal(simple(XEN_DOMCTL_pausedomain, id), 0);
    p->type = HVM_SAVE_CODE_CPU;
    assert_int_equal(call(&c), 0);
    assert_int_equal(p->bufsz, sizeof(rec));
    p->buffer.gva = HC_BUF;
    assert_int_equal(call(&c), 0);
    hc_get(HC_CONTROL, HC_BUF, &rec, sizeof(rec));
    assert_int_equal(rec.rip, hc_vcpu(HC_PLAIN, 0)->regs.rip);
    p->bufsz--;
    assert_int_equal(call(&c), -RV_ENOSPC);
    p->bufsz = 4096;
    p->buffer.gva = HC_BAD;
    assert_int_equal(call(&c), -RV_EFAULT);
    p->instance = 1; /* has no state */
    assert_int_equal(call(&c), -RV_ENOENT);
    p->instance = 0;
    p->type = HVM_SAVE_CODE_HEADER;
    assert_int_equal(call(&c), -RV_ENOENT);
    assert_int_equal(simple(XEN_DOMCTL_unpausedomain, id), 0);
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
    struct xen_domctl c = request(XEN_DOMCTL_max_mem, d);

    c.u.max_mem.max_memkb = 1024;
    assert_int_equal(call(&c), 0);
    populate(d, 200);
    c = request(XEN_DOMCTL_hypercall_init, d);
    c.u.hypercall_init.gmfn = 3;
    assert_int_equal(call(&c), 0);
    assert_int_equal(simple(XEN_DOMCTL_unpausedomain, d), 0);
}

static void domctl_100_cycles_leak_no_frame(void **state)
{
    uint64_t before;

    (void)state;
    destroy(create(2));
    before = frame_free_count();
    for (unsigned i = 0; i < CYCLES; i++) {
        domid_t d = create(2);

        build(d);
        assert_int_equal(domain_lookup(d)->page_count, 200);
        destroy(d);
        assert_int_equal(frame_free_count(), before);
    }
}

/* ---- For monitors ------------------------------------------------------ */

static long mem_event(domid_t d, uint32_t op, uint32_t mode)
{
    struct xen_domctl c = request(XEN_DOMCTL_mem_event_op, d);

    c.u.mem_event_op.op = op;
    c.u.mem_event_op.mode = mode;
    return call(&c);
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
        request(XEN_DOMCTL_mem_event_op, hc_domain[HC_PLAIN]->id);
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
    assert_int_equal(call(&c), 0);
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
        request(XEN_DOMCTL_monitor_op, hc_domain[HC_PLAIN]->id);

    c.u.monitor_op.op = op;
    c.u.monitor_op.event = event;
    c.u.monitor_op.u.mov_to_cr.index = index;
    c.u.monitor_op.u.mov_to_cr.sync = 1;
    c.u.monitor_op.u.mov_to_cr.bitmask = bitmask;
    return call(&c);
}

static void monitor_op_listens_through_the_same_settings(void **state)
{
    struct domain *d = hc_domain[HC_PLAIN];
    struct xen_domctl c = request(XEN_DOMCTL_monitor_op, d->id);
    long rc;

    (void)state;
    c.u.monitor_op.op = XEN_DOMCTL_MONITOR_OP_GET_CAPABILITIES;
    assert_int_equal(call(&c), 0);
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
    c = request(XEN_DOMCTL_monitor_op, DOMID_SELF);
    assert_int_equal(call(&c), -RV_EPERM);
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

static void domctl_documented_errors_are_all_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("domctl");
}

/* ---- sysctl ------------------------------------------------------------ */

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

static void sysctl_common_checks(void **state)
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
        cmocka_unit_test(domctl_common_checks),
        cmocka_unit_test(create_bad_options_return_einval),
        cmocka_unit_test(create_makes_a_paused_plain_guest),
        cmocka_unit_test(create_any_allocation_fails_returns_enomem),
        cmocka_unit_test(create_result_that_cannot_be_told_is_undone),
        cmocka_unit_test(pause_is_counted),
        cmocka_unit_test(info_tells_state_and_memory),
        cmocka_unit_test(limits_are_set_and_checked),
        cmocka_unit_test(scheduler_weight_is_set_and_told),
        cmocka_unit_test(affinity_is_a_map_of_cpus),
        cmocka_unit_test(vcpuinfo_tells_one_vcpu),
        cmocka_unit_test(trigger_raises_nmi_only),
        cmocka_unit_test(unsupported_operations_return_eopnotsupp),
        cmocka_unit_test(small_ones_answer),
        cmocka_unit_test(context_of_a_running_domain_returns_einval),
        cmocka_unit_test(context_goes_out_and_in_again),
        cmocka_unit_test(context_bad_record_changes_nothing),
        cmocka_unit_test(context_partial_gives_one_record),
        cmocka_unit_test(domctl_100_cycles_leak_no_frame),
        cmocka_unit_test(monitor_calls_without_memory_return_enomem),
        cmocka_unit_test(mem_event_op_takes_the_page_and_returns_it),
        cmocka_unit_test(mem_event_op_bad_values_are_refused),
        cmocka_unit_test(monitor_op_listens_through_the_same_settings),
        cmocka_unit_test(debugger_stops_the_domain_and_lets_it_go),
        cmocka_unit_test(debugger_attach_errors),
        cmocka_unit_test(domctl_documented_errors_are_all_provoked),
        cmocka_unit_test(sysctl_common_checks),
        cmocka_unit_test(sysctl_tells_of_the_machine),
        cmocka_unit_test(sysctl_lists_domains_in_order),
        cmocka_unit_test(sysctl_reads_the_log),
        cmocka_unit_test(sysctl_documented_errors_are_all_provoked),
    };

    return cmocka_run_group_tests(tests, hc_setup, hc_teardown);
}
