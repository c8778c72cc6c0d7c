/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Creation of domains, and references. A domain consists of parts; they are
 * created in order and, whatever fails, those made so far are freed in reverse,
 * so that a domain exists completely or not at all. It becomes visible last.
 */

#include "ravelin/domain.h"

#include "arch/host.h"
#include "ravelin/cpuid_policy.h"
#include "ravelin/debug_attach.h"
#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/fmt.h"
#include "ravelin/frame_pool.h"
#include "ravelin/legacy.h"
#include "ravelin/memory_map.h"
#include "ravelin/monitor.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/time_info.h"
#include "ravelin/v4v.h"
#include "ravelin/vioapic.h"

#include "domain_internal.h"

static_assert(sizeof(struct domain) <= PAGE_SIZE, "a domain fits a page");

static int shared_info_create(struct domain *d)
{
    void *page = page_alloc();

    if (!page) {
        return -RV_ENOMEM;
    }
    d->shared_info = page;
    d->shared_info_mfn = hpa_to_mfn(host_pa(page));
    return 0;
}

static void shared_info_destroy(struct domain *d)
{
    if (d->shared_info) {
        frame_put(d->shared_info_mfn);
    }
}

static int vcpus_create(struct domain *d, const struct domain_config *cfg)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < d->vcpu_count; i++) {
        rc = vcpu_create(d, i, cfg);
    }
    return rc;
}

void domain_free(struct domain *d)
{
    for (unsigned i = d->vcpu_count; i-- > 0;) {
        vcpu_destroy(d->vcpu[i]);
    }
    hv->domain_destroy(d);
    memory_map_free(d);
    legacy_free(d);
    vioapic_destroy(d);
    cpuid_policy_destroy(d);
    debug_free(d);
    monitor_free(d);
    v4v_domain_free(d);
    evtchn_domain_free(d);
    shared_info_destroy(d);
    domain_table_release(d->id);
    page_free(d);
}

/* What can fail. The p2m comes last: it takes steps to be torn down. */
static int parts_create(struct domain *d, const struct domain_config *cfg)
{
    int rc = shared_info_create(d);

    if (rc == 0) {
        rc = evtchn_domain_init(d);
    }
    if (rc == 0) {
        rc = v4v_domain_create(d);
    }
    if (rc == 0) {
        rc = cpuid_policy_create(d);
    }
    if (rc == 0) {
        rc = vcpus_create(d, cfg);
    }
    if (rc == 0) {
        rc = p2m_init(&d->p2m, d,
                      cfg->gfn_limit ? cfg->gfn_limit : DOMAIN_GFN_LIMIT);
    }
    return rc;
}

static void settings_init(struct domain *d, const struct domain_config *cfg,
                          domid_t id)
{
    d->id = id;
    if (cfg->name) {
        string_copy(d->name, sizeof(d->name), cfg->name);
    } else {
        fmt_snprintf(d->name, sizeof(d->name), "dom%u", id);
    }
    memcpy(d->uuid, cfg->uuid, sizeof(d->uuid));
    d->ssidref = cfg->ssidref;
    d->roles = cfg->roles;
    d->monitor_targets = cfg->monitor_targets;
    d->manifest_bit = cfg->manifest_bit;
    d->crash_policy = cfg->crash_policy;
    d->manifest = cfg->manifest;
    d->max_pages = cfg->max_pages;
    d->weight = cfg->weight ? cfg->weight : SCHED_WEIGHT_DEFAULT;
    d->vcpu_count = cfg->vcpu_count;
    d->evtchn_port_max =
        cfg->evtchn_port_max ? cfg->evtchn_port_max : EVTCHN_2L_NR_CHANNELS - 1;

    spin_init(&d->lock, LOCK_RANK_DOMAIN);
    spin_init(&d->share.lock, LOCK_RANK_SCHED_SHARE);
    d->state = DOMAIN_BUILDING;
    d->refcount = 1;
    d->pause_count = 1;
    d->boot_time_ns = arch_time_ns();
    domain_watchdogs_init(d);
    /* The guest's TSC starts at 0, like its system time. */
    d->tsc_offset = 0 - arch_ns_to_tsc(d->boot_time_ns);
}

