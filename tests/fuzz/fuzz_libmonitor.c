/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the memory of a watched guest, page tables and stacks in it, as
 * a monitor walks them. Whatever is there: walks end, nothing is read outside,
 * names are terminated. The first bytes choose the mode, the rest is memory
 * from 4 KiB on.
 */
#include "fuzz.h"

#include <string.h>

#include "libmonitor_memory.h"

#define READS_MAX 40000u

static bool page_check(void *ctx, uint64_t gva, const struct monitor_page *page)
{
    uint64_t *count = ctx;

    require((page->gpa & (page->size - 1)) == 0);
    require((gva & (page->size - 1)) == 0);
    require((page->flags & ~7u) == 0);
    return ++*count < 2000;
}

static void memory_fill(const uint8_t *data, size_t size)
{
    const size_t room = MEMORY_SIZE - 4096;

    memcpy(libmonitor_memory.ram + 4096, data, size < room ? size : room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned int levels[] = {0, 2, 3, 4, 5, 4, 4, 4};
    struct monitor *m = &libmonitor_memory.monitor;
    struct monitor_program_place place;
    char text[MONITOR_PROGRAM_MAX];
    struct monitor_space space;
    struct monitor_page page;
    uint64_t frames, count = 0, gva;

    if (size < 10) {
        return 0;
    }
    libmonitor_memory_reset();
    memory_fill(data + 10, size - 10);
    space = (struct monitor_space){
        .root = 0x1000,
        .levels = levels[data[0] & 7],
        .has_large = (data[0] & 8) != 0,
        .has_nx = (data[0] & 16) != 0,
    };
    memcpy(&gva, data + 2, sizeof(gva));
    if (monitor_translate(m, &space, gva, &page) == 0) {
        require(page.size >= 4096);
        require(((page.gpa ^ gva) & 0xfff) == 0);
    }
    (void)monitor_pages(m, &space, gva, ~0ull, (data[1] & 1) != 0, page_check,
                        &count);
    (void)monitor_program_find(m, &space, text, &place);
    require(memchr(text, 0, sizeof(text)) != NULL);
    (void)monitor_program_is_same(m, &place);
    (void)monitor_kernel_text_protect(m, &space, MONITOR_ACCESS_RX, &frames);
    require(libmonitor_memory.read_count < READS_MAX);
    return 0;
}
