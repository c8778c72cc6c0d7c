/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory maps of domains, one page each, and of the machine.
 */
#include "ravelin/memory_map.h"

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/string.h"

static_assert(sizeof(struct memory_map) <= PAGE_SIZE, "a map is one page");

static const struct memmap *machine_map;

void memory_map_adopt(struct domain *d, struct memory_map *map)
{
    struct memory_map *old;

    spin_lock(&d->lock);
    old = d->memory_map;
    d->memory_map = map;
    spin_unlock(&d->lock);
    if (old != NULL) {
        page_free(old);
    }
}

int memory_map_set(struct domain *d, const struct xen_e820_entry *entry,
                   unsigned count)
{
    struct memory_map *map;

    if (count > MEMORY_MAP_ENTRIES_MAX) {
        return -RV_EINVAL;
    }
    map = page_alloc();
    if (map == NULL) {
        return -RV_ENOMEM;
    }
    map->count = count;
    if (count != 0) {
        memcpy(map->entry, entry, count * sizeof(*entry));
    }
    memory_map_adopt(d, map);
    return 0;
}

bool memory_map_entry(struct domain *d, unsigned i, struct xen_e820_entry *out)
{
    bool found;

    spin_lock(&d->lock);
    found = d->memory_map != NULL && i < d->memory_map->count;
    if (found) {
        *out = d->memory_map->entry[i];
    }
    spin_unlock(&d->lock);
    return found;
}

uint64_t memory_map_ram_end(struct domain *d)
{
    struct xen_e820_entry e;
    uint64_t end = 0;

    for (unsigned i = 0; memory_map_entry(d, i, &e); i++) {
        if (e.type == XEN_E820_RAM && e.addr + e.size > e.addr) {
            end = rv_max(end, e.addr + e.size);
        }
    }
    return end >> PAGE_SHIFT;
}

void memory_map_free(struct domain *d)
{
    if (d->memory_map != NULL) {
        page_free(d->memory_map);
        d->memory_map = NULL;
    }
}

void machine_memory_map_set(const struct memmap *map)
{
    machine_map = map;
}

static uint32_t e820_type(enum mem_kind kind)
{
    switch (kind) {
    case MEM_ACPI:
        return XEN_E820_ACPI;
    case MEM_NVS:
        return XEN_E820_NVS;
    case MEM_RESERVED:
        return XEN_E820_RESERVED;
    case MEM_BAD:
        return XEN_E820_UNUSABLE;
    default:
        return XEN_E820_RAM;
    }
}

bool machine_memory_map_entry(unsigned i, struct xen_e820_entry *out)
{
    const struct mem_region *r;

    if (machine_map == NULL || i >= machine_map->count) {
        return false;
    }
    r = &machine_map->region[i];
    *out = (struct xen_e820_entry){r->base.v, r->size, e820_type(r->kind)};
    return true;
}
