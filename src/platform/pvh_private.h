/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steps of the PVH builder and what they pass to each other.
 */
#pragma once

#include "ravelin/pvh_build.h"

#include "elf.h"

#define PVH_MEMMAP_MAX 4u
#define PVH_CMDLINE_MAX 2048u /* terminator included */

/* Where things go; filled by pvh_layout_compute(). */
struct pvh_layout {
    uint64_t low_end;  /* RAM is [0, low_end) ... */
    uint64_t high_end; /* ... and [PVH_RAM_HIGH, high_end) if larger */
    uint64_t ramdisk;  /* address; 0: none */
    uint64_t start_info;
};

/* pvh_memory.c */
/** Gives `d` cleared frames [g, end) in the largest pieces there are. 0;
 * -ENOMEM; -E2BIG. */
int rv_must_check pvh_range_populate(struct domain *d, uint64_t g,
                                     uint64_t end);
/** Gives `d` zeroed RAM and special pages. 0; -ENOMEM; -E2BIG; -EINVAL. */
int rv_must_check pvh_memory_populate(struct domain *d,
                                      const struct pvh_build *b,
                                      const struct pvh_layout *l);
/** Fills the parameters and pages that only VMX without unrestricted guest
 * uses. 0; -EFAULT. */
int rv_must_check pvh_vm86_pages_fill(struct domain *d);

/* pvh_start_info.c */
/**
 * Decides where ramdisk and start info go: at the top of low RAM.
 * @return 0; -E2BIG they, or a segment of the kernel, do not fit; *why tells.
 */
int rv_must_check pvh_layout_compute(const struct pvh_build *b,
                                     const struct elf_image *image,
                                     struct pvh_layout *l, const char **why);
/** Writes start info, module list, memory map and command line, and tells the
 * memory map to XENMEM_memory_map. 0; -ENOMEM; -EFAULT. */
int rv_must_check pvh_start_info_write(struct domain *d,
                                       const struct pvh_build *b,
                                       const struct pvh_layout *l);
