/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual addresses of the hypervisor beside the direct map, for C and
 * assembly, and the page-table bits used to map them.
 */
#pragma once

#ifdef __ASSEMBLER__
#define ADDRESS(x) x
#else
#define ADDRESS(x) x##UL
#endif

#define LAYOUT_IMAGE_BASE ADDRESS(0xffffffff80000000)
/* Device registers, uncached. */
#define LAYOUT_MMIO_BASE ADDRESS(0xffffffffc0000000)
#define LAYOUT_MMIO_END ADDRESS(0xffffffffc0200000)
/* One slot of stacks with guard pages per CPU. */
#define LAYOUT_STACK_BASE ADDRESS(0xffffffffd0000000)
#define LAYOUT_STACK_SLOT ADDRESS(0x10000)

/* Physical address of a symbol of the image, in assembly. */
#define PHYS(symbol) ((symbol)-LAYOUT_IMAGE_BASE)

#define PTE_P ADDRESS(0x1)
#define PTE_RW ADDRESS(0x2)
#define PTE_PWT ADDRESS(0x8)
#define PTE_PCD ADDRESS(0x10)
#define PTE_A ADDRESS(0x20)
#define PTE_D ADDRESS(0x40)
#define PTE_LARGE ADDRESS(0x80)
#define PTE_NX ADDRESS(0x8000000000000000)

#define BOOT_STACK_SIZE 16384
