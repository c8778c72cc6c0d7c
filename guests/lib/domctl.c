/* SPDX-License-Identifier: MIT */
/*
 * Control operations of the public ABI, version 0x15. The big argument
 * structures are static: stacks are small, and one CPU builds domains.
 */

#include "domctl.h"

#include "guest.h"

long domctl(uint32_t cmd, unsigned int domid, struct xen_domctl *op)
{
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = (domid_t)domid;
    return hypercall(__HYPERVISOR_domctl, (unsigned long)op, 0, 0, 0, 0);
}

long domctl_create(unsigned int vcpus, unsigned int *domid)
{
    struct xen_domctl op = {
        .u.createdomain =
            {
                .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
                .max_vcpus = vcpus,
                .max_evtchn_port = 1023,
                .max_grant_frames = -1,
                .max_maptrack_frames = -1,
                .grant_opts = XEN_DOMCTL_GRANT_version(1),
                .arch.emulation_flags = XEN_X86_EMU_LAPIC,
            },
    };
    long rc = domctl(XEN_DOMCTL_createdomain, 0, &op);

    *domid = op.domain;
    return rc;
}

static long domctl_plain(uint32_t cmd, unsigned int domid)
{
    struct xen_domctl op = {0};

    return domctl(cmd, domid, &op);
}

long domctl_destroy(unsigned int domid)
{
    return domctl_plain(XEN_DOMCTL_destroydomain, domid);
}

long domctl_pause(unsigned int domid)
{
    return domctl_plain(XEN_DOMCTL_pausedomain, domid);
}

long domctl_unpause(unsigned int domid)
{
    return domctl_plain(XEN_DOMCTL_unpausedomain, domid);
}

long domctl_info(unsigned int domid, struct xen_domctl_getdomaininfo *info)
{
    struct xen_domctl op = {0};
    long rc = domctl(XEN_DOMCTL_getdomaininfo, domid, &op);

    *info = op.u.getdomaininfo;
    /* The call answers for the next existing domain; that is none of ours. */
    return rc ? rc : info->domain == domid ? 0 : -XEN_ESRCH;
}

long domctl_max_mem(unsigned int domid, uint64_t kib)
{
    struct xen_domctl op = {.u.max_mem.max_memkb = kib};

    return domctl(XEN_DOMCTL_max_mem, domid, &op);
}

long domctl_max_vcpus(unsigned int domid, unsigned int vcpus)
{
    struct xen_domctl op = {.u.max_vcpus.max = vcpus};

    return domctl(XEN_DOMCTL_max_vcpus, domid, &op);
}

long domctl_paging_pool(unsigned int domid, uint64_t bytes)
{
    struct xen_domctl op = {.u.paging_mempool.size = bytes};

    return domctl(XEN_DOMCTL_set_paging_mempool_size, domid, &op);
}

long domctl_vcpu_start(unsigned int domid, unsigned int vcpu, uint32_t eip,
                       uint32_t ebx)
{
    static vcpu_guest_context_t c;
    struct xen_domctl op = {.u.vcpucontext.vcpu = vcpu};

    memset(&c, 0, sizeof(c));
    c.flags = VGCF_online | VGCF_IN_KERNEL;
#ifdef __x86_64__
    c.user_regs.rip = eip;
    c.user_regs.rbx = ebx;
    c.user_regs.rflags = 2;
#else
    c.user_regs.eip = eip;
    c.user_regs.ebx = ebx;
    c.user_regs.eflags = 2;
#endif
    c.ctrlreg[0] = CR0_PE;
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &c);
    return domctl(XEN_DOMCTL_setvcpucontext, domid, &op);
}

long sysctl_free_pages(uint64_t *pages)
{
    struct xen_sysctl op = {
        .cmd = XEN_SYSCTL_physinfo,
        .interface_version = XEN_SYSCTL_INTERFACE_VERSION,
    };
    long rc = hypercall(__HYPERVISOR_sysctl, (unsigned long)&op, 0, 0, 0, 0);

    *pages = op.u.physinfo.free_pages;
    return rc;
}
