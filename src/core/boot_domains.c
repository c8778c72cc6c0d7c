/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns the boot manifest into domains. Mistakes are printed with the rule they
 * break; a manifest with mistakes starts nothing, because half of a policy is
 * not a policy. A domain that cannot be built does not keep the others from
 * running.
 */

#include "ravelin/boot_domains.h"
#include "arch/host.h"
#include "arch/startup.h"
#include "ravelin/boot_info.h"
#include "ravelin/domain.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/legacy.h"
#include "ravelin/log.h"
#include "ravelin/manifest.h"
#include "ravelin/panic.h"
#include "ravelin/pvh_build.h"
#include "ravelin/sched.h"
#include "ravelin/v4v.h"

/* Guests' platforms need more frames than their RAM: special pages. */
#define SPECIAL_PAGES 16u

static struct manifest manifest;
static struct domain *built[MANIFEST_DOMAINS_MAX];

static void line_print(void *ctx rv_unused, const char *line)
{
    log_info("%s", line);
}

static void mistake_print(void *ctx rv_unused, const struct manifest_error *err)
{
    manifest_error_print(err, line_print, NULL);
}

static bool manifest_load(const struct boot_info *info)
{
    const struct boot_module *blob = boot_module_find(info, MANIFEST_MODULE);
    struct manifest_error err;

    if (!blob) {
        log_error("no boot module named \"" MANIFEST_MODULE "\"");
        return false;
    }
    if (manifest_parse(host_ptr(blob->base), blob->size, &manifest, &err)) {
        mistake_print(NULL, &err);
        return false;
    }
    return manifest_check(&manifest, mistake_print, NULL) == 0;
}

/* What the first domain costs beside its own memory, and the TSC that its clock
 * starts at, for `ravelin bench`. */
static void bench_print(const struct boot_info *info, const struct domain *d,
                        uint64_t frames_before)
{
    uint64_t frames = frames_before - frame_free_count();

    if (!info->options.bench) {
        return;
    }
    log_info("BENCH domain_overhead_bytes %lu bytes",
             (frames << PAGE_SHIFT) - d->manifest->memory);
    log_info("BENCH boot_base %lu insn",
             -d->tsc_offset - info->entry_tsc - arch_boot_wait_ticks());
}

static int domain_boot(const struct boot_info *info,
                       const struct manifest_domain *m, struct domain **out)
{
    const struct domain_config config = {
        .name = m->name,
        .id = (domid_t)m->domid,
        .roles = m->roles,
        .monitor_targets = m->monitors,
        .manifest_bit = 1UL << (m - manifest.domain),
        .vcpu_count = m->vcpus,
        .max_pages = (m->memory >> PAGE_SHIFT) + SPECIAL_PAGES +
                     legacy_pages_extra(m, info),
        .weight = m->weight,
        .affinity = m->cpus,
        .crash_policy = m->on_crash,
        .manifest = m,
    };
    uint64_t frames_before = frame_free_count();
    int rc = domain_create(&config, out);

    if (rc) {
        log_error("domain %s: cannot be created (%d)", m->name, rc);
        return rc;
    }
    rc = m->firmware[0] != '\0' ? legacy_build_manifest(*out, m, info)
                                : pvh_build_manifest(*out, m, info);
    if (rc) {
        log_error("domain %s: cannot be built (%d)", m->name, rc);
        domain_reap(*out);
        *out = NULL;
        return rc;
    }
    bench_print(info, *out, frames_before);
    return 0;
}

void boot_domains(const struct boot_info *info)
{
    if (!manifest_load(info)) {
        log_error("no usable manifest: no domain is started");
        manifest.domain_count = 0;
        return;
    }
    access_matrix_print(&manifest, line_print, NULL);
    v4v_boot(&manifest);
    for (unsigned i = 0; i < manifest.domain_count; i++) {
        (void)domain_boot(info, &manifest.domain[i], &built[i]);
    }
}

void boot_domains_start(void)
{
    if (manifest.machine.console == MANIFEST_HV_CONSOLE_OFF) {
        log_line_give();
    }
    for (unsigned i = 0; i < manifest.domain_count; i++) {
        if (built[i] && manifest.domain[i].start == MANIFEST_START_RUNNING) {
            BUG_ON(domain_unpause(built[i]));
        }
    }
    domain_last_end_set(
        (enum manifest_last_end)manifest.machine.on_last_domain_end);
}
