/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl: facts about the whole machine, for control domains. Nothing here
 * changes anything but what is kept of the log.
 *
 * Threat surface: list buffers and counts.
 */
#include "public/sysctl.h"

#include "arch/host.h"
#include "domctl.h"
#include "ravelin/cpu.h"
#include "ravelin/frame_pool.h"
#include "ravelin/log.h"
#include "ravelin/string.h"

#define LIST_PER_CALL 1024u
#define LOG_PIECE 256u

typedef int (*sysctl_fn)(struct vcpu *v, struct xen_sysctl *ctl);

#define SUBOP_sysctl(name, ...) \
    static int sysctl_##name(struct vcpu *v, struct xen_sysctl *ctl);
#include "table.def"

static const struct {
    sysctl_fn fn;
    uint8_t perm;
} ops[] = {
#define SUBOP_sysctl(name, number, perm, ...) [number] = {sysctl_##name, perm},
#include "table.def"
};

/* Up to `count` bytes of the log, bounded by what is kept. */
static int sysctl_readconsole(struct vcpu *v, struct xen_sysctl *ctl)
{
    struct xen_sysctl_readconsole *req = &ctl->u.readconsole;
    uint32_t index = req->incremental ? req->index : log_ring_start();
    uint32_t max = rv_min(req->count, LOG_RING_SIZE);
    uint32_t done = 0;
    char piece[LOG_PIECE];
    size_t n;

    while ((n = log_ring_read(&index, piece, rv_min(max - done, LOG_PIECE))) !=
           0) {
        if (guest_copy_out(v, guest_ref_add(guest_ref(req->buffer.gva), done),
                           piece, n) != 0) {
            return -RV_EFAULT;
        }
        done += (uint32_t)n;
    }
    if (req->clear) {
        log_ring_clear(index);
    }
    req->index = index;
    req->count = done;
    return CTL_REPLY;
}

static int sysctl_physinfo(struct vcpu *v rv_unused, struct xen_sysctl *ctl)
{
    struct xen_sysctl_physinfo *info = &ctl->u.physinfo;

    memset(info, 0, sizeof(*info));
    info->threads_per_core = 1;
    info->cores_per_socket = cpu_count();
    info->nr_cpus = cpu_count();
    info->max_cpu_id = cpu_count() - 1;
    info->nr_nodes = 1;
    info->cpu_khz = arch_tsc_khz();
    info->capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap;
    info->total_pages = frame_total_count();
    info->free_pages = frame_free_count();
    info->max_mfn = frame_total_count();
    return CTL_REPLY;
}

static int sysctl_sched_id(struct vcpu *v rv_unused, struct xen_sysctl *ctl)
{
    ctl->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT;
    return CTL_REPLY;
}

static int sysctl_availheap(struct vcpu *v rv_unused, struct xen_sysctl *ctl)
{
    struct xen_sysctl_availheap *heap = &ctl->u.availheap;

    if ((heap->node != -1 && heap->node != 0) || heap->min_bitwidth != 0 ||
        heap->max_bitwidth != 0) {
        return -RV_EINVAL;
    }
    heap->avail_bytes = frame_free_count() << PAGE_SHIFT;
    return CTL_REPLY;
}

/* A call tells of at most LIST_PER_CALL domains; the caller goes on from the
 * last one it was told of, as it does when its buffer is small. */
static int sysctl_getdomaininfolist(struct vcpu *v, struct xen_sysctl *ctl)
{
    struct xen_sysctl_getdomaininfolist *list = &ctl->u.getdomaininfolist;
    uint32_t max = rv_min(list->max_domains, LIST_PER_CALL);
    struct domain *d = domain_lookup_from(list->first_domain);
    uint32_t n = 0;

    for (; d != NULL && n < max; d = domain_next(d)) {
        struct xen_domctl_getdomaininfo info;
        struct guest_ref to =
            guest_ref_add(guest_ref(list->buffer.gva), n * sizeof(info));

        domain_info_fill(d, &info);
        if (guest_copy_out(v, to, &info, sizeof(info)) != 0) {
            return -RV_EFAULT;
        }
        n++;
    }
    list->num_domains = n;
    return CTL_REPLY;
}

static int decode_sysctl(struct vcpu *v, struct hypercall_args *a,
                         struct xen_sysctl *ctl)
{
    if (arg_copy_in(v, a, 0, ctl, sizeof(*ctl)) != 0) {
        return -RV_EFAULT;
    }
    if (ctl->interface_version != XEN_SYSCTL_INTERFACE_VERSION) {
        return -RV_EACCES;
    }
    if (ctl->cmd >= ARRAY_SIZE(ops) || ops[ctl->cmd].fn == NULL) {
        return -RV_ENOSYS;
    }
    a->perm = ops[ctl->cmd].perm;
    return 0;
}

long sysctl_call(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_sysctl ctl;
    int rc = decode_sysctl(v, a, &ctl);

    rc = rc ? rc : guest_copy_probe(v, guest_ref(a->arg[0]), sizeof(ctl));
    if (rc == 0) {
        rc = ops[ctl.cmd].fn(v, &ctl);
    }
    return rc == CTL_REPLY ? arg_copy_out(v, a, 0, &ctl, sizeof(ctl)) : rc;
}
