/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl on whole domains: life cycle, limits, identity.
 *
 * Threat surface: configuration values. A run-time domain is a plain guest; no
 * value gives it a role.
 */
#include "domctl.h"
#include "ravelin/cpuid_policy.h"
#include "ravelin/frame_pool.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/vconsole.h"

#define CDF_WANTED (XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap)

/* Grant-table limits are numbers that no grant table will ever reach. */
static int decode_create(const struct xen_domctl *ctl,
                         struct domain_config *cfg)
{
    const struct xen_domctl_createdomain *c = &ctl->u.createdomain;

    if (c->flags != CDF_WANTED || c->iommu_opts != 0 || c->vmtrace_size != 0 ||
        c->cpupool_id != 0 ||
        (c->arch.emulation_flags & ~XEN_X86_EMU_LAPIC) != 0 ||
        c->arch.misc_flags != 0) {
        return -RV_EINVAL;
    }
    if (c->max_vcpus == 0 || c->max_vcpus > VCPU_COUNT_MAX) {
        return -RV_EINVAL;
    }
    memset(cfg, 0, sizeof(*cfg));
    cfg->id = ctl->domain == 0 || ctl->domain >= DOMID_FIRST_RESERVED
                  ? DOMID_INVALID
                  : ctl->domain;
    memcpy(cfg->uuid, c->handle, sizeof(cfg->uuid));
    cfg->ssidref = c->ssidref;
    cfg->vcpu_count = c->max_vcpus;
    cfg->evtchn_port_max =
        rv_min(c->max_evtchn_port, (uint32_t)(EVTCHN_2L_NR_CHANNELS - 1));
    cfg->crash_policy = MANIFEST_CRASH_PRESERVE;
    return 0;
}

int domctl_createdomain(struct vcpu *v rv_unused, struct domain *none rv_unused,
                        struct xen_domctl *ctl)
{
    struct domain_config cfg;
    struct domain *d;
    int rc = decode_create(ctl, &cfg);

    if (rc == 0) {
        rc = domain_create(&cfg, &d);
    }
    if (rc != 0) {
        return rc;
    }
    rc = vconsole_create(d);
    /* Without a free channel its output is dropped; that is no reason not to
     * run. */
    if (rc == -RV_ENOMEM) {
        domain_reap(d);
        return rc;
    }
    ctl->domain = d->id;
    return CTL_REPLY;
}

int domctl_destroydomain(struct vcpu *v rv_unused, struct domain *d,
                         struct xen_domctl *ctl rv_unused)
{
    return domain_destroy(d);
}

int domctl_pausedomain(struct vcpu *v rv_unused, struct domain *d,
                       struct xen_domctl *ctl rv_unused)
{
    domain_pause_sync(d);
    return 0;
}

int domctl_unpausedomain(struct vcpu *v rv_unused, struct domain *d,
                         struct xen_domctl *ctl rv_unused)
{
    return domain_unpause(d);
}

/* ---- Information ------------------------------------------------------ */

static uint32_t state_flags(const struct domain *d)
{
    uint32_t flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_hap;

    if (d->state >= DOMAIN_DYING) {
        flags |= XEN_DOMINF_dying;
    }
    if (d->state >= DOMAIN_SHUTDOWN) {
        flags |= XEN_DOMINF_shutdown | (uint32_t)d->shutdown_code
                                           << XEN_DOMINF_shutdownshift;
    }
    if (d->pause_count != 0) {
        flags |= XEN_DOMINF_paused;
    }
    return flags;
}

static void vcpus_fill(const struct domain *d,
                       struct xen_domctl_getdomaininfo *out)
{
    bool running = false;
    bool blocked = true;

    for (unsigned i = 0; i < d->vcpu_count; i++) {
        const struct vcpu *v = d->vcpu[i];

        out->cpu_time += vcpu_time_used_ns(v);
        if (!vcpu_is_up(v)) {
            continue;
        }
        out->nr_online_vcpus++;
        running |= read_once(v->running);
        blocked &= (read_once(v->flags) & VCPU_BLOCKED) != 0;
    }
    if (running) {
        out->flags |= XEN_DOMINF_running;
    } else if (blocked) {
        out->flags |= XEN_DOMINF_blocked;
    }
}

