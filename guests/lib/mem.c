/* SPDX-License-Identifier: MIT */
/*
 * Page allocator. Only RAM above the image is used; what the hypervisor
 * placed there (start info, modules, command lines) is left alone.
 */

#include "guest.h"

#define PAGES_MAX 65536u
#define MAP_MAX 64u

static uint8_t free_map[PAGES_MAX / 8];
static size_t free_count;
static uint32_t mem_lock;
static struct hvm_memmap_table_entry map[MAP_MAX];
static unsigned int map_count;

static bool page_is_free(size_t pfn)
{
    return pfn < PAGES_MAX && (free_map[pfn / 8] >> (pfn % 8)) & 1;
}

static void page_mark(size_t pfn, bool is_free)
{
    if (pfn >= PAGES_MAX || page_is_free(pfn) == is_free) {
        return;
    }
    free_map[pfn / 8] ^= (uint8_t)(1u << (pfn % 8));
    if (is_free) {
        free_count++;
    } else {
        free_count--;
    }
}

static void range_mark(uint64_t addr, uint64_t size, bool is_free)
{
    uint64_t first = addr >> 12, end = (addr + size + 4095) >> 12;

    if (is_free) {
        first = (addr + 4095) >> 12;
        end = (addr + size) >> 12;
    }
    for (; first < end && first < PAGES_MAX; first++) {
        page_mark((size_t)first, is_free);
    }
}

/*
 * The map in the start info is optional, so the hypercall stands in for it.
 * The layout of its entries is the packed one of the BIOS call E820.
 */
struct e820_entry {
    uint64_t addr, size;
    uint32_t type;
} __attribute__((packed));

static void map_read(void)
{
    const struct hvm_start_info *s = start_info();
    const struct hvm_memmap_table_entry *given =
        (const void *)(uintptr_t)s->memmap_paddr;
    static struct e820_entry raw[MAP_MAX];
    struct xen_memory_map op = {.nr_entries = MAP_MAX};
    unsigned int i;

    if (s->version >= 1 && s->memmap_entries) {
        map_count = s->memmap_entries < MAP_MAX ? s->memmap_entries : MAP_MAX;
        for (i = 0; i < map_count; i++) {
            map[i] = given[i];
        }
        return;
    }
    set_xen_guest_handle(op.buffer, (void *)raw);
    if (memory_op(XENMEM_memory_map, &op)) {
        return;
    }
    map_count = op.nr_entries;
    for (i = 0; i < map_count; i++) {
        map[i].addr = raw[i].addr;
        map[i].size = raw[i].size;
        map[i].type = raw[i].type;
    }
}

const struct hvm_memmap_table_entry *mem_map_entry(unsigned int index)
{
    return index < map_count ? &map[index] : NULL;
}

bool mem_is_ram(uint64_t addr)
{
    const struct hvm_memmap_table_entry *e;
    unsigned int i;

    for (i = 0; (e = mem_map_entry(i)); i++) {
        if (addr >= e->addr && addr - e->addr < e->size) {
            return e->type == XEN_HVM_MEMMAP_TYPE_RAM;
        }
    }
    return false;
}

static void string_reserve(uint64_t addr)
{
    if (addr) {
        range_mark(addr, strlen((const char *)(uintptr_t)addr) + 1, false);
    }
}

static void boot_data_reserve(void)
{
    const struct hvm_start_info *s = start_info();
    const struct hvm_modlist_entry *m =
        (const void *)(uintptr_t)s->modlist_paddr;
    unsigned int i;

    range_mark((uintptr_t)s, sizeof(*s), false);
    if (s->version >= 1) {
        range_mark(s->memmap_paddr, s->memmap_entries * sizeof(map[0]), false);
    }
    range_mark(s->modlist_paddr, s->nr_modules * sizeof(*m), false);
    string_reserve(s->cmdline_paddr);
    for (i = 0; i < s->nr_modules; i++) {
        range_mark(m[i].paddr, m[i].size, false);
        string_reserve(m[i].cmdline_paddr);
    }
    range_mark(0, (uintptr_t)image_end, false);
}

void mem_init(void)
{
    const struct hvm_memmap_table_entry *e;
    unsigned int i;

    map_read();
    for (i = 0; (e = mem_map_entry(i)); i++) {
        if (e->type == XEN_HVM_MEMMAP_TYPE_RAM) {
            range_mark(e->addr, e->size, true);
        }
    }
    boot_data_reserve();
}

static size_t run_length(size_t pfn, size_t count)
{
    size_t n = 0;

    while (n < count && page_is_free(pfn + n)) {
        n++;
    }
    return n;
}

void *pages_alloc(size_t count, size_t align)
{
    size_t pfn, i;
    void *found = NULL;

    spin_lock(&mem_lock);
    for (pfn = align; pfn + count <= PAGES_MAX; pfn += align) {
        if (run_length(pfn, count) == count) {
            for (i = 0; i < count; i++) {
                page_mark(pfn + i, false);
            }
            found = (void *)(uintptr_t)(pfn << 12);
            break;
        }
    }
    spin_unlock(&mem_lock);
    if (found) {
        memset(found, 0, count * PAGE_SIZE);
    }
    return found;
}

void *page_alloc(void)
{
    return pages_alloc(1, 1);
}

void pages_free(void *first, size_t count)
{
    size_t pfn = PFN(first), i;

    spin_lock(&mem_lock);
    for (i = 0; i < count; i++) {
        page_mark(pfn + i, true);
    }
    spin_unlock(&mem_lock);
}

void page_free(void *page)
{
    pages_free(page, 1);
}

size_t page_count(void)
{
    return free_count;
}
