/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot CPU's way from the loader to ravelin_main(): first everything that
 * needs only the boot page tables (loader structures, ACPI), then the final
 * page tables and stack, then the devices. The order of steps is the whole
 * point of this file.
 */
#include "boot/boot.h"

#include "arch/host.h"
#include "arch/startup.h"
#include "arch_inline.h"
#include "boot/smp.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/interrupt.h"
#include "cpu/percpu.h"
#include "platform/acpi.h"
#include "platform/ioapic.h"
#include "platform/lapic.h"
#include "platform/pic.h"
#include "platform/power.h"
#include "platform/rtc.h"
#include "platform/serial.h"
#include "platform/timer.h"
#include "platform/tsc.h"
#include "ravelin/log.h"
#include "ravelin/panic.h"

#define MIB 0x100000UL

uint64_t boot_entry_tsc;
struct cpu boot_cpu;
static struct x86_cpu boot_x86_cpu;
static struct boot_info boot_info;

/* Until the final stacks exist, interrupts stacks overlap in this one. */
static uint8_t early_ist_stack[PAGE_SIZE] rv_aligned(16);

static void early_cpu_init(void)
{
    boot_cpu.arch = &boot_x86_cpu;
    for (unsigned i = 0; i < IST_COUNT; i++) {
        boot_x86_cpu.tss.ist[i] =
            (uint64_t)(early_ist_stack + sizeof(early_ist_stack));
    }
    feature_detect();
    tsc_init(boot_entry_tsc);
    boot_cpu.apic_id = lapic_boot_id();
    interrupt_init();
    interrupt_cpu_init();
    cpu_baseline_init();
}

static void options_report(const struct options *opt)
{
    for (unsigned i = 0; i < opt->bad_count && i < OPTIONS_BAD_MAX; i++) {
        log_warn("option \"%s\" not understood", opt->bad[i]);
    }
    if (opt->bad_count > OPTIONS_BAD_MAX) {
        log_warn("%u more options not understood",
                 opt->bad_count - OPTIONS_BAD_MAX);
    }
}

static void memory_report(const struct memmap *map)
{
    for (unsigned i = 0; i < map->count; i++) {
        const struct mem_region *r = &map->region[i];

        log_debug("memory %012lx-%012lx %s", r->base.v, r->base.v + r->size - 1,
                  mem_kind_name(r->kind));
    }
    log_info("memory: %lu MiB free, %lu MiB modules",
             memmap_total(map, MEM_FREE) / MIB,
             memmap_total(map, MEM_MODULE) / MIB);
    if (map->dropped > 0) {
        log_warn("memory map too fragmented: %u ranges ignored", map->dropped);
    }
}

static void modules_report(const struct boot_info *info)
{
    for (unsigned i = 0; i < info->module_count; i++) {
        const struct boot_module *m = &info->module[i];

        log_info("module %s: %lu bytes", m->name, m->size);
    }
    if (info->module_dropped > 0) {
        log_warn("%u modules ignored: too many or not in free memory",
                 info->module_dropped);
    }
}

static void cpu_report(const struct boot_info *info)
{
    log_info("%s", x86_features.brand);
    log_info("%u CPUs, TSC %u.%03u MHz by %s, %s, %s timer", info->cpu_count,
             arch_tsc_khz() / 1000, arch_tsc_khz() % 1000, tsc_reference_name(),
             lapic_is_x2() ? "x2APIC" : "xAPIC",
             x86_features.tsc_deadline ? "TSC-deadline" : "one-shot");
    if (info->cpu_ignored > 0) {
        log_warn("%u CPUs left unused", info->cpu_ignored);
    }
}

/* On the final stack and page tables. */
static void boot_devices(void)
{
    struct boot_info *info = &boot_info;

    pic_disable();
    ioapic_init();
    lapic_init();
    lapic_cpu_init();
    tsc_calibrate();
    timer_boot_init();
    timer_cpu_hw_init();
    rtc_init();
    power_init();
    serial_interrupt_init();
    cpu_report(info);
    memory_report(&info->memory);
    modules_report(info);
    boot_cpu.online = true;
    cpu_register(&boot_cpu);
    ravelin_main(info);
}

static void console_start(struct boot_info *info)
{
    options_parse(&info->options, info->cmdline);
    power_debug_exit_set(info->options.debug_exit_port);
    (void)serial_init();
    console_init(&serial_port, info->options.console);
    log_level_set(info->options.log_level);
    log_info("Ravelin starts (loader: %s)", info->loader);
    options_report(&info->options);
}

void x86_boot(uint32_t magic, uint32_t address)
{
    struct boot_info *info = &boot_info;
    int rc;

    early_cpu_init();
    info->entry_tsc = boot_entry_tsc;
    rc = multiboot_parse(info, magic, address);
    console_start(info);
    if (rc < 0) {
        panic("started by an unknown boot loader, magic 0x%x", magic);
    }
    if (!x86_features.nx) {
        panic("the processor or the firmware lacks no-execute pages");
    }
    memory_reserve(info);
    early_alloc_init(info);
    acpi_init(info);
    paging_init(info);
    stacks_init(&boot_cpu);
    smp_prepare(info);
    boot_stack_switch(boot_cpu.stack_top, boot_devices);
}

unsigned arch_phys_bits(void)
{
    return x86_features.phys_bits;
}