void domain_info_fill(struct domain *d, struct xen_domctl_getdomaininfo *out)
{
    memset(out, 0, sizeof(*out));
    out->domain = d->id;
    out->tot_pages = read_once(d->page_count);
    out->shared_info_frame = UINT64_MAX;
    out->max_vcpu_id = d->vcpu_count - 1;
    out->ssidref = d->ssidref;
    out->gpaddr_bits = (uint8_t)cpuid_policy_phys_bits(d);
    out->arch_config.emulation_flags = XEN_X86_EMU_LAPIC;
    spin_lock(&d->lock);
    out->flags = state_flags(d);
    out->max_pages = d->max_pages;
    memcpy(out->handle, d->uuid, sizeof(out->handle));
    spin_unlock(&d->lock);
    vcpus_fill(d, out);
}

int domctl_getdomaininfo(struct vcpu *v rv_unused, struct domain *d,
                         struct xen_domctl *ctl)
{
    domain_info_fill(d, &ctl->u.getdomaininfo);
    return CTL_REPLY;
}

/* ---- Limits and identity ---------------------------------------------- */

int domctl_max_mem(struct vcpu *v rv_unused, struct domain *d,
                   struct xen_domctl *ctl)
{
    uint64_t pages = ctl->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);

    if (pages > frame_total_count()) {
        return -RV_EINVAL;
    }
    spin_lock(&d->lock);
    write_once(d->max_pages, pages);
    spin_unlock(&d->lock);
    return 0;
}

int domctl_max_vcpus(struct vcpu *v rv_unused, struct domain *d,
                     struct xen_domctl *ctl)
{
    return ctl->u.max_vcpus.max == d->vcpu_count ? 0 : -RV_EINVAL;
}

int domctl_scheduler_op(struct vcpu *v rv_unused, struct domain *d,
                        struct xen_domctl *ctl)
{
    struct xen_domctl_scheduler_op *op = &ctl->u.scheduler_op;

    if (op->sched_id != XEN_SCHEDULER_CREDIT) {
        return -RV_EINVAL;
    }
    switch (op->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        op->u.credit.weight = (uint16_t)read_once(d->weight);
        op->u.credit.cap = 0;
        return CTL_REPLY;
    case XEN_DOMCTL_SCHEDOP_putinfo:
        return op->u.credit.cap != 0 ? -RV_EINVAL
                                     : sched_weight_set(d, op->u.credit.weight);
    default:
        return -RV_EINVAL;
    }
}

int domctl_setdomainhandle(struct vcpu *v rv_unused, struct domain *d,
                           struct xen_domctl *ctl)
{
    spin_lock(&d->lock);
    memcpy(d->uuid, ctl->u.setdomainhandle.handle, sizeof(d->uuid));
    spin_unlock(&d->lock);
    return 0;
}

int domctl_hypercall_init(struct vcpu *v rv_unused, struct domain *d,
                          struct xen_domctl *ctl)
{
    uint64_t frame = ctl->u.hypercall_init.gmfn;

    if (frame >= d->p2m.gfn_limit || hypercall_page_write(d, gfn(frame)) != 0) {
        return -RV_EINVAL;
    }
    return 0;
}

int domctl_get_address_size(struct vcpu *v rv_unused,
                            struct domain *d rv_unused, struct xen_domctl *ctl)
{
    ctl->u.address_size.size = 64;
    return CTL_REPLY;
}

/* ---- What an HVM domain with nested paging has no use for ------------- */

int domctl_set_address_size(struct vcpu *v rv_unused,
                            struct domain *d rv_unused,
                            struct xen_domctl *ctl rv_unused)
{
    return -RV_EOPNOTSUPP;
}

int domctl_shadow_op(struct vcpu *v rv_unused, struct domain *d rv_unused,
                     struct xen_domctl *ctl rv_unused)
{
    return -RV_EOPNOTSUPP;
}

int domctl_get_paging_mempool_size(struct vcpu *v rv_unused,
                                   struct domain *d rv_unused,
                                   struct xen_domctl *ctl rv_unused)
{
    return -RV_EOPNOTSUPP;
}

int domctl_set_paging_mempool_size(struct vcpu *v rv_unused,
                                   struct domain *d rv_unused,
                                   struct xen_domctl *ctl rv_unused)
{
    return -RV_EOPNOTSUPP;
}
