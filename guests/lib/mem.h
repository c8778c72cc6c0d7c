/* SPDX-License-Identifier: MIT */
/*
 * Pages of the guest's own RAM, from a bitmap over the first 256 MiB. All
 * memory is identity mapped, so a page's address is its physical address.
 */
#ifndef GUEST_MEM_H
#define GUEST_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>

#define PAGE_SIZE 4096ul
#define PFN(p) ((unsigned long)((uintptr_t)(p) >> 12))

/** Fills the bitmap from the memory map. Once, on the boot CPU. */
void mem_init(void);

/** One zeroed page; NULL if none is left. */
void *page_alloc(void);

/** `count` zeroed pages in a row, aligned to `align` pages (a power of 2). */
void *pages_alloc(size_t count, size_t align);

void page_free(void *page);
void pages_free(void *first, size_t count);

/** Pages that page_alloc() could still return. */
size_t page_count(void);

/** Entry of the memory map; NULL past the end. */
const struct hvm_memmap_table_entry *mem_map_entry(unsigned int index);

/** Whether the map says that this byte address is RAM. */
bool mem_is_ram(uint64_t addr);

#endif
