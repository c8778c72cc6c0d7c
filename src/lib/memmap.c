/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sorted, disjoint list of physical memory regions. Firmware maps are
 * known to overlap, wrap around and come unsorted; a claim is therefore laid
 * down piece by piece between and over what is there already, and in doubt
 * memory ends up unused rather than used twice.
 */
#include "ravelin/memmap.h"

#include "ravelin/errno.h"
#include "ravelin/string.h"

#define ADDRESS_END (1UL << 52)

/* One step of a claim may split a region into three. */
#define SPLIT_EXTRA 2u

static uint64_t region_end(const struct mem_region *r)
{
    return r->base.v + r->size;
}

static void region_insert(struct memmap *map, unsigned at, uint64_t base,
                          uint64_t end, enum mem_kind kind)
{
    memmove(&map->region[at + 1], &map->region[at],
            (map->count - at) * sizeof(map->region[0]));
    map->region[at] = (struct mem_region){hpa(base), end - base, kind};
    map->count++;
}

static void region_remove(struct memmap *map, unsigned at)
{
    map->count--;
    memmove(&map->region[at], &map->region[at + 1],
            (map->count - at) * sizeof(map->region[0]));
}

static bool smallest_free_find(const struct memmap *map, unsigned *at)
{
    uint64_t size = UINT64_MAX;

    for (unsigned i = 0; i < map->count; i++) {
        const struct mem_region *r = &map->region[i];

        if (r->kind == MEM_FREE && r->size < size) {
            size = r->size;
            *at = i;
        }
    }
    return size != UINT64_MAX;
}

/* Makes room for a split; false if the claim has to be given up. */
static bool room_make(struct memmap *map, enum mem_kind kind)
{
    unsigned at;

    while (map->count + SPLIT_EXTRA > MEMMAP_REGIONS_MAX) {
        map->dropped++;
        if (kind == MEM_FREE || !smallest_free_find(map, &at)) {
            return false;
        }
        region_remove(map, at);
    }
    return true;
}

/* Index of the first region that ends above `a`. */
static unsigned region_search(const struct memmap *map, uint64_t a)
{
    unsigned i = 0;

    while (i < map->count && region_end(&map->region[i]) <= a) {
        i++;
    }
    return i;
}

/* Turns [base, end), inside region `at`, over to `kind`. */
static void region_override(struct memmap *map, unsigned at, uint64_t base,
                            uint64_t end, enum mem_kind kind)
{
    struct mem_region old = map->region[at];

    map->region[at] = (struct mem_region){hpa(base), end - base, kind};
    if (region_end(&old) > end) {
        region_insert(map, at + 1, end, region_end(&old), old.kind);
    }
    if (old.base.v < base) {
        region_insert(map, at, old.base.v, base, old.kind);
    }
}

static void regions_merge(struct memmap *map)
{
    for (unsigned i = 1; i < map->count;) {
        struct mem_region *prev = &map->region[i - 1];

        if (prev->kind == map->region[i].kind &&
            region_end(prev) == map->region[i].base.v) {
            prev->size += map->region[i].size;
            region_remove(map, i);
        } else {
            i++;
        }
    }
}

/* Lays down the first piece of [base, end); returns where the rest starts. */
static uint64_t piece_claim(struct memmap *map, uint64_t base, uint64_t end,
                            enum mem_kind kind)
{
    unsigned at = region_search(map, base);
    const struct mem_region *r = &map->region[at];

    if (at == map->count || r->base.v >= end) {
        region_insert(map, at, base, end, kind);
        return end;
    }
    if (r->base.v > base) {
        end = r->base.v;
        region_insert(map, at, base, end, kind);
        return end;
    }
    end = rv_min(end, region_end(r));
    if (r->kind < kind) {
        region_override(map, at, base, end, kind);
    }
    return end;
}

void memmap_claim(struct memmap *map, uint64_t base, uint64_t size,
                  enum mem_kind kind)
{
    uint64_t end;

    if (base >= ADDRESS_END) {
        return;
    }
    end = size > ADDRESS_END - base ? ADDRESS_END : base + size;
    if (kind == MEM_FREE) {
        base = (base + PAGE_SIZE - 1) & PAGE_MASK;
        end &= PAGE_MASK;
    } else if (size != 0) {
        base &= PAGE_MASK;
        end = (end + PAGE_SIZE - 1) & PAGE_MASK;
    }
    while (base < end && room_make(map, kind)) {
        base = piece_claim(map, base, end, kind);
    }
    regions_merge(map);
}

int memmap_find_free(const struct memmap *map, uint64_t size, uint64_t align,
                     uint64_t low, uint64_t high, hpa_t *base)
{
    for (unsigned i = 0; i < map->count; i++) {
        const struct mem_region *r = &map->region[i];
        uint64_t start = rv_max(r->base.v, low);
        uint64_t end = rv_min(region_end(r), high);

        start = (start + align - 1) & ~(align - 1);
        if (r->kind == MEM_FREE && start < end && size <= end - start) {
            *base = hpa(start);
            return 0;
        }
    }
    return -RV_ENOMEM;
}

const struct mem_region *memmap_lookup(const struct memmap *map, hpa_t a)
{
    unsigned at = region_search(map, a.v);

    if (at < map->count && map->region[at].base.v <= a.v) {
        return &map->region[at];
    }
    return NULL;
}

const struct mem_region *memmap_lookup_next(const struct memmap *map, hpa_t a)
{
    unsigned at = region_search(map, a.v);

    return at < map->count ? &map->region[at] : NULL;
}

uint64_t memmap_total(const struct memmap *map, enum mem_kind kind)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < map->count; i++) {
        if (map->region[i].kind == kind) {
            total += map->region[i].size;
        }
    }
    return total;
}

bool mem_kind_is_ram(enum mem_kind kind)
{
    return kind <= MEM_NVS;
}

const char *mem_kind_name(enum mem_kind kind)
{
    static const char *const name[MEM_KIND_COUNT] = {
        [MEM_FREE] = "free",           [MEM_ACPI] = "ACPI tables",
        [MEM_MODULE] = "module",       [MEM_HYPERVISOR] = "hypervisor",
        [MEM_LOADER] = "CPU start-up", [MEM_NVS] = "ACPI NVS",
        [MEM_RESERVED] = "reserved",   [MEM_BAD] = "bad",
    };

    return kind < MEM_KIND_COUNT ? name[kind] : "?";
}
