/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the end of the arch boot path to the CPU loops: memory, processors,
 * manifest, domains, in this order. Everything read here comes from the boot
 * loader; what is wrong with it is said in the log, and what can still run
 * does.
 */

#include "arch/backend.h"
#include "arch/host.h"
#include "arch/startup.h"
#include "entry_build.h"
#include "ravelin/atomic.h"
#include "ravelin/boot_domains.h"
#include "ravelin/boot_info.h"
#include "ravelin/cpu_loop.h"
#include "ravelin/cpuid_policy.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/hypercall.h"
#include "ravelin/log.h"
#include "ravelin/machine_end.h"
#include "ravelin/memory_map.h"
#include "ravelin/panic.h"
#include "ravelin/sched.h"
#include "ravelin/spare_cpu.h"
#include "ravelin/timer.h"

const struct hv_backend *hv RV_RO_AFTER_INIT = NULL;

/* CPUs that have everything they need; what they allocate is done then. */
static uint32_t cpus_set_up;

/* Set when the boot CPU has finished and the others may take vCPUs. */
static bool machine_ready;

static mfn_t ram_end(const struct memmap *map)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < map->count; i++) {
        const struct mem_region *r = &map->region[i];

        if (mem_kind_is_ram(r->kind)) {
            end = rv_max(end, r->base.v + r->size);
        }
    }
    return mfn(end >> PAGE_SHIFT);
}

static void memory_init(struct boot_info *info)
{
    if (frame_pool_init(ram_end(&info->memory), arch_early_alloc)) {
        panic("no memory for the frame table");
    }
    for (unsigned i = 0; i < info->memory.count; i++) {
        const struct mem_region *r = &info->memory.region[i];

        if (r->kind == MEM_FREE) {
            frame_pool_add(hpa_to_mfn(r->base), r->size >> PAGE_SHIFT);
        }
    }
    log_info("memory: %lu MiB free of %lu MiB",
             frame_free_count() >> (20 - PAGE_SHIFT),
             frame_total_count() >> (20 - PAGE_SHIFT));
}

static void backend_choose(void)
{
    const char *why = "no backend is built in";

    for (unsigned i = 0; i < hv_backend_count; i++) {
        if (hv_backends[i]->probe(&why) == 0) {
            hv = hv_backends[i];
            return;
        }
        log_info("%s: %s", hv_backends[i]->name, why);
    }
    panic("this processor cannot run guests: %s", why);
}

/* What each CPU needs before it may schedule. */
static void cpu_init(void)
{
    struct cpu *cpu = this_cpu();
    int rc = timer_cpu_init(cpu);

    rc = rc ? rc : sched_cpu_init(cpu);
    rc = rc ? rc : hv->cpu_enable();
    if (rc) {
        panic("cpu%u: cannot be initialised (%d)", cpu->id, rc);
    }
    __atomic_fetch_add(&cpus_set_up, 1, __ATOMIC_SEQ_CST);
}

static void cpus_wait(void)
{
    while (load_acquire(&cpus_set_up) != cpu_count()) {
        cpu_relax();
    }
}

static void entry_check_set(const char *text)
{
    if (*text && !entry_build_option(text)) {
        log_warn("option \"entry-check=%s\" not understood: it needs the debug "
                 "image",
                 text);
    }
}

rv_noreturn void ravelin_main(struct boot_info *info)
{
    log_info("Ravelin " RAVELIN_VERSION ", loaded by %s", info->loader);
    memory_init(info);
    entry_check_set(info->options.entry_check);
    hypercall_commandline_set(info->cmdline);
    machine_memory_map_set(&info->memory);
    backend_choose();
    cpuid_host_init(arch_cpuid, arch_microcode(), arch_tsc_is_stable());
    cpu_init();
    log_info("%u CPUs online, backend %s", arch_cpus_start(info), hv->name);
    cpus_wait();
    boot_cpu_spare();
    machine_end_baseline();
    boot_domains(info);
    arch_init_data_seal();
    store_release(&machine_ready, true);
    boot_domains_start();
    cpu_loop();
}

rv_noreturn void ravelin_ap_main(unsigned cpu rv_unused)
{
    cpu_init();
    while (!load_acquire(&machine_ready)) {
        cpu_relax();
    }
    cpu_loop();
}
