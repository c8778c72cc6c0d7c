/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PVH guest is told: start info, module list, memory map and command
 * line, in one block directly below the ramdisk at the top of low RAM. The
 * same memory map answers XENMEM_memory_map.
 *
 * Threat surface: sizes of ramdisk and command line, and the kernel's wishes
 * for addresses; all compared with the RAM there is.
 */
#include "pvh_private.h"

#include "public/hvm/e820.h"
#include "public/hvm/start_info.h"
#include "public/xen.h"
#include "ravelin/errno.h"
#include "ravelin/guest_copy.h"
#include "ravelin/memory_map.h"
#include "ravelin/string.h"

/* The block as it lies in guest memory; the command line follows. */
struct pvh_block {
    struct hvm_start_info info;
    struct hvm_modlist_entry module;
    struct hvm_memmap_table_entry memmap[PVH_MEMMAP_MAX];
};

_Static_assert(sizeof(struct hvm_start_info) == 56, "start_info.h layout");
_Static_assert(sizeof(struct hvm_modlist_entry) == 32, "start_info.h layout");
_Static_assert(sizeof(struct hvm_memmap_table_entry) == 24,
               "start_info.h layout");
_Static_assert(XEN_HVM_MEMMAP_TYPE_RAM == XEN_E820_RAM &&
                   XEN_HVM_MEMMAP_TYPE_RESERVED == XEN_E820_RESERVED &&
                   XEN_HVM_MEMMAP_TYPE_ACPI == XEN_E820_ACPI,
               "both memory maps number types alike");

/* ---- Layout ---- */

static int kernel_fits(const struct elf_image *image, uint64_t end)
{
    for (unsigned i = 0; i < image->count; i++) {
        const struct elf_segment *s = &image->segment[i];

        if (s->paddr + s->mem_size > end) {
            return -RV_E2BIG;
        }
    }
    return 0;
}

int pvh_layout_compute(const struct pvh_build *b, const struct elf_image *image,
                       struct pvh_layout *l, const char **why)
{
    uint64_t block = sizeof(struct pvh_block) + strlen(b->cmdline) + 1;
    uint64_t at;

    l->low_end = b->memory < PVH_RAM_LOW_END ? b->memory : PVH_RAM_LOW_END;
    l->high_end = PVH_RAM_HIGH + (b->memory - l->low_end);
    l->ramdisk = 0;
    at = l->low_end;
    *why = "ramdisk does not fit into the memory";
    if (b->ramdisk != NULL) {
        if (b->ramdisk_size > at) {
            return -RV_E2BIG;
        }
        at = (at - b->ramdisk_size) & PAGE_MASK;
        l->ramdisk = at;
    }
    if (at <= block) {
        return -RV_E2BIG;
    }
    l->start_info = (at - block) & PAGE_MASK;
    if (l->start_info == 0) {
        return -RV_E2BIG;
    }
    *why = "kernel and ramdisk do not fit into the memory";
    return kernel_fits(image, l->start_info);
}

/* ---- Memory map ---- */

static unsigned memmap_fill(const struct pvh_layout *l,
                            struct hvm_memmap_table_entry *map)
{
    const uint64_t acpi = PVH_ACPI_GFN << PAGE_SHIFT;
    const uint64_t after = acpi + PVH_ACPI_PAGES * PAGE_SIZE;
    unsigned n = 0;

    map[n++] = (struct hvm_memmap_table_entry){0, l->low_end,
                                               XEN_HVM_MEMMAP_TYPE_RAM, 0};
    map[n++] = (struct hvm_memmap_table_entry){acpi, after - acpi,
                                               XEN_HVM_MEMMAP_TYPE_ACPI, 0};
    map[n++] = (struct hvm_memmap_table_entry){after, PVH_SPECIAL_END - after,
                                               XEN_HVM_MEMMAP_TYPE_RESERVED, 0};
    if (l->high_end > PVH_RAM_HIGH) {
        map[n++] = (struct hvm_memmap_table_entry){PVH_RAM_HIGH,
                                                   l->high_end - PVH_RAM_HIGH,
                                                   XEN_HVM_MEMMAP_TYPE_RAM, 0};
    }
    return n;
}

static int memmap_publish(struct domain *d,
                          const struct hvm_memmap_table_entry *map, unsigned n)
{
    struct xen_e820_entry e820[PVH_MEMMAP_MAX];

    for (unsigned i = 0; i < n; i++) {
        e820[i].addr = map[i].addr;
        e820[i].size = map[i].size;
        e820[i].type = map[i].type;
    }
    return memory_map_set(d, e820, n);
}

/* ---- The block ---- */

/* Guests take these flags for "I am dom0": hardware access and control. */
static uint32_t start_flags(const struct domain *d)
{
    uint32_t flags = 0;

    if (is_hardware_domain(d)) {
        flags |= SIF_INITDOMAIN | SIF_PRIVILEGED;
    }
    if (is_control_domain(d)) {
        flags |= SIF_PRIVILEGED;
    }
    return flags;
}

static void block_fill(struct domain *d, const struct pvh_build *b,
                       const struct pvh_layout *l, struct pvh_block *block)
{
    struct hvm_start_info *info = &block->info;

    memset(block, 0, sizeof(*block));
    info->magic = XEN_HVM_START_MAGIC_VALUE;
    info->version = 1;
    info->flags = start_flags(d);
    info->cmdline_paddr = l->start_info + sizeof(*block);
    info->rsdp_paddr = PVH_ACPI_GFN << PAGE_SHIFT;
    info->memmap_paddr = l->start_info + offsetof(struct pvh_block, memmap);
    info->memmap_entries = memmap_fill(l, block->memmap);
    if (l->ramdisk != 0) {
        info->nr_modules = 1;
        info->modlist_paddr =
            l->start_info + offsetof(struct pvh_block, module);
        block->module.paddr = l->ramdisk;
        block->module.size = b->ramdisk_size;
    }
}

int pvh_start_info_write(struct domain *d, const struct pvh_build *b,
                         const struct pvh_layout *l)
{
    struct pvh_block block;
    int rc;

    block_fill(d, b, l, &block);
    rc = guest_phys_write(d, gpa(l->start_info), &block, sizeof(block));
    if (rc == 0) {
        rc = guest_phys_write(d, gpa(block.info.cmdline_paddr), b->cmdline,
                              strlen(b->cmdline) + 1);
    }
    if (rc == 0) {
        rc = memmap_publish(d, block.memmap, block.info.memmap_entries);
    }
    return rc;
}
