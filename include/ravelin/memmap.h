/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's physical memory as a sorted list of disjoint regions. It starts
 * from what the firmware says, which may overlap, wrap or be out of order;
 * whatever is claimed twice goes to the more restrictive kind. Afterwards our
 * own uses (image, modules, page tables) are carved out of free memory.
 */
#pragma once

#include "ravelin/types.h"

#define MEMMAP_REGIONS_MAX 128u

/* Ascending: in an overlap the higher kind wins. */
enum mem_kind {
    MEM_FREE,       /* RAM nobody uses; whole 4 KiB frames */
    MEM_ACPI,       /* RAM with firmware tables */
    MEM_MODULE,     /* RAM with a boot module */
    MEM_HYPERVISOR, /* RAM: image, page tables, stacks, per-CPU data */
    MEM_LOADER,     /* RAM below 1 MiB kept for AP start-up */
    MEM_NVS,        /* RAM the firmware keeps writing */
    MEM_RESERVED,   /* device or firmware space */
    MEM_BAD,        /* defective */
    MEM_KIND_COUNT
};

struct mem_region {
    hpa_t base;
    uint64_t size; /* bytes, > 0 */
    enum mem_kind kind;
};

struct memmap {
    unsigned count;
    unsigned dropped; /* claims refused for want of room */
    struct mem_region region[MEMMAP_REGIONS_MAX];
};

/**
 * Adds a claim. Zero sizes are ignored, ends beyond 2^52 cut. Free memory
 * shrinks to whole frames, everything else grows to them. A claim that would
 * need more than MEMMAP_REGIONS_MAX regions is dropped if it is MEM_FREE and
 * otherwise displaces the smallest free region.
 */
void memmap_claim(struct memmap *map, uint64_t base, uint64_t size,
                  enum mem_kind kind);

/**
 * Lowest free run of `size` bytes at a multiple of `align` (a power of two),
 * wholly inside [low, high). Does not claim it.
 *
 * @return 0 and *base; -RV_ENOMEM if there is none.
 */
int rv_must_check memmap_find_free(const struct memmap *map, uint64_t size,
                                   uint64_t align, uint64_t low, uint64_t high,
                                   hpa_t *base);

/** Region that holds `a`; NULL if nothing is known of that address. */
const struct mem_region *memmap_lookup(const struct memmap *map, hpa_t a);

/** Lowest region that ends above `a`; NULL if there is none. */
const struct mem_region *memmap_lookup_next(const struct memmap *map, hpa_t a);

/** Bytes of one kind. */
uint64_t memmap_total(const struct memmap *map, enum mem_kind kind);

/** Does this kind denote memory that the direct map covers? */
bool mem_kind_is_ram(enum mem_kind kind);
/** Short name for listings. */
const char *mem_kind_name(enum mem_kind kind);
