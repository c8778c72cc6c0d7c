/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated RAM: one anonymous mapping whose pages the host commits as they are
 * touched, so machines of many GiB cost nothing until used.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/host.h"
#include "arch/startup.h"
#include "arch_inline.h"
#include "fake.h"
#include "fake_internal.h"

#define EARLY_MAX 64
#define HUGE_PAGES 512u

uint8_t *fake_ram_base;

static size_t ram_size;
static struct {
    void *mapping;
    size_t bytes;
} early[EARLY_MAX];
static unsigned early_count;

static void *map_memory(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        perror("fake machine: mmap");
        abort();
    }
    return p;
}

void fake_ram_create(size_t bytes)
{
    if (fake_ram_base) {
        fake_ram_destroy();
    }
    fake_ram_base = map_memory(bytes);
    ram_size = bytes;
    fake_fetch_attach(bytes);
}

void fake_ram_destroy(void)
{
    fake_fetch_detach();
    munmap(fake_ram_base, ram_size);
    fake_ram_base = NULL;
    ram_size = 0;
    while (early_count > 0) {
        early_count--;
        munmap(early[early_count].mapping, early[early_count].bytes);
    }
}

size_t fake_ram_size(void)
{
    return ram_size;
}

void *fake_early_alloc(size_t bytes)
{
    void *p;

    if (early_count == EARLY_MAX || bytes == 0) {
        return NULL;
    }
    p = map_memory(bytes);
    /* Enough junk that relying on zeroed memory is noticed, at a bounded
     * cost. */
    memset(p, 0xa5, bytes < (8UL << 20) ? bytes : (8UL << 20));
    early[early_count].mapping = p;
    early[early_count].bytes = bytes;
    early_count++;
    return p;
}

void *arch_early_alloc(size_t bytes)
{
    return fake_early_alloc(bytes);
}

void arch_page_clear(void *page)
{
    arch_pages_clear(page, 1);
}

/* Large blocks go back to the host instead, which gives zeros for nothing. */
void arch_pages_clear(void *page, size_t count)
{
    if (count < HUGE_PAGES ||
        madvise(page, count * PAGE_SIZE, MADV_DONTNEED) != 0) {
        memset(page, 0, count * PAGE_SIZE);
    }
}
