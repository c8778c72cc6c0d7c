/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot path hands to ravelin_main(), whatever loader it came from.
 * All text is copied and bounded; all module contents stay where the loader
 * put them and are excluded from free memory (MEM_MODULE).
 */
#pragma once

#include "ravelin/cpu.h"
#include "ravelin/memmap.h"
#include "ravelin/options.h"
#include "ravelin/types.h"

#define BOOT_MODULE_COUNT_MAX 32u
#define BOOT_MODULE_NAME_MAX 48u
#define BOOT_MODULE_ARGS_MAX 512u
#define BOOT_CMDLINE_MAX 512u
#define BOOT_LOADER_MAX 48u

struct boot_module {
    char name[BOOT_MODULE_NAME_MAX]; /* first word, without directories */
    char args[BOOT_MODULE_ARGS_MAX]; /* the rest of its command line */
    hpa_t base;                      /* 4 KiB aligned */
    uint64_t size;                   /* bytes */
};

struct boot_info {
    char loader[BOOT_LOADER_MAX];
    char cmdline[BOOT_CMDLINE_MAX]; /* without our own file name */
    struct options options;         /* parsed from cmdline */

    struct memmap memory;

    unsigned module_count;
    unsigned module_dropped; /* beyond BOOT_MODULE_COUNT_MAX or absurd */
    struct boot_module module[BOOT_MODULE_COUNT_MAX];

    hpa_t rsdp; /* 0: no ACPI */

    unsigned cpu_count;   /* usable, boot CPU first */
    unsigned cpu_ignored; /* beyond maxcpus or CPU_COUNT_MAX */
    uint32_t apic_id[CPU_COUNT_MAX];

    uint64_t entry_tsc; /* TSC at the loader's jump to us */
};

/** Module by name; NULL if there is none. */
const struct boot_module *boot_module_find(const struct boot_info *info,
                                           const char *name);