static bool config_is_valid(const struct domain_config *cfg)
{
    return cfg->vcpu_count >= 1 && cfg->vcpu_count <= VCPU_COUNT_MAX &&
           (cfg->roles & ~ROLE_MASK) == 0 && cfg->weight <= SCHED_WEIGHT_MAX &&
           cfg->gfn_limit <= DOMAIN_GFN_LIMIT &&
           cfg->evtchn_port_max < EVTCHN_2L_NR_CHANNELS &&
           cfg->crash_policy <= MANIFEST_CRASH_PRESERVE;
}

/* Cannot fail: everything exists. */
static void domain_commit(struct domain *d)
{
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        hv->npt_root_set(d->vcpu[i], d->p2m.root);
        hv->tsc_offset_set(d->vcpu[i], d->tsc_offset);
    }
    domain_time_republish(d);
    domain_table_insert(d);
}

int domain_create(const struct domain_config *cfg, struct domain **out)
{
    struct domain *d;
    domid_t id;
    int rc;

    if (!config_is_valid(cfg)) {
        return -RV_EINVAL;
    }
    rc = domain_table_reserve(cfg->id, &id);
    if (rc != 0) {
        return rc;
    }
    d = page_alloc();
    if (!d) {
        domain_table_release(id);
        return -RV_ENOMEM;
    }
    settings_init(d, cfg, id);
    rc = parts_create(d, cfg);
    if (rc != 0) {
        domain_free(d);
        return rc;
    }
    domain_commit(d);
    *out = d;
    return 0;
}

/* ---- References -------------------------------------------------------- */

static void domain_freeable(struct quiesce_item *item)
{
    domain_free(container_of(item, struct domain, free_item));
}

/* Nobody has a reference any more; who looks it up from now on finds nothing,
 * who has found it before is waited for once more. */
static void domain_unreferenced(struct quiesce_item *item)
{
    struct domain *d = container_of(item, struct domain, free_item);

    domain_table_remove(d);
    quiesce_defer(&d->free_item, domain_freeable);
}

bool domain_get(struct domain *d)
{
    uint32_t count = read_once(d->refcount);

    do {
        if (count == 0) {
            return false;
        }
    } while (!__atomic_compare_exchange_n(&d->refcount, &count, count + 1,
                                          false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return true;
}

void domain_put(struct domain *d)
{
    /* Deferred also because the caller may hold any lock. */
    if (__atomic_sub_fetch(&d->refcount, 1, __ATOMIC_ACQ_REL) == 0) {
        quiesce_defer(&d->free_item, domain_unreferenced);
    }
}

int domain_pages_charge(struct domain *d, uint64_t count)
{
    uint64_t old = read_once(d->page_count);

    do {
        uint64_t max = read_once(d->max_pages);

        if (count > max || old > max - count) {
            return -RV_E2BIG;
        }
    } while (!__atomic_compare_exchange_n(&d->page_count, &old, old + count,
                                          false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    if (old == 0 && count != 0 && !domain_get(d)) {
        __atomic_sub_fetch(&d->page_count, count, __ATOMIC_ACQ_REL);
        return -RV_EINVAL;
    }
    return 0;
}

void domain_pages_uncharge(struct domain *d, uint64_t count)
{
    if (count != 0 &&
        __atomic_sub_fetch(&d->page_count, count, __ATOMIC_ACQ_REL) == 0) {
        domain_put(d);
    }
}

void domain_page_leaves(struct domain *d)
{
    if (__atomic_fetch_add(&d->leaving_count, 1, __ATOMIC_ACQ_REL) == 0) {
        __atomic_fetch_add(&d->refcount, 1, __ATOMIC_RELAXED);
    }
}

void domain_page_left(struct domain *d)
{
    if (__atomic_sub_fetch(&d->leaving_count, 1, __ATOMIC_ACQ_REL) == 0) {
        domain_put(d);
    }
}
