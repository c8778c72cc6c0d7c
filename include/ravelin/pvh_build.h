/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domain builder for the PVH boot protocol: memory, kernel, ramdisk, start
 * info, ACPI tables, special pages and the state of vCPU 0, in one step and
 * without help from another domain. Used at boot for the manifest's domains
 * and again by whoever restarts one.
 *
 * Threat surface: the kernel image; it is parsed with bounds checks and ends
 * up in the new domain's memory only.
 */
#pragma once

#include "ravelin/boot_info.h"
#include "ravelin/domain.h"
#include "ravelin/manifest.h"

/*
 * Guest-physical layout. RAM starts at 0 and ends below PVH_RAM_LOW_END; the
 * rest continues at PVH_RAM_HIGH. Special pages keep the places Xen gave them.
 */
#define PVH_RAM_LOW_END 0xf0000000UL
#define PVH_RAM_HIGH 0x100000000UL
#define PVH_ACPI_GFN 0xfeff0UL /* PVH_ACPI_PAGES, type ACPI */
#define PVH_ACPI_PAGES 1u
#define PVH_VM86_TSS_GFN 0xfeff4UL /* 3 pages, only with vm86_pages */
#define PVH_VM86_TSS_PAGES 3u
#define PVH_IDENT_PT_GFN 0xfeffeUL /* only with vm86_pages */
#define PVH_CONSOLE_GFN 0xfefffUL  /* only with console_ring */
/* Last byte of special space, for the memory map (type reserved). */
#define PVH_SPECIAL_BASE 0xfeff0000UL
#define PVH_SPECIAL_END 0xff000000UL

struct pvh_build {
    const void *kernel; /* ELF image, readable for kernel_size bytes */
    size_t kernel_size;
    const void *ramdisk; /* NULL: none */
    size_t ramdisk_size;
    const char *cmdline; /* terminated, copied */
    uint64_t memory;     /* bytes, multiple of 4 KiB, >= 1 MiB */
    bool console;        /* a console for console_io or the ring */
    bool console_ring;   /* HVM console ring with its event channel */
    bool serial_port;    /* owns COM1: ports, IO-APIC, device in ACPI */
    bool vm86_pages;     /* VMX without unrestricted guest: IDENT_PT, TSS */
};

/**
 * Builds a domain in state BUILDING, just created (no memory, vCPUs down).
 * Afterwards vCPU 0 is ready at the kernel's entry, not down any more; the
 * domain still has its creation pause.
 *
 * @return 0; -ENOEXEC kernel unusable; -ENOMEM; -E2BIG image does not fit
 *         the memory; -EINVAL bad request; -ESRCH domain not in BUILDING. The
 *         reason is in the log with the domain's name. On error the domain is
 *         partly built and can only be destroyed.
 */
int rv_must_check pvh_build_domain(struct domain *d,
                                   const struct pvh_build *build);

/** Finds the modules that `m` names and builds `d` from them. -ENOENT: a
 * module is missing; else as pvh_build_domain(). */
int rv_must_check pvh_build_manifest(struct domain *d,
                                     const struct manifest_domain *m,
                                     const struct boot_info *info);
