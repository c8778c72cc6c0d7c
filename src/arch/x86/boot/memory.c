/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns which physical memory when the core takes over, and the allocator
 * used until then, which simply carves frames out of the memory map. Modules
 * that do not lie in memory the firmware calls free are refused here: a wrong
 * module address must not turn device space into RAM.
 */
#include "arch/startup.h"
#include "arch_inline.h"
#include "boot/boot.h"
#include "ravelin/log.h"
#include "ravelin/string.h"

/* Interrupt vectors and BIOS data: nobody's, and not in the direct map. */
#define BIOS_PAGE_SIZE PAGE_SIZE
#define TRAMPOLINE_LOW 0x1000u
#define TRAMPOLINE_HIGH 0xa0000u
/* Small allocations keep out of what real-mode code might use. */
#define EARLY_LOW 0x100000u

static struct boot_info *early_info;
static hpa_t trampoline;

static bool is_free(const struct memmap *map, uint64_t base, uint64_t size)
{
    const struct mem_region *r = memmap_lookup(map, hpa(base));
    uint64_t end = (base + size + PAGE_SIZE - 1) & PAGE_MASK;

    return r != NULL && r->kind == MEM_FREE && end <= r->base.v + r->size;
}

static void module_remove(struct boot_info *info, unsigned at)
{
    info->module_count--;
    info->module_dropped++;
    memmove(&info->module[at], &info->module[at + 1],
            (info->module_count - at) * sizeof(info->module[0]));
}

static void modules_reserve(struct boot_info *info)
{
    for (unsigned i = 0; i < info->module_count;) {
        const struct boot_module *m = &info->module[i];

        if (!is_free(&info->memory, m->base.v, m->size)) {
            module_remove(info, i);
            continue;
        }
        memmap_claim(&info->memory, m->base.v, m->size, MEM_MODULE);
        i++;
    }
}

void memory_reserve(struct boot_info *info)
{
    struct memmap *map = &info->memory;
    uint64_t image = host_pa(__image_start).v;

    memmap_claim(map, 0, BIOS_PAGE_SIZE, MEM_RESERVED);
    memmap_claim(map, image, (uint64_t)(__image_end - __image_start),
                 MEM_HYPERVISOR);
    modules_reserve(info);
    if (memmap_find_free(map, PAGE_SIZE, PAGE_SIZE, TRAMPOLINE_LOW,
                         TRAMPOLINE_HIGH, &trampoline) == 0) {
        memmap_claim(map, trampoline.v, PAGE_SIZE, MEM_LOADER);
    } else {
        trampoline = hpa(0);
    }
}

hpa_t memory_trampoline(void)
{
    return trampoline;
}

void early_alloc_init(struct boot_info *info)
{
    early_info = info;
}

void *arch_early_alloc(size_t bytes)
{
    struct memmap *map = &early_info->memory;
    hpa_t base;

    bytes = (bytes + PAGE_SIZE - 1) & PAGE_MASK;
    if (memmap_find_free(map, bytes, PAGE_SIZE, EARLY_LOW, BOOT_MAPPED_END,
                         &base) < 0) {
        return NULL;
    }
    memmap_claim(map, base.v, bytes, MEM_HYPERVISOR);
    return host_ptr(base);
}
