/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The information structure of multiboot 2 loaders (GRUB): a list of tags. A
 * tag that does not fit the structure ends the list; one that is too short for
 * its type is skipped.
 * Ref: Multiboot2 Specification 2.0, 3.6 "Boot information format".
 */
#include "arch_inline.h"
#include "boot/boot.h"
#include "cpu/percpu.h"
#include "ravelin/errno.h"
#include "ravelin/string.h"

#define INFO_SIZE_MAX 0x1000000u
#define TAG_ALIGN 8u
#define RSDP_SIZE_MAX 36u

enum tag_type {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_LOADER = 2,
    TAG_MODULE = 3,
    TAG_MMAP = 6,
    TAG_RSDP_V1 = 14,
    TAG_RSDP_V2 = 15,
};

struct mb2_tag {
    uint32_t type;
    uint32_t size; /* header included */
    uint8_t data[];
};

struct mb2_module {
    uint32_t start;
    uint32_t end;
    char text[];
};

struct mb2_mmap {
    uint32_t entry_size;
    uint32_t entry_version;
};

struct mb2_mmap_entry {
    uint64_t base;
    uint64_t length;
    uint32_t type;
    uint32_t reserved;
};

/* The loader's copy of the RSDP, moved out of memory that will be reused. */
static uint8_t rsdp_copy[RSDP_SIZE_MAX] RV_RO_AFTER_INIT rv_aligned(16) = {0};

static void cmdline_tag(struct boot_info *info, const void *data, size_t size)
{
    loader_cmdline_set(info, data, size);
}

static void loader_tag(struct boot_info *info, const void *data, size_t size)
{
    (void)string_copy_bounded(info->loader, sizeof(info->loader), data, size);
}

static void module_tag(struct boot_info *info, const void *data, size_t size)
{
    const struct mb2_module *m = data;

    (void)loader_module_add(info, m->start, m->end, m->text, size - sizeof(*m));
}

static void mmap_tag(struct boot_info *info, const void *data, size_t size)
{
    const struct mb2_mmap *m = data;
    const uint8_t *p = (const uint8_t *)data + sizeof(*m);
    size_t left = size - sizeof(*m);

    if (m->entry_size < sizeof(struct mb2_mmap_entry)) {
        return;
    }
    while (left >= m->entry_size) {
        struct mb2_mmap_entry e;

        memcpy(&e, p, sizeof(e));
        loader_memory_add(info, e.base, e.length, e.type);
        p += m->entry_size;
        left -= m->entry_size;
    }
}

/* The second version comes with the 64-bit pointer and wins. */
static void rsdp_tag(struct boot_info *info, const void *data, size_t size)
{
    if (info->rsdp.v != 0 && size < RSDP_SIZE_MAX) {
        return;
    }
    memset(rsdp_copy, 0, sizeof(rsdp_copy));
    memcpy(rsdp_copy, data, rv_min(size, sizeof(rsdp_copy)));
    info->rsdp = host_pa(rsdp_copy);
}

static const struct {
    uint32_t type;
    size_t size_min;
    void (*parse)(struct boot_info *info, const void *data, size_t size);
} tag_table[] = {
    {TAG_CMDLINE, 0, cmdline_tag},
    {TAG_LOADER, 0, loader_tag},
    {TAG_MODULE, sizeof(struct mb2_module), module_tag},
    {TAG_MMAP, sizeof(struct mb2_mmap), mmap_tag},
    {TAG_RSDP_V1, 20, rsdp_tag},
    {TAG_RSDP_V2, RSDP_SIZE_MAX, rsdp_tag},
};

static void tag_parse(struct boot_info *info, const struct mb2_tag *tag)
{
    size_t size = tag->size - sizeof(*tag);

    for (size_t i = 0; i < ARRAY_SIZE(tag_table); i++) {
        if (tag_table[i].type == tag->type && size >= tag_table[i].size_min) {
            tag_table[i].parse(info, tag->data, size);
        }
    }
}

int multiboot2_parse(struct boot_info *info, uint32_t address)
{
    const uint32_t *total = loader_data(address, 2 * sizeof(uint32_t));
    uint64_t at = address + 2 * sizeof(uint32_t);
    uint64_t end;

    if (total == NULL || *total > INFO_SIZE_MAX ||
        loader_data(address, *total) == NULL) {
        return -RV_EINVAL;
    }
    end = address + (uint64_t)*total;
    while (at + sizeof(struct mb2_tag) <= end) {
        const struct mb2_tag *tag = loader_data(at, sizeof(*tag));

        if (tag == NULL || tag->type == TAG_END || tag->size < sizeof(*tag) ||
            tag->size > end - at) {
            break;
        }
        tag_parse(info, tag);
        at += (tag->size + TAG_ALIGN - 1) & ~(uint64_t)(TAG_ALIGN - 1);
    }
    return 0;
}
