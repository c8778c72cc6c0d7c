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

/*
 * The state of an HVM vCPU is loaded as a snapshot: the header that the
 * hypervisor itself writes, one CPU record, and the end.
 */
static uint8_t snapshot[64 * 1024] __attribute__((aligned(8)));

static long snapshot_get(unsigned int domid)
{
    struct xen_domctl op = {.u.hvmcontext.size = sizeof(snapshot)};

    set_xen_guest_handle(op.u.hvmcontext.buffer, snapshot);
    return domctl(XEN_DOMCTL_gethvmcontext, domid, &op);
}

static uint8_t *record_put(uint8_t *at, unsigned int type, unsigned int vcpu,
                           const void *data, size_t size)
{
    struct hvm_save_descriptor d = {
        .typecode = (uint16_t)type,
        .instance = (uint16_t)vcpu,
        .length = (uint32_t)size,
    };

    memcpy(at, &d, sizeof(d));
    memcpy(at + sizeof(d), data, size);
    return at + sizeof(d) + size;
}

static void cpu_flat(struct hvm_hw_cpu *c, uint32_t eip, uint32_t ebx)
{
    memset(c, 0, sizeof(*c));
    c->rip = eip;
    c->rbx = ebx;
    c->rflags = 2;
    c->cr0 = CR0_PE | CR0_ET;
    c->dr6 = 0xffff0ff0;
    c->dr7 = 0x400;
    c->cs_limit = c->ds_limit = c->es_limit = c->ss_limit = ~0u;
    c->tr_limit = 0x67;
    c->cs_arbytes = 0xc9b;
    c->ds_arbytes = c->es_arbytes = c->ss_arbytes = 0xc93;
    c->tr_arbytes = 0x8b;
}

long domctl_vcpu_start(unsigned int domid, unsigned int vcpu, uint32_t eip,
                       uint32_t ebx)
{
    static struct hvm_hw_cpu cpu;
    struct xen_domctl op = {0};
    uint8_t *at;
    long rc = snapshot_get(domid);

    if (rc < 0) {
        return rc;
    }
    cpu_flat(&cpu, eip, ebx);
    at =
        snapshot + sizeof(struct hvm_save_descriptor) + HVM_SAVE_LENGTH(HEADER);
    at = record_put(at, HVM_SAVE_CODE(CPU), vcpu, &cpu, sizeof(cpu));
    at = record_put(at, HVM_SAVE_CODE(END), 0, NULL, 0);
    op.u.hvmcontext.size = (uint32_t)(at - snapshot);
    set_xen_guest_handle(op.u.hvmcontext.buffer, snapshot);
    return domctl(XEN_DOMCTL_sethvmcontext, domid, &op);
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
