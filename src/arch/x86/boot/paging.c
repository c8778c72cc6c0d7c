/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's final page tables: the image with the rights of each
 * section, all RAM in the direct map, never executable and read-only where it
 * aliases code and constants, device registers, and stacks between guard pages.
 * Nothing is mapped at low addresses. One set of tables serves all CPUs; after
 * boot only arch_init_data_seal() changes an entry.
 * Ref: AMD APM Vol 2 5.3 "Long-Mode Page Translation".
 */
#include "arch/startup.h"
#include "arch_inline.h"
#include "boot/boot.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "ravelin/panic.h"
#include "ravelin/string.h"

#define LEVELS 4u
#define LEVEL_BITS 9u
#define TABLE_ENTRIES 512u
#define PTE_ADDRESS 0x000ffffffffff000UL

#define TABLE_FLAGS (PTE_P | PTE_RW | PTE_A)
#define LEAF_FLAGS (PTE_P | PTE_A)
#define FLAGS_TEXT LEAF_FLAGS
#define FLAGS_RODATA (LEAF_FLAGS | PTE_NX)
#define FLAGS_DATA (LEAF_FLAGS | PTE_RW | PTE_D | PTE_NX)
#define FLAGS_MMIO (FLAGS_DATA | PTE_PCD | PTE_PWT)

static uint64_t *root RV_RO_AFTER_INIT = NULL;
static uint64_t mmio_next RV_RO_AFTER_INIT_DATA = LAYOUT_MMIO_BASE;

/* Bytes mapped by one entry of a table at `level`, 1 (4 KiB) to 4. */
static uint64_t entry_span(unsigned level)
{
    return 1UL << (PAGE_SHIFT + LEVEL_BITS * (level - 1));
}

static uint64_t *table_alloc(void)
{
    uint64_t *table = arch_early_alloc(PAGE_SIZE);

    if (table == NULL) {
        panic("no memory for page tables");
    }
    memset(table, 0, PAGE_SIZE);
    return table;
}

/* Entry for `va` at `level`, with the tables above it made if need be. */
static uint64_t *entry_at(uint64_t va, unsigned level)
{
    uint64_t *table = root;

    for (unsigned l = LEVELS;; l--) {
        uint64_t *e = &table[va / entry_span(l) % TABLE_ENTRIES];

        if (l == level) {
            return e;
        }
        if ((*e & PTE_P) == 0) {
            *e = host_pa(table_alloc()).v | TABLE_FLAGS;
        }
        BUG_ON((*e & PTE_LARGE) != 0);
        table = host_ptr(hpa(*e & PTE_ADDRESS));
    }
}

/* Largest level whose pages fit [va, ...) onto [pa, ...) now. */
static unsigned leaf_level(uint64_t va, uint64_t pa, uint64_t size,
                           unsigned max)
{
    unsigned level = max;

    while (level > 1 && (((va | pa) & (entry_span(level) - 1)) != 0 ||
                         size < entry_span(level))) {
        level--;
    }
    return level;
}

/*
 * Maps a run with leaves of at most level `max`. Entries of one table are
 * filled in a row, so that large memories cost a few instructions per page.
 */
static void map_range(uint64_t va, uint64_t pa, uint64_t size, uint64_t flags,
                      unsigned max)
{
    BUG_ON(((va | pa | size) & ~PAGE_MASK) != 0);
    while (size > 0) {
        unsigned level = leaf_level(va, pa, size, max);
        uint64_t span = entry_span(level);
        uint64_t leaf = flags | (level > 1 ? PTE_LARGE : 0);
        uint64_t *e = entry_at(va, level);

        do {
            *e++ = pa | leaf;
            va += span;
            pa += span;
            size -= span;
        } while (((uintptr_t)e & ~PAGE_MASK) != 0 &&
                 leaf_level(va, pa, size, level) == level && size >= span);
    }
}

static void map_image_part(const uint8_t *start, const uint8_t *end,
                           uint64_t flags)
{
    map_range((uint64_t)start, host_pa(start).v, (uint64_t)(end - start), flags,
              1);
}

static void map_image(void)
{
    map_image_part(__text_start, __text_end, FLAGS_TEXT);
    map_image_part(__rodata_start, __rodata_end, FLAGS_RODATA);
    map_image_part(__data_start, __image_end, FLAGS_DATA);
}

static void map_direct(uint64_t base, uint64_t end, uint64_t flags)
{
    unsigned max = x86_features.gb_pages ? 3 : 2;

    if (base < end) {
        map_range(DIRECT_MAP_BASE + base, base, end - base, flags, max);
    }
}

/* One run of RAM; code and constants inside it become read-only. */
static void map_ram(uint64_t base, uint64_t end)
{
    uint64_t fixed = host_pa(__image_start).v;
    uint64_t fixed_end = host_pa(__rodata_end).v;

    if (fixed_end <= base || fixed >= end) {
        map_direct(base, end, FLAGS_DATA);
        return;
    }
    map_direct(base, fixed, FLAGS_DATA);
    map_direct(fixed, fixed_end, FLAGS_RODATA);
    map_direct(fixed_end, end, FLAGS_DATA);
}

/*
 * Neighbouring regions are mapped as one run, for larger pages. Table pages
 * are allocated on the way, which shifts regions around but never changes
 * what is RAM; hence the search by address.
 */
static void map_all_ram(const struct memmap *map)
{
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t top = 0;

    if (map->count > 0) {
        const struct mem_region *last = &map->region[map->count - 1];

        top = last->base.v + last->size;
    }
    for (uint64_t at = 0; at < top;) {
        const struct mem_region *r = memmap_lookup_next(map, hpa(at));

        if (r == NULL) {
            break;
        }
        at = r->base.v + r->size;
        if (!mem_kind_is_ram(r->kind)) {
            continue;
        }
        if (r->base.v != end) {
            map_ram(start, end);
            start = r->base.v;
        }
        end = at;
    }
    map_ram(start, end);
}

void paging_init(const struct boot_info *info)
{
    root = table_alloc();
    map_image();
    map_all_ram(&info->memory);
    write_cr3(paging_root());
}

uint64_t paging_root(void)
{
    return host_pa(root).v;
}

void paging_map_pages(uint64_t va, hpa_t pa, uint64_t size, uint64_t flags)
{
    map_range(va, pa.v, size, flags, 1);
}

volatile void *mmio_map(hpa_t pa, uint64_t size)
{
    uint64_t offset = pa.v & ~PAGE_MASK;
    uint64_t bytes = (offset + size + PAGE_SIZE - 1) & PAGE_MASK;
    uint64_t va = mmio_next;

    if (bytes > LAYOUT_MMIO_END - va) {
        panic("no room to map %lu bytes of device registers", size);
    }
    mmio_next += bytes;
    map_range(va, pa.v - offset, bytes, FLAGS_MMIO, 1);
    return (volatile void *)(va + offset);
}

static void page_protect(uint64_t va)
{
    uint64_t *e = entry_at(va, 1);

    *e &= ~PTE_RW;
}

void arch_init_data_seal(void)
{
    uint64_t start = (uint64_t)__ro_after_init_start;
    uint64_t end = (uint64_t)__ro_after_init_end;

    for (uint64_t va = start; va < end; va += PAGE_SIZE) {
        page_protect((uint64_t)host_ptr(host_pa((void *)va)));
        page_protect(va);
    }
    cpu_tlb_flush_all();
}
