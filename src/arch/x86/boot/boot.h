/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of the boot path, in the order boot.c takes them. All of it runs
 * once, on the boot CPU, unless a comment says otherwise.
 */
#pragma once

#include "boot/layout.h"
#include "ravelin/boot_info.h"

/* Physical memory that the tables of entry.S reach. */
#define BOOT_MAPPED_END 0x100000000UL

/* Set by entry.S. */
extern uint64_t boot_entry_tsc;
extern struct cpu boot_cpu;

/* Linker script. */
extern const uint8_t __image_start[];
extern const uint8_t __text_start[];
extern const uint8_t __text_end[];
extern const uint8_t __rodata_start[];
extern const uint8_t __rodata_end[];
extern uint8_t __data_start[];
extern uint8_t __ro_after_init_start[];
extern uint8_t __ro_after_init_end[];
extern const uint8_t __image_end[];

/** Entry from assembly: the loader's magic and its information structure. */
rv_noreturn void x86_boot(uint32_t magic, uint32_t info);
/** Entry from assembly on every other CPU. */
rv_noreturn void x86_ap_boot(struct cpu *cpu);

/**
 * Fills loader, cmdline, rsdp, memory and module[] from a loader's structure.
 *
 * @return 0; -RV_EINVAL if the magic is unknown or the structure is malformed
 *         beyond use.
 */
int rv_must_check multiboot_parse(struct boot_info *info, uint32_t magic,
                                  uint32_t address);

/*
 * For the two parsers. The loader's strings are bounded by the limits of
 * struct boot_info and by the 4 GiB that are mapped.
 */

/** Pointer to `size` bytes of loader memory; NULL if they are out of reach. */
const void *loader_data(uint64_t address, uint64_t size);
/** Copies a command line without the leading file name some loaders add. */
void loader_cmdline_set(struct boot_info *info, const char *text, size_t max);
/** Adds a module; false (and counted) if it cannot be used. */
bool loader_module_add(struct boot_info *info, uint64_t base, uint64_t end,
                       const char *text, size_t max);
/** Adds a firmware memory range of an E820 type. */
void loader_memory_add(struct boot_info *info, uint64_t base, uint64_t size,
                       uint32_t type);
int rv_must_check multiboot1_parse(struct boot_info *info, uint32_t address);
int rv_must_check multiboot2_parse(struct boot_info *info, uint32_t address);

/** Claims image, start-up page and modules in info->memory. */
void memory_reserve(struct boot_info *info);
/** Physical address of the CPUs' start-up page; 0 if there was no room. */
hpa_t memory_trampoline(void);

/** Memory for arch_early_alloc(); `info` stays in use. */
void early_alloc_init(struct boot_info *info);

/** Builds the final page tables for info->memory and switches to them. */
void paging_init(const struct boot_info *info);
/** CR3 of the final tables. */
uint64_t paging_root(void);
/** Maps [pa, pa + size) at `va` with 4 KiB pages. Panics without memory. */
void paging_map_pages(uint64_t va, hpa_t pa, uint64_t size, uint64_t flags);
/**
 * Maps device registers uncached, before the other CPUs start.
 *
 * @param pa  any address; the mapping covers whole pages.
 * @return pointer to `pa`; panics if the window is used up.
 */
volatile void *mmio_map(hpa_t pa, uint64_t size);

/** Allocates and maps the stacks of one CPU and points cpu and TSS at them. */
void stacks_init(struct cpu *cpu);
/** Bounds of the hypervisor stack that holds `address`; false if none does. */
bool stack_bounds(uint64_t address, uint64_t *low, uint64_t *high);
/** Is `address` in a guard page below a stack? */
bool stack_is_guard(uint64_t address);

/** Leaves this stack for good and calls `fn` on the one ending at `top`. */
rv_noreturn void boot_stack_switch(void *top, void (*fn)(void));
