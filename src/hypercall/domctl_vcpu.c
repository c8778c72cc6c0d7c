/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl on single vCPUs: placement, information, triggers.
 *
 * Threat surface: vCPU numbers and CPU bit maps, of which only as many bits are
 * read as there can be CPUs.
 */
#include "domctl.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"

#define MAP_BITS_MAX 4096u

static_assert(CPU_COUNT_MAX <= 64, "affinity is one 64-bit word");

static size_t map_bytes(const struct xenctl_bitmap *map)
{
    return (map->nr_bits + 7) / 8;
}

/* 0; -EFAULT; -EINVAL absurd size. */
static int map_in(struct vcpu *v, const struct xenctl_bitmap *map,
                  uint64_t *mask)
{
    *mask = 0;
    if (map->nr_bits > MAP_BITS_MAX) {
        return -RV_EINVAL;
    }
    if (guest_copy_in(v, mask, guest_ref(map->bitmap.gva),
                      rv_min(map_bytes(map), sizeof(*mask))) != 0) {
        return -RV_EFAULT;
    }
    if (map->nr_bits < 64) {
        *mask &= (1ULL << map->nr_bits) - 1;
    }
    return 0;
}

static int map_out(struct vcpu *v, const struct xenctl_bitmap *map,
                   uint64_t mask)
{
    uint8_t bytes[MAP_BITS_MAX / 8];

    if (map->nr_bits > MAP_BITS_MAX) {
        return -RV_EINVAL;
    }
    if (map->nr_bits < 64) {
        mask &= (1ULL << map->nr_bits) - 1;
    }
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, &mask, sizeof(mask));
    return guest_copy_out(v, guest_ref(map->bitmap.gva), bytes, map_bytes(map));
}

/* Soft affinity is not kept, and pinning overrides do not exist. */
static struct vcpu *decode_affinity(const struct domain *d,
                                    const struct xen_domctl_vcpuaffinity *req)
{
    return req->flags == XEN_VCPUAFFINITY_HARD ? vcpu_find(d, req->vcpu) : NULL;
}

int domctl_setvcpuaffinity(struct vcpu *v, struct domain *d,
                           struct xen_domctl *ctl)
{
    const struct xen_domctl_vcpuaffinity *req = &ctl->u.vcpuaffinity;
    struct vcpu *target = decode_affinity(d, req);
    uint64_t mask;
    int rc;

    if (target == NULL) {
        return -RV_EINVAL;
    }
    rc = map_in(v, &req->cpumap_hard, &mask);
    if (rc != 0) {
        return rc;
    }
    /* No bits would mean every CPU to the scheduler. */
    if (mask == 0 || sched_affinity_set(target, mask) != 0) {
        return -RV_EINVAL;
    }
    return map_out(v, &req->cpumap_hard, sched_affinity_get(target));
}

int domctl_getvcpuaffinity(struct vcpu *v, struct domain *d,
                           struct xen_domctl *ctl)
{
    const struct xen_domctl_vcpuaffinity *req = &ctl->u.vcpuaffinity;
    struct vcpu *target = decode_affinity(d, req);

    if (target == NULL) {
        return -RV_EINVAL;
    }
    return map_out(v, &req->cpumap_hard, sched_affinity_get(target));
}

int domctl_getvcpuinfo(struct vcpu *v rv_unused, struct domain *d,
                       struct xen_domctl *ctl)
{
    struct xen_domctl_getvcpuinfo *info = &ctl->u.getvcpuinfo;
    struct vcpu *target = vcpu_find(d, info->vcpu);
    const struct cpu *cpu;

    if (target == NULL) {
        return -RV_EINVAL;
    }
    cpu = read_once(target->cpu);
    info->online = vcpu_is_up(target);
    info->blocked = (read_once(target->flags) & VCPU_BLOCKED) != 0;
    info->running = read_once(target->running);
    info->cpu_time = vcpu_time_used_ns(target);
    info->cpu = cpu != NULL ? cpu->id : 0;
    return CTL_REPLY;
}

int domctl_sendtrigger(struct vcpu *v rv_unused, struct domain *d,
                       struct xen_domctl *ctl)
{
    struct vcpu *target = vcpu_find(d, ctl->u.sendtrigger.vcpu);

    if (ctl->u.sendtrigger.trigger != XEN_DOMCTL_SENDTRIGGER_NMI) {
        return -RV_EOPNOTSUPP;
    }
    if (target == NULL) {
        return -RV_EINVAL;
    }
    write_once(target->nmi_pending, true);
    vcpu_notify(target);
    return 0;
}

int domctl_setvcpucontext(struct vcpu *v rv_unused, struct domain *d rv_unused,
                          struct xen_domctl *ctl rv_unused)
{
    return -RV_EOPNOTSUPP;
}

int domctl_getvcpucontext(struct vcpu *v rv_unused, struct domain *d rv_unused,
                          struct xen_domctl *ctl rv_unused)
{
    return -RV_EOPNOTSUPP;
}
