/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What multiboot 1 and 2 have in common: bounded copies of the loader's text,
 * modules and the firmware's memory map. The loader is trusted to be benign but
 * not to be right: sizes are checked and everything of use is copied before any
 * memory is handed out.
 */
#include "arch_inline.h"
#include "boot/boot.h"
#include "ravelin/errno.h"
#include "ravelin/string.h"

#define MB1_LOADER_MAGIC 0x2badb002u
#define MB2_LOADER_MAGIC 0x36d76289u

enum e820_type {
    E820_RAM = 1,
    E820_ACPI = 3,
    E820_NVS = 4,
    E820_BAD = 5,
};

const void *loader_data(uint64_t address, uint64_t size)
{
    if (address == 0 || address >= BOOT_MAPPED_END ||
        size > BOOT_MAPPED_END - address) {
        return NULL;
    }
    return host_ptr(hpa(address));
}

/* Length of the first word of text[max]. */
static size_t word_length(const char *text, size_t max)
{
    size_t n = 0;

    while (n < max && text[n] != '\0' && text[n] != ' ') {
        n++;
    }
    return n;
}

static size_t skip_blanks(const char *text, size_t max, size_t at)
{
    while (at < max && text[at] == ' ') {
        at++;
    }
    return at;
}

void loader_cmdline_set(struct boot_info *info, const char *text, size_t max)
{
    size_t word = word_length(text, max);
    size_t start = 0;

    /* Our options all have the form name=value; a file name has no '='. */
    if (memchr(text, '=', word) == NULL) {
        start = skip_blanks(text, max, word);
    }
    (void)string_copy_bounded(info->cmdline, sizeof(info->cmdline),
                              text + start, max - start);
}

static bool module_is_usable(const struct boot_info *info, uint64_t base,
                             uint64_t end)
{
    return info->module_count < BOOT_MODULE_COUNT_MAX &&
           (base & ~PAGE_MASK) == 0 && base < end &&
           loader_data(base, end - base) != NULL;
}

bool loader_module_add(struct boot_info *info, uint64_t base, uint64_t end,
                       const char *text, size_t max)
{
    struct boot_module *m = &info->module[info->module_count];
    size_t word = word_length(text, max);
    size_t args = skip_blanks(text, max, word);
    size_t name = word;

    if (!module_is_usable(info, base, end)) {
        info->module_dropped++;
        return false;
    }
    while (name > 0 && text[name - 1] != '/') {
        name--;
    }
    (void)string_copy_bounded(m->name, sizeof(m->name), text + name,
                              word - name);
    (void)string_copy_bounded(m->args, sizeof(m->args), text + args,
                              max - args);
    m->base = hpa(base);
    m->size = end - base;
    info->module_count++;
    return true;
}

void loader_memory_add(struct boot_info *info, uint64_t base, uint64_t size,
                       uint32_t type)
{
    enum mem_kind kind;

    switch (type) {
    case E820_RAM:
        kind = MEM_FREE;
        break;
    case E820_ACPI:
        kind = MEM_ACPI;
        break;
    case E820_NVS:
        kind = MEM_NVS;
        break;
    case E820_BAD:
        kind = MEM_BAD;
        break;
    default:
        kind = MEM_RESERVED;
        break;
    }
    memmap_claim(&info->memory, base, size, kind);
}

int multiboot_parse(struct boot_info *info, uint32_t magic, uint32_t address)
{
    if (magic == MB1_LOADER_MAGIC) {
        return multiboot1_parse(info, address);
    }
    if (magic == MB2_LOADER_MAGIC) {
        return multiboot2_parse(info, address);
    }
    return -RV_EINVAL;
}
