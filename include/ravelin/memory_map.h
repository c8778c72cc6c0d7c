/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory map a domain was started with, as XENMEM_memory_map tells it. It
 * is information only: what is mapped is decided by the p2m.
 */
#pragma once

#include "public/hvm/e820.h"
#include "ravelin/domain.h"
#include "ravelin/memmap.h"

#define MEMORY_MAP_ENTRIES_MAX 128u

struct memory_map {
    unsigned count;
    struct xen_e820_entry entry[MEMORY_MAP_ENTRIES_MAX];
};

/**
 * Replaces the map of `d`; takes d->lock.
 * @param count  0 .. MEMORY_MAP_ENTRIES_MAX.
 * @return 0; -EINVAL too many; -ENOMEM.
 */
int rv_must_check memory_map_set(struct domain *d,
                                 const struct xen_e820_entry *entry,
                                 unsigned count);
/** The same with a page of the caller's (page_alloc), which `d` owns then. */
void memory_map_adopt(struct domain *d, struct memory_map *map);
/** Entry `i`; false if the map has none such. */
bool rv_must_check memory_map_entry(struct domain *d, unsigned i,
                                    struct xen_e820_entry *out);
/** First frame number beyond all RAM of the map; 0 without a map. */
uint64_t memory_map_ram_end(struct domain *d);
/** Frees the map; the domain is dead. NULL-safe. */
void memory_map_free(struct domain *d);

/** What XENMEM_machine_memory_map tells the hardware domain; kept by
 * reference. */
void machine_memory_map_set(const struct memmap *map);
/** Entry `i` of the machine's map; false past the end. */
bool rv_must_check machine_memory_map_entry(unsigned i,
                                            struct xen_e820_entry *out);
