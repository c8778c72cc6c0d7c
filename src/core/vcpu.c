/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Creation of vCPUs and their being up or down. A vCPU and its scheduler unit
 * share a page; what other modules keep for it hangs from pointers.
 */

#include "ravelin/domain.h"

#include "ravelin/emulate_real.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"
#include "ravelin/time_info.h"
#include "ravelin/v4v.h"
#include "ravelin/vlapic.h"

#include "domain_internal.h"
#include "sched_internal.h"

struct vcpu_page {
    struct vcpu vcpu;
    struct sched_unit unit;
};
static_assert(sizeof(struct vcpu_page) <= PAGE_SIZE, "a vCPU fits a page");

/* Another module's part of a vCPU. Destroying accepts what was never made. */
struct vcpu_part {
    int (*create)(struct vcpu *v);
    void (*destroy)(struct vcpu *v);
};

static int backend_create(struct vcpu *v)
{
    return hv->vcpu_create(v);
}

static void backend_destroy(struct vcpu *v)
{
    if (v->arch) {
        hv->vcpu_destroy(v);
    }
}

static const struct vcpu_part parts[] = {
    {backend_create, backend_destroy},
    {walk_cache_create, walk_cache_destroy},
    {insn_cache_create, insn_cache_destroy},
    {vlapic_create, vlapic_destroy},
};

static int parts_create(struct vcpu *v)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(parts); i++) {
        rc = parts[i].create(v);
    }
    return rc;
}

int vcpu_create(struct domain *d, uint32_t id, const struct domain_config *cfg)
{
    struct vcpu_page *page = page_alloc();
    struct vcpu *v;
    int rc;

    if (!page) {
        return -RV_ENOMEM;
    }
    v = &page->vcpu;
    v->domain = d;
    v->id = id;
    v->sched = &page->unit;
    v->flags = VCPU_DOWN | VCPU_PAUSED;
    v->pause_count = 1; /* as the domain is paused */
    v->vcpu_info = (char *)d->shared_info + id * sizeof(struct vcpu_info);
    v->vcpu_info_mfn = INVALID_MFN;
    vcpu_timers_init(v);
    rc = sched_vcpu_init(v, d->weight, cfg->affinity);
    if (rc != 0) {
        page_free(page);
        return rc;
    }
    d->vcpu[id] = v;
    return parts_create(v);
}

void vcpu_destroy(struct vcpu *v)
{
    if (!v) {
        return;
    }
    sched_vcpu_destroy(v);
    v4v_vcpu_free(v);
    vcpu_timers_cancel(v);
    emulation_destroy(v);
    for (size_t i = ARRAY_SIZE(parts); i-- > 0;) {
        parts[i].destroy(v);
    }
    page_free(v);
}

int vcpu_up(struct vcpu *v)
{
    if (vcpu_is_up(v)) {
        return -RV_EINVAL;
    }
    vcpu_flags_clear(v, VCPU_DOWN);
    return 0;
}

void vcpu_down(struct vcpu *v)
{
    struct domain *d = v->domain;

    vcpu_flags_set(v, VCPU_DOWN);
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        if (vcpu_is_up(d->vcpu[i])) {
            return;
        }
    }
    domain_shutdown(d, SHUTDOWN_POWEROFF);
}
