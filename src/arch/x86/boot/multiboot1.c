/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The information structure of multiboot 1 loaders (QEMU's -kernel).
 * Ref: Multiboot Specification 0.6.96, 3.3 "Boot information format".
 */
#include "boot/boot.h"
#include "ravelin/errno.h"
#include "ravelin/string.h"

#define FLAG_MEMORY 0x001u
#define FLAG_CMDLINE 0x004u
#define FLAG_MODULES 0x008u
#define FLAG_MMAP 0x040u
#define FLAG_LOADER 0x200u

#define KIB 1024u
#define HIGH_BASE 0x100000u

/* Memory map entries, as long as each is sane. */
#define MMAP_ENTRIES_MAX 1024u

struct mb1_info {
    uint32_t flags;
    uint32_t mem_lower; /* KiB from 0 */
    uint32_t mem_upper; /* KiB from 1 MiB */
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count;
    uint32_t mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length;
    uint32_t mmap_addr;
    uint32_t drives_length;
    uint32_t drives_addr;
    uint32_t config_table;
    uint32_t loader_name;
};

struct mb1_module {
    uint32_t start;
    uint32_t end;
    uint32_t string;
    uint32_t reserved;
};

struct rv_packed mb1_mmap {
    uint32_t size; /* of what follows */
    uint64_t base;
    uint64_t length;
    uint32_t type;
};

/* Text of at most `max` bytes, cut at the end of what is mapped. */
static const char *text_at(uint32_t address, size_t *max)
{
    if (address == 0) {
        *max = 0;
        return "";
    }
    *max = rv_min(*max, (size_t)(BOOT_MAPPED_END - address));
    return loader_data(address, *max);
}

static void mmap_parse(struct boot_info *info, const struct mb1_info *mb)
{
    uint64_t at = mb->mmap_addr;
    uint64_t end = at + mb->mmap_length;

    for (unsigned i = 0; i < MMAP_ENTRIES_MAX; i++) {
        const struct mb1_mmap *e = loader_data(at, sizeof(*e));

        if (e == NULL || at + sizeof(*e) > end ||
            e->size < sizeof(*e) - sizeof(e->size)) {
            return;
        }
        loader_memory_add(info, e->base, e->length, e->type);
        at += e->size + sizeof(e->size);
    }
}

static void memory_parse(struct boot_info *info, const struct mb1_info *mb)
{
    if (mb->flags & FLAG_MMAP) {
        mmap_parse(info, mb);
    } else if (mb->flags & FLAG_MEMORY) {
        memmap_claim(&info->memory, 0, (uint64_t)mb->mem_lower * KIB, MEM_FREE);
        memmap_claim(&info->memory, HIGH_BASE, (uint64_t)mb->mem_upper * KIB,
                     MEM_FREE);
    }
}

static void modules_parse(struct boot_info *info, const struct mb1_info *mb)
{
    for (uint32_t i = 0; i < mb->mods_count; i++) {
        uint64_t at = mb->mods_addr + (uint64_t)i * sizeof(struct mb1_module);
        const struct mb1_module *m = loader_data(at, sizeof(*m));
        size_t max = BOOT_MODULE_NAME_MAX + BOOT_MODULE_ARGS_MAX;
        const char *text;

        if (m == NULL) {
            return;
        }
        text = text_at(m->string, &max);
        (void)loader_module_add(info, m->start, m->end, text, max);
    }
}

int multiboot1_parse(struct boot_info *info, uint32_t address)
{
    const struct mb1_info *mb = loader_data(address, sizeof(*mb));
    size_t max = BOOT_CMDLINE_MAX;
    const char *text;

    if (mb == NULL) {
        return -RV_EINVAL;
    }
    if (mb->flags & FLAG_CMDLINE) {
        text = text_at(mb->cmdline, &max);
        loader_cmdline_set(info, text, max);
    }
    if (mb->flags & FLAG_LOADER) {
        max = BOOT_LOADER_MAX;
        text = text_at(mb->loader_name, &max);
        (void)string_copy_bounded(info->loader, sizeof(info->loader), text,
                                  max);
    }
    memory_parse(info, mb);
    if (mb->flags & FLAG_MODULES) {
        modules_parse(info, mb);
    }
    return 0;
}
